/** Reads the kernel's text about cgroups: /proc/self/mountinfo and /proc/self/cgroup. Pure. */
import { type CgroupHierarchy, joinedControllers } from '../../tables/cgroup.js';

export interface CgroupMount {
  readonly version: 1 | 2;
  /** The cgroup that is seen at the mount point; `/` unless a part of the hierarchy is mounted. */
  readonly root: string;
  readonly mountPoint: string;
  /** Options of the superblock; on v1 the controllers are among them. */
  readonly options: readonly string[];
}

/** Undoes the octal escapes of mountinfo: `\040` is a space. */
function undoEscapes(field: string): string {
  if (!field.includes('\\')) return field;
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

// Plain loops and index access below: this runs once in a cold engine, where each closure and each
// destructured array costs more than the work itself (measured).

/** The cgroup mounts of a mountinfo text; of two at one mount point the later one, which covers the other. */
export function parseCgroupMounts(mountinfo: string): CgroupMount[] {
  const mounts: CgroupMount[] = [];
  // A host of many containers has thousands of mounts: look for the few lines instead of splitting them all.
  const mark = ' - cgroup';
  for (let at = mountinfo.indexOf(mark); at !== -1; at = mountinfo.indexOf(mark, at + mark.length)) {
    const newline = mountinfo.indexOf('\n', at);
    const before = mountinfo.slice(mountinfo.lastIndexOf('\n', at) + 1, at).split(' ');
    const after = mountinfo.slice(at + 3, newline === -1 ? mountinfo.length : newline).split(' ');
    const type = after[0];
    if (before[4] === undefined || (type !== 'cgroup' && type !== 'cgroup2')) continue;
    const mountPoint = undoEscapes(before[4]);
    let index = 0;
    while (index < mounts.length && mounts[index]!.mountPoint !== mountPoint) index++;
    mounts[index] = {
      version: type === 'cgroup2' ? 2 : 1,
      root: undoEscapes(before[3]!),
      mountPoint,
      options: (after[2] ?? '').split(','),
    };
  }
  return mounts;
}

export interface OwnCgroup {
  /** Empty for the v2 hierarchy. */
  readonly controllers: readonly string[];
  readonly path: string;
}

/** The lines of /proc/PID/cgroup. */
export function parseOwnCgroups(text: string): OwnCgroup[] {
  const result: OwnCgroup[] = [];
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const first = line.indexOf(':');
    const second = line.indexOf(':', first + 1);
    if (first === -1 || second === -1) continue;
    const controllers = line.slice(first + 1, second);
    result.push({ controllers: controllers === '' ? [] : controllers.split(','), path: line.slice(second + 1) });
  }
  return result;
}

/** Where `path` of the hierarchy is below a mount that shows `root` of it; `/` when it is not below it. */
function belowRoot(path: string, root: string): string {
  if (root === '/') return path;
  if (path === root) return '/';
  return path.startsWith(`${root}/`) ? path.slice(root.length) : '/';
}

/** The mount that shows a hierarchy; of several the one below /sys/fs/cgroup, else the first. */
function mountOf(own: OwnCgroup, mounts: readonly CgroupMount[]): CgroupMount | undefined {
  const name = own.controllers[0];
  let found: CgroupMount | undefined;
  for (let i = 0; i < mounts.length; i++) {
    const mount = mounts[i]!;
    if (name === undefined ? mount.version !== 2 : mount.version !== 1 || !mount.options.includes(name)) continue;
    if (`${mount.mountPoint}/`.startsWith('/sys/fs/cgroup/')) return mount;
    found ??= mount;
  }
  return found;
}

/** Place in the result: v2 first, then the order of the table; -1 for a hierarchy that no container joins. */
function rankOf(own: OwnCgroup): number {
  if (own.controllers.length === 0) return 0;
  let rank = -1;
  for (let i = 0; i < own.controllers.length; i++) {
    const at = joinedControllers.indexOf(own.controllers[i]!);
    if (at !== -1 && (rank === -1 || at + 1 < rank)) rank = at + 1;
  }
  return rank;
}

/**
 * Joins both texts into the hierarchies a container may be put into: the v2 one first, then v1 in the order of
 * the table. `unifiedControllers` gets the v2 mount point and gives the text of its cgroup.controllers.
 */
export function findHierarchies(
  mountinfo: string,
  ownCgroup: string,
  unifiedControllers: (mountPoint: string) => string,
): CgroupHierarchy[] {
  const mounts = parseCgroupMounts(mountinfo);
  const owns = parseOwnCgroups(ownCgroup);
  const ranked: (CgroupHierarchy | undefined)[] = new Array(joinedControllers.length + 1).fill(undefined);
  for (let i = 0; i < owns.length; i++) {
    const own = owns[i]!;
    const rank = rankOf(own);
    const mount = rank === -1 ? undefined : mountOf(own, mounts);
    if (mount === undefined) continue;
    const listed = rank === 0 ? unifiedControllers(mount.mountPoint).trim() : '';
    ranked[rank] = {
      version: mount.version,
      controllers: rank > 0 ? own.controllers : listed === '' ? [] : listed.split(' '),
      mountPoint: mount.mountPoint,
      ownPath: belowRoot(own.path, mount.root),
    };
  }
  const result: CgroupHierarchy[] = [];
  for (let i = 0; i < ranked.length; i++) if (ranked[i] !== undefined) result.push(ranked[i]!);
  return result;
}

export type CgroupMode = 'v1' | 'v2' | 'hybrid' | 'none';

/** Of what `findHierarchies` gave. v2: one hierarchy for all; hybrid: both kinds (systemd's `unified` mount beside v1 controllers). */
export function modeOf(hierarchies: readonly CgroupHierarchy[]): CgroupMode {
  if (hierarchies.length === 0) return 'none';
  if (hierarchies[0]!.version === 1) return 'v1';
  return hierarchies.length === 1 ? 'v2' : 'hybrid';
}

/** Whether a text of /proc/self/uid_map says that ids are mapped: the initial namespace maps all onto themselves. */
export function isUserNamespaceMap(uidMap: string): boolean {
  return uidMap.replaceAll(' ', '').trim() !== '004294967295' || !uidMap.includes(' 4294967295');
}
