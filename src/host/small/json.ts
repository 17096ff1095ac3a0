/** src/host/json.ts for the small engine: src/engine/json.c looks. */
import type { Span } from '../json.js';
import { door, makeRoom } from './door.js';
import { encode } from './text.js';

/** Whether a text is all ASCII that JSON writes as it is. */
export const isPlain = (text: string): boolean => door.plain(text, text.length) === 1;

export function findObject(text: Uint8Array, path: readonly string[]): Span | undefined {
  const names = encode(`${path.join('\0')}\0\0`);
  const room = makeRoom(8 + text.length + names.length, true);
  room.bytes.set(text, 8);
  room.bytes.set(names, 8 + text.length);
  if (!door.object(room.at + 8, text.length, room.at + 8 + text.length, room.at)) return undefined;
  const [begin = 0, end = 0] = new Uint32Array(room.bytes.buffer, 0, 2);
  return { begin, end };
}
