/** Where one object lies in a JSON text, by its bytes. */

export interface Span {
  readonly begin: number;
  readonly end: number;
}

const quote = 0x22;
const backslash = 0x5c;
const braces = { open: 0x7b, close: 0x7d };

/** `at` is behind the first quote. 0 where there is no second one, as below where something has no end. */
function afterString(text: Uint8Array, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === backslash) at++;
    else if (text[at] === quote) return at + 1;
  }
  return 0;
}

function afterSpace(text: Uint8Array, from: number): number {
  let at = from;
  while (text[at] === 0x20 || (text[at]! >= 9 && text[at]! <= 13)) at++;
  return at;
}

function afterObject(text: Uint8Array, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; ) {
    const byte = text[at++];
    if (byte === quote) at = afterString(text, at) || text.length;
    else if (byte === braces.open) depth++;
    else if (byte === braces.close && --depth === 0) return at;
  }
  return 0;
}

const isName = (text: Uint8Array, from: number, to: number, name: string): boolean =>
  to - from === name.length && [...name].every((letter, index) => text[from + index] === letter.charCodeAt(0));

/** The object at the path of ASCII names, where that is there once; the text may be anything. As src/engine/json.c does it. */
export function findObject(text: Uint8Array, path: readonly string[]): Span | undefined {
  let found: Span | undefined;
  let level = 0;
  for (let at = 0, depth = 0; at < text.length; ) {
    const byte = text[at++]!;
    // Brackets are braces without the sixth bit.
    if ((byte | 0x20) === braces.open) depth++;
    if ((byte | 0x20) === braces.close) {
      if (depth === 0) return undefined;
      depth -= 1;
      if (depth === level && level > 0) level -= 1;
    }
    if (byte !== quote) continue;
    const from = at;
    at = afterString(text, at);
    if (at === 0) return undefined;
    const next = afterSpace(text, at);
    if (depth !== level + 1 || text[next] !== 0x3a || !isName(text, from, at - 1, path[level]!)) continue;
    at = afterSpace(text, next + 1);
    if (text[at] !== braces.open) return undefined;
    if (level + 1 < path.length) {
      at += 1;
      depth += 1;
      level += 1;
      continue;
    }
    const end = afterObject(text, at);
    if (found !== undefined || end === 0) return undefined;
    found = { begin: at, end };
    at = end;
  }
  return found;
}

/** What was found in a JSON text that is an ordinary document (bundle/ordinary.ts). */
export interface Scanned {
  /** How many keys the maps have that are to be read. */
  readonly keys: number;
  /** The map that needs not be read. */
  readonly carried?: Span;
}

/** Undefined where the text may be another. `carries`: whether a map may be left unread. */
export type Scanner = (text: Uint8Array, carries: boolean) => Scanned | undefined;

/** Who looks at bytes with the table of a shape (bundle/shape-table.ts): nobody here, for the walk over the value is as quick under Node. */
export const scannerOf = (_table: () => Uint8Array): Scanner | undefined => undefined;

export { isUtf8 } from 'node:buffer';

/** Whether a text is all ASCII that JSON writes as it is. */
export const isPlain = (text: string): boolean => /^[ !#-[\]-~]*$/.test(text);
