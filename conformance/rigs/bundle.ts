// The container of the rigs: small, but with a step of nearly every kind in its plan.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDirSync, readJsonSync, writeJsonSync } from 'fs-extra/esm';
import { executorPath } from '../../src/host/executor.js';
import { type CreateRequest, type PreparedCreate, prepareCreate } from '../../src/operations/create.js';

export interface Bundle {
  readonly directory: string;
  readonly root: string;
}

const caps = ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_BIND_SERVICE', 'CAP_SETUID'];
const hook = { path: '/bin/true' };

/** `script` runs in the container; `more` replaces parts of the config. */
export function makeBundle(script: string, more: object = {}): Bundle {
  const directory = mkdtempSync(join(tmpdir(), 'tsrun-rig-'));
  chmodSync(directory, 0o755);
  const rootfs = join(directory, 'rootfs');
  for (const name of ['bin', 'etc', 'dev', 'proc', 'sys', 'tmp', 'run', 'volume', 'report', 'shared'])
    ensureDirSync(join(rootfs, name));
  copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'));
  for (const name of ['sh', 'true', 'sleep', 'echo', 'cat']) symlinkSync('busybox', join(rootfs, 'bin', name));
  mkdirSync(join(directory, 'volume'));
  mkdirSync(join(directory, 'report'));
  chmodSync(join(directory, 'report'), 0o777);
  chmodSync(join(directory, 'volume'), 0o777);
  const config = {
    ociVersion: '1.3.0',
    hostname: 'rig',
    root: { path: 'rootfs', readonly: true },
    process: {
      cwd: '/tmp',
      args: ['/bin/sh', '-c', script],
      env: ['PATH=/bin'],
      user: { uid: 1000, gid: 1000, additionalGids: [10] },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 256, hard: 512 }],
      capabilities: { bounding: caps, effective: caps, permitted: caps },
      noNewPrivileges: true,
      oomScoreAdj: 10,
      ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 4 },
    },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666'] },
      { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'ro'] },
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['mode=1777'] },
      { destination: '/volume', source: join(directory, 'volume'), options: ['rbind', 'nodev', 'rprivate'] },
      { destination: '/report', source: join(directory, 'report'), options: ['bind'] },
      // Behind a link that leads nowhere until it is made: see swap.ts.
      { destination: '/dangling/here', type: 'tmpfs', source: 'tmpfs', options: ['nosuid'] },
      { destination: '/volume/made/below', source: join(directory, 'volume'), options: ['bind', 'ro'] },
    ],
    hooks: {
      createRuntime: [hook],
      createContainer: [hook],
      startContainer: [hook],
      poststart: [hook],
      poststop: [hook],
    },
    linux: {
      cgroupsPath: '/tsrun-rig',
      namespaces: ['pid', 'mount', 'network', 'ipc', 'uts', 'cgroup'].map((type) => ({ type })),
      devices: [{ path: '/dev/mine', type: 'c', major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0 }],
      resources: {
        devices: [{ allow: false, access: 'rwm' }],
        memory: { limit: 1 << 28, reservation: 1 << 27 },
        pids: { limit: 100 },
        cpu: { shares: 512 },
      },
      sysctl: { 'net.ipv4.ip_forward': '1' },
      maskedPaths: ['/proc/kcore', '/proc/keys', '/proc/scsi', '/sys/firmware'],
      readonlyPaths: ['/proc/sys', '/proc/bus', '/proc/irq'],
      seccomp: {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['swapon', 'reboot'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }],
      },
    },
    ...more,
  };
  writeJsonSync(join(directory, 'config.json'), config);
  return { directory, root: join(directory, 'state') };
}

/** The same with a recorder of system calls beside it, in place of a profile. */
export function makeRecorded(script: string): Bundle {
  const bundle = makeBundle(script);
  const path = join(bundle.directory, 'config.json');
  const config = readJsonSync(path);
  delete config.linux.seccomp;
  config.annotations = { 'io.tsrun.record-seccomp': join(`${bundle.root}-recorded`, 'profile.json') };
  mkdirSync(`${bundle.root}-recorded`, { mode: 0o700 });
  writeJsonSync(path, config);
  return bundle;
}

/** A command of the honest executor on the bundle's own state root. */
export const tsrun = (bundle: Bundle, ...args: string[]) =>
  spawnSync(executorPath(), ['--root', bundle.root, ...args], {
    encoding: 'utf8',
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });

/** As `tsrun create` or `run` does it, up to the moment before the executor. */
export const prepare = ({ directory, root }: Bundle, id: string, mode: CreateRequest['mode']): PreparedCreate =>
  prepareCreate({
    root: { path: root, explicit: true, sticky: false },
    id,
    bundle: directory,
    mode,
    driver: 'cgroupfs',
    switches: {
      pidFile: undefined,
      consoleSocket: undefined,
      pidfdSocket: undefined,
      noPivot: false,
      noNewKeyring: false,
      noSubreaper: undefined,
      keep: undefined,
      preserveFds: 0,
      notifySocket: undefined,
    },
  });
