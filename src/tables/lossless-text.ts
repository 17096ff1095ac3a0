/**
 * Bytes as text without loss. Arguments, environment and paths on Linux are bytes, mostly UTF-8. A byte that is
 * no UTF-8 becomes the lone surrogate U+DC80..U+DCFF, which no valid text contains, and turns into the same
 * byte again (the convention is Python's PEP 383).
 */

/** Whether the text carries such bytes. Cheap: this is asked of every path. */
export const hasRawBytes = (text: string): boolean => /[\udc80-\udcff]/.test(text) && lone.test(text);
const lone = /(?<![\ud800-\udbff])[\udc80-\udcff]/;

/** The length of the valid UTF-8 sequence at `at`, 0 when there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length =
    first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  for (let offset = 1; offset < length; offset++) {
    if (((bytes[at + offset] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  const second = bytes[at + 1] ?? 0;
  const overlong = (first === 0xe0 && second < 0xa0) || (first === 0xf0 && second < 0x90);
  const outside = (first === 0xed && second > 0x9f) || (first === 0xf4 && second > 0x8f);
  return overlong || outside ? 0 : length;
}

/** Text of any bytes. */
export function decodeLossless(bytes: Uint8Array): string {
  let text = '';
  let valid = 0;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    text += decoder.decode(bytes.subarray(valid, at)) + String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
    at += 1;
    valid = at;
  }
  return text + decoder.decode(bytes.subarray(valid));
}

/** Bytes of any text: the inverse of `decodeLossless`. */
export function encodeLossless(text: string): Uint8Array {
  const encoder = new TextEncoder();
  if (!hasRawBytes(text)) return encoder.encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
    else bytes.push(...encoder.encode(character));
  }
  return Uint8Array.from(bytes);
}
