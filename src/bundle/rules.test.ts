import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { catalogue } from '../errors/catalogue.js';
import { codesOf, config130, faultsOf, type Json, put, smallest } from './test-config.js';
import { processKind } from './process-document.js';
import { resourcesKind } from './resources-document.js';
import { specKind, validateConfig } from './spec-document.js';
import { checkSource } from './validate.js';

const scheduler = (rest: object): Json => put(config130(), '/process/scheduler', rest);
const sysctl = (name: string): Json => put(config130(), '/linux/sysctl', { [name]: '1' });
const mount = (rest: object): Json => put(smallest(), '/mounts', [{ destination: '/x', ...rest }]);
const maps = (...ranges: readonly (readonly [number, number, number])[]): Json =>
  put(
    config130(),
    '/linux/uidMappings',
    ranges.map(([containerID, hostID, size]) => ({ containerID, hostID, size })),
  );
const many = (count: number) => maps(...Array.from({ length: count }, (_, i) => [i * 2, i * 2, 1] as const));
const profile = (rest: object): Json =>
  put(smallest(), '/linux', { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', ...rest } });
const rule = (rest: object): Json => profile({ syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', ...rest }] });
const without = (type: string): Json =>
  put(
    config130(),
    '/linux/namespaces',
    config130().linux.namespaces.filter((one: Json) => one.type !== type),
  );
const policy = (rest: object): Json => put(config130(), '/linux/memoryPolicy', rest);
const set = (pointer: string, value: unknown): Json => put(config130(), pointer, value);

/** What to say of it, and a config with the fault; the fault is the only one. */
const refused: readonly (readonly [finding: string, config: Json])[] = [
  ['TSR_CONFIG_VERSION /ociVersion', set('/ociVersion', 'banana')],
  ['TSR_CONFIG_VERSION /ociVersion', set('/ociVersion', '1.0')],
  ['TSR_CONFIG_VERSION /ociVersion', set('/ociVersion', '1.0.02')],
  ['TSR_CONFIG_VERSION /ociVersion', set('/ociVersion', '')],
  ['TSR_CONFIG_VERSION /ociVersion', set('/ociVersion', '99.0.0')],
  ['TSR_CONFIG_VERSION /ociVersion', set('/ociVersion', '0.2.0')],
  ['TSR_ROOT_PATH /root/path', set('/root/path', '')],
  ['TSR_ROOT_PATH /root/path', set('/root/path', '/')],
  ['TSR_ROOT_PATH /root/path', set('/root/path', '//a/../.')],
  ['TSR_PROCESS_ARGS /process/args/0', set('/process/args/0', '')],
  ['TSR_ENV_FORM /process/env/1', set('/process/env/1', 'NOVALUE')],
  ['TSR_ENV_FORM /process/env/1', set('/process/env/1', '=x')],
  ['TSR_ENV_FORM /process/env/1', set('/process/env/1', '')],
  ['TSR_ENV_FORM /hooks/poststop/0/env/0', set('/hooks/poststop/0/env/0', 'NOVALUE')],
  ['TSR_RLIMIT_DUPLICATE /process/rlimits/1/type', set('/process/rlimits/1/type', 'RLIMIT_NOFILE')],
  ['TSR_RLIMIT_ORDER /process/rlimits/0/soft', set('/process/rlimits/0/soft', 4097)],
  ['TSR_SCHEDULER /process/scheduler/nice', scheduler({ policy: 'SCHED_OTHER', nice: 20 })],
  ['TSR_SCHEDULER /process/scheduler/nice', scheduler({ policy: 'SCHED_BATCH', nice: -21 })],
  ['TSR_SCHEDULER /process/scheduler/priority', scheduler({ policy: 'SCHED_FIFO' })],
  ['TSR_SCHEDULER /process/scheduler/priority', scheduler({ policy: 'SCHED_RR', priority: 100 })],
  ['TSR_SCHEDULER /process/scheduler/priority', scheduler({ policy: 'SCHED_OTHER', priority: 1 })],
  ['TSR_SCHEDULER /process/scheduler/runtime', scheduler({ policy: 'SCHED_OTHER', runtime: 2000 })],
  ['TSR_SCHEDULER /process/scheduler/runtime', scheduler({ policy: 'SCHED_DEADLINE', runtime: 1023, deadline: 2000 })],
  ['TSR_SCHEDULER /process/scheduler/deadline', scheduler({ policy: 'SCHED_DEADLINE', runtime: 2000, deadline: 1999 })],
  [
    'TSR_SCHEDULER /process/scheduler/runtime',
    scheduler({ policy: 'SCHED_DEADLINE', runtime: 2 ** 63, deadline: 2 ** 63 }),
  ],
  ['TSR_NUMBER_LIST /linux/memoryPolicy/nodes', policy({ mode: 'MPOL_BIND', nodes: '0-9876543210' })],
  ['TSR_NUMBER_LIST /linux/memoryPolicy/nodes', policy({ mode: 'MPOL_BIND', nodes: '0-7:0/0' })],
  ['TSR_NUMBER_LIST /process/execCPUAffinity/initial', set('/process/execCPUAffinity/initial', '9876543210')],
  ['TSR_NUMBER_LIST /linux/resources/cpu/cpus', set('/linux/resources/cpu/cpus', '0-99999')],
  [
    'TSR_SCHEDULER /process/scheduler/period',
    scheduler({ policy: 'SCHED_DEADLINE', runtime: 1024, deadline: 1999, period: 1998 }),
  ],
  ['TSR_NUMBER_LIST /process/execCPUAffinity/final', set('/process/execCPUAffinity/final', '3-1')],
  ['TSR_NUMBER_LIST /process/execCPUAffinity/initial', set('/process/execCPUAffinity/initial', '1,')],
  ['TSR_CONSOLE_SIZE /process/consoleSize/width', set('/process/consoleSize/width', 65536)],
  ['TSR_HOSTNAME_LENGTH /hostname', set('/hostname', 'x'.repeat(65))],
  ['TSR_HOSTNAME_LENGTH /hostname', set('/hostname', `${'ä'.repeat(32)}x`)],
  ['TSR_HOSTNAME_LENGTH /domainname', set('/domainname', '😀'.repeat(17))],
  ['TSR_HOSTNAME_NAMESPACE /hostname', put(smallest(), '/hostname', 'web')],
  ['TSR_HOSTNAME_NAMESPACE /domainname', put(smallest(), '/domainname', 'web')],
  ['TSR_ANNOTATION_NAME /annotations/', put(smallest(), '/annotations', { '': 'x' })],
  ['TSR_NAMESPACE_DUPLICATE /linux/namespaces/8/type', set('/linux/namespaces/8', { type: 'pid' })],
  ['TSR_NAMESPACE_MAPPINGS /linux/uidMappings', set('/linux/uidMappings', undefined)],
  ['TSR_NAMESPACE_MAPPINGS /linux/gidMappings', set('/linux/gidMappings', [])],
  [
    'TSR_NAMESPACE_MAPPINGS /linux/gidMappings',
    put(smallest(), '/linux', { gidMappings: config130().linux.gidMappings }),
  ],
  ['TSR_ID_MAPPING /linux/uidMappings/1/containerID', maps([0, 1000, 10], [9, 2000, 10])],
  ['TSR_ID_MAPPING /linux/uidMappings/0/hostID', maps([0, 1005, 10], [10, 1000, 6])],
  ['TSR_ID_MAPPING /linux/uidMappings/0/size', maps([1, 0, 2 ** 32 - 1])],
  ['TSR_ID_MAPPING /linux/uidMappings/0/size', maps([0, 2 ** 32 - 2, 2])],
  ['TSR_ID_MAPPING /linux/uidMappings', many(341)],
  ['TSR_TIME_OFFSETS /linux/timeOffsets', put(without('time'), '/linux/timeOffsets', { boottime: { secs: 1 } })],
  ['TSR_TIME_OFFSETS /linux/timeOffsets', set('/linux/namespaces/7/path', '/proc/1/ns/time')],
  ['TSR_DEVICE_NUMBER /linux/devices/0/major', set('/linux/devices/0/major', undefined)],
  ['TSR_DEVICE_NUMBER /linux/devices/0/minor', set('/linux/devices/0', { type: 'b', path: '/dev/x', major: 1 })],
  ['TSR_NET_DEVICE /linux/netDevices/eth2', set('/linux/netDevices/eth2/name', '..')],
  ['TSR_NET_DEVICE /linux/netDevices/eth2', set('/linux/netDevices/eth2/name', 'a/b')],
  ['TSR_NET_DEVICE /linux/netDevices/eth2', set('/linux/netDevices/eth2/name', 'a%s')],
  ['TSR_NET_DEVICE /linux/netDevices/eth2', set('/linux/netDevices/eth2/name', 'a%d%d')],
  ['TSR_NET_DEVICE /linux/netDevices/eth2', set('/linux/netDevices/eth2/name', '')],
  ['TSR_NET_DEVICE /linux/netDevices/a%d', set('/linux/netDevices', { 'a%d': {} })],
  ['TSR_NET_DEVICE /linux/netDevices/sixteen-letters-', set('/linux/netDevices', { 'sixteen-letters-': {} })],
  ['TSR_NET_DEVICE /linux/netDevices/b', set('/linux/netDevices', { a: { name: 'x' }, b: { name: 'x' } })],
  ['TSR_NET_DEVICE /linux/netDevices', put(smallest(), '/linux', { netDevices: { a: {} } })],
  ['TSR_CGROUP_PATH /linux/cgroupsPath', set('/linux/cgroupsPath', '/a/../../b')],
  ['TSR_CGROUP_PATH /linux/cgroupsPath', set('/linux/cgroupsPath', `/${'x'.repeat(5000)}`)],
  ['TSR_CGROUP_PATH /linux/cgroupsPath', set('/linux/cgroupsPath', '/a\nb')],
  ['TSR_SECCOMP_ERRNO /linux/seccomp/defaultErrnoRet', profile({ defaultErrnoRet: 1 })],
  ['TSR_SECCOMP_ERRNO /linux/seccomp/syscalls/0/errnoRet', rule({ errnoRet: 1 })],
  ['TSR_SECCOMP_ERRNO /linux/seccomp/syscalls/0/errnoRet', rule({ action: 'SCMP_ACT_ERRNO', errnoRet: 4096 })],
  [
    'TSR_SECCOMP_NOTIFY /linux/seccomp/defaultAction',
    profile({ defaultAction: 'SCMP_ACT_NOTIFY', listenerPath: '/s' }),
  ],
  [
    'TSR_SECCOMP_NOTIFY /linux/seccomp/syscalls/0/names',
    put(rule({ names: ['write'], action: 'SCMP_ACT_NOTIFY' }), '/linux/seccomp/listenerPath', '/s'),
  ],
  ['TSR_SECCOMP_LISTENER /linux/seccomp/listenerMetadata', profile({ listenerMetadata: 'x' })],
  ['TSR_SECCOMP_LISTENER /linux/seccomp/syscalls/0/action', rule({ action: 'SCMP_ACT_NOTIFY' })],
  ['TSR_SECCOMP_TOO_LARGE /linux/seccomp/syscalls', rule({ names: Array.from({ length: 20_001 }, () => 'read') })],
  [
    'TSR_SECCOMP_TOO_LARGE /linux/seccomp/syscalls',
    rule({ args: Array.from({ length: 20_001 }, () => ({ index: 0, value: 0, op: 'SCMP_CMP_EQ' })) }),
  ],
  ['TSR_SYSCTL_NAMESPACE /linux/sysctl/kernel.core_pattern', sysctl('kernel.core_pattern')],
  ['TSR_SYSCTL_NAMESPACE /linux/sysctl/kernel~1core_pattern', sysctl('kernel/core_pattern')],
  ['TSR_SYSCTL_NAMESPACE /linux/sysctl/vm.swappiness', sysctl('vm.swappiness')],
  ['TSR_SYSCTL_NAMESPACE /linux/sysctl/net', sysctl('net')],
  ['TSR_SYSCTL_NAMESPACE /linux/sysctl/fs.file-max', sysctl('fs.file-max')],
  [
    'TSR_SYSCTL_NAMESPACE /linux/sysctl/kernel.msgmax',
    put(put(without('ipc'), '/linux/sysctl', { 'kernel.msgmax': '1' }), '/linux/rootfsPropagation', undefined),
  ],
  [
    'TSR_SYSCTL_NAMESPACE /linux/sysctl/net.ipv4.ip_forward',
    put(smallest(), '/linux', { sysctl: { 'net.ipv4.ip_forward': '1' } }),
  ],
  ['TSR_SYSCTL_NAME /linux/sysctl/net~1..~1kernel~1core_pattern', sysctl('net/../kernel/core_pattern')],
  ['TSR_SYSCTL_NAME /linux/sysctl/net.~1~1.kernel.core_pattern', sysctl('net.//.kernel.core_pattern')],
  ['TSR_SYSCTL_NAME /linux/sysctl/net..ip', sysctl('net..ip')],
  ['TSR_SYSCTL_NAME /linux/sysctl/', sysctl('')],
  ['TSR_SYSCTL_NAME /linux/sysctl/net~1a~1b', set('/linux/sysctl', { 'net.a.b': '1', 'net/a/b': '2' })],
  ['TSR_SYSCTL_NAME /linux/sysctl/kernel.domainname', set('/linux/sysctl', { 'kernel.domainname': 'other' })],
  ['TSR_SYSCTL_NAME /linux/sysctl/kernel.hostname', set('/linux/sysctl', { 'kernel.hostname': 'other' })],
  ['TSR_RDT_CLOSID /linux/intelRdt/closID', set('/linux/intelRdt/closID', '..')],
  ['TSR_RDT_CLOSID /linux/intelRdt/closID', set('/linux/intelRdt/closID', 'a/b')],
  ['TSR_RDT_CLOSID /linux/intelRdt/closID', set('/linux/intelRdt/closID', '')],
  ['TSR_RDT_SCHEMA /linux/intelRdt/l3CacheSchema', set('/linux/intelRdt/l3CacheSchema', 'L3:0=f\nMB:0=1')],
  ['TSR_RDT_SCHEMA /linux/intelRdt/schemata/0', set('/linux/intelRdt/schemata/0', 'L3:0=f\n')],
  ['TSR_NUMBER_LIST /linux/memoryPolicy/nodes', set('/linux/memoryPolicy/nodes', 'all')],
  ['TSR_MEMORY_POLICY /linux/memoryPolicy/nodes', policy({ mode: 'MPOL_LOCAL', nodes: '0' })],
  ['TSR_MEMORY_POLICY /linux/memoryPolicy/nodes', policy({ mode: 'MPOL_INTERLEAVE' })],
  ['TSR_MEMORY_POLICY /linux/memoryPolicy/flags', policy({ mode: 'MPOL_DEFAULT', flags: ['MPOL_F_STATIC_NODES'] })],
  [
    'TSR_MEMORY_POLICY /linux/memoryPolicy/flags',
    policy({ mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_STATIC_NODES', 'MPOL_F_RELATIVE_NODES'] }),
  ],
  ['TSR_PERSONALITY_FLAG /linux/personality/flags/0', set('/linux/personality/flags', ['ADDR_NO_RANDOMIZE'])],
  ['TSR_MEMORY_SWAP /linux/resources/memory/swap', set('/linux/resources/memory/swap', 1048575)],
  ['TSR_CPU_PERIOD /linux/resources/cpu/period', set('/linux/resources/cpu/period', 999)],
  ['TSR_CPU_PERIOD /linux/resources/cpu/period', set('/linux/resources/cpu/period', 1000001)],
  [
    'TSR_CPU_QUOTA /linux/resources/cpu/quota',
    put(set('/linux/resources/cpu/quota', 999), '/linux/resources/cpu/burst', 0),
  ],
  ['TSR_CPU_BURST /linux/resources/cpu/burst', set('/linux/resources/cpu/burst', 50001)],
  ['TSR_NUMBER_LIST /linux/resources/cpu/cpus', set('/linux/resources/cpu/cpus', '0-')],
  ['TSR_NUMBER_LIST /linux/resources/cpu/mems', set('/linux/resources/cpu/mems', '0;1')],
  [
    'TSR_BLOCK_IO_WEIGHT /linux/resources/blockIO/weightDevice/0',
    set('/linux/resources/blockIO/weightDevice', [{ major: 8, minor: 0 }]),
  ],
  [
    'TSR_NETWORK_PRIORITY /linux/resources/network/priorities/0/name',
    set('/linux/resources/network/priorities/0/name', 'a b'),
  ],
  ['TSR_RDMA /linux/resources/rdma/mlx5_1', set('/linux/resources/rdma/mlx5_1', {})],
  ['TSR_RDMA /linux/resources/rdma/a b', set('/linux/resources/rdma', { 'a b': { hcaHandles: 1 } })],
  ['TSR_UNIFIED_NAME /linux/resources/unified/..~1..~1x', set('/linux/resources/unified', { '../../x': '1' })],
  ['TSR_UNIFIED_NAME /linux/resources/unified/..', set('/linux/resources/unified', { '..': '1' })],
  [
    'TSR_UNIFIED_NAME /linux/resources/unified/a~1memory.high',
    set('/linux/resources/unified', { 'a/memory.high': '1' }),
  ],
  ['TSR_UNIFIED_NAME /linux/resources/unified/memory', set('/linux/resources/unified', { memory: '1' })],
  ['TSR_UNIFIED_NAME /linux/resources/unified/cgroup.procs', set('/linux/resources/unified', { 'cgroup.procs': '1' })],
  ['TSR_MOUNT_BIND_OPTION /mounts/0/options', mount({ type: 'bind', source: '/a', options: ['ro'] })],
  ['TSR_MOUNT_BIND_OPTION /mounts/0/options', mount({ type: 'none', source: '/a' })],
  ['TSR_MOUNT_TYPE /mounts/0/type', mount({ source: '/a', options: ['ro'] })],
  ['TSR_MOUNT_TYPE /mounts/0/type', mount({ type: '', source: '/a' })],
  ['TSR_MOUNT_SOURCE /mounts/0/source', mount({ options: ['bind'] })],
  ['TSR_MOUNT_SOURCE /mounts/0/source', mount({ source: '', options: ['rbind'] })],
  ['TSR_MOUNT_ON_ROOT /mounts/0/destination', mount({ destination: '/', type: 'tmpfs' })],
  ['TSR_MOUNT_ON_ROOT /mounts/0/destination', mount({ destination: '/.', type: 'tmpfs' })],
  ['TSR_MOUNT_ON_ROOT /mounts/0/destination', mount({ destination: '/x/..', type: 'tmpfs' })],
  ['TSR_MOUNT_ON_ROOT /mounts/0/destination', mount({ destination: '/../../..', type: 'tmpfs' })],
  ['TSR_MOUNT_ON_ROOT /mounts/0/destination', mount({ destination: '', type: 'tmpfs' })],
  ['TSR_MOUNT_ON_PROC /mounts/0/destination', mount({ destination: '/proc', type: 'tmpfs' })],
  ['TSR_MOUNT_ON_PROC /mounts/0/destination', mount({ destination: '/proc/sys', type: 'tmpfs' })],
  [
    'TSR_MOUNT_ON_PROC /mounts/0/destination',
    mount({ destination: '/foo/../proc//self/', source: '/a', options: ['bind'] }),
  ],
  ['TSR_MOUNT_ON_PROC /mounts/0/destination', mount({ destination: '/proc/net/dev', source: '/a', options: ['bind'] })],
  ['TSR_MOUNT_ON_PROC /mounts/0/destination', mount({ destination: '/proc/sys/fs', type: 'proc' })],
  ['TSR_MOUNT_BIND_DATA /mounts/0/options/1', mount({ source: '/a', options: ['bind', 'nosuidd'] })],
  ['TSR_MOUNT_BIND_DATA /mounts/0/options/0', mount({ source: '/a', options: ['nosiud', 'rbind'] })],
  ['TSR_MOUNT_BIND_DATA /mounts/0/options/1', mount({ source: '/a', options: ['bind', 'uid=5'] })],
  ['TSR_MOUNT_BIND_DATA /mounts/0/options/1', mount({ source: '/a', options: ['bind', 'X-mount.idmap=u:0:1:1'] })],
  ['TSR_MOUNT_BIND_DATA /mounts/0/options/1', mount({ source: '/a', options: ['bind', 'context=x'] })],
  ...[
    'uids=0-1-2',
    'uids=0-1-0;gids=0-1-1',
    'uids=a;gids=b',
    '',
    'uids=0-1-1;gids=0-4294967295-1',
    'uid=0-1-1;gid=0-1-1',
  ].map(
    (map) =>
      ['TSR_MOUNT_IDMAP /mounts/0/options/1', mount({ source: '/a', options: ['bind', `idmap=${map}`] })] as const,
  ),
  [
    'TSR_MOUNT_IDMAP /mounts/0/options/1',
    put(put(config130(), '/linux/uidMappings', [{ containerID: 0, hostID: 100, size: 10 }]), '/mounts', [
      { destination: '/x', source: '/a', options: ['bind', 'idmap=uids=@0-5-6;gids=0-1-1'] },
    ]),
  ],
  ['TSR_MOUNT_TMPCOPYUP /mounts/0/options/0', mount({ type: 'proc', options: ['tmpcopyup'] })],
  ['TSR_MOUNT_NFS /mounts/0/options', mount({ type: 'nfs', source: 'server:/a', options: ['vers=4.2'] })],
  ['TSR_MOUNT_IDMAP /mounts/0/options', mount({ source: '/a', options: ['bind', 'ridmap'] })],
  [
    'TSR_MOUNT_IDMAP /mounts/0/gidMappings',
    mount({ source: '/a', options: ['bind', 'idmap'], uidMappings: [{ containerID: 0, hostID: 0, size: 1 }] }),
  ],
  ['TSR_MOUNT_IDMAP /mounts/2/uidMappings', set('/mounts/2/uidMappings', undefined)],
  ['TSR_ID_MAPPING /mounts/2/uidMappings/0/size', set('/mounts/2/uidMappings/0/containerID', 2 ** 32 - 1)],
];

test('refuses what the schema cannot see, once, with the pointer of the key', () => {
  for (const [finding, config] of refused) {
    const text = JSON.stringify(config);
    assert.equal(codesOf(config), [finding], text.length > 2000 ? finding : text);
  }
});

test('every finding says what to do, in the house style', () => {
  for (const [finding, config] of refused) {
    for (const { message, hint } of faultsOf(JSON.stringify(config))) {
      assert.ok(message.length > 0 && !message.endsWith('.'), `${finding}: ${message}`);
      assert.match(message, /^['a-z0-9]/, finding);
      assert.ok(hint, `${finding}: ${message} has no hint`);
    }
  }
});

const accepted: readonly Json[] = [
  config130(),
  smallest(),
  ...['1.0.0', '1.0.2-dev', '1.2.0+dev', '1.99.0', '1.0.2-rc.1+x.y'].map((version) => set('/ociVersion', version)),
  set('/root/path', '/var/lib/x'),
  set('/root/path', '../rootfs'),
  set('/process', undefined),
  set('/process/user', undefined),
  set('/process/env', ['A=', 'A=b=c', 'B==']),
  put(set('/process/terminal', false), '/process/consoleSize/width', 70000),
  set('/process/rlimits/0/soft', 4096),
  scheduler({ policy: 'SCHED_FIFO', priority: 99 }),
  scheduler({ policy: 'SCHED_IDLE' }),
  set('/hostname', 'x'.repeat(64)),
  set('/hostname', 'ä'.repeat(32)),
  put(smallest(), '/hostname', ''),
  put(put(smallest(), '/hostname', 'web'), '/linux', { namespaces: [{ type: 'uts', path: '/proc/1/ns/uts' }] }),
  put(smallest(), '/linux', { namespaces: [{ type: 'user', path: '/proc/1/ns/user' }] }),
  set('/linux/namespaces/5/path', '/proc/1/ns/user'),
  maps([0, 1000, 10], [10, 2000, 10], [20, 1010, 1]),
  maps([0, 0, 2 ** 32 - 1]),
  many(340),
  put(smallest(), '/linux', { timeOffsets: {} }),
  // docker --device-cgroup-rule: no such device can exist, and the rule is not wrong for that.
  set('/linux/resources/devices', [{ allow: true, type: 'c', major: 4242, minor: 2 ** 32 - 1, access: 'rwm' }]),
  set('/linux/devices/0', { type: 'p', path: '/run/fifo' }),
  set('/linux/cgroupsPath', 'system.slice:tsrun:web'),
  set('/linux/cgroupsPath', '/a/..b/c..'),
  ...[
    'kernel.shmmax',
    'kernel/sem',
    'fs.mqueue.msg_max',
    'net.ipv4.conf.eth0/1.forwarding',
    'net/ipv4/conf/eth0.1/forwarding',
    'user.max_user_namespaces',
  ].map(sysctl),
  set('/linux/sysctl', { 'kernel.domainname': 'example.org' }),
  rule({ action: 'SCMP_ACT_TRACE', errnoRet: 65535 }),
  put(rule({ action: 'SCMP_ACT_NOTIFY' }), '/linux/seccomp/listenerPath', '/s'),
  set('/linux/intelRdt/closID', '/'),
  set('/linux/intelRdt/closID', '..gold'),
  policy({ mode: 'MPOL_PREFERRED' }),
  policy({ mode: 'MPOL_PREFERRED', nodes: '0-15:1/2' }),
  set('/linux/resources/memory/swap', -1),
  set('/linux/resources/cpu/quota', -1),
  set('/linux/resources/cpu/period', 0),
  set('/linux/resources/pids/limit', 0),
  set('/linux/resources/unified', {
    'hugetlb.1GB.max': '0',
    'cgroup.max.depth': '3',
    'io.max': '8:0 rbps=1\n8:1 rbps=1',
  }),
  set('/linux/rootfsPropagation', 'rslave'),
  mount({ destination: '/proc', type: 'proc' }),
  mount({ destination: '/proc', source: '/proc', options: ['rbind'] }),
  mount({ destination: '/proc/meminfo', source: '/a', options: ['bind'] }),
  mount({ destination: '/proc/sys/kernel/ns_last_pid', source: '/a', options: ['bind'] }),
  mount({ destination: '/process', type: 'tmpfs', options: ['size=1m', 'mode=755', 'tmpcopyup'] }),
  mount({ type: 'nfs', source: 'server:/a', options: ['vers=4.2,addr=10.0.0.1'] }),
  mount({ options: ['remount', 'ro'] }),
  mount({ source: 'relative', options: ['bind', 'rro', 'rprivate', 'rnodev', 'defaults'] }),
  mount({ source: '/a', options: ['rbind', 'idmap'], uidMappings: [], gidMappings: [] }),
];

test('accepts what is close to a fault but none', () => {
  for (const config of accepted) assert.equal(codesOf(config), [], JSON.stringify(config).slice(0, 2000));
});

const warned: readonly (readonly [finding: string, config: Json, hint: string | undefined])[] = [
  [
    'TSR_MOUNT_BIND_DATA /mounts/0/options/1',
    mount({ source: '/a', options: ['bind', 'mode=755'] }),
    'it has no effect; remove it',
  ],
  [
    'TSR_CAPABILITY_UNKNOWN /process/capabilities/bounding/0',
    set('/process/capabilities/bounding/0', 'CAP_KIL'),
    "did you mean 'CAP_KILL'?",
  ],
  [
    'TSR_CAPABILITY_UNKNOWN /process/capabilities/ambient/0',
    set('/process/capabilities/ambient/0', 'NET_ADMIN'),
    "did you mean 'CAP_NET_ADMIN'?",
  ],
  // once for all sets; and that it begins with CAP_ makes it like no other
  [
    'TSR_CAPABILITY_UNKNOWN /process/capabilities/bounding/0',
    set('/process/capabilities', { bounding: ['CAP_NOPE'], effective: ['CAP_NOPE'], permitted: ['CAP_NOPE'] }),
    undefined,
  ],
  [
    'TSR_CAPABILITY_UNKNOWN /process/capabilities/ambient/0',
    set('/process/capabilities/ambient/0', 'constructor'),
    undefined,
  ],
  ['TSR_MOUNT_RELATIVE /mounts/0/destination', mount({ destination: 'x/y', type: 'tmpfs' }), "write '/x/y'"],
  [
    'TSR_CONFIG_UNKNOWN_KEY /linux/rootfsPropagaton',
    set('/linux/rootfsPropagaton', 'x'),
    "did you mean 'rootfsPropagation'?",
  ],
  [
    'TSR_CONFIG_UNKNOWN_KEY /linux/resources/memory/Limit',
    set('/linux/resources/memory/Limit', 5),
    "did you mean 'limit'?",
  ],
  ['TSR_CONFIG_UNKNOWN_KEY /linux/netDevices/eth2/nam', set('/linux/netDevices/eth2/nam', 'x'), "did you mean 'name'?"],
  ['TSR_CONFIG_UNKNOWN_KEY /x-anything', set('/x-anything', { deep: [{ ociVersion: 1 }] }), undefined],
];

test('warns and goes on, with the nearest known name', () => {
  for (const [finding, config, hint] of warned) {
    const { errors, warnings } = checkSource({ name: 'config.json', text: JSON.stringify(config) }, specKind);
    assert.equal(errors, [], finding);
    assert.equal(
      warnings.map(({ code, pointer }) => `${code} ${pointer}`),
      [finding],
    );
    assert.is(warnings[0]!.hint, hint, finding);
  }
});

test('gathers findings of the schema and of all rules, but asks no rule about a misshapen part', () => {
  const config = set('/ociVersion', 'banana');
  put(config, '/process/cwd', 'tmp');
  put(config, '/process/rlimits/1/type', 'RLIMIT_NOFILE');
  put(config, '/process/env', 'PATH=/bin');
  put(config, '/hostname', 'x'.repeat(65));
  put(config, '/mounts/0/destination', '/');
  put(config, '/linux/sysctl', { 'kernel.hostname': 5, 'vm.swappiness': '5' });
  put(config, '/linux/namespaces/3/type', 'ipcs');
  assert.equal(codesOf(config).sort(), [
    'TSR_CONFIG_FORMAT /process/cwd',
    'TSR_CONFIG_NAME /linux/namespaces/3/type',
    'TSR_CONFIG_TYPE /linux/sysctl/kernel.hostname',
    'TSR_CONFIG_TYPE /process/env',
    'TSR_CONFIG_VERSION /ociVersion',
    'TSR_RLIMIT_DUPLICATE /process/rlimits/1/type',
  ]);
});

test('process files and resources files are held to the same rules, with their own pointers', () => {
  const processFaults = (document: Json) =>
    checkSource({ name: 'process', text: JSON.stringify(document) }, processKind).errors;
  const resourcesFaults = (document: Json) =>
    checkSource({ name: 'resources', text: JSON.stringify(document) }, resourcesKind).errors;
  const codes = (faults: readonly Json[]) => faults.map(({ code, pointer }) => `${code} ${pointer}`);
  const { process, linux } = config130();
  assert.equal(processFaults(process), []);
  assert.equal(resourcesFaults(linux.resources), []);
  assert.equal(codes(processFaults(put(structuredClone(process), '/env/0', 'x'))), ['TSR_ENV_FORM /env/0']);
  assert.equal(codes(processFaults(put(structuredClone(process), '/cwd', 'x'))), ['TSR_CONFIG_FORMAT /cwd']);
  assert.equal(codes(resourcesFaults(put(structuredClone(linux.resources), '/memory/swap', 1))), [
    'TSR_MEMORY_SWAP /memory/swap',
  ]);
  assert.equal(codes(resourcesFaults(put(structuredClone(linux.resources), '/memory/swap', '1'))), [
    'TSR_CONFIG_TYPE /memory/swap',
  ]);
  assert.equal(resourcesFaults({}), []);
});

test('a config made by a program may hold bigints, and is held to the same rules', () => {
  const config = config130();
  config.linux.resources.memory.swap = 2n ** 63n - 1n;
  assert.equal(validateConfig(config).errors, []);
  config.linux.resources.memory.swap = 2n ** 63n;
  const [tooLarge] = validateConfig(config).errors;
  assert.is(tooLarge!.message, 'must be at most 9223372036854775807, not 9223372036854775808');
  assert.is(tooLarge!.pointer, '/linux/resources/memory/swap');
  const small = config130();
  small.process.user.uid = 5n;
  assert.ok(validateConfig(small).errors.length > 0, 'a bigint where the schema has 32 bits');
  const odd = config130();
  odd.process.rlimits[0].hard = 2n ** 64n - 1n;
  odd.process.cwd = 'tmp';
  assert.equal(
    validateConfig(odd).errors.map(({ pointer }) => pointer),
    ['/process/cwd'],
  );
});

test('every rule is one file, and every code a finding can have is in the catalogue and provoked here', () => {
  const files = readdirSync('src/bundle/rules');
  const listed = ['rules', 'process-document', 'resources-document']
    .map((name) => readFileSync(`src/bundle/${name}.ts`, 'utf8'))
    .join('\n');
  for (const file of files)
    assert.ok(listed.includes(`./rules/${file.replace(/\.ts$/, '.js')}`), `${file} is not in rules.ts`);
  const sources = files.map((file) => readFileSync(`src/bundle/rules/${file}`, 'utf8')).join('\n');
  const codes = new Set(sources.match(/TSR_[A-Z_]+/g));
  const provoked = new Set([...refused, ...warned].map(([finding]) => finding.split(' ')[0]));
  for (const code of codes) {
    assert.ok(catalogue.has(code), `${code} is not in the catalogue`);
    assert.ok(provoked.has(code), `${code} is not provoked`);
  }
});

test.run();
