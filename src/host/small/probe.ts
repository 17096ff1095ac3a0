/** src/host/probe.ts for the small engine, which has one thread: a copy of it tries, and ends. */
import { errnoName } from '../../tables/errnos.js';
import { namespaces } from '../../tables/namespaces.js';
import type { Probed, ProbeWishes } from '../probe.js';
import { atFdCwd, calls, door, makeRoom, scratch } from './door.js';
import { errnoOf, writeExisting } from './files.js';
import { reap } from './spawn.js';

const childSignal = 17;
const killSignal = 9;
const emptyPath = 0x1000; // AT_EMPTY_PATH
const openTreeClone = 1;
const openTreeCloseOnExec = 0o2000000;
const attributesSize = 32; // struct mount_attr
const attributeIdMap = 0x00100000; // MOUNT_ATTR_IDMAP
const newUser = 0x10000000;
const directory = 0o200000;
/** Exit status of a child that was ended before it could answer: as good as not allowed. */
const eperm = 1;

/** What a call gives in a child of its own, as a positive errno; 0 for success. */
function inChild(attempt: () => number): string {
  const pid = door.call(calls.clone, childSignal, 0, 0, 0, 0);
  if (pid === 0) {
    const result = attempt();
    door.call(calls.exit_group, result < 0 ? -result & 0xff : 0);
  }
  if (pid < 0) return errnoName(-pid);
  const status = reap(pid);
  return status === 0 ? '' : errnoName(status > 128 + 64 ? eperm : status);
}

/** A struct of 64-bit numbers, with the flags of the call in the first. */
function wideWords(size: number, words: readonly number[]): number {
  const room = makeRoom(size);
  const view = new DataView(room.bytes.buffer);
  words.forEach((word, index) => {
    view.setUint32(index * 8, word >>> 0, true);
  });
  kept.push(room);
  return room.at;
}
/** An address alone keeps no memory. */
const kept: unknown[] = [];

const tryClone3 = (): number => {
  const fd = door.call(calls.openat, atFdCwd, '/', directory, 0);
  // CLONE_INTO_CGROUP is bit 33; the eleventh word is the cgroup's descriptor. A directory that is no cgroup: nothing is made.
  const at = wideWords(88, [0, 0, 0, 0, childSignal, 0, 0, 0, 0, 0, fd]);
  new DataView((kept.at(-1) as { bytes: Uint8Array }).bytes.buffer).setUint32(4, 2, true);
  const result = door.call(calls.clone3, at, 88);
  if (result === 0) door.call(calls.exit_group, 0);
  return result;
};

const trySelf = (): number => {
  const pidfd = door.call(calls.pidfd_open, door.call(calls.getpid), 0);
  return pidfd < 0 ? pidfd : door.call(calls.pidfd_getfd, pidfd, pidfd, 0);
};

/** Calls by their names. The answer of a call that is there may well be an error: only ENOSYS and the like say that it is not. */
const attempts: readonly (readonly [name: string, attempt: () => number])[] = [
  ['openat2', () => door.call(calls.openat2, atFdCwd, '/', wideWords(24, [directory, 0, 0x10]), 24)],
  ['clone3', tryClone3],
  ['pidfd_open', () => door.call(calls.pidfd_open, door.call(calls.getpid), 0)],
  ['pidfd_getfd', trySelf],
  ['close_range', () => door.call(calls.close_range, 0x7ffffff0, 0x7fffffff, 0)],
  ['memfd_create', () => door.call(calls.memfd_create, 'probe', 3)],
  ['open_tree', () => door.call(calls.open_tree, atFdCwd, '/', openTreeCloseOnExec)],
  ['move_mount', () => door.call(calls.move_mount, -1, '', -1, '', 0)],
  ['mount_setattr', () => door.call(calls.mount_setattr, -1, '', emptyPath, wideWords(attributesSize, []), 32)],
  ['fsopen', () => door.call(calls.fsopen, 'tmpfs', 1)],
];

/** A namespace as this process may make it: by itself, and with a user namespace around it. */
function tryNamespaces(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [type, { flag }] of namespaces) {
    found[`namespace.${type}`] = inChild(() => door.call(calls.unshare, flag));
    if (type !== 'user') found[`nested.${type}`] = inChild(() => door.call(calls.unshare, newUser | flag));
  }
  return found;
}

/** A process in a user namespace of its own, which waits to be killed. */
function startUserNamespace(): number {
  const pid = door.call(calls.clone, childSignal | newUser, 0, 0, 0, 0);
  if (pid === 0) {
    scratch.bytes.fill(0, 0, 16);
    scratch.bytes[0] = 10; // seconds: should nobody kill it
    door.call(calls.ppoll, 0, 0, scratch.at, 0, 0);
    door.call(calls.exit_group, 0);
  }
  return pid;
}

/** Whether a mount of this directory's file system can have its ids mapped; the mount is detached and gone with its descriptor. */
function tryIdMap(path: string, userNamespace: number): number {
  const tree = door.call(calls.open_tree, atFdCwd, path, openTreeClone | openTreeCloseOnExec);
  if (tree < 0) return tree;
  const attributes = wideWords(attributesSize, [attributeIdMap, 0, 0, userNamespace]);
  return door.call(calls.mount_setattr, tree, '', emptyPath, attributes, attributesSize);
}

function tryIdMaps(paths: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  const pid = startUserNamespace();
  if (pid < 0) return found;
  try {
    for (const file of ['uid_map', 'gid_map']) writeExisting(`/proc/${pid}/${file}`, '0 100000 65536');
    const fd = door.call(calls.openat, atFdCwd, `/proc/${pid}/ns/user`, openTreeCloseOnExec, 0);
    for (const path of paths) found[`idmap.${path}`] = inChild(() => tryIdMap(path, fd));
    door.call(calls.close, fd);
  } catch (error) {
    for (const path of paths) found[`idmap.${path}`] = errnoOf(error);
  }
  door.call(calls.kill, pid, killSignal);
  reap(pid);
  return found;
}

export function probeHost({ idMapped }: ProbeWishes): Probed {
  const found: Record<string, string> = {};
  for (const [name, attempt] of attempts) found[name] = inChild(attempt);
  return { ...found, ...tryNamespaces(), ...tryIdMaps(idMapped) };
}
