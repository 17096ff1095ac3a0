import { fail } from '../../errors/error.js';
import type { HostFacts } from '../../linux/facts.js';
import type { CgroupDriver, CgroupHierarchy, CgroupPlace, CgroupRecord } from '../../tables/cgroup.js';

const pointer = '/linux/cgroupsPath';

/** Kernel limit of one cgroup's name, and a bound for the whole that leaves room for the file below it. */
const longestName = 255;
const longestPath = 3800;

// Loops and strings instead of chains of array methods: this runs once, in a cold engine, for every container.

/** A path without empty and `.` components; `..` is refused: a cgroup outside the hierarchy is never meant (S33). */
function cleanPath(cgroupsPath: string): string {
  const names = cgroupsPath.split('/');
  let path = '';
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    if (name === '' || name === '.') continue;
    if (name === '..') fail('TSR_CGROUP_PATH', `cgroupsPath '${cgroupsPath}' contains '..'`, { pointer });
    if (name.length > longestName) {
      fail('TSR_CGROUP_PATH', `cgroupsPath has a name of ${name.length} characters`, { pointer });
    }
    path += path === '' ? name : `/${name}`;
  }
  if (path.includes('\n')) fail('TSR_CGROUP_PATH', 'cgroupsPath contains a newline', { pointer });
  if (path.length > longestPath) fail('TSR_CGROUP_PATH', `cgroupsPath has ${path.length} characters`, { pointer });
  return path;
}

/**
 * Own cgroup, or its parent: a v2 cgroup with processes cannot have children with controllers. With a slash behind. The v2
 * hierarchy of a hybrid host is the one by which systemd there knows whose a process is: below the engine's unit or a session
 * the container would be killed when that ends. So for root it is at the top, as with runc and crun; others get no further than
 * their own.
 */
function baseOf({ version, ownPath }: CgroupHierarchy, { cgroupMode, uid, inUserNamespace }: HostFacts): string {
  if (version === 2 && cgroupMode === 'hybrid' && uid === 0 && !inUserNamespace) return '';
  const end = version === 2 && cgroupMode === 'v2' ? ownPath.lastIndexOf('/') : ownPath.length;
  const base = ownPath.slice(1, end);
  return base === '' ? '' : `${base}/`;
}

/**
 * Where the container goes with the cgroupfs driver, as runc does it, so that every engine finds its
 * containers: an absolute path from each mount point; a relative one, and by default the id, below the runtime's
 * own cgroup on v1 and beside it on v2; at the top of a hybrid host's v2 hierarchy.
 */
function placeInFilesystem(cgroupsPath: string | undefined, id: string, facts: HostFacts): CgroupPlace[] {
  const path = cleanPath(cgroupsPath ?? '');
  const absolute = cgroupsPath?.startsWith('/') ?? false;
  if (absolute && path === '') {
    fail('TSR_CGROUP_PATH', `cgroupsPath '${cgroupsPath}' is the root of the hierarchy`, {
      pointer,
      hint: 'name a cgroup below it: a container is killed, frozen and removed by its cgroup',
    });
  }
  const below = path === '' ? id : path;
  const places: CgroupPlace[] = [];
  for (let i = 0; i < facts.hierarchies.length; i++) {
    const hierarchy = facts.hierarchies[i]!;
    places.push({
      version: hierarchy.version,
      controllers: hierarchy.controllers,
      mountPoint: hierarchy.mountPoint,
      path: absolute ? below : baseOf(hierarchy, facts) + below,
    });
  }
  return places;
}

/**
 * Decides the container's cgroup in every hierarchy. Pure: nothing is looked up but `facts`.
 * @throws TsrunError with the pointer of cgroupsPath.
 */
export function placeCgroup(
  cgroupsPath: string | undefined,
  id: string,
  facts: HostFacts,
  driver: Exclude<CgroupDriver, 'systemd'>,
): CgroupRecord {
  const places = driver === 'disabled' ? [] : placeInFilesystem(cgroupsPath, id, facts);
  return { driver, places };
}
