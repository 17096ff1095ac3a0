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
  /** Whether a key may be null. */
  readonly hasNulls: boolean;
}

/**
 * Everything is searched for in bytes: in the small engine that is 30 times as fast as in text. Structure is ASCII, of which
 * no byte is part of another character.
 */
type Bytes = Uint8Array;

const space = 0x20;
const quote = 0x22;
const zero = 0x30;
const colon = 0x3a;
const bracket = 0x5b;
const backslash = 0x5c;
const letterN = 0x6e;
const letterU = 0x75;

const high = 1;
const low = 2;

/** Value of a hexadecimal digit, 255 for anything else. */
const digitOf = (code: number | undefined): number => {
  if (code === undefined) return 255;
  const letter = code | 0x20;
  if (code >= zero && code <= 0x39) return code - zero;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : 255;
};

/** Which half of a pair the escape at `at` stands for, 0 for none: \ud800 to \udbff, \udc00 to \udfff. */
function halfAt(text: Bytes, at: number): number {
  if (text[at] !== backslash || text[at + 1] !== letterU || digitOf(text[at + 2]) !== 13) return 0;
  const digit = digitOf(text[at + 3]);
  return digit > 15 || digit < 8 ? 0 : digit >= 12 ? low : high;
}

const isNul = (text: Bytes, at: number): boolean =>
  text[at + 2] === zero && text[at + 3] === zero && text[at + 4] === zero && text[at + 5] === zero;

/** Whether a string holds NUL or half a surrogate pair: both come only as escapes, as raw characters they are no JSON or no UTF-8. */
export function mayHaveBadStrings(text: Bytes): boolean {
  for (let at = text.indexOf(backslash); at >= 0; at = text.indexOf(backslash, at)) {
    const half = halfAt(text, at);
    if (half === low || (half === high && halfAt(text, at + 6) !== low)) return true;
    if (half === 0 && text[at + 1] === letterU && isNul(text, at)) return true;
    at += half === high ? 12 : 2;
  }
  return false;
}

/** The value of an ordinary text; undefined when the text needs the exact reader, for whatever reason. */
export function parseQuickly(text: string, bytes: Bytes = new TextEncoder().encode(text)): Parsed | undefined {
  if (mayHaveBadStrings(bytes)) return undefined;
  const seen: Seen = { large: [], hasNulls: false };
  const keys = countKeys(bytes, seen);
  if (keys < 0) return undefined;
  try {
    return { value: JSON.parse(text), keys, ...seen };
  } catch {
    return undefined;
  }
}

interface Seen {
  readonly large: LargeInteger[];
  hasNulls: boolean;
}

const isSpace = (code: number | undefined): boolean =>
  code === space || code === 0x0a || code === 0x0d || code === 0x09;

/**
 * Counts `":`, the end of a key: never too few, and too many only for a string that starts with a colon. -1 when
 * a number has a fraction or an exponent, or when there may be space before a colon.
 */
function countKeys(text: Bytes, seen: Seen): number {
  let keys = 0;
  for (let at = text.indexOf(colon); at >= 0; at = text.indexOf(colon, at + 1)) {
    const before = text[at - 1];
    if (before !== quote) {
      if (isSpace(before) && text[beforeSpace(text, at - 1)] === quote) return -1;
      continue;
    }
    if (text[at - 2] === backslash && isEscaped(text, at - 1)) continue;
    keys += 1;
    let from = at + 1;
    let code = text[from]!;
    if (code <= space) {
      from = skipSpace(text, from);
      code = text[from]!;
    }
    if (code === bracket) {
      if (!isPlainList(text, from + 1)) return -1;
    } else if (code === letterN) seen.hasNulls = true;
    else if (startsNumber(code)) {
      const end = endOfInteger(text, from);
      if (end < 0) return -1;
      if (end - from > 15) seen.large.push({ key: keys, text: new TextDecoder().decode(text.subarray(from, end)) });
    }
  }
  return keys;
}

/** Whether the quote at `at` belongs to a string: an odd number of backslashes stands before it. */
function isEscaped(text: Bytes, at: number): boolean {
  let from = at;
  while (text[from - 1] === backslash) from -= 1;
  return (at - from) % 2 === 1;
}

const isDigit = (code: number): boolean => code >= zero && code <= 0x39;
const startsNumber = (code: number): boolean => code <= 0x39 && (code >= zero || code === 0x2d);

/** Where the last byte that is no space lies, from `from` backwards; shells write `while :`. */
function beforeSpace(text: Bytes, from: number): number {
  let at = from;
  while (isSpace(text[at])) at -= 1;
  return at;
}

function skipSpace(text: Bytes, from: number): number {
  let at = from;
  while (isSpace(text[at])) at += 1;
  return at;
}

/** Where the integer that starts at `from` ends; -1 when it is none. */
function endOfInteger(text: Bytes, from: number): number {
  let at = from + 1;
  while (isDigit(text[at]!)) at += 1;
  const next = text[at];
  return next === 0x2e || next === 0x65 || next === 0x45 ? -1 : at;
}

/** Whether the numbers at the start of a list, if any, are integers that a double holds for certain. */
function isPlainList(text: Bytes, from: number): boolean {
  let at = from;
  for (;;) {
    if (text[at]! <= space) at = skipSpace(text, at);
    if (!startsNumber(text[at]!)) return true;
    const end = endOfInteger(text, at);
    if (end < 0 || end - at > 15) return false;
    at = skipSpace(text, end);
    if (text[at] === 0x2c) at += 1;
  }
}
