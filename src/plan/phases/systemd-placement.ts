/** `slice:prefix:name`: where systemd puts a container. */
import { fail } from '../../errors/error.js';
import type { HostFacts } from '../../linux/facts.js';
import type { CgroupPlace, CgroupRecord } from '../../tables/cgroup.js';

const pointer = '/linux/cgroupsPath';
const code = 'TSR_SYSTEMD_PATH';
const longestUnitName = 255;

/**
 * systemd writes a slice's ancestors into its name: `a-b.slice` lies in `a.slice`. `-.slice` is the root.
 * The result starts with a slash, or is empty.
 */
export function expandSlice(slice: string): string {
  const name = slice.endsWith('.slice') ? slice.slice(0, -'.slice'.length) : '';
  if (name === '-') return '';
  let path = '';
  let prefix = '';
  for (const component of name.split('-')) {
    if (component === '' || component.includes('/')) fail(code, `invalid slice name: '${slice}'`, { pointer });
    path += `/${prefix}${component}.slice`;
    prefix += `${component}-`;
  }
  return path;
}

/** Characters that a unit name cannot have, as systemd-escape writes them; ids may contain a plus. */
const escapeName = (name: string): string =>
  name.replace(/[^A-Za-z0-9:_.@\\-]/g, (character) =>
    [...new TextEncoder().encode(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
  );

/**
 * The cgroup of the user's own service manager, below which it makes units. Taken from where the runtime is: that
 * knows the user also inside a user namespace, where everybody is root.
 */
function userManagerPath({ hierarchies, uid }: HostFacts): string {
  const own = hierarchies[0]?.ownPath ?? '/';
  const manager = /^(.*\/user@\d+\.service)(?:\/|$)/.exec(own);
  if (manager) return manager[1]!;
  const slice = /^(.*\/user-(\d+)\.slice)(?:\/|$)/.exec(own);
  if (slice) return `${slice[1]}/user@${slice[2]}.service`;
  return `/user.slice/user-${uid}.slice/user@${uid}.service`;
}

function readParts(cgroupsPath: string | undefined, id: string): [slice: string, prefix: string, name: string] {
  if (!cgroupsPath) return ['', 'tsrun', id];
  const [slice, prefix, name, ...more] = cgroupsPath.split(':');
  if (slice === undefined || prefix === undefined || name === undefined || more.length > 0) {
    return fail(
      code,
      `expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "${cgroupsPath}" instead`,
      {
        pointer,
        hint: 'an absolute path belongs to the cgroupfs driver',
      },
    );
  }
  return [slice, prefix, name];
}

/** @throws TSR_SYSTEMD_PATH */
export function placeInSystemd(cgroupsPath: string | undefined, id: string, facts: HostFacts): CgroupRecord {
  const user = facts.uid !== 0 || facts.inUserNamespace;
  if (user && facts.cgroupMode !== 'v2') {
    fail(code, 'systemd cgroups without root need cgroup v2', { hint: 'use the cgroupfs driver' });
  }
  const [parent, prefix, name] = readParts(cgroupsPath, id);
  if (name.endsWith('.slice')) fail(code, `'${name}' is a slice, and a slice holds no processes`, { pointer });
  const slice = parent === '' ? (user ? 'user.slice' : 'system.slice') : parent;
  const unit = `${escapeName(prefix)}-${escapeName(name)}.scope`;
  if (unit.length > longestUnitName)
    fail(code, `unit name '${unit}' is longer than ${longestUnitName} characters`, { pointer });
  const path = `${user ? userManagerPath(facts) : ''}${expandSlice(slice)}/${unit}`.slice(1);
  const places: CgroupPlace[] = [];
  for (const { version, controllers, mountPoint } of facts.hierarchies) {
    places.push({ version, controllers, mountPoint, path });
  }
  return { driver: 'systemd', places, unit: { name: unit, slice, user } };
}
