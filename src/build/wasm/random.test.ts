import { test } from 'uvu';
import type { ValueType } from './operations.js';
import { operations } from './operations.js';
import * as w from './test-encoder.js';
import type { TestFunction } from './test-encoder.js';
import { type Call, sameAsNode } from './test-program.js';

/** Functions made at random from a seed: what is pending on the stack meets every kind of statement and block. */
class Maker {
  #state: number;
  /** Results of the open blocks, the innermost last; loops are left out of what may be jumped to. */
  #blocks: (ValueType | undefined | 'loop')[] = [];

  constructor(seed: number) {
    this.#state = seed;
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1103515245) + 12345) & 0x7fffffff;
    return (this.#state >>> 8) % limit;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  type(): ValueType {
    return this.pick(['i32', 'i32', 'i64'] as const);
  }

  /** Locals 0 to 3 are i32, 4 to 6 are i64; 7 counts loops. */
  local(type: ValueType): number {
    return type === 'i32' ? this.below(4) : 4 + this.below(3);
  }

  value(type: ValueType, depth: number): number[] {
    const kind = depth <= 0 ? this.below(2) : this.below(11);
    if (kind === 0) return w.constant(type, BigInt(this.below(1 << 16)) * 0x10001n - 5n);
    if (kind === 1) return w.get(this.local(type));
    if (kind === 2) return [...this.value(type, depth - 1), ...w.tee(this.local(type))];
    if (kind === 3) return [...this.address(depth), ...w.access(`${type}.load`, this.below(60))];
    if (kind === 4)
      return [...w.get(this.local('i32')), ...w.call(0), ...(type === 'i64' ? w.op('i64.extend_i32_s') : [])];
    if (kind === 5) return [...this.condition(depth), ...w.when(type, ...this.#two(type, depth))];
    if (kind === 6)
      return w.block(
        type,
        this.#inside(type, () => [...this.statements(depth - 1), ...this.value(type, depth - 1)]),
      );
    if (kind === 7)
      return [...this.value(type, depth - 1), ...this.value(type, depth - 1), ...this.condition(depth), ...w.select];
    const [name, operands] = this.pick(plain[type]!);
    return [...operands.flatMap((operand) => this.value(operand, depth - 1)), ...w.op(name)];
  }

  #inside(result: ValueType | undefined | 'loop', make: () => number[]): number[] {
    this.#blocks.push(result);
    const code = make();
    this.#blocks.pop();
    return code;
  }

  #two(type: ValueType, depth: number): [number[], number[]] {
    const branch = () => this.#inside(type, () => [...this.statements(depth - 1), ...this.value(type, depth - 1)]);
    return [branch(), branch()];
  }

  condition(depth: number): number[] {
    return [...this.value('i32', depth - 1), ...w.i32(1 << this.below(5)), ...w.op('i32.and')];
  }

  address(depth: number): number[] {
    return [...this.value('i32', depth - 1), ...w.i32(255), ...w.op('i32.and')];
  }

  /** A jump out of a block, for good or on a condition, with the value it wants. */
  jump(depth: number): number[] {
    const at = this.below(this.#blocks.length);
    const result = this.#blocks[this.#blocks.length - 1 - at];
    if (result === 'loop') return [...w.nop];
    const value = () => (result === undefined ? [] : this.value(result, depth - 1));
    const kind = this.below(6);
    if (kind > 1) return [...value(), ...this.condition(depth), ...w.brIf(at), ...(result === undefined ? [] : w.drop)];
    const inside = this.#inside(undefined, () => [
      ...value(),
      ...w.br(at + 1),
      ...this.value('i32', depth - 1),
      ...w.drop,
    ]);
    const condition = this.condition(depth);
    // What follows a jump is only read.
    if (kind === 1) return w.block(undefined, condition, w.brIf(0), inside);
    return [...condition, ...w.when(undefined, inside)];
  }

  statement(depth: number): number[] {
    const type = this.type();
    const kind = this.below(depth <= 0 ? 3 : 8);
    if (kind === 0) return [...this.value(type, depth), ...w.set(this.local(type))];
    if (kind === 1)
      return [...this.address(depth), ...this.value(type, depth), ...w.access(`${type}.store`, this.below(60))];
    if (kind === 2) return [...this.value('i32', depth), ...w.setGlobal(0)];
    if (kind === 3) return this.#blocks.length === 0 ? [...w.nop] : this.jump(depth);
    if (kind === 4)
      return w.block(
        undefined,
        this.#inside(undefined, () => this.statements(depth - 1)),
      );
    if (kind === 5) {
      const inside = () => this.#inside(undefined, () => this.statements(depth - 1));
      return [...this.condition(depth), ...w.when(undefined, inside(), this.below(2) === 0 ? undefined : inside())];
    }
    if (kind === 6)
      return [...w.getGlobal(0), ...this.value('i32', depth), ...w.op('i32.add'), ...w.set(this.local('i32'))];
    return this.#loop(depth);
  }

  #loop(depth: number): number[] {
    const count = [...w.get(7), ...w.i32(1), ...w.op('i32.add'), ...w.tee(7), ...w.i32(30), ...w.op('i32.lt_u')];
    return w.loop(
      undefined,
      this.#inside('loop', () => [...this.statements(depth - 1), ...count, ...w.brIf(0)]),
    );
  }

  statements(depth: number): number[] {
    return Array.from({ length: 1 + this.below(3) }, () => this.statement(depth)).flat();
  }

  function(name: string): TestFunction {
    const code = [...this.statements(3), ...this.statements(4), ...this.value('i64', 3)];
    return { name, params: ['i32', 'i32'], result: 'i64', locals: ['i32', 'i32', 'i64', 'i64', 'i64', 'i32'], code };
  }
}

const plain: Partial<Record<ValueType, readonly (readonly [string, readonly ValueType[]])[]>> = Object.fromEntries(
  (['i32', 'i64'] as const).map((type) => [
    type,
    [...operations.values()]
      .filter(({ result, operands }) => result === type && operands.every((operand) => operand[0] === 'i'))
      .map(({ name, operands }) => [name, operands]),
  ]),
);

test('functions made at random', () => {
  const seed = Number(process.env.TSRUN_WASM_SEED ?? 1);
  const count = Number(process.env.TSRUN_WASM_COUNT ?? 60);
  const functions = Array.from({ length: count }, (_, i) => new Maker(seed * 7919 + i * 104729).function(`random${i}`));
  const values = [0n, 1n, 0xffffffffn, 0x80000000n, 12345n];
  const calls = functions.flatMap(({ name }) =>
    values.flatMap((a) => values.map((b): Call => ({ name, args: [a, b] }))),
  );
  const data = [{ at: 0, bytes: Array.from({ length: 400 }, (_, i) => (i * 89) & 0xff) }];
  sameAsNode({ imports: ['x'], functions, data, globals: [{ type: 'i32', value: 9n }] }, calls, 3);
});

test.run();
