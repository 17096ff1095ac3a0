import { Code, type Instruction, readInstruction } from './instruction.js';
import { pointerTo } from './declare.js';
import { type FunctionType, type Module, readValueType } from './module.js';
import { cType, loads, operations, stores, type ValueType } from './operations.js';
import { Reader } from './reader.js';
import { Values } from './values.js';

/** A block that is open. */
interface Frame {
  readonly code: number;
  readonly result: ValueType | undefined;
  /** Height of the stack when it began. */
  readonly height: number;
  readonly label: number;
  /** Whether anything jumps to its label. */
  used: boolean;
  /** An `if` whose `else` has not come. */
  open: boolean;
}

/**
 * The C of one function: a variable for each local, expressions for what lies on the stack, labels for blocks. Code that
 * cannot be reached is read and left out.
 */
export class Body {
  /** Indexes of the functions that it names. */
  readonly calls = new Set<number>();
  readonly #locals: ValueType[];
  readonly #values = new Values();
  readonly #frames: Frame[] = [];
  readonly #results: string[] = [];
  #labels = 0;
  #dead = false;
  /** Blocks that began in dead code. */
  #skipped = 0;

  constructor(
    private readonly module: Module,
    private readonly index: number,
    private readonly names: readonly string[],
  ) {
    this.#locals = [...this.#type.params];
  }

  get #type() {
    return this.module.functions[this.index]!.type;
  }

  /** The statements between the braces. */
  translate(from: number, to: number, bytes: Uint8Array): string {
    const reader = new Reader(bytes, from);
    const params = this.#locals.length;
    for (let groups = reader.u32(); groups > 0; groups--) {
      const count = reader.u32();
      const type = readValueType(reader);
      for (let i = 0; i < count; i++) this.#locals.push(type);
    }
    this.#open(Code.block, this.#type.result);
    while (reader.at < to) this.#step(readInstruction(reader));
    const locals = this.#locals.slice(params).map((type, i) => `${cType[type]} l${params + i} = 0;`);
    return [[...locals, ...this.#results].join(' '), ...this.#values.lines].join('\n');
  }

  #step(instruction: Instruction): void {
    const { code } = instruction;
    if (this.#dead && !this.#ends(code)) return;
    const operation = operations.get(code);
    if (operation !== undefined) this.#values.operate(operation);
    else if (loads.has(code)) this.#values.load(loads.get(code)!, instruction.index);
    else if (stores.has(code)) this.#values.store(stores.get(code)!, instruction.index);
    else if (code <= Code.callIndirect) this.#control(instruction);
    else this.#plain(instruction);
  }

  /** In dead code: whether this is the end of the block that is dead. */
  #ends(code: number): boolean {
    if (code === Code.block || code === Code.loop || code === Code.if) this.#skipped++;
    else if (code === Code.end && this.#skipped > 0) this.#skipped--;
    else return this.#skipped === 0 && (code === Code.end || code === Code.else);
    return false;
  }

  #control({ code, index, labels, block }: Instruction): void {
    const values = this.#values;
    if (code === Code.unreachable) this.#die('wasm_trap();');
    else if (code === Code.block || code === Code.loop) this.#open(code, block);
    else if (code === Code.if) {
      const condition = values.pop();
      values.keepAll();
      values.lines.push(`if (!${condition.text}) goto E${this.#labels};`);
      this.#open(code, block);
    } else if (code === Code.else) this.#else();
    else if (code === Code.end) this.#close();
    else if (code === Code.br) this.#die(this.#jump(index));
    else if (code === Code.brIf) {
      const condition = values.pop();
      values.lines.push(`if (${condition.text}) ${this.#jump(index)}`);
    } else if (code === Code.brTable) this.#jumpTable(labels);
    else if (code === Code.return) this.#die(this.#jump(this.#frames.length - 1));
    else if (code === Code.call) {
      this.calls.add(index);
      this.#call(this.names[index]!, this.module.functions[index]!.type);
    } else if (code === Code.callIndirect) this.#callIndirect(this.module.types[index]!);
  }

  #plain({ code, index, bits }: Instruction): void {
    const values = this.#values;
    if (code === Code.drop) values.pop();
    else if (code === Code.select) values.select();
    else if (code === Code.localGet) values.push(this.#locals[index]!, `l${index}`, [index]);
    else if (code === Code.localSet) values.setLocal(index);
    else if (code === Code.localTee) {
      values.setLocal(index);
      values.push(this.#locals[index]!, `l${index}`, [index]);
    } else if (code === Code.globalGet) values.keep(this.module.globals[index]!.type, `g${index}`);
    else if (code === Code.globalSet) values.lines.push(`g${index} = ${values.pop().text};`);
    else if (code === Code.i32Const) values.push('i32', `${bits}u`);
    else if (code === Code.i64Const) values.push('i64', `${bits}ull`);
    else if (code === Code.f32Const) values.push('f32', `to_f32(${bits}u)`);
    else if (code === Code.f64Const) values.push('f64', `to_f64(${bits}ull)`);
    else if (code === Code.memorySize) values.keep('i32', 'wasm_pages');
    else if (code === Code.memoryCopy || code === Code.memoryFill) {
      const [to, what, size] = values.popAll(3);
      values.lines.push(`${code === Code.memoryCopy ? 'memory_copy' : 'memory_fill'}(${to}, ${what}, ${size});`);
    }
  }

  #open(code: number, result: ValueType | undefined): void {
    this.#values.keepAll();
    const label = this.#labels++;
    if (code === Code.loop) this.#values.lines.push(`L${label}:;`);
    const { height } = this.#values;
    this.#frames.push({ code, result, height, label, used: false, open: code === Code.if });
  }

  #die(line: string): void {
    this.#values.lines.push(line);
    this.#dead = true;
  }

  /** A statement that jumps to a label, counted from the inside, with the value it takes. */
  #jump(depth: number): string {
    const frame = this.#frames[this.#frames.length - 1 - depth]!;
    const carries = frame.result !== undefined && frame.code !== Code.loop;
    if (depth === this.#frames.length - 1) return carries ? `return ${this.#values.top.text};` : 'return;';
    frame.used = true;
    return carries ? `{ ${this.#assign(frame)} goto L${frame.label}; }` : `goto L${frame.label};`;
  }

  /** Puts the top of the stack where the frame's result is wanted. */
  #assign({ label, result }: Frame): string {
    const declaration = `${cType[result!]} r${label};`;
    if (!this.#results.includes(declaration)) this.#results.push(declaration);
    return `r${label} = ${this.#values.top.text};`;
  }

  #jumpTable(labels: readonly number[]): void {
    const { lines } = this.#values;
    const index = this.#values.pop();
    const last = labels.at(-1)!;
    lines.push(`switch (${index.text}) {`);
    for (const depth of new Set(labels.slice(0, -1))) {
      if (depth === last) continue;
      const cases = labels.flatMap((other, i) => (other === depth ? [`case ${i}:`] : []));
      lines.push(`${cases.join(' ')} ${this.#jump(depth)}`);
    }
    this.#die(`default: ${this.#jump(last)} }`);
  }

  #else(): void {
    const frame = this.#frames.at(-1)!;
    const { lines } = this.#values;
    if (!this.#dead) {
      if (frame.result !== undefined) lines.push(this.#assign(frame));
      lines.push(`goto L${frame.label};`);
      frame.used = true;
    }
    lines.push(`E${frame.label}:;`);
    frame.open = false;
    this.#values.height = frame.height;
    this.#dead = false;
  }

  #close(): void {
    const frame = this.#frames.pop()!;
    const { code, result, label, used } = frame;
    const values = this.#values;
    const { lines } = values;
    const arrives = !this.#dead;
    if (this.#frames.length === 0) {
      if (arrives && result !== undefined) lines.push(`return ${values.top.text};`);
      return;
    }
    const joined = used && code !== Code.loop;
    this.#dead = !arrives && !joined && !frame.open;
    const top = arrives && result !== undefined ? values.top : undefined;
    if (joined && top !== undefined) lines.push(this.#assign(frame));
    values.height = frame.height;
    if (frame.open) lines.push(`E${label}:;`);
    if (joined) lines.push(`L${label}:;`);
    if (result === undefined) return;
    if (joined) values.push(result, `r${label}`);
    else if (top !== undefined) values.put(top);
  }

  #call(name: string, { params, result }: FunctionType): void {
    const call = `${name}(${this.#values.popAll(params.length).join(', ')})`;
    if (result === undefined) this.#values.lines.push(`${call};`);
    else this.#values.keep(result, call);
  }

  #callIndirect(type: FunctionType): void {
    const index = this.#values.pop();
    this.#call(`((${pointerTo(type)})TARGET(${index.text}, ${this.module.types.indexOf(type)}u))`, type);
  }
}
