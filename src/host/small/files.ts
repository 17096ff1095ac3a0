/** src/host/files.ts for the small engine, over system calls. The comments there say what each is for. */
import type { FileFacts } from '../files.js';
import {
  atFdCwd as here,
  calls,
  door,
  expect,
  makeRoom,
  placed as placedBytes,
  type Room,
  SystemError,
  scratch,
  scratchView,
  scratchWords,
  whole,
} from './door.js';
import { factsOf, type Facts } from './file-facts.js';
import { encode, encodeTo, losslessText, validText } from './text.js';
import { ownPid } from './process.js';

export type { FileFacts };

const closeOnExec = 0o2000000;
const noFollowFlag = 0x100; // AT_SYMLINK_NOFOLLOW
const emptyPath = 0x1000; // AT_EMPTY_PATH
const removeDir = 0x200; // AT_REMOVEDIR
const basicStats = 0x7ff;
const pathOnly = 0o10000000; // O_PATH
const writeAccess = 2;

/** The flags that differ between our architectures. */
const isArm = (): boolean => door.architecture() === 'arm64';
export const openFlags = {
  read: 0,
  write: 1,
  readWrite: 2,
  nonBlock: 0o4000,
  get noFollow(): number {
    return isArm() ? 0o100000 : 0o400000;
  },
  append: 0o2000,
  create: 0o100,
  exclusive: 0o200,
  truncate: 0o1000,
  get directory(): number {
    return isArm() ? 0o40000 : 0o200000;
  },
  synchronous: 0o4010000,
};

/** Paths need no preparation here. */
export function expectRawPaths(): void {}

export function errnoOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && code.startsWith('E') ? code : '';
}

const tryOpen = (path: string, flags: number, mode = 0o666): number =>
  door.call(calls.openat, here, whole(path), flags | closeOnExec, mode);
export const openFile = (path: string, flags: number, mode?: number): number =>
  expect(tryOpen(path, flags, mode), 'open', path);
export const closeFile = (fd: number): void => void expect(door.call(calls.close, fd), 'close');

/** Without an exception for what is seen of nearly every container. */
export function hasReader(path: string): boolean {
  const fd = tryOpen(path, openFlags.write | openFlags.nonBlock | openFlags.noFollow);
  if (fd === -6 || fd === -2) return false; // ENXIO, ENOENT
  closeFile(expect(fd, 'open', path));
  return true;
}

/** Reads to the end; the room returned is the scratch one when all of it fits there. Negative: an errno. */
function readRest(fd: number): { room: Room; length: number } | number {
  let room = scratch;
  let length = 0;
  for (;;) {
    const got = door.call(calls.read, fd, room.at + length, room.bytes.length - length);
    if (got < 0) return got;
    if (got === 0) return { room, length };
    length += got;
    if (length < room.bytes.length) continue;
    const larger = makeRoom(room.bytes.length * 4, true);
    larger.bytes.set(room.bytes);
    room = larger;
  }
}

/** What a file holds, or a negative errno. */
function contents(path: string): { room: Room; length: number } | number {
  const fd = tryOpen(path, openFlags.read);
  if (fd < 0) return fd;
  const all = readRest(fd);
  door.call(calls.close, fd);
  return all;
}

const textOf = ({ room, length }: { room: Room; length: number }): string =>
  validText(room, length) ?? new TextDecoder('utf-8', { ignoreBOM: true }).decode(room.bytes.slice(0, length));

export function readBytes(path: string): Uint8Array {
  const all = contents(path);
  if (typeof all === 'number') throw new SystemError(all, 'open', path);
  // A room of its own needs no copy.
  return all.room === scratch ? all.room.bytes.slice(0, all.length) : all.room.bytes.subarray(0, all.length);
}

export function readText(path: string): string {
  const all = contents(path);
  if (typeof all === 'number') throw new SystemError(all, 'open', path);
  return textOf(all);
}

// ENOENT, ESRCH, ENODEV, ENOTDIR
const absent = [-2, -3, -19, -20];
export function readTextIfExists(path: string): string | undefined {
  const all = contents(path);
  if (typeof all !== 'number') return textOf(all);
  if (absent.includes(all)) return undefined;
  throw new SystemError(all, 'open', path);
}

/** Bytes where a system call finds them; a room of its own lives as long as the result does. */
function placed(data: string | Uint8Array): Room & { length: number } {
  if (typeof data === 'string' && data.length * 3 <= scratch.bytes.length)
    return { ...scratch, length: encodeTo(data, scratch) };
  const bytes = typeof data === 'string' ? encode(data) : data;
  return { ...placedBytes(bytes), length: bytes.length };
}

const writeOnce = (fd: number, data: string | Uint8Array): number => {
  const place = placed(data);
  return door.call(calls.write, fd, place.at, place.length);
};

export function writeExisting(path: string, text: string): void {
  const fd = openFile(path, openFlags.write | openFlags.noFollow);
  const result = writeOnce(fd, text);
  door.call(calls.close, fd);
  expect(result, 'write', path);
}

export function writeAtomically(path: string, data: string | Uint8Array, mode = 0o600): void {
  const slash = path.lastIndexOf('/');
  const temporary = `${path.slice(0, slash + 1)}.${path.slice(slash + 1)}.${ownPid()}`;
  try {
    const fd = openFile(temporary, openFlags.write | openFlags.create | openFlags.exclusive, mode);
    try {
      writeAll(fd, data);
    } finally {
      closeFile(fd);
    }
    renamePath(temporary, path);
  } catch (error) {
    door.call(calls.unlinkat, here, temporary, 0);
    throw error;
  }
}

export const makeDirectory = (path: string, mode: number): void =>
  void expect(door.call(calls.mkdirat, here, whole(path), mode), 'mkdir', path);

export function makeDirectories(path: string, mode: number): void {
  const result = door.call(calls.mkdirat, here, whole(path), mode);
  const slash = path.lastIndexOf('/');
  if (result === -2 && slash > 0) {
    makeDirectories(path.slice(0, slash), mode);
    makeDirectories(path, mode);
  } else if (result !== -17 || statIfExists(path)?.kind !== 'directory') expect(result, 'mkdir', path);
}

export const changeMode = (path: string, mode: number): void =>
  void expect(door.call(calls.fchmodat, here, whole(path), mode), 'chmod', path);
export const changeOwner = (path: string, uid: number, gid: number): void =>
  void expect(door.call(calls.fchownat, here, whole(path), uid, gid, 0), 'chown', path);
export const removeFile = (path: string): void =>
  void expect(door.call(calls.unlinkat, here, whole(path), 0), 'unlink', path);
export const removeDirectory = (path: string): void =>
  void expect(door.call(calls.unlinkat, here, whole(path), removeDir), 'rmdir', path);
export const renamePath = (from: string, to: string): void =>
  void expect(door.call(calls.renameat, here, whole(from), here, whole(to)), 'rename', from);

// struct dirent64: u64 ino, off; u16 reclen; u8 type; char name[]
const typeAt = 18;
const nameAt = 19;
const directoryType = 4;

function entries(path: string): { readonly name: string; readonly type: number }[] {
  const fd = openFile(path, openFlags.read | openFlags.directory);
  const list: { name: string; type: number }[] = [];
  const room = makeRoom(32 << 10);
  const view = new DataView(room.bytes.buffer);
  for (;;) {
    const got = door.call(calls.getdents64, fd, room.at, room.bytes.length);
    if (got <= 0) {
      door.call(calls.close, fd);
      expect(got, 'scandir', path);
      return list;
    }
    for (let at = 0; at < got; at += view.getUint16(at + 16, true)) {
      const length = room.bytes.indexOf(0, at + nameAt) - at - nameAt;
      const start = room.at + at + nameAt;
      const name =
        door.valid(start, length) === length
          ? door.get(start, length)
          : losslessText({ at: start, bytes: room.bytes.subarray(at + nameAt, at + nameAt + length) }, length);
      if (name !== '.' && name !== '..') list.push({ name, type: room.bytes[at + typeAt] ?? 0 });
    }
  }
}

/** -EILSEQ */
const noText = -84;

export function listDirectory(path: string): string[] {
  const fd = openFile(path, openFlags.read | openFlags.directory);
  const names: string[] = [];
  for (;;) {
    const some = door.names(fd);
    if (typeof some === 'string' && some !== '') {
      names.push(...some.slice(0, -1).split('\n'));
      continue;
    }
    door.call(calls.close, fd);
    if (some === noText) return entries(path).map(({ name }) => name);
    if (typeof some === 'number') expect(some, 'scandir', path);
    return names;
  }
}
export const listSubdirectories = (path: string): string[] =>
  entries(path)
    .filter(({ name, type }) =>
      type === 0 ? lstatIfExists(`${path}/${name}`)?.kind === 'directory' : type === directoryType,
    )
    .map(({ name }) => name);
export const openDirectory = (path: string): number =>
  openFile(path, openFlags.read | openFlags.directory | openFlags.noFollow);

function linkText(path: string): string {
  const length = expect(door.call(calls.readlinkat, here, whole(path), scratch.at, 4096), 'readlink', path);
  return losslessText(scratch, length);
}
export const readLink = (path: string): string => linkText(path);
export function realPath(path: string): string {
  const fd = openFile(path, pathOnly);
  try {
    return linkText(`/proc/self/fd/${fd}`);
  } finally {
    closeFile(fd);
  }
}

export function fileSystemMagic(path: string): number {
  const result = door.call(calls.statfs, whole(path), scratch.at);
  if (result === -2) return 0;
  expect(result, 'statfs', path);
  return scratchView.getUint32(0, true);
}

function look(fd: number, path: string, flags: number): Facts | undefined {
  const result = door.call(calls.statx, fd, path, flags, basicStats, scratch.at);
  if (result === -2 || result === -20) return undefined;
  expect(result, 'stat', path);
  return factsOf(scratchWords);
}
export const lstatIfExists = (path: string): FileFacts | undefined => look(here, whole(path), noFollowFlag);
export const statIfExists = (path: string): FileFacts | undefined => look(here, whole(path), 0);
export const fileFacts = (fd: number): FileFacts =>
  look(fd, '', emptyPath) ?? expectFacts(); /* a descriptor that is open has facts */
const expectFacts = (): never => {
  throw new SystemError(-9, 'fstat');
};

export const isWritable = (path: string): boolean => door.call(calls.faccessat, here, whole(path), writeAccess) === 0;

export function readSome(fd: number, length: number): Uint8Array {
  const room = makeRoom(length, true);
  const count = expect(door.call(calls.read, fd, room.at, length), 'read');
  return room.bytes.subarray(0, count);
}

export function readAt(fd: number, position: number, length: number): Uint8Array {
  const room = makeRoom(length, true);
  let done = 0;
  while (done < length) {
    const count = expect(door.call(calls.pread64, fd, room.at + done, length - done, position + done), 'read');
    if (count === 0) break;
    done += count;
  }
  return room.bytes.subarray(0, done);
}

export const touchFile = (path: string): void =>
  void expect(door.call(calls.utimensat, here, whole(path), 0, 0), 'utime', path);

export function writeAll(fd: number, data: string | Uint8Array): void {
  const place = placed(data);
  for (let done = 0; done < place.length; ) {
    const result = door.call(calls.write, fd, place.at + done, place.length - done);
    if (result === -11) continue; // EAGAIN
    done += expect(result, 'write');
  }
}

export function writeLoosely(fd: number, text: string): void {
  writeOnce(fd, text);
}
