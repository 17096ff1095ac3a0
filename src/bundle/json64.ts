/**
 * The exact reading of a JSON text: a strict scanner that builds nothing, but says where the syntax is wrong, which
 * keys come twice, and how the numbers are written that a double cannot be trusted with. JSON.parse turns
 * 18446744073709551615 into 2^64, keeps the last of two keys and calls 1e3 an integer; all three matter in a config.
 */
import type { Failure } from '../errors/error.js';
import { fail } from '../errors/error.js';
import { quote } from './describe.js';
import { type Path, pointerOf } from './pointer.js';
import { mostFindings } from './rule.js';

/** A number whose text says more than its double: too large for one, or with a fraction or an exponent. */
export interface Literal {
  readonly path: Path;
  readonly text: string;
}

export interface ExactNotes {
  readonly literals: readonly Literal[];
  /** One failure for each key that comes twice in one object. */
  readonly duplicates: readonly Failure[];
}

/** Deeper than any config, and shallow enough for every recursive walk over it. */
export const deepest = 256;

/** Reads `text`, called `name` in messages. @throws TsrunError TSR_CONFIG_SYNTAX or TSR_CONFIG_DEPTH at the first fault. */
export function scanExactly(text: string, name: string): ExactNotes {
  const scanner = new Scanner(text, name);
  scanner.document();
  return scanner;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these inside a string
const plainCharacters = /[^"\\\u0000-\u001f]*/y;
const numberToken = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;

class Scanner implements ExactNotes {
  readonly literals: Literal[] = [];
  readonly duplicates: Failure[] = [];
  readonly #path: (string | number)[] = [];
  readonly #text: string;
  readonly #name: string;
  #depth = 0;
  #at = 0;

  constructor(text: string, name: string) {
    this.#text = text;
    this.#name = name;
  }

  document(): void {
    this.#skipSpace();
    if (this.#at === this.#text.length) this.#wrong('the file is empty');
    this.#value();
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#wrong('there is text after the end of the document');
  }

  #value(): void {
    const character = this.#text[this.#at] ?? '';
    if (character === '{') this.#object();
    else if (character === '[') this.#array();
    else if (character === '"') this.#string();
    else if (/[-0-9]/.test(character)) this.#number();
    else this.#word();
  }

  #object(): void {
    if (this.#isEmpty('}')) return;
    const seen = new Set<string>();
    do {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') this.#wrong('a key in double quotes was expected');
      const from = this.#at;
      this.#string();
      const key = JSON.parse(this.#text.slice(from, this.#at)) as string;
      this.#path.push(key);
      if (seen.has(key)) this.#noteDuplicate(key, from);
      seen.add(key);
      this.#skipSpace();
      if (this.#text[this.#at] !== ':') this.#wrong("':' was expected after a key");
      this.#at += 1;
      this.#skipSpace();
      this.#value();
      this.#path.pop();
    } while (this.#goesOn('}'));
  }

  #array(): void {
    if (this.#isEmpty(']')) return;
    let index = 0;
    do {
      this.#skipSpace();
      this.#path.push(index++);
      this.#value();
      this.#path.pop();
    } while (this.#goesOn(']'));
  }

  /** Goes past the opening bracket; when the closing one follows, past that too. */
  #isEmpty(closing: string): boolean {
    if (this.#depth === deepest) {
      fail('TSR_CONFIG_DEPTH', `${this.#name} is nested more than ${deepest} levels deep`, {
        detail: this.#place(this.#at),
      });
    }
    this.#at += 1;
    this.#skipSpace();
    if (this.#text[this.#at] === closing) {
      this.#at += 1;
      return true;
    }
    this.#depth += 1;
    return false;
  }

  /** After a member: true past a comma, false past the closing bracket. */
  #goesOn(closing: string): boolean {
    this.#skipSpace();
    const character = this.#text[this.#at];
    if (character !== ',' && character !== closing) this.#wrong(`',' or '${closing}' was expected`);
    this.#at += 1;
    if (character === closing) this.#depth -= 1;
    return character === ',';
  }

  #string(): void {
    this.#at += 1;
    for (;;) {
      plainCharacters.lastIndex = this.#at;
      plainCharacters.test(this.#text);
      this.#at = plainCharacters.lastIndex;
      const character = this.#text[this.#at];
      if (character === '"') break;
      if (character === undefined) this.#wrong('a string does not end');
      if (character !== '\\') this.#wrong('a control character in a string');
      const sequence = /^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(this.#text.slice(this.#at, this.#at + 6));
      if (sequence === null) this.#wrong('an unknown escape in a string');
      else this.#at += sequence[0].length;
    }
    this.#at += 1;
  }

  #number(): void {
    numberToken.lastIndex = this.#at;
    const match = numberToken.exec(this.#text);
    const next = this.#text[numberToken.lastIndex] ?? '';
    if (match === null || /[0-9.eE+-]/.test(next)) {
      this.#wrong('a malformed number');
      return;
    }
    this.#at = numberToken.lastIndex;
    const [text, fraction, exponent] = match;
    const exact = fraction === undefined && exponent === undefined && Number.isSafeInteger(Number(text));
    if (!exact) this.literals.push({ path: [...this.#path], text });
  }

  #word(): void {
    const word = ['true', 'false', 'null'].find((candidate) => this.#text.startsWith(candidate, this.#at));
    if (word !== undefined) this.#at += word.length;
    else if (this.#at === this.#text.length) this.#wrong('a value was expected');
    else if (this.#text[this.#at] === '/') this.#wrong('comments are not JSON');
    else this.#wrong('a value was expected');
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  #noteDuplicate(key: string, at: number): void {
    if (this.duplicates.length >= mostFindings) return;
    this.duplicates.push({
      code: 'TSR_CONFIG_DUPLICATE_KEY',
      message: `the key ${quote(key)} comes twice in one object, again at ${this.#place(at)}`,
      pointer: pointerOf(this.#path),
      hint: 'remove one of the two',
    });
  }

  /** `line 3, column 7 (offset 41)`; the offset counts UTF-16 units from 0, the others from 1. */
  #place(at: number): string {
    const before = this.#text.slice(0, at);
    const line = before.split('\n').length;
    return `line ${line}, column ${at - before.lastIndexOf('\n')} (offset ${at})`;
  }

  #wrong(what: string): never {
    if (this.#at >= this.#text.length && this.#text.trim() !== '') {
      fail('TSR_CONFIG_SYNTAX', `${this.#name} is cut off: it ends at ${this.#place(this.#at)}, where ${what}`, {
        hint: 'was it still being written, or the disk full?',
      });
    }
    return fail('TSR_CONFIG_SYNTAX', `${this.#name} is not JSON: ${what} at ${this.#place(this.#at)}`);
  }
}
