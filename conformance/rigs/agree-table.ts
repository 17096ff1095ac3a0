// What hosts lack, and what they do not: bundles for agree.ts.
import { configOf } from '../../src/build/config-pages.js';
import type { Spec } from '../../src/bundle/types.js';

export interface Subject {
  readonly name: string;
  readonly config: Spec;
  /** For nobody as well. */
  readonly rootless?: true;
  /** Only the kernel or a program of the config can say it, while the container is made: check does not. */
  readonly unseen?: true;
}

export const payload = 'echo started; exit 7';
const namesOf = (...types: string[]): object => ({ namespaces: types.map((type) => ({ type })) });

/** A config of the pages with something put over it. */
function subject(
  name: string,
  change: (config: Spec) => void,
  mark: Pick<Subject, 'rootless' | 'unseen'> = {},
): Subject {
  const config = structuredClone(configOf({ fragment: {}, planOnly: false, runs: [] }, payload));
  change(config);
  return { name, config, ...mark };
}

const mount =
  (more: object): ((config: Spec) => void) =>
  (config) =>
    Object.assign(config, { mounts: [...(config.mounts ?? []), { destination: '/tmp', ...more }] });
const linux =
  (more: object): ((config: Spec) => void) =>
  (config) =>
    Object.assign(config.linux ?? {}, more);
const own = {
  uidMappings: [{ containerID: 0, hostID: 65534, size: 1 }],
  gidMappings: [{ containerID: 0, hostID: 65534, size: 1 }],
};

export const table: readonly Subject[] = [
  subject('as it is', () => {}, { rootless: true }),
  subject('a user namespace', linux({ ...namesOf('mount', 'pid', 'user'), ...own }), { rootless: true }),
  subject(
    'a user namespace with ids of others',
    linux({
      ...namesOf('mount', 'pid', 'user'),
      uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
      gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
    }),
    { rootless: true },
  ),
  subject('no mount namespace', linux(namesOf('pid'))),
  subject(
    'a namespace to join that is not there',
    linux({ namespaces: [{ type: 'mount' }, { type: 'network', path: '/proc/1/ns/nothing' }] }),
  ),
  subject(
    'the wrong kind of namespace',
    linux({ namespaces: [{ type: 'mount' }, { type: 'network', path: '/proc/self/ns/uts' }] }),
  ),
  subject(
    'a namespace of ours',
    linux({ namespaces: [{ type: 'mount' }, { type: 'network', path: '/proc/self/ns/net' }] }),
  ),
  ...['tmpfs', 'proc', 'sysfs', 'mqueue', 'devpts', 'ramfs', 'cgroup', 'cgroup2'].map((type) =>
    subject(`a mount of ${type}`, mount({ type, source: type })),
  ),
  ...['nothingfs', 'tmpfs.x', 'nfs', 'binfmt_misc', 'debugfs'].map((type) =>
    subject(`a mount of ${type}`, mount({ type, source: 'none' })),
  ),
  subject('a bind of nothing', mount({ source: '/nothing-here', options: ['bind'] })),
  subject('a bind of a file on a folder', mount({ source: '/etc/passwd', options: ['bind'] }), { unseen: true }),
  subject('an option that no kernel knows', mount({ type: 'tmpfs', source: 'x', options: ['nothing=1'] }), {
    unseen: true,
  }),
  subject('a size that is none', mount({ type: 'tmpfs', source: 'x', options: ['size=much'] }), { unseen: true }),
  subject('a hook that is not there', (config) =>
    Object.assign(config, { hooks: { createRuntime: [{ path: '/nothing' }] } }),
  ),
  subject('a hook that is a folder', (config) =>
    Object.assign(config, { hooks: { createRuntime: [{ path: '/etc' }] } }),
  ),
  subject('a hook that is not executable', (config) =>
    Object.assign(config, { hooks: { prestart: [{ path: '/etc/passwd' }] } }),
  ),
  subject(
    'a parameter that no kernel has',
    linux({ ...namesOf('mount', 'ipc'), sysctl: { 'kernel.shm_nothing': '1' } }),
  ),
  subject(
    'a parameter of a network',
    linux({ ...namesOf('mount', 'network'), sysctl: { 'net.ipv4.ip_forward': '1' } }),
  ),
  subject("a parameter of the host's", linux({ sysctl: { 'kernel.panic': '1' } })),
  subject('a device of no network', linux({ ...namesOf('mount', 'network'), netDevices: { nothing0: {} } })),
  subject('a label without its module', (config) => Object.assign(config.process ?? {}, { selinuxLabel: 'a:b:c:d' })),
  subject('a profile without its module', (config) =>
    Object.assign(config.process ?? {}, { apparmorProfile: 'nothing-of-that-name' }),
  ),
  subject('more open files than there may be', (config) =>
    Object.assign(config.process ?? {}, { rlimits: [{ type: 'RLIMIT_NOFILE', soft: 2 ** 40, hard: 2 ** 40 }] }),
  ),
  subject('a lower badness', (config) => Object.assign(config.process ?? {}, { oomScoreAdj: -500 })),
  subject('a limit of memory', linux({ resources: { memory: { limit: 1 << 26 } } }), { rootless: true }),
  subject('processors that are not there', linux({ resources: { cpu: { cpus: '4000' } } })),
  subject('a limit of pids', linux({ resources: { pids: { limit: 20 } } })),
  subject('huge pages of no size', linux({ resources: { hugepageLimits: [{ pageSize: '3MB', limit: 1 }] } })),
  subject('a file of no controller', linux({ resources: { unified: { 'nothing.max': '1' } } })),
  subject(
    'a call that no kernel has',
    linux({
      seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['nothing'], action: 'SCMP_ACT_ERRNO' }] },
    }),
  ),
  subject(
    'an agent that is not there',
    linux({
      seccomp: {
        defaultAction: 'SCMP_ACT_ALLOW',
        listenerPath: '/nothing',
        syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }],
      },
    }),
  ),
  subject('a cache that is not there', linux({ intelRdt: { l3CacheSchema: 'L3:0=f' } })),
  subject('a clock for nobody', linux({ timeOffsets: { monotonic: { secs: 1 } } })),
  subject('a root that is not there', (config) => Object.assign(config, { root: { path: 'nothing' } })),
  subject('a root that is a file', (config) => Object.assign(config, { root: { path: 'config.json' } })),
  subject(
    'a map without root',
    linux({
      ...namesOf('mount', 'pid', 'user'),
      uidMappings: [{ containerID: 5, hostID: 100000, size: 10 }],
      gidMappings: [{ containerID: 5, hostID: 100000, size: 10 }],
    }),
  ),
  subject('a group that is not mapped', (config) => {
    linux({ ...namesOf('mount', 'pid', 'user'), ...own })(config);
    Object.assign(config.process ?? {}, { user: { uid: 0, gid: 0, additionalGids: [7] } });
  }),
  subject('an id that is not mapped', (config) => {
    linux({ ...namesOf('mount', 'pid', 'user'), ...own })(config);
    Object.assign(config.process ?? {}, { user: { uid: 5, gid: 5 } });
  }),
];
