/** Texts as the bytes of a plan: UTF-8, and the raw bytes that tables/lossless-text.ts has for what is none. */
import { encodeLossless, hasRawBytes } from '../tables/lossless-text.js';

const utf8 = new TextEncoder();

/** With this byte begins what TextEncoder writes for half of a surrogate pair, which is a raw byte or a mistake. */
const ofReplacement = 0xef;

/** Whether half of a surrogate pair may be behind bytes of TextEncoder. An engine that interprets searches bytes much faster than text. */
export const mayBeHalf = (bytes: Uint8Array): boolean => bytes.indexOf(ofReplacement) !== -1;

export function encodeText(text: string): Uint8Array {
  const bytes = utf8.encode(text);
  return mayBeHalf(bytes) && hasRawBytes(text) ? encodeLossless(text) : bytes;
}

/** NaN for half a surrogate pair, which would come out as another text; but U+DC80 to U+DCFF are raw bytes (lossless-text.ts). */
export function utf8Length(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) length += 1;
    else if (code < 0x800) length += 2;
    else if (code < 0xd800 || code >= 0xe000) length += 3;
    else if (code < 0xdc00 && isLow(text.charCodeAt(i + 1))) {
      length += 4;
      i++;
    } else if (code >= 0xdc80 && code <= 0xdcff) length += 1;
    else return Number.NaN;
  }
  return length;
}

const isLow = (code: number): boolean => code >= 0xdc00 && code < 0xe000;
