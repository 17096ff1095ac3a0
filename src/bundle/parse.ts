/**
 * From text to a value. On the way of every container: JSON.parse for the value, and one cheap pass over the text
 * that only asks whether JSON.parse can be trusted with it. Where it cannot, json64.ts reads the text exactly.
 */

import type { LargeInteger } from './shape.js';

export interface Parsed {
  readonly value: unknown;
  /** How many keys the text has. More than the value has: some came twice. */
  readonly keys: number;
  /** Integers of more than 15 digits, in the order of the text. In `value` they may be rounded. */
  readonly large: readonly LargeInteger[];
}

const backslash = 0x5c;

/** Whether a string may hold NUL or half a surrogate pair: both come only as escapes, as raw characters they are no JSON or no UTF-8. */
export function mayHaveBadStrings(text: string): boolean {
  if (text.includes('\\u0000')) return true;
  return (text.includes('\\ud') || text.includes('\\uD')) && mayHaveHalf(text);
}

const high = 1;
const low = 2;

/** Which half of a pair the escape at `at` stands for, 0 for none: \ud800 to \udbff, \udc00 to \udfff. */
function halfAt(text: string, at: number): number {
  if (text[at + 2] !== 'd' && text[at + 2] !== 'D') return 0;
  const digit = Number.parseInt(text[at + 3] ?? '', 16);
  return digit >= 12 ? low : digit >= 8 ? high : 0;
}

/** Whether a half may stand alone. Behind a second backslash it may be no escape at all: then that is looked at closer. */
function mayHaveHalf(text: string): boolean {
  for (let at = text.indexOf('\\u'); at >= 0; at = text.indexOf('\\u', at)) {
    const half = halfAt(text, at);
    if (half === 0) {
      at += 2;
      continue;
    }
    if (half === low || text.charCodeAt(at - 1) === backslash) return true;
    if (!text.startsWith('\\u', at + 6) || halfAt(text, at + 6) !== low) return true;
    at += 12;
  }
  return false;
}

/** The value of an ordinary text; undefined when the text needs the exact reader, for whatever reason. */
export function parseQuickly(text: string): Parsed | undefined {
  if (mayHaveBadStrings(text)) return undefined;
  const large: LargeInteger[] = [];
  const keys = countKeys(text, large);
  if (keys < 0) return undefined;
  try {
    return { value: JSON.parse(text), keys, large };
  } catch {
    return undefined;
  }
}

const bracket = 0x5b;

/**
 * Counts `":`, the end of a key: never too few, and too many only for a string that starts with a colon. -1 when
 * a number has a fraction or an exponent, or when there may be space before a colon.
 */
function countKeys(text: string, large: LargeInteger[]): number {
  if (text.includes(' :') || text.includes('\n:') || text.includes('\r:') || text.includes('\t:')) return -1;
  let keys = 0;
  for (let at = text.indexOf('":'); at >= 0; at = text.indexOf('":', at + 2)) {
    if (text.charCodeAt(at - 1) === backslash && isEscaped(text, at)) continue;
    keys += 1;
    let from = at + 2;
    let code = text.charCodeAt(from);
    if (code <= 0x20) {
      from = skipSpace(text, from);
      code = text.charCodeAt(from);
    }
    if (code === bracket) {
      if (!isPlainList(text, from + 1)) return -1;
    } else if (startsNumber(code)) {
      const end = endOfInteger(text, from);
      if (end < 0) return -1;
      if (end - from > 15) large.push({ key: keys, text: text.slice(from, end) });
    }
  }
  return keys;
}

/** Whether the quote at `at` belongs to a string: an odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let from = at;
  while (text.charCodeAt(from - 1) === backslash) from -= 1;
  return (at - from) % 2 === 1;
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const startsNumber = (code: number): boolean => code <= 0x39 && (code >= 0x30 || code === 0x2d);

function skipSpace(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    at += 1;
  }
}

/** Where the integer that starts at `from` ends; -1 when it is none. */
function endOfInteger(text: string, from: number): number {
  let at = from + 1;
  while (isDigit(text.charCodeAt(at))) at += 1;
  const next = text[at];
  return next === '.' || next === 'e' || next === 'E' ? -1 : at;
}

/** Whether the numbers at the start of a list, if any, are integers that a double holds for certain. */
function isPlainList(text: string, from: number): boolean {
  let at = from;
  for (;;) {
    if (text.charCodeAt(at) <= 0x20) at = skipSpace(text, at);
    if (!startsNumber(text.charCodeAt(at))) return true;
    const end = endOfInteger(text, at);
    if (end < 0 || end - at > 15) return false;
    at = skipSpace(text, end);
    if (text[at] === ',') at += 1;
  }
}
