import type { Device } from '../../bundle/types.js';
import { mountFlags } from '../../generated/ops.js';
import { MOUNT_ATTR } from '../../tables/mount-options.js';
import type { Context } from '../options.js';
import { noSlot, type Step, step } from '../step.js';
import type { MountEntry } from './mounts.js';
import { isApart } from './namespaces.js';

/** What every container has (config-linux.md, default devices); console and ptmx are not nodes of their own. */
export const defaultDevices: readonly Device[] = [
  { path: '/dev/null', type: 'c', major: 1, minor: 3 },
  { path: '/dev/zero', type: 'c', major: 1, minor: 5 },
  { path: '/dev/full', type: 'c', major: 1, minor: 7 },
  { path: '/dev/random', type: 'c', major: 1, minor: 8 },
  { path: '/dev/urandom', type: 'c', major: 1, minor: 9 },
  { path: '/dev/tty', type: 'c', major: 5, minor: 0 },
];

const kinds: ReadonlyMap<string, number> = new Map([
  ['c', 0o020000],
  ['u', 0o020000],
  ['b', 0o060000],
  ['p', 0o010000],
]);

/** /dev/ptmx belongs to the container's own devpts; the rest is what programs expect (runtime-linux.md). */
const links: readonly (readonly [path: string, target: string])[] = [
  ['/dev/fd', '/proc/self/fd'],
  ['/dev/stdin', '/proc/self/fd/0'],
  ['/dev/stdout', '/proc/self/fd/1'],
  ['/dev/stderr', '/proc/self/fd/2'],
  ['/dev/core', '/proc/kcore'],
  ['/dev/ptmx', 'pts/ptmx'],
];

function nodeStep({ path, type, major, minor, fileMode, uid, gid }: Device, pointer: string): Step {
  const mode = (kinds.get(type) ?? 0) | ((fileMode ?? 0o666) & 0o7777);
  const args = { mode, major: major ?? 0, minor: minor ?? 0, uid: uid ?? 0, gid: gid ?? 0, path };
  const number = type === 'p' ? 'fifo' : `${type} ${major}:${minor}`;
  return step('init', 'device.make', args, pointer, `make ${path} (${number})`);
}

/**
 * In a user namespace nobody may make nodes, so the host's is bound: read-only, so that the device is there to be used, and
 * mode, owner and times of the host's inode are not to be changed from inside (S10).
 */
function hostNodeSteps(context: Context, { path }: Device, pointer: string): Step[] {
  const passed = pointer !== '' && isApart(context.namespaces, 'user') && context.facts.uid === 0;
  const flags = passed ? mountFlags.passed : 0;
  const attributes = {
    recursive: 0,
    set: MOUNT_ATTR.RDONLY,
    clear: 0,
    recursiveSet: 0,
    recursiveClear: 0,
    idmapSlot: noSlot,
  };
  const steps: Step[] = [];
  if (passed) {
    const open = { recursive: 0, flags: 0, idmapSlot: noSlot, path };
    steps.push(step('host', 'source.open', open, pointer, `open ${path}`));
  }
  const args = { ...attributes, flags, source: path, target: path };
  steps.push(step('init', 'mount.bind', args, pointer, `bind the host's ${path}`));
  return steps;
}

function isListed(devices: readonly Device[], path: string): boolean {
  for (const device of devices) if (device.path === path) return true;
  return false;
}

/** Nodes and links. The config's devices may be anywhere, but like runc we make none when it brings its own /dev. */
export function deviceSteps(context: Context): Step[] {
  if (!context.fillsDev) return [];
  const steps: Step[] = [];
  const listed = context.spec.linux?.devices ?? [];
  const add = (device: Device, pointer: string): void => {
    if (device.path === '/dev/ptmx') return;
    if (context.inUserNamespace && device.type !== 'p') steps.push(...hostNodeSteps(context, device, pointer));
    else steps.push(nodeStep(device, pointer));
  };
  for (const device of defaultDevices) {
    if (!isListed(listed, device.path)) add(device, '');
  }
  for (let i = 0; i < listed.length; i++) add(listed[i]!, `/linux/devices/${i}`);
  for (const [path, target] of links) {
    steps.push(step('init', 'path.symlink', { target, path }, '', `link ${path} to ${target}`));
  }
  return steps;
}

/** A /dev that is to be read-only becomes so when everything is in it. */
export function lateDevSteps(context: Context, entries: readonly MountEntry[]): Step[] {
  if (!context.fillsDev) return [];
  const steps: Step[] = [];
  for (const { clean, options, target, pointer } of entries) {
    if (clean !== '/dev' || options.remount || (options.set & MOUNT_ATTR.RDONLY) === 0) continue;
    const args = {
      set: MOUNT_ATTR.RDONLY,
      clear: 0,
      recursiveSet: 0,
      recursiveClear: 0,
      flags: 0,
      target,
      options: [],
    };
    steps.push(step('init', 'mount.remount', args, pointer, `make ${target} read-only`));
  }
  return steps;
}

/** The standard streams: owned by the process, and no longer the host's null device. */
export function stdioSteps(context: Context): Step[] {
  const { uid } = context.process.user ?? { uid: 0 };
  const steps = [step('init', 'stdio.null', {}, '', "replace the host's null device in the standard streams")];
  // A foreground run as root leaves the caller's own terminal or file alone.
  if (context.options.mode !== 'run' || uid !== 0) {
    steps.push(step('init', 'stdio.own', { uid }, '/process/user/uid', `give the standard streams to uid ${uid}`));
  }
  return steps;
}
