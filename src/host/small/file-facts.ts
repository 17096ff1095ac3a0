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

const wide = (view: DataView, at: number): number => view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);

/** As the C library's makedev(3) puts it together. */
const deviceOf = (major: number, minor: number): number =>
  (major & 0xfff) * 256 + (minor & 0xff) + Math.floor(minor / 256) * 2 ** 20 + Math.floor(major / 4096) * 2 ** 44;

/** Of a struct statx at the start of a view. */
export function factsOf(view: DataView): Facts {
  const mode = view.getUint16(28, true);
  return {
    kind: kinds.get(mode & typeMask) ?? 'device',
    size: wide(view, 40),
    mode,
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    dev: deviceOf(view.getUint32(136, true), view.getUint32(140, true)),
    ino: wide(view, 32),
    mtimeMs: wide(view, 112) * 1000 + view.getUint32(120, true) / 1e6,
  };
}
