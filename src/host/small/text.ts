/** Text and bytes for the small engine: TextEncoder and TextDecoder over the door, and what else is missing of a usual global object. */
import { decodeLossless } from '../../tables/lossless-text.js';
import { door, makeRoom, placed, type Room, scratch } from './door.js';

/** Above it a room of its own is made. */
const small = scratch.bytes.length;
const roomFor = (length: number): Room => (length <= small ? scratch : makeRoom(length, true));

/**
 * Bytes of a text into a room; `raw` as tables/lossless-text.ts has them. Returns their number, -1 when the room is too small. Nothing is
 * searched for in the text: an engine that interprets takes as long for that as for the rest.
 */
export const encodeTo = (text: string, room: Room, raw = false): number =>
  door.put(text, room.at, room.bytes.length, raw ? 1 : 0, text.length);

export function encode(text: string, raw = false): Uint8Array {
  // Nearly all is ASCII; nothing is longer than three bytes a unit.
  let room = roomFor(text.length);
  let length = encodeTo(text, room, raw);
  if (length < 0) {
    room = roomFor(text.length * 3);
    length = encodeTo(text, room, raw);
  }
  return room !== scratch && length === room.bytes.length ? room.bytes : room.bytes.slice(0, length);
}

/** Text of bytes in a room that are known to be UTF-8. */
function textAt(room: Room, from: number, to: number): string {
  let text = '';
  let start = from;
  for (;;) {
    const nul = room.bytes.indexOf(0, start);
    if (nul < 0 || nul >= to) return text + door.get(room.at + start, to - start);
    text += `${door.get(room.at + start, nul - start)}\0`;
    start = nul + 1;
  }
}

/** The text of the first bytes of a room; undefined when they are no UTF-8. */
export function validText(room: Room, length: number): string | undefined {
  return door.valid(room.at, length) === length ? textAt(room, 0, length) : undefined;
}

/** Any bytes at the start of a room as text without loss. */
export const losslessText = (room: Room, length: number): string =>
  validText(room, length) ?? decodeLossless(room.bytes.subarray(0, length));

/** How many bytes of a broken sequence one U+FFFD stands for: the longest beginning of a good one (Unicode 3.9, "maximal subpart"). */
function brokenLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  const more =
    first >= 0xf0 && first < 0xf5 ? 3 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xc2 && first < 0xe0 ? 1 : 0;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  let length = 1;
  while (length <= more) {
    const next = bytes[at + length] ?? 0;
    if (next < (length === 1 ? low : 0x80) || next > (length === 1 ? high : 0xbf)) break;
    length++;
  }
  return length;
}

function replacingText(room: Room, length: number): string {
  let text = '';
  for (let at = 0; at < length; ) {
    const valid = door.valid(room.at + at, length - at);
    if (valid > 0) text += textAt(room, at, at + valid);
    at += valid;
    if (at < length) text += '\ufffd';
    if (at < length) at += brokenLength(room.bytes.subarray(0, length), at);
  }
  return text;
}

/** Whole characters only, as many as fit. */
function encodeBeginning({ at, bytes }: Room, into: Uint8Array): { read: number; written: number } {
  let end = into.length;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  into.set(bytes.subarray(0, end));
  return { read: textAt({ at, bytes }, 0, end).length, written: end };
}

class Encoder {
  readonly encoding = 'utf-8';
  encode(text = ''): Uint8Array {
    return encode(text);
  }
  encodeInto(text: string, into: Uint8Array): { read: number; written: number } {
    const room = roomFor(text.length * 3);
    const length = encodeTo(text, room);
    if (length > into.length) return encodeBeginning(room, into);
    into.set(room.bytes.subarray(0, length));
    return { read: text.length, written: length };
  }
}

class Decoder {
  readonly encoding = 'utf-8';
  readonly fatal: boolean;
  readonly #keepMark: boolean;
  constructor(_label?: string, options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    this.fatal = options.fatal === true;
    this.#keepMark = options.ignoreBOM === true;
  }
  decode(bytes?: Uint8Array): string {
    if (bytes === undefined) return '';
    const room = placed(bytes);
    const text = validText(room, bytes.length);
    if (text === undefined && this.fatal) throw new TypeError('not UTF-8');
    const decoded = text ?? replacingText(room, bytes.length);
    return !this.#keepMark && decoded.charCodeAt(0) === 0xfeff ? decoded.slice(1) : decoded;
  }
}

Object.assign(globalThis, { TextEncoder: Encoder, TextDecoder: Decoder });

/** QuickJS-ng 0.12.1 gives a signed number back (findings/quickjs-bigint.sh). */
BigInt.asUintN = (bits, value) => {
  const range = 1n << BigInt(bits);
  const rest = value % range;
  return rest < 0n ? rest + range : rest;
};
