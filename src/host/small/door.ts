/**
 * The door of the small engine: what src/engine/host.c offers instead of Node. System calls take their arguments as src/engine/calls.json
 * says; texts become the bytes that tables/lossless-text.ts means, so any path passes. Addresses are of the engine's own memory.
 */
import { calls } from '../../generated/engine-calls.js';
import { errnoName } from '../../tables/errnos.js';

interface Door {
  call(which: number, ...values: (number | string)[]): number;
  /** Bytes of a text at an address: their number, -1 when they do not fit. `raw` 1: as tables/lossless-text.ts has them. `units`: its length. */
  put(text: string, at: number, room: number, raw: number, units: number): number;
  /** The text of UTF-8 without a NUL. */
  get(at: number, length: number): string;
  /** How many bytes are UTF-8, from the start. */
  valid(at: number, length: number): number;
  argument(index: number, at: number, room: number): number;
  /** Of the environment, by position. */
  entry(index: number, at: number, room: number): number;
  variable(name: string, at: number, room: number): number;
  /** Zeroes, or with `dirty` 1 whatever was there. */
  buffer(length: number, dirty: number): ArrayBuffer | undefined;
  /** Where the last buffer lies. */
  address(): number;
  sha256(state: number, at: number, blocks: number): void;
  /** Where the object at a path of names lies in a text: 1, and begin and end are at `found` (src/engine/json.c). */
  object(text: number, length: number, path: number, found: number): number;
  /** Whether so many characters, all of a text, are written in JSON as they are: 1 or 0. */
  plain(text: string, units: number): number;
  /**
   * How many keys the maps of a text have that are to be read, where it is an ordinary document by a table, or -1. `carried`: begin and end of
   * the map that needs not be read are put there, and behind them is room for so many keys (src/engine/shape.c).
   */
  ordinary(text: number, length: number, table: number, carried: number, room: number): number;
  /** Of many at once (src/engine/many.c): paths have a NUL behind each, and begin at a directory. */
  lines(directory: number, paths: number, count: number): string;
  looks(directory: number, paths: number, count: number, found: number): void;
  readers(directory: number, paths: number, count: number, found: number): void;
  starts(pids: number, count: number, found: number): void;
  names(fd: number): string | number;
  architecture(): string;
  /** Writes the program that loads libraries to a descriptor (src/engine/bridge.c). */
  bridge(fd: number): number;
}
export const door = (globalThis as unknown as { readonly tsrunDoor: Door }).tsrunDoor;
export { calls };
/** AT_FDCWD: paths are relative to the working directory. */
export const atFdCwd = -100;

/** Memory with an address. It is freed with the last reference to its bytes: an address alone keeps nothing. */
export interface Room {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** @param dirty the caller writes all of it that anybody reads. */
export function makeRoom(length: number, dirty = false): Room {
  const buffer = door.buffer(length, dirty ? 1 : 0);
  if (buffer === undefined) throw new Error('out of memory');
  const at = door.address();
  (buffer as Placed).at = at;
  return { at, bytes: new Uint8Array(buffer) };
}

interface Placed extends ArrayBuffer {
  at?: number;
}

/** The bytes where they have an address: where they are, if that is part of a room, or in one of their own, which is gone with what is returned. */
export function placed(bytes: Uint8Array): Room {
  const { at } = bytes.buffer as Placed;
  if (at !== undefined) return { at: at + bytes.byteOffset, bytes };
  const room = bytes.length <= scratch.bytes.length ? scratch : makeRoom(bytes.length, true);
  room.bytes.set(bytes);
  return room;
}

/** For short-lived contents; each of its users is done with it before another begins. */
export const scratch = makeRoom(64 << 10);
export const scratchWords = new Uint32Array(scratch.bytes.buffer);
export const scratchView = new DataView(scratch.bytes.buffer);

/** An error as Node's are: with `code`, `errno` and `syscall`. */
export class SystemError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  constructor(result: number, syscall: string, path?: string) {
    const code = errnoName(-result);
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0; // Its lines cost more than the rest of it, and most of these errors are answers.
    super(`${code}: ${syscall}${path === undefined ? '' : ` '${path}'`}`);
    Error.stackTraceLimit = limit;
    this.code = code;
    this.errno = result;
    this.syscall = syscall;
  }
}

/** The result of a system call, or an exception for a negative one. */
export function expect(result: number, syscall: string, path?: string): number {
  if (result < 0) throw new SystemError(result, syscall, path);
  return result;
}

/** A path that ends where it seems to end. */
export function whole(path: string): string {
  if (path.includes('\0')) throw new SystemError(-22, 'a path with a NUL', path);
  return path;
}
