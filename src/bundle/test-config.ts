/** Configs for tests: one with every key of the specification, and a way to change one key of it. */
import './explain.js';
import { specKind } from './spec-document.js';
import { checkSource, type DocumentKind } from './validate.js';
import type { Failure } from '../errors/error.js';

// biome-ignore lint/suspicious/noExplicitAny: tests put wrong things into configs
export type Json = any;

const mappings = () => [{ containerID: 0, hostID: 100000, size: 65536 }];
const device = { major: 8, minor: 0 };
const hook = (path: string) => [{ path, args: [path, 'now'], env: ['A=b'], timeout: 5 }];

/** Keys of the published schema 1.0.2; every one of them. */
export function config102(): Json {
  return {
    ociVersion: '1.0.2',
    root: { path: 'rootfs', readonly: true },
    hostname: 'web',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'tmpcopyup'] },
      { destination: '/data', type: 'none', source: '/srv/data', options: ['rbind', 'rprivate', 'ro'] },
    ],
    hooks: {
      prestart: hook('/bin/prestart'),
      createRuntime: hook('/bin/create-runtime'),
      createContainer: hook('/bin/create-container'),
      startContainer: hook('/bin/start-container'),
      poststart: hook('/bin/poststart'),
      poststop: hook('/bin/poststop'),
    },
    annotations: { 'org.example.key': 'value', empty: '' },
    process: {
      terminal: true,
      consoleSize: { height: 25, width: 80 },
      user: { uid: 1000, gid: 1000, umask: 18, additionalGids: [5, 6], username: 'windows only' },
      args: ['sh', '-c', 'true'],
      commandLine: 'windows only',
      env: ['PATH=/bin', 'EMPTY='],
      cwd: '/home',
      capabilities: {
        bounding: ['CAP_KILL'],
        effective: ['CAP_KILL'],
        inheritable: ['CAP_KILL'],
        permitted: ['CAP_KILL'],
        ambient: ['CAP_KILL'],
      },
      rlimits: [
        { type: 'RLIMIT_NOFILE', soft: 1024, hard: 4096 },
        { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
      ],
      noNewPrivileges: true,
      apparmorProfile: 'unconfined',
      oomScoreAdj: 100,
      selinuxLabel: 'system_u:system_r:container_t:s0',
    },
    linux: linux102(),
  };
}

function linux102(): Json {
  return {
    namespaces: ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup'].map((type) => ({ type })),
    uidMappings: mappings(),
    gidMappings: mappings(),
    devices: [{ type: 'c', path: '/dev/fuse', major: 10, minor: 229, fileMode: 438, uid: 0, gid: 0 }],
    cgroupsPath: '/tests/web',
    resources: {
      devices: [
        { allow: false, access: 'rwm' },
        { allow: true, type: 'c', major: 1, minor: 3, access: 'rw' },
      ],
      memory: { limit: 1048576, reservation: 1048576, swap: 2097152, kernel: -1, kernelTCP: -1, swappiness: 60 },
      cpu: { shares: 1024, quota: 50000, burst: 1000, period: 100000, realtimeRuntime: 0, realtimePeriod: 1000000 },
      pids: { limit: 100 },
      blockIO: {
        weight: 500,
        leafWeight: 500,
        weightDevice: [{ ...device, weight: 500, leafWeight: 300 }],
        throttleReadBpsDevice: [{ ...device, rate: 600 }],
        throttleWriteBpsDevice: [{ ...device, rate: 600 }],
        throttleReadIOPSDevice: [{ ...device, rate: 600 }],
        throttleWriteIOPSDevice: [{ ...device, rate: 600 }],
      },
      hugepageLimits: [{ pageSize: '2MB', limit: 209715200 }],
      network: { classID: 1048577, priorities: [{ name: 'eth0', priority: 500 }] },
      rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10000 } },
      unified: { 'memory.high': '1000000' },
    },
    rootfsPropagation: 'slave',
    seccomp: {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 1,
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X32'],
      flags: ['SECCOMP_FILTER_FLAG_LOG'],
      listenerPath: '/run/agent.sock',
      listenerMetadata: 'opaque',
      syscalls: [
        { names: ['read', 'write'], action: 'SCMP_ACT_ALLOW' },
        {
          names: ['clone'],
          action: 'SCMP_ACT_ERRNO',
          errnoRet: 38,
          args: [{ index: 0, value: 2114060288, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
        },
      ],
    },
    sysctl: { 'net.ipv4.ip_forward': '1' },
    maskedPaths: ['/proc/kcore'],
    readonlyPaths: ['/proc/sys'],
    mountLabel: 'system_u:object_r:container_file_t:s0',
    intelRdt: { closID: 'gold', l3CacheSchema: 'L3:0=f', memBwSchema: 'MB:0=20', enableCMT: true, enableMBM: true },
    personality: { domain: 'LINUX', flags: [] },
  };
}

/** Every key of runtime-spec 1.3 on Linux. */
export function config130(): Json {
  const config = config102();
  const { process, linux, mounts } = config;
  config.ociVersion = '1.3.0';
  config.domainname = 'example.org';
  mounts[2].options.push('idmap');
  Object.assign(mounts[2], { uidMappings: mappings(), gidMappings: mappings() });
  process.scheduler = { policy: 'SCHED_DEADLINE', flags: [], nice: 0, priority: 0 };
  Object.assign(process.scheduler, { runtime: 100000, deadline: 200000, period: 200000 });
  process.ioPriority = { class: 'IOPRIO_CLASS_BE', priority: 4 };
  process.execCPUAffinity = { initial: '0-3,7', final: '1' };
  linux.namespaces.push({ type: 'time' });
  linux.timeOffsets = { monotonic: { secs: 10, nanosecs: 5 }, boottime: { secs: -1, nanosecs: 0 } };
  linux.netDevices = { eth1: { name: 'inside%d' }, eth2: {} };
  Object.assign(linux.resources.memory, { disableOOMKiller: false, useHierarchy: true, checkBeforeUpdate: true });
  Object.assign(linux.resources.cpu, { cpus: '0-3', mems: '0', idle: 0 });
  Object.assign(linux.intelRdt, { schemata: ['L2:0=f'], enableMonitoring: true });
  linux.memoryPolicy = { mode: 'MPOL_BIND', nodes: '0-1', flags: ['MPOL_F_STATIC_NODES'] };
  return config;
}

/** The smallest config. */
export const smallest = (): Json => ({ ociVersion: '1.0.2', root: { path: 'rootfs' } });

const partsOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

/** Sets what is at the pointer; `undefined` removes it. */
export function put(document: Json, pointer: string, value: unknown): Json {
  const parts = partsOf(pointer);
  const last = parts.pop()!;
  const holder = parts.reduce((here, part) => here[part], document);
  if (value === undefined && !Array.isArray(holder)) delete holder[last];
  else if (value === undefined) holder.splice(Number(last), 1);
  else Object.defineProperty(holder, last, { value, enumerable: true, configurable: true, writable: true });
  return document;
}

/** Pointers of everything in a document but its root, parents first. */
export function pointersOf(document: Json, at = ''): string[] {
  if (typeof document !== 'object' || document === null) return [];
  return Object.entries(document).flatMap(([key, value]) => {
    const here = `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return [here, ...pointersOf(value, here)];
  });
}

/** What tsrun says about a text. */
export function faultsOf(text: string, kind: DocumentKind<unknown> = specKind as DocumentKind<unknown>): Failure[] {
  return [...checkSource({ name: 'config.json', text }, kind).errors];
}

/** `TSR_CODE /pointer` of every fault of a config, for short assertions. */
export const codesOf = (document: Json): string[] =>
  faultsOf(JSON.stringify(document)).map(({ code, pointer }) => `${code} ${pointer}`);

/** Keys whose definition is another key's, and further entries of lists that hold the same. */
const repeated =
  /^\/hooks\/(?!poststop)\w+\/0\/|\/capabilities\/(?!bounding)\w+\/0|\/throttle(?!ReadBps)\w+\/0\/|\/gidMappings\/0\/|\/(?:args|env|namespaces|additionalGids|architectures)\/[1-9]/;

/** Pointers of everything in a config that is worth changing once. */
export const changeable = (config: Json): string[] => pointersOf(config).filter((pointer) => !repeated.test(pointer));

/**
 * The config with one key changed: every changeable key in turn, to every one of `values`. It is one object all the
 * time, changed and changed back.
 */
export function* mutants(
  config: Json,
  values: readonly unknown[],
): Generator<readonly [pointer: string, value: unknown]> {
  for (const pointer of changeable(config)) {
    const parts = partsOf(pointer);
    const last = parts.pop()!;
    const holder = parts.reduce((here, part) => here[part], config);
    const before = holder[last];
    for (const value of values) {
      put(config, pointer, structuredClone(value));
      yield [pointer, value];
      if (value === undefined && Array.isArray(holder)) holder.splice(Number(last), 0, before);
      else holder[last] = before;
    }
  }
}
