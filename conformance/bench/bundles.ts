// The bundles that are measured: a rootfs of nothing but busybox, and the config that `runc spec` would write.
import { chmodSync, copyFileSync, existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDirSync, readJsonSync, writeJsonSync } from 'fs-extra/esm';

const podmanProfile = '/usr/share/containers/seccomp.json';
const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];
/** podman's default set: it decides which rules of the profile apply. */
const podmanCapabilities =
  'CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'
    .split(' ')
    .map((name) => `CAP_${name}`);

export type Config = Record<string, unknown> & { process: Record<string, unknown>; linux: Record<string, unknown> };

export function defaultConfig(): Config {
  const mount = (destination: string, type: string, source: string, options: string) => ({
    destination,
    type,
    source,
    ...(options === '' ? {} : { options: options.split(' ') }),
  });
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: ['/bin/true'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities, ambient: capabilities },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'bench',
    mounts: [
      mount('/proc', 'proc', 'proc', ''),
      mount('/dev', 'tmpfs', 'tmpfs', 'nosuid strictatime mode=755 size=65536k'),
      mount('/dev/pts', 'devpts', 'devpts', 'nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5'),
      mount('/dev/shm', 'tmpfs', 'shm', 'nosuid noexec nodev mode=1777 size=65536k'),
      mount('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid noexec nodev'),
      mount('/sys', 'sysfs', 'sysfs', 'nosuid noexec nodev ro'),
      mount('/sys/fs/cgroup', 'cgroup', 'cgroup', 'nosuid noexec nodev relatime ro'),
    ],
    linux: {
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
      maskedPaths: [
        '/proc/acpi',
        '/proc/asound',
        '/proc/kcore',
        '/proc/keys',
        '/proc/latency_stats',
        '/proc/timer_list',
        '/proc/timer_stats',
        '/proc/sched_debug',
        '/sys/firmware',
        '/proc/scsi',
      ],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}

interface Rule {
  names: string[];
  action: string;
  args?: unknown[];
  errnoRet?: number;
  includes?: { caps?: string[]; arches?: string[]; minKernel?: string };
  excludes?: { caps?: string[]; arches?: string[] };
}

/** podman's default profile as podman writes it into config.json: resolved for its capabilities, one rule a system call. */
export function podmanSeccomp(): Record<string, unknown> | undefined {
  if (!existsSync(podmanProfile)) return undefined;
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const profile = readJsonSync(podmanProfile);
  const archMap = profile.archMap.find((row: { architecture: string }) =>
    row.architecture.endsWith(process.arch === 'x64' ? 'X86_64' : 'AARCH64'),
  );
  const applies = ({ includes = {}, excludes = {} }: Rule) =>
    (includes.arches?.includes(arch) ?? true) &&
    (includes.caps ?? []).every((name) => podmanCapabilities.includes(name)) &&
    !(excludes.arches ?? []).includes(arch) &&
    !(excludes.caps ?? []).some((name) => podmanCapabilities.includes(name));
  return {
    defaultAction: profile.defaultAction,
    defaultErrnoRet: profile.defaultErrnoRet,
    architectures: [archMap.architecture, ...archMap.subArchitectures],
    syscalls: profile.syscalls.filter(applies).flatMap(({ names, action, args, errnoRet }: Rule) =>
      names.map((name) => ({
        names: [name],
        action,
        ...(action === 'SCMP_ACT_ERRNO' ? { errnoRet } : {}),
        ...(args && args.length > 0 ? { args } : {}),
      })),
    ),
  };
}

/** Writes a bundle whose rootfs is shared with all others. */
export function writeBundle(folder: string, name: string, config: Config): string {
  const bundle = join(folder, name);
  const rootfs = join(folder, 'rootfs');
  if (!existsSync(rootfs)) {
    for (const dir of ['bin', 'dev', 'proc', 'sys', 'etc']) ensureDirSync(join(rootfs, dir));
    copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'));
    chmodSync(join(rootfs, 'bin/busybox'), 0o755);
    for (const applet of ['true', 'sh', 'sleep']) symlinkSync('busybox', join(rootfs, 'bin', applet));
  }
  ensureDirSync(bundle);
  config.root = { path: rootfs, readonly: true };
  writeJsonSync(join(bundle, 'config.json'), config);
  return bundle;
}
