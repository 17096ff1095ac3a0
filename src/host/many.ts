/**
 * Questions about many at once, for `list`: an engine that interprets feels each call more than what it is about. Whatever is not plain is
 * answered by undefined, and is to be asked about alone, which throws what there is to throw.
 */
import { closeFile, hasReader, lstatIfExists, openFile, openFlags, readAt } from './files.js';
import { startTimeOf } from './start-time.js';

/** No more are asked about in one call. */
export const most = 64;

/** Far above what is asked about; it is not read to its end. */
const longest = 1 << 20;

/** Where a path leads that begins at a directory, which is open. */
const at = (directory: number, path: string): string =>
  path.startsWith('/') ? path : `/proc/self/fd/${directory}/${path}`;

function plainly<Answer>(ask: () => Answer): Answer | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

const newline = 10;

function firstLine(path: string): string | undefined {
  const fd = openFile(path, openFlags.read | openFlags.noFollow | openFlags.nonBlock);
  try {
    const bytes = readAt(fd, 0, longest);
    const end = bytes.indexOf(newline);
    if (end < 0 || bytes.at(-1) !== newline || bytes.subarray(0, end).some((byte) => byte < 0x20)) return undefined;
    const line = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, end));
    return end < bytes.length - 1 ? `${line}\t` : line;
  } finally {
    closeFile(fd);
  }
}

/**
 * The first line of each file, of which the paths have one end in common, with a tab behind it where it is not the only one. Plain is a file
 * of which the last line has an end, too; there are no controls in the first one, and no symlink is followed.
 */
export const firstLines = (directory: number, paths: readonly string[], end: string): (string | undefined)[] =>
  paths.map((path) => plainly(() => firstLine(at(directory, path + end))));

/** Whether there is something at each path that can be looked at. */
export const areThere = (directory: number, paths: readonly string[], end: string): boolean[] =>
  paths.map((path) => plainly(() => lstatIfExists(at(directory, path + end))) !== undefined);

/** Whether each is a directory, itself, of this user or of root. */
export const areOwnDirectories = (directory: number, paths: readonly string[], user: number): boolean[] =>
  paths.map((path) => {
    const facts = plainly(() => lstatIfExists(at(directory, path)));
    return facts?.kind === 'directory' && (facts.uid === user || facts.uid === 0);
  });

/** What is known of a FIFO. */
export const reader = { none: 0, some: 1, ask: 2 } as const;

/** `hasReader` of each. */
export const haveReaders = (directory: number, paths: readonly string[], end: string): ArrayLike<number> =>
  paths.map((path) => Number(plainly(() => hasReader(at(directory, path + end))) ?? reader.ask));

/** `startTimeOf` each; 0: there is none, negative: ask. */
export const startTimesOf = (pids: readonly number[]): ArrayLike<number> =>
  pids.map((pid) => plainly(() => startTimeOf(pid) ?? 0) ?? -1);
