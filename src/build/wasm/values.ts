import { type Access, cType, type Operation, type ValueType } from './operations.js';

export interface Value {
  readonly type: ValueType;
  /** C without effect, a constant, a variable or in brackets. */
  readonly text: string;
  /** The locals it reads. */
  readonly reads: readonly number[];
}

/** Compilers limit how deep brackets may be (clang: 256). */
const longest = 160;

/**
 * The stack of a function while it is translated. What lies there is C that has no effect and may be evaluated later: of
 * constants, locals, and variables that are set once, which hold what was loaded, called or may trap.
 */
export class Values {
  readonly lines: string[] = [];
  readonly #stack: Value[] = [];
  #kept = 0;

  get height(): number {
    return this.#stack.length;
  }

  set height(height: number) {
    this.#stack.length = height;
  }

  get top(): Value {
    return this.#stack.at(-1)!;
  }

  push(type: ValueType, text: string, reads: readonly number[] = []): void {
    this.#stack.push({ type, text, reads });
  }

  put(value: Value): void {
    this.#stack.push(value);
  }

  pop(): Value {
    return this.#stack.pop()!;
  }

  /** The texts of the uppermost values, the lowest first. */
  popAll(count: number): string[] {
    return this.#stack.splice(this.height - count, count).map((value) => value.text);
  }

  #variable(type: ValueType, c: string): string {
    const name = `v${this.#kept++}`;
    this.lines.push(`${cType[type]} ${name} = ${c};`);
    return name;
  }

  /** Pushes what has an effect or depends on when it happens, which is now. */
  keep(type: ValueType, c: string): void {
    this.push(type, this.#variable(type, c));
  }

  /** Evaluates what reads this local, or any local, before it may change. */
  keepAll(local?: number): void {
    for (const [i, { type, text, reads }] of this.#stack.entries()) {
      if (local === undefined ? reads.length > 0 : reads.includes(local))
        this.#stack[i] = { type, text: this.#variable(type, text), reads: [] };
    }
  }

  setLocal(index: number): void {
    const { text } = this.pop();
    this.keepAll(index);
    this.lines.push(`l${index} = ${text};`);
  }

  #pushPure(type: ValueType, c: string, operands: readonly Value[]): void {
    if (c.length > longest) this.keep(type, c);
    else this.push(type, `(${c})`, [...new Set(operands.flatMap((value) => value.reads))]);
  }

  operate({ operands, result, c, traps }: Operation): void {
    const b = operands.length === 2 ? this.pop() : undefined;
    const a = this.pop();
    const text = c.replace(/\b[AB]\b/g, (letter) => (letter === 'A' ? a : b!).text);
    if (traps) this.keep(result, text);
    else this.#pushPure(result, text, b === undefined ? [a] : [a, b]);
  }

  select(): void {
    const condition = this.pop();
    const b = this.pop();
    const a = this.pop();
    this.#pushPure(a.type, `${condition.text} ? ${a.text} : ${b.text}`, [condition, a, b]);
  }

  load({ type, cell, cast }: Access, offset: number): void {
    this.keep(type, `${cast}LOAD(${cell}, ${this.pop().text}, ${offset}u)`);
  }

  store({ cell }: Access, offset: number): void {
    const value = this.pop();
    const address = this.pop();
    const counts = cell === 'u32' && offset === 0 && this.#isCounted(value.text);
    this.lines.push(
      counts ? `COUNT(${address.text}, ${value.text});` : `STORE(${cell}, ${address.text}, ${offset}u, ${value.text});`,
    );
  }

  /** Whether a value is another one and 1, or less 1: with that the references to an object are counted, in its first word. */
  #isCounted(text: string): boolean {
    const line = this.lines.at(-1) ?? '';
    const whole = line.startsWith(`${text} = `) ? line.slice(text.length + 3, -1) : text;
    return /^\([lv]\d+ (?:[+-] 1u|\+ 4294967295u)\)$/.test(whole);
  }
}
