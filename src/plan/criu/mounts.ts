/**
 * Mounts that lead out of the container. CRIU does not save them: the image has a key for each, and whoever restores
 * says what is bound there. Keys come from the config alone, never from the image or the root (CVE-2026-115520,
 * CVE-2026-119101, security.md S52): what could be taken for another key is refused, when dumping and when restoring.
 */
import type { Spec } from '../../bundle/types.js';
import { fail } from '../../errors/error.js';
import type { CgroupRecord } from '../../tables/cgroup.js';
import { MOUNT_ATTR } from '../../tables/mount-options.js';
import { containerDirectory } from '../../tables/notify.js';
import { absolutePath, cleanPath } from '../paths.js';
import { defaultDevices } from '../phases/devices.js';
import { type MountEntry, readMounts } from '../phases/mount-entry.js';
import type { MountFact } from './options.js';

export interface ExternalMount {
  readonly key: string;
  readonly val: string;
}

/** What masked files show. */
const nullDevice = '/dev/null';

const isIdMapped = ({ mount, options }: MountEntry): boolean =>
  options.idmap !== false || (mount.uidMappings?.length ?? 0) > 0 || (mount.gidMappings?.length ?? 0) > 0;

/** CRIU puts key and value into one text, `mnt[KEY]:VALUE`, and looks for the closing bracket. */
function checkKey({ clean, pointer, mount }: MountEntry, taken: ReadonlySet<string>): void {
  const refuse = (why: string, hint: string): never =>
    fail('TSR_CRIU_MOUNT', `the bind mount on '${mount.destination}' cannot be saved and restored: ${why}`, {
      pointer,
      hint,
    });
  if (/[[\]\\\n]/.test(clean))
    refuse('brackets, backslashes and newlines have a meaning to CRIU', 'use another destination');
  if (taken.has(clean)) refuse('another one has the same destination', 'leave one of them out');
}

/** The binds of the config, checked; `taken` gets their destinations. */
function bindsOf(spec: Spec, taken: Set<string>): MountEntry[] {
  const binds = readMounts(spec.mounts ?? []).filter(({ options }) => options.bind && !options.remount);
  for (const entry of binds) {
    checkKey(entry, taken);
    taken.add(entry.clean);
    if (isIdMapped(entry)) {
      fail('TSR_CRIU_MOUNT', `CRIU cannot save the id-mapped mount on '${entry.mount.destination}'`, {
        pointer: entry.pointer,
      });
    }
  }
  return binds;
}

const devicesOf = ({ linux }: Spec): string[] =>
  [...defaultDevices, ...(linux?.devices ?? [])].map(({ path }) => cleanPath(path));

/** The mount that is seen at this path: the last one made there. */
function seenAt(mounts: readonly MountFact[], path: string): MountFact | undefined {
  let seen: MountFact | undefined;
  for (const mount of mounts) if (mount.mountPoint === path) seen = mount;
  return seen;
}

/**
 * Without a cgroup namespace a mount of type cgroup shows the container's own cgroup of each v1 hierarchy, bound: key, and where
 * that is on this host.
 */
function legacyCgroups(spec: Spec, record: CgroupRecord | undefined): ExternalMount[] {
  if ((spec.linux?.namespaces ?? []).some(({ type }) => type === 'cgroup')) return [];
  const found: ExternalMount[] = [];
  for (const { clean, mount } of readMounts(spec.mounts ?? [])) {
    if (mount.type !== 'cgroup') continue;
    for (const { version, mountPoint, path } of record?.places ?? []) {
      const name = mountPoint.slice(mountPoint.lastIndexOf('/') + 1);
      if (version === 1) found.push({ key: `${clean}/${name}`, val: `${mountPoint}/${path}` });
    }
  }
  return found;
}

/** For a dump: the destination of each mount that leads outside, and the key it gets in the image. */
export function dumpedMounts(spec: Spec, mounts: readonly MountFact[], record?: CgroupRecord): ExternalMount[] {
  const taken = new Set<string>();
  const found: ExternalMount[] = [];
  for (const { clean, mount, pointer } of bindsOf(spec, taken)) {
    if (!seenAt(mounts, clean)) {
      fail('TSR_CRIU_MOUNT', `nothing is mounted on '${mount.destination}' in the container`, {
        pointer,
        hint: 'a destination that leads through a symbolic link, or was unmounted, cannot be saved',
      });
    }
    found.push({ key: clean, val: clean });
  }
  for (const { key } of legacyCgroups(spec, record)) {
    if (!taken.has(key) && seenAt(mounts, key)?.type === 'cgroup') found.push({ key, val: key });
  }
  for (const path of [...devicesOf(spec), containerDirectory]) {
    if (taken.has(path) || !seenAt(mounts, path)) continue;
    taken.add(path);
    found.push({ key: path, val: path });
  }
  for (const path of (spec.linux?.maskedPaths ?? []).map(cleanPath)) {
    if (taken.has(path) || seenAt(mounts, path)?.root !== '/null') continue;
    taken.add(path);
    found.push({ key: path, val: nullDevice });
  }
  return found;
}

/** For a restore: what the image's keys stand for. What is not listed here is not bound, whatever the image says. */
export function restoredMounts(
  spec: Spec,
  bundle: string,
  notifyFolder: string,
  record?: CgroupRecord,
): ExternalMount[] {
  const taken = new Set<string>();
  const found: ExternalMount[] = [];
  for (const { clean, mount } of bindsOf(spec, taken)) {
    found.push({ key: clean, val: absolutePath(bundle, mount.source ?? '') });
  }
  for (const one of legacyCgroups(spec, record)) if (!taken.has(one.key)) found.push(one);
  for (const [key, val] of [
    [nullDevice, nullDevice],
    ...devicesOf(spec).map((path) => [path, path] as const),
    [containerDirectory, notifyFolder] as const,
  ] as const) {
    if (taken.has(key)) continue;
    taken.add(key);
    found.push({ key, val });
  }
  return found;
}

/** A mount that has to be read-only. */
export interface ReadonlyMount {
  readonly pointer: string;
  readonly mountPoint: string;
}

/** All that the config wants read-only: an image with other flags must not get away with it (security.md S52). */
export function readonlyMounts(spec: Spec): ReadonlyMount[] {
  const places = new Map<string, ReadonlyMount>();
  if (spec.root.readonly) places.set('/', { pointer: '/root/readonly', mountPoint: '/' });
  for (const { clean, options, pointer } of readMounts(spec.mounts ?? [])) {
    places.delete(clean); // a later mount hides an earlier one
    if ((options.set & MOUNT_ATTR.RDONLY) !== 0) places.set(clean, { pointer, mountPoint: clean });
  }
  return [...places.values()];
}

/** @throws TSR_CRIU_WRITABLE for the first one that is not read-only, or not there. */
export function checkReadonly(wanted: readonly ReadonlyMount[], mounts: readonly MountFact[]): void {
  for (const { pointer, mountPoint } of wanted) {
    const seen = seenAt(mounts, mountPoint);
    if (seen?.options.includes('ro')) continue;
    const what = seen ? 'is writable' : 'is not mounted';
    fail('TSR_CRIU_WRITABLE', `'${mountPoint}' ${what} in the container, and read-only in the config`, { pointer });
  }
}

/** What a mount is set to once more when it was restored. */
export interface MountFlags {
  readonly pointer: string;
  readonly attributes: number;
  /** Only where it is a null device, which masks. */
  readonly null: number;
  readonly paths: readonly string[];
}

/**
 * Flags that CRIU loses where a source is mounted more than once, as the null device is by masks. Read-only of the config's own mounts
 * is compared and not set: what was writable was saved as such.
 */
export function lostFlags(spec: Spec): MountFlags[] {
  const { RDONLY, NOSUID, NODEV, NOEXEC } = MOUNT_ATTR;
  const places = new Map<string, MountFlags>();
  for (const { clean, options, pointer } of readMounts(spec.mounts ?? [])) {
    places.delete(clean); // a later mount hides an earlier one, and a remount gives it other flags
    const attributes = options.set & (NOSUID | NODEV | NOEXEC);
    if (options.bind && attributes !== 0) places.set(clean, { pointer, attributes, null: 0, paths: [clean] });
  }
  const found = [...places.values()];
  const paths = [...new Set((spec.linux?.maskedPaths ?? []).map(cleanPath))];
  const attributes = RDONLY | NOSUID | NOEXEC;
  if (paths.length > 0) found.push({ pointer: '/linux/maskedPaths', attributes, null: 1, paths });
  return found;
}
