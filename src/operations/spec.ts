import { fail } from '../errors/error.js';
import type { Mount, Namespace, Spec } from '../generated/config-types.js';
import * as files from '../host/files.js';
import { specificationMax } from '../tables/versions.js';

/** Enough for a shell to be of use, and nothing that reaches beyond the container. */
const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];

const mounts: readonly Mount[] = [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
  },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
  },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  {
    destination: '/sys/fs/cgroup',
    type: 'cgroup',
    source: 'cgroup',
    options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
  },
];

/** What of /proc and /sys tells about or reaches the host. */
const maskedPaths = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

const ofTypes = (...types: Namespace['type'][]): Namespace[] => types.map((type) => ({ type }));

/** A cgroup namespace is for v2: on v1 a container without one sees what it is used to see, and can be checkpointed. As runc does it. */
const withCgroup = (unified: boolean): Namespace['type'][] => (unified ? ['cgroup'] : []);

/** A config.json to start from. `unified`: for a host that has cgroup v2 alone. */
export function makeSpec(unified = false): Spec {
  return {
    ociVersion: specificationMax,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'tsrun',
    mounts,
    linux: {
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      namespaces: ofTypes('pid', 'network', 'ipc', 'uts', 'mount', ...withCgroup(unified)),
      maskedPaths,
      readonlyPaths,
    },
  };
}

/** The same for a caller without privileges: the caller's ids are root inside, and all that needs more is left out. */
export function makeRootlessSpec(uid: number, gid: number, unified = false): Spec {
  const spec = makeSpec(unified);
  const unmapped = /^[ug]id=/;
  const kept = mounts.filter((mount) => !mount.destination.startsWith('/sys'));
  const sys: Mount = {
    destination: '/sys',
    type: 'none',
    source: '/sys',
    options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'],
  };
  return {
    ...spec,
    mounts: [
      ...kept.map((mount) => ({ ...mount, options: (mount.options ?? []).filter((option) => !unmapped.test(option)) })),
      sys,
    ],
    linux: {
      uidMappings: [{ containerID: 0, hostID: uid, size: 1 }],
      gidMappings: [{ containerID: 0, hostID: gid, size: 1 }],
      namespaces: ofTypes('pid', 'ipc', 'uts', 'mount', ...withCgroup(unified), 'user'),
      maskedPaths,
      readonlyPaths,
    },
  };
}

/** Writes a new config.json, tab-indented as runc does; never over an old one. */
export function writeSpec(path: string, spec: Spec): void {
  const { write, create, exclusive, noFollow } = files.openFlags;
  let fd: number;
  try {
    fd = files.openFile(path, write | create | exclusive | noFollow, 0o666);
  } catch (error) {
    const errno = files.errnoOf(error);
    if (errno === 'EEXIST')
      fail('TSR_SPEC_EXISTS', `File ${path.slice(path.lastIndexOf('/') + 1)} exists. Remove it first`);
    fail('TSR_SPEC_WRITE', `cannot write '${path}'`, { errno });
  }
  try {
    files.writeAll(fd, `${JSON.stringify(spec, null, '\t')}\n`);
  } catch (error) {
    fail('TSR_SPEC_WRITE', `cannot write '${path}'`, { errno: files.errnoOf(error) });
  } finally {
    files.closeFile(fd);
  }
}
