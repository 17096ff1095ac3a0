/** src/host/json.ts for the small engine: src/engine/json.c looks. */
import type { Scanner, Span } from '../json.js';
import { door, makeRoom, placed } from './door.js';
import { encode } from './text.js';

/** Whether a text is all ASCII that JSON writes as it is. */
export const isPlain = (text: string): boolean => door.plain(text, text.length) === 1;

export function findObject(text: Uint8Array, path: readonly string[]): Span | undefined {
  const names = encode(`${path.join('\0')}\0\0`);
  const room = makeRoom(8 + names.length, true);
  room.bytes.set(names, 8);
  const place = placed(text);
  if (!door.object(place.at, text.length, room.at + 8, room.at)) return undefined;
  const [begin = 0, end = 0] = new Uint32Array(room.bytes.buffer, 0, 2);
  return { begin, end };
}

export function scannerOf(table: () => Uint8Array): Scanner {
  const bytes = table();
  const place = makeRoom(bytes.length);
  place.bytes.set(bytes);
  return (text, carries) => {
    const there = placed(text);
    let keys = 16;
    // Not more than one for sixteen bytes; three quarters of the room are used at most.
    while (carries && keys < text.length / 16) keys *= 2;
    const room = makeRoom(8 + 4 * keys);
    const count = door.ordinary(there.at, text.length, place.at, room.at, carries ? keys : 0);
    if (count < 0) return undefined;
    const [begin = 0, end = 0] = new Uint32Array(room.bytes.buffer, 0, 2);
    return end > 0 ? { keys: count, carried: { begin, end } } : { keys: count };
  };
}

export function isUtf8(bytes: Uint8Array): boolean {
  const place = placed(bytes);
  return door.valid(place.at, bytes.length) === bytes.length;
}
