/** struct statx as src/host/files.ts shows a file. */
import type { FileFacts } from '../files.js';

export type Facts = FileFacts;

/** As they are named in file modes; a table with octal keys is not understood by the linter, which writes others in their place. */
const kinds = new Map<number, FileFacts['kind']>([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
  [0o010000, 'fifo'],
  [0o140000, 'socket'],
]);
const typeMask = 0o170000;

/** A number of 64 bits; little endian, as both architectures are. */
const wide = (words: Uint32Array, at: number): number => words[at + 1]! * 2 ** 32 + words[at]!;

/** As the C library's makedev(3) puts it together. */
const deviceOf = (major: number, minor: number): number =>
  (major & 0xfff) * 256 + (minor & 0xff) + Math.floor(minor / 256) * 2 ** 20 + Math.floor(major / 4096) * 2 ** 44;

/** Of a struct statx, as words: a DataView's methods are calls, which an engine that interprets feels. */
export function factsOf(words: Uint32Array): Facts {
  const mode = words[7]! & 0xffff;
  return {
    kind: kinds.get(mode & typeMask) ?? 'device',
    size: wide(words, 10),
    mode,
    uid: words[5]!,
    gid: words[6]!,
    dev: deviceOf(words[34]!, words[35]!),
    ino: wide(words, 8),
    mtimeMs: wide(words, 28) * 1000 + words[30]! / 1e6,
  };
}
