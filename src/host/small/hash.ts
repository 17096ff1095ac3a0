/** src/host/hash.ts for the small engine: the blocks are the host's work (src/engine/sha256.c), the padding is ours. */
import { door, makeRoom } from './door.js';
import { encode } from './text.js';

const start = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
const block = 64;

export function sha256(...parts: (string | Uint8Array)[]): string {
  const bytes = parts.map((part) => (typeof part === 'string' ? encode(part) : part));
  const length = bytes.reduce((sum, part) => sum + part.length, 0);
  const blocks = Math.ceil((length + 9) / block);
  // The state lies in front of the message.
  const room = makeRoom(32 + blocks * block);
  const state = new Uint32Array(room.bytes.buffer, 0, 8);
  state.set(start);
  let at = 32;
  for (const part of bytes) {
    room.bytes.set(part, at);
    at += part.length;
  }
  room.bytes[at] = 0x80;
  const view = new DataView(room.bytes.buffer);
  view.setUint32(room.bytes.length - 8, Math.floor(length / 2 ** 29));
  view.setUint32(room.bytes.length - 4, (length * 8) >>> 0);
  door.sha256(room.at, room.at + 32, blocks);
  return [...state].map((word) => word.toString(16).padStart(8, '0')).join('');
}
