/** Users, their ids, and their share of the cgroups. */
import { type FileFacts, isWritable, readTextIfExists, statIfExists } from '../../host/files.js';
import { environment } from '../../host/process.js';
import type { Probed } from '../../host/probe.js';
import { type HostFacts, isRootless, mayMount } from '../../linux/facts.js';
import type { HostFact } from './report.js';
import { userNamespaceHint } from './kernel.js';

/** What is at a path; undefined also where this user may not look. */
export function lookAt(path: string): FileFacts | undefined {
  try {
    return statIfExists(path);
  } catch {
    return undefined;
  }
}

export function findProgram(name: string): string | undefined {
  const folders = `${environment('PATH') ?? ''}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`.split(
    ':',
  );
  return folders
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => `${folder}/${name}`)
    .find((path) => lookAt(path)?.kind === 'file');
}

const nameOf = (uid: number): string | undefined =>
  (readTextIfExists('/etc/passwd') ?? '')
    .split('\n')
    .map((line) => line.split(':'))
    .find((cells) => cells[2] === `${uid}`)?.[0];

/** Ranges that the file gives to a user, by name or number. */
export function rangesOf(file: string, uid: number): string[] {
  const name = nameOf(uid);
  return (readTextIfExists(file) ?? '').split('\n').flatMap((line) => {
    const [who, start, count] = line.trim().split(':');
    return start && count && (who === name || who === `${uid}`) ? [`${start}+${count}`] : [];
  });
}

function rangeFact(file: string, uid: number, kind: string): HostFact {
  const base = { id: `user.${file.slice(5)}`, name: file };
  const ranges = rangesOf(file, uid);
  if (uid === 0)
    return {
      ...base,
      state: ranges.length > 0 ? 'yes' : 'partly',
      value: ranges.join(', ') || 'none',
      means: 'root may map any ids without it; engines choose theirs from it',
    };
  if (ranges.length > 0)
    return { ...base, state: 'yes', value: ranges.join(', '), means: `a container can have more than one ${kind}` };
  return { ...base, state: 'no', means: `no range for this user: a container has a single ${kind}` };
}

function mapperFact(name: string, uid: number): HostFact {
  const base = { id: `user.${name}`, name };
  const path = findProgram(name);
  const without = uid === 0 ? 'not needed by root' : 'without it a container has one uid and one gid only';
  if (path === undefined) return { ...base, state: uid === 0 ? 'partly' : 'no', means: without };
  return { ...base, state: 'yes', value: path, means: uid === 0 ? 'not needed by root' : 'maps the ranges above' };
}

export function userFacts(probed: Probed, facts: HostFacts): HostFact[] {
  const { uid, inUserNamespace } = facts;
  const may = probed['namespace.user'];
  const who = uid === 0 ? (inUserNamespace ? 'root of a user namespace' : 'root') : (nameOf(uid) ?? `${uid}`);
  const needs = mayMount() ? 'containers need no user namespace' : 'each container needs a user namespace of its own';
  const most = readTextIfExists('/proc/sys/user/max_user_namespaces')?.trim() ?? '';
  return [
    { id: 'user.name', name: 'this user', state: 'yes', value: who, means: needs },
    may === ''
      ? {
          id: 'user.namespaces',
          name: 'user namespaces',
          state: 'yes',
          ...(most ? { value: `at most ${most}` } : {}),
          means: 'this user may make one',
        }
      : {
          id: 'user.namespaces',
          name: 'user namespaces',
          state: may === undefined ? 'unknown' : 'no',
          ...(may ? { value: may } : {}),
          means: `this user may make none: ${userNamespaceHint()}`,
        },
    rangeFact('/etc/subuid', uid, 'uid'),
    rangeFact('/etc/subgid', uid, 'gid'),
    mapperFact('newuidmap', uid),
    mapperFact('newgidmap', uid),
  ];
}

const modes = {
  none: 'no cgroups are mounted: no limits, and processes are found by their pids',
  v1: 'each limit goes to the hierarchy of its controller',
  v2: 'one cgroup has all limits',
  hybrid: 'limits go to v1; the container joins v2, too',
} as const;

export function cgroupFacts(facts: HostFacts): HostFact[] {
  const { cgroupMode, hierarchies } = facts;
  const version: HostFact = {
    id: 'cgroup.version',
    name: 'version',
    state: cgroupMode === 'none' ? 'no' : 'yes',
    value: cgroupMode,
    means: modes[cgroupMode],
  };
  return [
    version,
    ...hierarchies.map(({ version: v, controllers, mountPoint, ownPath }): HostFact => {
      const own = `${mountPoint}${ownPath === '/' ? '' : ownPath}`;
      const base = { id: `cgroup.${mountPoint}`, name: mountPoint };
      const usable =
        v === 1
          ? controllers
          : (readTextIfExists(`${own}/cgroup.controllers`)?.trim().split(/\s+/) ?? controllers).filter(Boolean);
      const value = usable.join(' ') || 'no controllers';
      if (isWritable(own))
        return { ...base, state: 'yes', value, means: `this user may make cgroups below ${ownPath}` };
      const without = isRootless(facts)
        ? 'containers go without it; a limit that needs it fails'
        : 'read-only: no container can have limits here';
      return { ...base, state: 'no', value, means: `not delegated to this user: ${without}` };
    }),
  ];
}
