import { listSubdirectories, readTextIfExists, statIfExists } from '../../host/files.js';
import type { Probed } from '../../host/probe.js';
import type { HostFacts } from '../../linux/facts.js';
import { namespaces } from '../../tables/namespaces.js';
import type { HostFact } from './report.js';

/** Errnos that mean "no such call, flag or namespace"; any other answer comes from a kernel that has it. */
const absent = new Set(['ENOSYS', 'EINVAL', 'E2BIG', 'EOPNOTSUPP']);

interface CallRow {
  readonly name: string;
  readonly about: string;
  readonly since: string;
  /** Without it. */
  readonly otherwise: string;
  /** EINVAL is the answer to our odd arguments. */
  readonly onlyEnosys?: true;
}

const callRows: readonly CallRow[] = [
  {
    name: 'openat2',
    about: 'openat2',
    since: '5.6',
    otherwise: 'paths in the root are walked one by one, which is slower',
  },
  {
    name: 'clone3',
    about: 'clone3 into a cgroup',
    since: '5.7',
    otherwise: 'the process enters its cgroup after it was made',
  },
  { name: 'pidfd_open', about: 'pidfd_open', since: '5.3', otherwise: 'signals go by number' },
  {
    name: 'pidfd_getfd',
    about: 'pidfd_getfd',
    since: '5.6',
    otherwise: 'no seccomp profile that notifies can be used',
  },
  { name: 'close_range', about: 'close_range', since: '5.9', otherwise: 'descriptors are closed one by one' },
  { name: 'memfd_create', about: 'memfd_create with seals', since: '3.17', otherwise: 'no container can be made' },
  { name: 'open_tree', about: 'open_tree', since: '5.2', otherwise: 'no container with mounts can be made' },
  {
    name: 'move_mount',
    about: 'move_mount',
    since: '5.2',
    otherwise: 'no container with mounts can be made',
    onlyEnosys: true,
  },
  { name: 'fsopen', about: 'fsopen', since: '5.2', otherwise: 'no container with mounts can be made' },
  {
    name: 'mount_setattr',
    about: 'mount_setattr',
    since: '5.12',
    otherwise: 'no recursive read-only mounts (rro) and no id-mapped ones',
    onlyEnosys: true,
  },
];

function callFact({ name, about, since, otherwise, onlyEnosys }: CallRow, probed: Probed): HostFact {
  const errno = probed[name];
  const id = `kernel.${name}`;
  if (errno === undefined) return { id, name: about, state: 'unknown', means: 'it could not be tried' };
  const missing = onlyEnosys ? errno === 'ENOSYS' : absent.has(errno);
  if (!missing) return { id, name: about, state: 'yes', means: 'used' };
  return { id, name: about, state: 'no', value: errno, means: `${otherwise} (the kernel has it since ${since})` };
}

/** In the root's own directory the file is never: any cgroup below it tells. */
function cgroupKill(hierarchies: HostFacts['hierarchies']): HostFact {
  const base = { id: 'kernel.cgroup-kill', name: 'cgroup.kill' };
  const mountPoint = hierarchies.find(({ version }) => version === 2)?.mountPoint;
  if (mountPoint === undefined)
    return { ...base, state: 'no', means: 'no cgroup v2: processes are killed one by one while they are frozen' };
  const below = listSubdirectories(mountPoint)[0];
  if (below === undefined) return { ...base, state: 'unknown', means: 'there is no cgroup to look into' };
  const found = statIfExists(`${mountPoint}/${below}/cgroup.kill`) !== undefined;
  if (found) return { ...base, state: 'yes', means: 'all processes of a container are killed at once' };
  return { ...base, state: 'no', means: 'processes are killed one by one (the kernel has it since 5.14)' };
}

export function kernelFacts(probed: Probed, { hierarchies }: HostFacts): HostFact[] {
  const release = readTextIfExists('/proc/sys/kernel/osrelease')?.trim() ?? '';
  return [
    {
      id: 'kernel.release',
      name: 'Linux',
      state: 'yes',
      value: release,
      means: 'what follows was tried, not read off this',
    },
    ...callRows.map((row) => callFact(row, probed)),
    cgroupKill(hierarchies),
  ];
}

/** Why the kernel may refuse a user namespace. */
export function userNamespaceHint(): string {
  const read = (name: string): string => readTextIfExists(`/proc/sys/${name}`)?.trim() ?? '';
  if (read('user/max_user_namespaces') === '0') return 'sysctl user.max_user_namespaces is 0';
  if (read('kernel/unprivileged_userns_clone') === '0') return 'sysctl kernel.unprivileged_userns_clone is 0';
  if (read('kernel/apparmor_restrict_unprivileged_userns') === '1')
    return 'sysctl kernel.apparmor_restrict_unprivileged_userns is 1';
  return 'the kernel has none, or a sandbox around us forbids it';
}

/** Each namespace: by itself, or at least within a user namespace. */
export function namespaceFacts(probed: Probed): HostFact[] {
  return [...namespaces.keys()].sort().map((type): HostFact => {
    const base = { id: `namespace.${type}`, name: type };
    const [alone, nested] = [probed[base.id], probed[`nested.${type}`]];
    if (alone === undefined) return { ...base, state: 'unknown', means: 'it could not be tried' };
    if (alone === '') return { ...base, state: 'yes', means: 'can be made' };
    if (nested === '')
      return {
        ...base,
        state: 'partly',
        value: alone,
        means: 'can be made in a container with a user namespace of its own',
      };
    const why = type === 'user' ? userNamespaceHint() : 'the kernel lacks it, or a sandbox around us forbids it';
    return { ...base, state: 'no', value: alone, means: why };
  });
}

export function idMapFacts(probed: Probed, paths: readonly string[], typeOf: (path: string) => string): HostFact[] {
  return paths.map((path): HostFact => {
    const base = { id: `idmap.${path}`, name: `${path} (${typeOf(path)})` };
    const errno = probed[`idmap.${path}`];
    if (errno === '') return { ...base, state: 'yes', means: 'ids of mounts from here can be mapped' };
    if (errno === undefined || errno === 'EPERM')
      return {
        ...base,
        state: 'unknown',
        ...(errno ? { value: errno } : {}),
        means: 'this user may not map the ids of mounts',
      };
    return { ...base, state: 'no', value: errno, means: 'mounts from here with uidMappings, and idmap, fail' };
  });
}
