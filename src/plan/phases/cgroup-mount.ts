import { fail } from '../../errors/error.js';
import { MOUNT_ATTR } from '../../tables/mount-options.js';
import type { Context } from '../options.js';
import { noSlot, type Step, step } from '../step.js';
import type { MountEntry } from './mount-entry.js';
import { isApart } from './namespaces.js';

const guarded = MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC;

interface Shown {
  readonly controllers: readonly string[];
  readonly mountPoint: string;
  /** Below the mount point, without a leading slash; '' is the mount point itself. */
  readonly path: string;
}

/** The container's cgroups; without any of its own (`disabled`) the runtime's, which it stays in. */
function shownCgroups({ facts, options }: Context, wanted: 1 | 2): Shown[] {
  const shown: Shown[] = [];
  const places = options.cgroup?.record.places ?? [];
  for (const place of places) if (place.version === wanted) shown.push(place);
  if (places.length > 0) return shown;
  for (const { version, controllers, mountPoint, ownPath } of facts.hierarchies) {
    if (version === wanted) shown.push({ controllers, mountPoint, path: ownPath.slice(1) });
  }
  return shown;
}

const pathOf = ({ mountPoint, path }: Shown): string => (path === '' ? mountPoint : `${mountPoint}/${path}`);

function bind(entry: MountEntry, source: string, target: string, summary: string, set = entry.options.set): Step {
  const { clear, recursiveSet, recursiveClear } = entry.options;
  const args = { recursive: 1, set, clear, recursiveSet, recursiveClear, flags: 0, idmapSlot: noSlot, source, target };
  return step('init', 'mount.bind', args, entry.pointer, summary);
}

function fresh(entry: MountEntry, type: string, target: string, options: readonly string[], attributes: number): Step {
  const args = { attributes, flags: 0, type, source: type, target, options, softOptions: [] };
  const what = type === 'cgroup' ? `cgroup (${options.join(', ')})` : type;
  return step('init', 'mount.filesystem', args, entry.pointer, `mount ${what} on ${target}`);
}

/**
 * v2. With a cgroup namespace a fresh mount shows the container's cgroup as its root. Without one it would show
 * the whole tree and, worse, its options would be set for the whole host (S30): then the host's mount is bound.
 */
function unifiedSteps(context: Context, entry: MountEntry): Step[] {
  const { target, options } = entry;
  const own = shownCgroups(context, 2)[0];
  const top = own?.mountPoint ?? '/sys/fs/cgroup';
  if (!isApart(context.namespaces, 'cgroup')) {
    // Others' cgroups are in sight; where root is not root of the host, keep it from writing there (CVE-2023-25809).
    const set = context.inUserNamespace ? options.set | MOUNT_ATTR.RDONLY : options.set;
    return [bind(entry, top, target, `bind ${top} on ${target}`, set)];
  }
  const data: string[] = [];
  for (const { option } of options.data) data.push(option);
  const source = own === undefined ? top : pathOf(own);
  return [
    { ...fresh(entry, 'cgroup2', target, data, options.set), tolerate: ['EPERM', 'EBUSY'], orElseNext: true },
    bind(entry, source, target, `or else bind ${source} on ${target}`),
  ];
}

/** Without rights over cgroups the container may have none of its own: then it is in the runtime's, and sees that (runc). */
function bindLegacy(context: Context, entry: MountEntry, shown: Shown, place: string): Step[] {
  const { facts, options } = context;
  const source = pathOf(shown);
  // The runtime's own is others' as well, and may be the user's to write to (CVE-2023-25809, S30).
  const guarded = context.inUserNamespace ? entry.options.set | MOUNT_ATTR.RDONLY : entry.options.set;
  const isOwn = (options.cgroup?.record.places ?? []).length > 0;
  const first = bind(entry, source, place, `bind ${source} on ${place}`, isOwn ? entry.options.set : guarded);
  const own = facts.hierarchies.find(({ mountPoint }) => mountPoint === shown.mountPoint);
  if (own === undefined || (facts.uid === 0 && !facts.inUserNamespace)) return [first];
  const other = pathOf({ ...shown, path: own.ownPath.slice(1) });
  if (other === source) return [first];
  return [
    { ...first, tolerate: ['ENOENT'], orElseNext: true },
    bind(entry, other, place, `or else bind ${other} on ${place}`, guarded),
  ];
}

/** v1: a small tmpfs with one directory a hierarchy, plus a link for each controller that shares one. */
function legacySteps(context: Context, entry: MountEntry): Step[] {
  const { target, pointer, options } = entry;
  const apart = isApart(context.namespaces, 'cgroup');
  const readonly = options.set & MOUNT_ATTR.RDONLY;
  const steps = [fresh(entry, 'tmpfs', target, ['mode=755'], guarded)];
  const links: Step[] = [];
  for (const shown of shownCgroups(context, 1)) {
    const { controllers, mountPoint } = shown;
    const name = mountPoint.slice(mountPoint.lastIndexOf('/') + 1);
    const place = `${target}/${name}`;
    if (apart) steps.push(fresh(entry, 'cgroup', place, controllers, guarded | readonly));
    else steps.push(...bindLegacy(context, entry, shown, place));
    for (const controller of controllers) {
      if (controller === name || controller.startsWith('name=')) continue;
      const args = { target: name, path: `${target}/${controller}` };
      links.push(step('init', 'path.symlink', args, pointer, `link ${target}/${controller} to ${name}`));
    }
  }
  steps.push(...links);
  if (readonly) {
    const args = { set: readonly, clear: 0, recursiveSet: 0, recursiveClear: 0, flags: 0, target, options: [] };
    steps.push(step('init', 'mount.remount', args, pointer, `make ${target} read-only`));
  }
  return steps;
}

/** A mount of type `cgroup`: whichever version the host has. */
export function cgroupMountSteps(context: Context, entry: MountEntry): Step[] {
  const mode = context.facts.cgroupMode;
  if (mode === 'none') {
    fail('TSR_CGROUP_MOUNT', 'the host has no cgroup hierarchy mounted to show', { pointer: entry.pointer });
  }
  return mode === 'v2' ? unifiedSteps(context, entry) : legacySteps(context, entry);
}
