/** What a pattern says: see pattern.ts. */
export type Test = (code: number) => boolean;
export type Assertion = 'begin' | 'end' | 'edge' | 'inner';
export type Node =
  | { readonly kind: 'one'; readonly test: Test }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'all'; readonly parts: readonly Node[] }
  | { readonly kind: 'any'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly least: number; readonly most: number };

const isDigit: Test = (code) => code >= 48 && code <= 57;
const isLower: Test = (code) => code >= 97 && code <= 122;
const isUpper: Test = (code) => code >= 65 && code <= 90;
const isLetter: Test = (code) => isLower(code) || isUpper(code);
export const isWord: Test = (code) => isLetter(code) || isDigit(code) || code === 95;
const isSpace: Test = (code) => code === 32 || (code >= 9 && code <= 13);
const not =
  (test: Test): Test =>
  (code) =>
    !test(code);
const is =
  (wanted: number): Test =>
  (code) =>
    code === wanted;

const escapes: ReadonlyMap<string, Test> = new Map([
  ['d', isDigit],
  ['D', not(isDigit)],
  ['w', isWord],
  ['W', not(isWord)],
  ['s', isSpace],
  ['S', not(isSpace)],
]);
const named: ReadonlyMap<string, Test> = new Map([
  ['alnum', (code: number) => isLetter(code) || isDigit(code)],
  ['alpha', isLetter],
  ['digit', isDigit],
  ['lower', isLower],
  ['punct', (code: number) => code > 32 && code < 127 && !isLetter(code) && !isDigit(code)],
  ['space', isSpace],
  ['upper', isUpper],
  ['xdigit', (code: number) => isDigit(code) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102)],
]);

/** @throws SyntaxError */
export class Parser {
  private at = 0;

  constructor(private readonly text: string) {}

  whole(): Node {
    const node = this.alternatives();
    if (this.at < this.text.length) throw new SyntaxError(`unmatched '${this.text[this.at]}'`);
    return node;
  }

  private take(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  private next(what: string): string {
    const character = this.text[this.at];
    if (character === undefined) throw new SyntaxError(what);
    this.at += 1;
    return character;
  }

  private alternatives(): Node {
    const parts = [this.sequence()];
    while (this.take('|')) parts.push(this.sequence());
    return parts.length === 1 ? parts[0]! : { kind: 'any', parts };
  }

  private sequence(): Node {
    const parts: Node[] = [];
    while (this.at < this.text.length && !'|)'.includes(this.text[this.at]!)) parts.push(this.repeated());
    return { kind: 'all', parts };
  }

  private repeated(): Node {
    const part = this.atom();
    const [least, most] = this.times() ?? [];
    if (least === undefined || most === undefined) return part;
    if (part.kind === 'assert') throw new SyntaxError('nothing to repeat');
    this.take('?'); // as few as can be: no difference to whether there are
    if (this.times()) throw new SyntaxError('nothing to repeat');
    return { kind: 'repeat', part, least, most };
  }

  private times(): [least: number, most: number] | undefined {
    if (this.take('*')) return [0, Infinity];
    if (this.take('+')) return [1, Infinity];
    if (this.take('?')) return [0, 1];
    const range = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.text.slice(this.at, this.at + 12));
    if (!range) return undefined;
    this.at += range[0].length;
    const least = Number(range[1]);
    const most = range[2] === undefined ? least : range[3] === '' ? Infinity : Number(range[3]);
    if (most < least) throw new SyntaxError('numbers out of order in {}');
    return [least, most];
  }

  private atom(): Node {
    const character = this.next('nothing to repeat');
    if (character === '^') return { kind: 'assert', what: 'begin' };
    if (character === '$') return { kind: 'assert', what: 'end' };
    if (character === '.') return { kind: 'one', test: () => true };
    if (character === '(') return this.group();
    if (character === '[') return { kind: 'one', test: this.list() };
    if (character === '\\') {
      if (this.take('b')) return { kind: 'assert', what: 'edge' };
      if (this.take('B')) return { kind: 'assert', what: 'inner' };
      return { kind: 'one', test: this.escape() };
    }
    if ('*+?{'.includes(character)) throw new SyntaxError('nothing to repeat');
    return { kind: 'one', test: is(character.charCodeAt(0)) };
  }

  private group(): Node {
    if (this.take('?') && !this.take(':'))
      throw new SyntaxError('groups that begin with (? are not supported, but for (?:');
    const node = this.alternatives();
    if (!this.take(')')) throw new SyntaxError('unterminated group');
    return node;
  }

  private escape(): Test {
    const character = this.next('\\ at the end');
    const known = escapes.get(character);
    if (known) return known;
    if (isWord(character.charCodeAt(0))) throw new SyntaxError(`\\${character} is not supported`);
    return is(character.charCodeAt(0));
  }

  private list(): Test {
    const negative = this.take('^');
    const tests: Test[] = [];
    while (!this.take(']')) tests.push(this.listed());
    const some: Test = (code) => tests.some((test) => test(code));
    return negative ? not(some) : some;
  }

  private listed(): Test {
    const unterminated = 'unterminated character class';
    const name = /^\[:(\w+):\]/.exec(this.text.slice(this.at, this.at + 16));
    if (name) {
      this.at += name[0].length;
      return named.get(name[1]!) ?? this.unknown(name[0]);
    }
    const first = this.next(unterminated);
    if (first === '\\') return this.escape();
    const from = first.charCodeAt(0);
    if (this.text[this.at] !== '-' || this.text[this.at + 1] === ']') return is(from);
    this.at += 1;
    const to = this.next(unterminated).charCodeAt(0);
    if (to < from) throw new SyntaxError('range out of order in character class');
    return (code) => code >= from && code <= to;
  }

  private unknown(name: string): never {
    throw new SyntaxError(`${name} is no class of characters`);
  }
}
