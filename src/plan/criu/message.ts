/** Protocol Buffers as far as CRIU's requests take them: numbers, switches, texts, messages, and lists of those. */
import type { MessageShape } from '../../tables/criu.js';
import { encodeLossless } from '../../tables/lossless-text.js';

type Field = number | boolean | string | Message;
/** What is undefined is left out. */
export interface Message {
  readonly [field: string]: Field | readonly Field[] | undefined;
}

/** Kinds of values on the wire. */
const varint = 0;
const bytes = 2;

function addNumber(to: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    to.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  to.push(rest);
}

function addBytes(to: number[], tag: number, content: Uint8Array | readonly number[]): void {
  addNumber(to, tag * 8 + bytes);
  addNumber(to, content.length);
  for (const byte of content) to.push(byte);
}

function addField(to: number[], entry: MessageShape[string], value: Field): void {
  const [tag, shape] = typeof entry === 'number' ? [entry, undefined] : entry;
  if (typeof value === 'object') addBytes(to, tag, encode(value, shape ?? {}));
  else if (typeof value === 'string') addBytes(to, tag, encodeLossless(value));
  else {
    addNumber(to, tag * 8 + varint);
    addNumber(to, Number(value));
  }
}

function encode(message: Message, shape: MessageShape): number[] {
  const out: number[] = [];
  for (const name of Object.keys(message)) {
    const value = message[name];
    if (value === undefined) continue;
    const entry = shape[name];
    if (entry === undefined) throw new RangeError(`no field '${name}'`);
    for (const one of Array.isArray(value) ? (value as Field[]) : [value as Field]) addField(out, entry, one);
  }
  return out;
}

/** The message's wire form; fields in the order in which they stand in it. */
export const encodeMessage = (message: Message, shape: MessageShape): Uint8Array =>
  Uint8Array.from(encode(message, shape));
