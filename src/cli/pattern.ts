/**
 * Regular expressions for ids. The language's own go back and try again, some of them for longer than anybody waits, and cannot be
 * interrupted; these walk along the text once, with all that may be meant at the same time (Thompson's way). The notation is
 * JavaScript's and POSIX's, without what only going back can do: look-around and references to groups.
 */
import { type Assertion, isWord, type Node, Parser, type Test } from './pattern-syntax.js';

type Instruction =
  | { readonly op: 'one'; readonly test: Test }
  | { readonly op: 'assert'; readonly what: Assertion }
  | { readonly op: 'fork'; first: number; second: number }
  | { readonly op: 'found' };

/** Enough for any pattern that a person writes, and matched against an id in a millisecond. */
const longestProgram = 2000;

class Program {
  private readonly list: Instruction[] = [];

  constructor(node: Node) {
    this.add(node);
    this.push({ op: 'found' });
  }

  private push(instruction: Instruction): number {
    if (this.list.length >= longestProgram) throw new SyntaxError('too long');
    return this.list.push(instruction) - 1;
  }

  private fork(): { op: 'fork'; first: number; second: number } {
    const instruction = { op: 'fork' as const, first: 0, second: 0 };
    instruction.first = this.push(instruction) + 1;
    instruction.second = instruction.first;
    return instruction;
  }

  private add(node: Node): void {
    if (node.kind === 'one') this.push({ op: 'one', test: node.test });
    else if (node.kind === 'assert') this.push({ op: 'assert', what: node.what });
    else if (node.kind === 'all') for (const part of node.parts) this.add(part);
    else if (node.kind === 'any') this.addAny(node.parts);
    else this.addRepeat(node.part, node.least, node.most);
  }

  private addAny(parts: readonly Node[]): void {
    const ends = parts.map((part, index) => {
      const choice = index < parts.length - 1 ? this.fork() : undefined;
      this.add(part);
      const end = this.fork();
      if (choice) choice.second = this.list.length;
      return end;
    });
    for (const end of ends) end.first = end.second = this.list.length;
  }

  private addRepeat(part: Node, least: number, most: number): void {
    for (let i = 0; i < least; i++) this.add(part);
    if (most === Infinity) {
      const choice = this.fork();
      this.add(part);
      const back = this.fork();
      back.first = back.second = choice.first - 1;
      choice.second = this.list.length;
      return;
    }
    const choices = Array.from({ length: most - least }, () => {
      const choice = this.fork();
      this.add(part);
      return choice;
    });
    for (const choice of choices) choice.second = this.list.length;
  }

  private holds(what: Assertion, text: string, at: number): boolean {
    if (what === 'begin') return at === 0;
    if (what === 'end') return at === text.length;
    const edge = isWord(text.charCodeAt(at - 1)) !== isWord(text.charCodeAt(at));
    return edge === (what === 'edge');
  }

  /** Where the walk may be at this place of the text, without a character more; true when the end is among it. */
  private reach(from: number, text: string, at: number, places: Set<number>): boolean {
    const waiting = [from];
    while (waiting.length > 0) {
      const place = waiting.pop()!;
      if (places.has(place)) continue;
      places.add(place);
      const instruction = this.list[place]!;
      if (instruction.op === 'found') return true;
      if (instruction.op === 'fork') waiting.push(instruction.second, instruction.first);
      else if (instruction.op === 'assert' && this.holds(instruction.what, text, at)) waiting.push(place + 1);
    }
    return false;
  }

  /** Whether the pattern is found anywhere in the text. */
  isIn(text: string): boolean {
    let places = new Set<number>();
    for (let at = 0; ; at++) {
      if (this.reach(0, text, at, places)) return true;
      if (at === text.length) return false;
      const code = text.charCodeAt(at);
      const next = new Set<number>();
      for (const place of places) {
        const instruction = this.list[place]!;
        if (instruction.op === 'one' && instruction.test(code) && this.reach(place + 1, text, at + 1, next))
          return true;
      }
      places = next;
    }
  }
}

/** @throws SyntaxError */
export function compilePattern(text: string): (id: string) => boolean {
  const program = new Program(new Parser(text).whole());
  return (id) => program.isIn(id);
}
