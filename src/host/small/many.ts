/** src/host/many.ts for the small engine: src/engine/many.c asks. */
import type { Look } from '../many.js';
import { door, makeRoom, type Room, scratch } from './door.js';
import { encodeTo } from './text.js';

export type { Look };

/** At a time. */
const most = 64;

/** Paths where C finds them, and behind them room for as many answers of 8 bytes, which lies at a multiple of that. */
function placed(paths: readonly string[]): { room: Room; found: number } {
  const text = `${paths.join('\0')}\0`;
  const size = text.length * 3 + 8 + paths.length * 8;
  const room = size <= scratch.bytes.length ? scratch : makeRoom(size, true);
  const length = encodeTo(text, room, true);
  return { room, found: (length + 7) & ~7 };
}

/** `ask` about some of a list, until all are answered. */
function inParts<Asked, Answer>(list: readonly Asked[], ask: (part: readonly Asked[]) => Answer[]): Answer[] {
  const answers: Answer[] = [];
  while (answers.length < list.length) answers.push(...ask(list.slice(answers.length, answers.length + most)));
  return answers;
}

const odd = '\r';

export const firstLines = (directory: number, paths: readonly string[]): (string | undefined)[] =>
  inParts(paths, (part) => {
    const { room } = placed(part);
    const lines = door.lines(directory, room.at, part.length).split('\n');
    return lines.includes(odd) ? lines.map((line) => (line === odd ? undefined : line)) : lines;
  });

const typeMask = 0o170000;
const kinds = { directory: 0o040000, file: 0o100000 } as const;

export const lookAtAll = (directory: number, paths: readonly string[]): (Look | undefined)[] =>
  inParts(paths, (part) => {
    const { room, found } = placed(part);
    door.looks(directory, room.at, part.length, room.at + found);
    const words = new Uint32Array(room.bytes.buffer, found, part.length * 2);
    return part.map((_, at) => {
      const type = words[at * 2]! & typeMask;
      if (type === 0) return undefined;
      const kind = type === kinds.directory ? 'directory' : type === kinds.file ? 'file' : 'other';
      return { kind, uid: words[at * 2 + 1]! };
    });
  });

export const haveReaders = (directory: number, paths: readonly string[]): (boolean | undefined)[] =>
  inParts(paths, (part) => {
    const { room, found } = placed(part);
    door.readers(directory, room.at, part.length, room.at + found);
    const words = new Uint32Array(room.bytes.buffer, found, part.length);
    return part.map((_, at) => (words[at] === 2 ? undefined : words[at] === 1));
  });

export const startTimesOf = (pids: readonly number[]): (number | undefined)[] =>
  inParts(pids, (part) => {
    new Uint32Array(scratch.bytes.buffer, most * 8, part.length).set(part);
    door.starts(scratch.at + most * 8, part.length, scratch.at);
    const times = new Float64Array(scratch.bytes.buffer, 0, part.length);
    return part.map((_, at) => (times[at]! < 0 ? undefined : times[at]!));
  });
