/**
 * Files of the host side: the state root, cgroupfs, /proc, the bundle's config.json. Nothing under a rootfs is
 * ever touched from here (security.md S01). Synchronous on purpose: a command is one short sequence.
 */
import type { Stats } from 'node:fs';
import { encodeLossless, hasRawBytes } from '../tables/lossless-text.js';
import { fs } from './fs.js';

let rawPaths = false;

/** From now on paths may carry bytes that are no UTF-8, as tables/lossless-text.ts has them. Rare, so not looked for otherwise. */
export function expectRawPaths(): void {
  rawPaths = true;
}

/** What the engine takes: it would turn such bytes in a string into another path. */
const native = (path: string): string | Buffer =>
  rawPaths && hasRawBytes(path) ? Buffer.from(encodeLossless(path)) : path;

/** Errno name of a thrown file-system error, e.g. `ENOENT`; '' for anything else, our own errors among it. */
export function errnoOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && code.startsWith('E') ? code : '';
}

/** Reads a whole file as bytes. @throws host errors with `code`. */
export function readBytes(path: string): Uint8Array {
  return fs.readFileSync(native(path));
}

/** Reads a whole file as UTF-8 text (kernel files, our own state; not for config.json, see bundle/read.ts). */
export function readText(path: string): string {
  return fs.readFileSync(native(path), 'utf8');
}

/** Text of a file, or undefined where it does not exist or the kernel says its object is gone. */
export function readTextIfExists(path: string): string | undefined {
  try {
    return fs.readFileSync(native(path), 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'ENOTDIR', 'ESRCH'].includes(errnoOf(error))) return undefined;
    throw error;
  }
}

/** Writes a file in place with one write(2): for kernel files such as cgroupfs. */
export function writeExisting(path: string, text: string): void {
  const fd = fs.openSync(native(path), fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW);
  try {
    fs.writeSync(fd, text);
  } finally {
    fs.closeSync(fd);
  }
}

/** Creates or replaces a file by temporary file and rename, mode 0600 unless given. */
export function writeAtomically(path: string, data: string | Uint8Array, mode = 0o600): void {
  const slash = path.lastIndexOf('/');
  const temporary = `${path.slice(0, slash + 1)}.${path.slice(slash + 1)}.${process.pid}`;
  try {
    fs.writeFileSync(native(temporary), data, { mode, flag: 'wx' });
    fs.renameSync(native(temporary), native(path));
  } catch (error) {
    fs.rmSync(native(temporary), { force: true });
    throw error;
  }
}

/** mkdir(2); the caller handles EEXIST. */
export function makeDirectory(path: string, mode: number): void {
  fs.mkdirSync(native(path), { mode });
}

/** mkdir -p. */
export function makeDirectories(path: string, mode: number): void {
  fs.mkdirSync(native(path), { recursive: true, mode });
}

export const changeMode = (path: string, mode: number): void => fs.chmodSync(native(path), mode);
export const changeOwner = (path: string, uid: number, gid: number): void => fs.chownSync(native(path), uid, gid);
export const removeFile = (path: string): void => fs.unlinkSync(native(path));
export const removeDirectory = (path: string): void => fs.rmdirSync(native(path));
export const renamePath = (from: string, to: string): void => fs.renameSync(native(from), native(to));
export const listDirectory = (path: string): string[] => fs.readdirSync(native(path));
/** Whether somebody reads from the FIFO. Opening it for writing without blocking asks just that. */
export function hasReader(path: string): boolean {
  try {
    closeFile(openFile(path, openFlags.write | openFlags.nonBlock | openFlags.noFollow));
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENXIO' || errno === 'ENOENT') return false;
    throw error;
  }
}
/** Names of the directories in a directory. */
export const listSubdirectories = (path: string): string[] =>
  fs
    .readdirSync(native(path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
/** For looking at it by `/proc/self/fd`, whatever its path; no symlink is followed. */
export const openDirectory = (path: string): number =>
  fs.openSync(native(path), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW);
export const readLink = (path: string): string => fs.readlinkSync(native(path));
export const realPath = (path: string): string => fs.realpathSync(native(path));

/** Magic number of the file system a path is on (statfs(2)), or 0 when nothing is there. */
export function fileSystemMagic(path: string): number {
  try {
    return fs.statfsSync(native(path)).type;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'device';
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly dev: number;
  readonly ino: number;
  readonly mtimeMs: number;
}

const kinds: { readonly [type: number]: FileFacts['kind'] } = {
  [fs.constants.S_IFREG]: 'file',
  [fs.constants.S_IFDIR]: 'directory',
  [fs.constants.S_IFLNK]: 'symlink',
  [fs.constants.S_IFIFO]: 'fifo',
  [fs.constants.S_IFSOCK]: 'socket',
};

function factsOf(stat: Stats): FileFacts {
  const { size, mode, uid, gid, dev, ino, mtimeMs } = stat;
  return { kind: kinds[mode & fs.constants.S_IFMT] ?? 'device', size, mode, uid, gid, dev, ino, mtimeMs };
}

/** lstat, or undefined when nothing is there. */
export function lstatIfExists(path: string): FileFacts | undefined {
  const stat = fs.lstatSync(native(path), { throwIfNoEntry: false });
  return stat && factsOf(stat);
}

/** stat, or undefined when nothing is there. */
export function statIfExists(path: string): FileFacts | undefined {
  const stat = fs.statSync(native(path), { throwIfNoEntry: false });
  return stat && factsOf(stat);
}

/** Whether the caller may write to what is there. */
export function isWritable(path: string): boolean {
  try {
    fs.accessSync(native(path), fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Open flags by name, so that callers need no `node:fs`. */
export const openFlags = {
  read: fs.constants.O_RDONLY,
  write: fs.constants.O_WRONLY,
  readWrite: fs.constants.O_RDWR,
  nonBlock: fs.constants.O_NONBLOCK,
  noFollow: fs.constants.O_NOFOLLOW,
  append: fs.constants.O_APPEND,
  create: fs.constants.O_CREAT,
  exclusive: fs.constants.O_EXCL,
  truncate: fs.constants.O_TRUNC,
  directory: fs.constants.O_DIRECTORY,
  synchronous: fs.constants.O_SYNC,
} as const;

export const openFile = (path: string, flags: number, mode?: number): number => fs.openSync(native(path), flags, mode);
export const closeFile = (fd: number): void => fs.closeSync(fd);
export const fileFacts = (fd: number): FileFacts => factsOf(fs.fstatSync(fd));

/** Reads up to `length` bytes; an empty array is end of file. */
export function readSome(fd: number, length: number): Uint8Array {
  const buffer = new Uint8Array(length);
  const count = fs.readSync(fd, buffer, 0, length, null);
  return buffer.subarray(0, count);
}

/** Reads `length` bytes from `position` on, fewer at the end of the file. */
export function readAt(fd: number, position: number, length: number): Uint8Array {
  const buffer = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const count = fs.readSync(fd, buffer, done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return buffer.subarray(0, done);
}

/** Sets both times of a file to now, as touch(1) does to one that exists. */
export function touchFile(path: string): void {
  const now = new Date();
  fs.utimesSync(native(path), now, now);
}

/** Writes everything, however many writes it takes. */
export function writeAll(fd: number, data: string | Uint8Array): void {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  let done = 0;
  while (done < bytes.length) {
    try {
      done += fs.writeSync(fd, bytes, done);
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') continue;
      throw error;
    }
  }
}

/** One write(2), whatever comes of it: for messages to a reader who may be gone. */
export function writeLoosely(fd: number, text: string): void {
  try {
    fs.writeSync(fd, text);
  } catch {
    // A closed or full standard error must not change what the command does (cli-contract, invariant 4).
  }
}
