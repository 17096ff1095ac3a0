/** src/host/many.ts for the small engine: src/engine/many.c asks. */
import { door, makeRoom, type Room, scratch } from './door.js';
import { encodeTo } from './text.js';

export const most = 64;
export const reader = { none: 0, some: 1, ask: 2 } as const;

/** Paths where C finds them, and behind them room for as many answers of 8 bytes, which lies at a multiple of that. */
function placed(paths: readonly string[], end: string): { room: Room; found: number } {
  const text = `${paths.join(`${end}\0`)}${end}\0`;
  const size = text.length * 3 + 8 + paths.length * 8;
  const room = size <= scratch.bytes.length ? scratch : makeRoom(size, true);
  const length = encodeTo(text, room, true);
  return { room, found: (length + 7) & ~7 };
}

const odd = '\r';

export function firstLines(directory: number, paths: readonly string[], end: string): (string | undefined)[] {
  const lines: string[] = [];
  while (lines.length < paths.length) {
    const rest = lines.length === 0 ? paths : paths.slice(lines.length); // there is room for 64 KiB of lines in one answer
    lines.push(...door.lines(directory, placed(rest, end).room.at, rest.length).split('\n'));
  }
  return lines.includes(odd) ? lines.map((line) => (line === odd ? undefined : line)) : lines;
}

/** Mode and owner of each, one behind the other; mode 0 where there is nothing, or nothing that can be looked at. */
function looksAt(directory: number, paths: readonly string[], end: string): Uint32Array {
  const { room, found } = placed(paths, end);
  door.looks(directory, room.at, paths.length, room.at + found);
  return new Uint32Array(room.bytes.buffer, found, paths.length * 2);
}

export function areThere(directory: number, paths: readonly string[], end: string): boolean[] {
  const looks = looksAt(directory, paths, end);
  return paths.map((_, at) => looks[at * 2] !== 0);
}

const typeMask = 0o170000;
const typeOfDirectory = 0o040000;

export function areOwnDirectories(directory: number, paths: readonly string[], user: number): boolean[] {
  const looks = looksAt(directory, paths, '');
  return paths.map((_, at) => {
    const uid = looks[at * 2 + 1]!;
    return (looks[at * 2]! & typeMask) === typeOfDirectory && (uid === user || uid === 0);
  });
}

export function haveReaders(directory: number, paths: readonly string[], end: string): ArrayLike<number> {
  const { room, found } = placed(paths, end);
  door.readers(directory, room.at, paths.length, room.at + found);
  return new Uint32Array(room.bytes.buffer, found, paths.length).slice();
}

export function startTimesOf(pids: readonly number[]): ArrayLike<number> {
  new Uint32Array(scratch.bytes.buffer, most * 8, pids.length).set(pids);
  door.starts(scratch.at + most * 8, pids.length, scratch.at);
  return new Float64Array(scratch.bytes.buffer, 0, pids.length).slice();
}
