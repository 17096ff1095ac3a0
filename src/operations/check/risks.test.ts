/** Every rule of what is risky, one at a time: a config without any, and what each change of it is told as. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Spec } from '../../bundle/types.js';
import { fileSystemsLacking, hasFileSystem } from './file-systems.js';
import { risksOf } from './risks.js';

type Draft = {
  root: { path: string };
  process: { user: { uid: number }; capabilities: Record<string, string[]> };
  mounts: { destination: string; type?: string; source?: string; options?: string[] }[];
  linux: {
    namespaces: { type: string; path?: string }[];
    seccomp?: { defaultAction: string };
    maskedPaths: string[];
    readonlyPaths: string[];
    rootfsPropagation?: string;
    devices?: object[];
    resources?: { devices: object[] };
  };
};

const types = ['mount', 'pid', 'network', 'ipc', 'uts', 'cgroup', 'user'];
const harmless = (): Draft => ({
  root: { path: 'rootfs' },
  process: { user: { uid: 0 }, capabilities: { bounding: ['CAP_KILL'] } },
  mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
  linux: {
    namespaces: types.map((type) => ({ type })),
    seccomp: { defaultAction: 'SCMP_ACT_ERRNO' },
    maskedPaths: ['/proc/kcore'],
    readonlyPaths: ['/proc/sys', '/proc/sysrq-trigger'],
  },
});
const without = (draft: Draft, type: string): void => {
  draft.linux.namespaces = draft.linux.namespaces.filter((one) => one.type !== type);
};
const bind = (draft: Draft, source: string, ...options: string[]): void => {
  draft.mounts.push({ destination: '/x', type: 'bind', source, options: ['rbind', ...options] });
};

type Row = readonly [what: string, change: (draft: Draft) => void, ...found: string[]];
const capability = (name: string): Row => [
  name,
  ({ process }) => Object.assign(process, { capabilities: { bounding: ['CAP_KILL', name] } }),
  `/process/capabilities/bounding/1: the container has ${name}`,
];
const host = (type: string): Row => [
  `the host's ${type} namespace`,
  (draft) => without(draft, type),
  `/linux/namespaces: the ${type} namespace is the host's`,
];
const path = (source: string, how: string, ...options: string[]): Row => [
  `${source} ${how}`,
  (draft) => bind(draft, source, ...options),
  `/mounts/1/source: '${source}' of the host is in it, ${how}`,
];

const rows: readonly Row[] = [
  ...['mount', 'pid', 'network', 'ipc'].map(host),
  ['no uts namespace, alone', (draft) => without(draft, 'uts')],
  ['no cgroup namespace, alone', (draft) => without(draft, 'cgroup')],
  [
    "a path to the host's own",
    ({ linux }) => linux.namespaces.splice(4, 1, { type: 'uts', path: '/proc/1/ns/uts' }),
    "/linux/namespaces/4: the uts namespace is the host's",
  ],
  [
    'the same of the cgroup namespace',
    ({ linux }) => linux.namespaces.splice(5, 1, { type: 'cgroup', path: '/proc/self/ns/cgroup' }),
    "/linux/namespaces/5: the cgroup namespace is the host's",
  ],
  ["a path to another container's", ({ linux }) => linux.namespaces.splice(2, 1, { type: 'network', path: '/run/x' })],
  [
    'root without a user namespace',
    (draft) => without(draft, 'user'),
    '/linux/namespaces: there is no user namespace, and the process is root',
  ],
  [
    'somebody without a user namespace',
    (draft) => {
      without(draft, 'user');
      draft.process.user.uid = 1000;
    },
  ],
  ...[
    'SYS_ADMIN SYS_MODULE SYS_RAWIO SYS_PTRACE SYS_BOOT SYS_TIME DAC_READ_SEARCH BPF PERFMON NET_ADMIN MAC_ADMIN MAC_OVERRIDE SYSLOG SYS_RESOURCE',
  ].flatMap((names) => names.split(' ').map((name) => capability(`CAP_${name}`))),
  [
    'a capability that is permitted only',
    ({ process }) => Object.assign(process, { capabilities: { permitted: ['CAP_BPF'] } }),
    '/process/capabilities/permitted/0: the container has CAP_BPF',
  ],
  ['no filter', ({ linux }) => void delete linux.seccomp, '/linux: there is no seccomp profile'],
  [
    'a filter that allows the rest',
    ({ linux }) => Object.assign(linux, { seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } }),
    '/linux/seccomp/defaultAction: the profile allows what it does not name',
  ],
  path('/var/run/docker.sock', 'read-only', 'ro'),
  path('/run/podman/podman.sock', 'writable'),
  path('/run', 'writable'),
  path('/run/dbus/', 'read-only', 'rro'),
  path('/', 'read-only', 'ro'),
  path('/etc', 'read-only', 'ro'),
  path('/var/lib/kubelet', 'writable'),
  path('/proc', 'read-only', 'ro'),
  path('/sys/fs/cgroup', 'writable'),
  path('/dev', 'read-only', 'ro'),
  path('/dev/sda1', 'read-only', 'ro'),
  path('/usr', 'writable'),
  ['/usr read-only', (draft) => bind(draft, '/usr', 'ro')],
  ['/sys read-only', (draft) => bind(draft, '/sys', 'ro')],
  ['/srv/data', (draft) => bind(draft, '/srv/data')],
  [
    'a writable sysfs',
    ({ mounts }) => void mounts.push({ destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid'] }),
    '/mounts/1/options: /sys (sysfs) is writable',
  ],
  ['a sysfs', ({ mounts }) => void mounts.push({ destination: '/sys', type: 'sysfs', options: ['ro'] })],
  [
    "writable cgroups, and the host's",
    (draft) => {
      without(draft, 'cgroup');
      draft.mounts.push({ destination: '/sys/fs/cgroup', type: 'cgroup2', options: [] });
    },
    '/mounts/1/options: /sys/fs/cgroup (cgroup2) is writable, without a cgroup namespace',
  ],
  ['writable cgroups of its own', ({ mounts }) => void mounts.push({ destination: '/sys/fs/cgroup', type: 'cgroup' })],
  [
    'shared mounts',
    (draft) => bind(draft, '/srv', 'rshared'),
    '/mounts/1/options/1: mounts made in /x appear on the host',
  ],
  ['a slave', (draft) => bind(draft, '/srv', 'rslave')],
  [
    'a shared root',
    ({ linux }) => Object.assign(linux, { rootfsPropagation: 'shared' }),
    '/linux/rootfsPropagation: mounts made in the root appear on the host',
  ],
  ["the host's root", ({ root }) => Object.assign(root, { path: '/' }), "/root/path: the root is the host's own"],
  [
    'every device',
    ({ linux }) => Object.assign(linux, { resources: { devices: [{ allow: true, access: 'rwm' }] } }),
    '/linux/resources/devices/0: every device is allowed',
  ],
  [
    'every disk',
    ({ linux }) =>
      Object.assign(linux, {
        resources: { devices: [{ allow: false }, { allow: true, type: 'b', major: -1, access: 'r' }] },
      }),
    '/linux/resources/devices/1: every block device is allowed',
  ],
  [
    'what engines allow',
    ({ linux }) => Object.assign(linux, { resources: { devices: [{ allow: true, type: 'c', access: 'm' }] } }),
  ],
  [
    'one device',
    ({ linux }) =>
      Object.assign(linux, { resources: { devices: [{ allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' }] } }),
  ],
  [
    'a disk',
    ({ linux }) => Object.assign(linux, { devices: [{ type: 'b', path: '/dev/sda', major: 8, minor: 0 }] }),
    '/linux/devices/0: /dev/sda is a block device of the host',
  ],
  [
    'memory',
    ({ linux }) => Object.assign(linux, { devices: [{ type: 'c', path: '/dev/mem', major: 1, minor: 1 }] }),
    '/linux/devices/0: /dev/mem is the memory of the machine',
  ],
  ['null', ({ linux }) => Object.assign(linux, { devices: [{ type: 'c', path: '/dev/null', major: 1, minor: 3 }] })],
  [
    "the kernel's memory",
    (draft) => {
      without(draft, 'user');
      draft.process.user.uid = 1;
      draft.linux.maskedPaths = [];
    },
    '/linux/maskedPaths: /proc/kcore is not masked',
  ],
  [
    'parameters of the host',
    (draft) => {
      without(draft, 'user');
      draft.process.user.uid = 1;
      draft.linux.readonlyPaths = [];
    },
    '/linux/readonlyPaths: /proc/sys is not read-only',
    '/linux/readonlyPaths: /proc/sysrq-trigger is not read-only',
  ],
  ['the same in a user namespace', ({ linux }) => Object.assign(linux, { maskedPaths: [], readonlyPaths: [] })],
];

test('a config that gives nothing away has no risks', () => {
  assert.equal(risksOf(harmless() as unknown as Spec, true), []);
});

test('each rule finds its own, where it is, with a reason; and what is usual is none', () => {
  const wrong: string[] = [];
  for (const [what, change, ...expected] of rows) {
    const draft = harmless();
    change(draft);
    const risks = risksOf(draft as unknown as Spec, true);
    const told = risks.map(({ pointer, message }) => `${pointer}: ${message}`);
    if (told.join('\n') !== expected.join('\n')) wrong.push(`${what}: ${told.join(', ') || 'nothing'}`);
    if (risks.some(({ why }) => why.length < 10)) wrong.push(`${what}: no reason`);
  }
  assert.equal(wrong, []);
});

test('uid 0 of a caller who is not root is nobody else outside', () => {
  const draft = harmless();
  without(draft, 'user');
  assert.equal(risksOf(draft as unknown as Spec, false), []);
});

test('a file system is there, can be loaded, is not there, or nobody knows', () => {
  const listed = new Set(['tmpfs', 'fuse']);
  const kernel = { listed, loadable: new Set(['fs-nfs']) };
  const answers = [
    ['tmpfs', 'yes'],
    ['fuse.sshfs', 'yes'],
    ['nfs', 'module'],
    ['zfs', 'no'],
    ['nf', 'no'],
    ['tmpfs.x', 'no'],
  ] as const;
  for (const [type, answer] of answers) assert.is(hasFileSystem(kernel, type), answer, type);
  assert.is(hasFileSystem({ listed, loadable: undefined }, 'zfs'), 'unknown');
  assert.is(hasFileSystem({ listed: new Set(), loadable: new Set() }, 'zfs'), 'unknown');
  const mounts = ['tmpfs', 'bind', 'cgroup', 'nothing-of-the-kind'].map((type) => ({ destination: '/x', type }));
  assert.equal(
    fileSystemsLacking({ mounts } as unknown as Spec).map(({ pointer }) => pointer),
    ['/mounts/3/type'],
  );
});

test.run();
