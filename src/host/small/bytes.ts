/** src/host/bytes.ts for the small engine: only what has an address needs no copy. */
import { makeRoom } from './door.js';

export const newBytes = (length: number): Uint8Array => makeRoom(length, true).bytes;
