import type { Device } from '../../bundle/types.js';
import { mountFlags } from '../../generated/ops.js';
import { MOUNT_ATTR } from '../../tables/mount-options.js';
import { hostIdOf } from '../id-map.js';
import type { Context } from '../options.js';
import { noSlot, type Step, step } from '../step.js';
import type { MountEntry } from './mount-entry.js';
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

const modeOf = ({ fileMode }: Device): number => (fileMode ?? 0o666) & 0o7777;

/** `c 1:3 0666 0:0 /dev/null`: type and numbers, mode, owner, path. */
function nodeText(device: Device): string {
  const { path, type, major = 0, minor = 0, uid = 0, gid = 0, fileMode } = device;
  const mode = fileMode === undefined ? '0666' : `0${modeOf(device).toString(8)}`;
  return `${type === 'u' ? 'c' : type} ${major}:${minor} ${mode} ${uid}:${gid} ${path}`;
}

const nodesStep = (nodes: readonly string[], pointer: string): Step =>
  step('init', 'device.make', { nodes }, pointer, 'make {}');

/** Where a host has the device of these numbers: as everywhere, or where the container wants it. */
function hostPathOf({ path, type, major, minor }: Device): string {
  for (const device of defaultDevices) {
    if (type !== 'b' && device.major === major && device.minor === minor) return device.path;
  }
  return path;
}

/** A node by the host, which may make them; the node on the host if that may not either. */
function openSteps({ spec: { linux = {} } }: Context, device: Device, pointer: string): Step[] {
  const { type, major = 0, minor = 0 } = device;
  const mode = (kinds.get(type) ?? 0) | modeOf(device);
  const uid = hostIdOf(linux.uidMappings ?? [], device.uid ?? 0);
  const gid = hostIdOf(linux.gidMappings ?? [], device.gid ?? 0);
  const path = hostPathOf(device);
  const summary = `make ${device.path} (${type} ${major}:${minor})`;
  const open = { recursive: 0, flags: 0, idmapSlot: noSlot, path };
  const otherwise = { tolerate: ['EPERM'], orElseNext: true };
  return [
    step('host', 'device.open', { mode, major, minor, uid, gid }, pointer, summary, otherwise),
    step('host', 'source.open', open, pointer, `or else open the host's ${path}`),
  ];
}

/** In a user namespace nobody may make nodes, so one is bound: for what the config lists by root a new one, else the host's. */
function boundNodeSteps(context: Context, device: Device, pointer: string): Step[] {
  const { path } = device;
  const passed = pointer !== '' && isApart(context.namespaces, 'user') && context.facts.uid === 0;
  const flags = passed ? mountFlags.passed : 0;
  // Read-only: the device is there to be used, and mode, owner and times of what may be the host's inode stay what they are (S10).
  const none = {
    recursive: 0,
    set: MOUNT_ATTR.RDONLY,
    clear: 0,
    recursiveSet: 0,
    recursiveClear: 0,
    idmapSlot: noSlot,
  };
  const source = hostPathOf(device);
  const args = { ...none, flags, source, target: path };
  const bind = step(
    'init',
    'mount.bind',
    args,
    pointer,
    passed ? `bind it on ${path}` : `bind the host's ${source} on ${path}`,
  );
  // The host may have something else of that name; what is there has to have the numbers.
  return [
    ...(passed ? openSteps(context, device, pointer) : []),
    bind,
    ...(pointer === '' ? [] : [nodesStep([nodeText(device)], pointer)]),
  ];
}

function isListed(devices: readonly Device[], path: string): boolean {
  for (const device of devices) if (device.path === path) return true;
  return false;
}

/** Those that are made one after the other are one step. `base`: their pointers without the index; '' for the runtime's own. */
function nodeSteps(context: Context, devices: readonly Device[], base: string): Step[] {
  const steps: Step[] = [];
  let nodes: string[] | undefined;
  for (let i = 0; i < devices.length; i++) {
    const device = devices[i]!;
    const isBound = context.inUserNamespace && device.type !== 'p';
    const pointer = (): string => (base === '' ? '' : `${base}${i}`);
    if (isBound || device.path === '/dev/ptmx') nodes = undefined;
    if (device.path === '/dev/ptmx') continue;
    if (isBound) steps.push(...boundNodeSteps(context, device, pointer()));
    else if (nodes !== undefined) nodes.push(nodeText(device));
    else {
      nodes = [nodeText(device)];
      steps.push(nodesStep(nodes, pointer()));
    }
  }
  return steps;
}

/** Nodes and links. The config's devices may be anywhere, but like runc we make none when it brings its own /dev. */
export function deviceSteps(context: Context): Step[] {
  if (!context.fillsDev) return [];
  const listed = context.spec.linux?.devices ?? [];
  const defaults = defaultDevices.filter(({ path }) => !isListed(listed, path));
  const steps = [...nodeSteps(context, defaults, ''), ...nodeSteps(context, listed, '/linux/devices/')];
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
