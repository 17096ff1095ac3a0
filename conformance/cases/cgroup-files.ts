// What each key of linux.resources puts into which file, on either version.
import { existsSync } from 'node:fs';
import { type Add, expect, skip, unified } from '../harness.js';

/** Name, resources, controller, file and its content. */
type Row = readonly [string, string, object, string, string, string];

const mega = 1024 * 1024;

const version1: readonly Row[] = [
  ['memory-limit', 'memory', { limit: 64 * mega }, 'memory', 'memory.limit_in_bytes', String(64 * mega)],
  [
    'memory-reservation',
    'memory',
    { reservation: 32 * mega },
    'memory',
    'memory.soft_limit_in_bytes',
    String(32 * mega),
  ],
  [
    'memory-limit-and-reservation',
    'memory',
    { limit: 64 * mega, reservation: 32 * mega },
    'memory',
    'memory.soft_limit_in_bytes',
    String(32 * mega),
  ],
  [
    'memory-swap',
    'memory',
    { limit: 64 * mega, swap: 96 * mega },
    'memory',
    'memory.memsw.limit_in_bytes',
    String(96 * mega),
  ],
  ['memory-swappiness', 'memory', { swappiness: 20 }, 'memory', 'memory.swappiness', '20'],
  ['memory-swappiness-zero', 'memory', { swappiness: 0 }, 'memory', 'memory.swappiness', '0'],
  ['memory-unlimited', 'memory', { limit: -1 }, 'memory', 'memory.limit_in_bytes', '9223372036854771712'],
  ['memory-no-oom-killer', 'memory', { disableOOMKiller: true }, 'memory', 'memory.oom_control', 'oom_kill_disable 1'],
  [
    'memory-kernel-tcp',
    'memory',
    { kernelTCP: 8 * mega },
    'memory',
    'memory.kmem.tcp.limit_in_bytes',
    String(8 * mega),
  ],
  ['cpu-shares', 'cpu', { shares: 777 }, 'cpu', 'cpu.shares', '777'],
  ['cpu-quota', 'cpu', { quota: 20000 }, 'cpu', 'cpu.cfs_quota_us', '20000'],
  ['cpu-period', 'cpu', { period: 50000 }, 'cpu', 'cpu.cfs_period_us', '50000'],
  ['cpu-quota-with-period', 'cpu', { quota: 20000, period: 50000 }, 'cpu', 'cpu.cfs_quota_us', '20000'],
  ['cpu-unlimited', 'cpu', { quota: -1 }, 'cpu', 'cpu.cfs_quota_us', '-1'],
  ['cpu-burst', 'cpu', { quota: 20000, burst: 10000 }, 'cpu', 'cpu.cfs_burst_us', '10000'],
  ['cpu-idle', 'cpu', { idle: 1 }, 'cpu', 'cpu.idle', '1'],
  ['cpus', 'cpu', { cpus: '0' }, 'cpuset', 'cpuset.cpus', '0'],
  ['mems', 'cpu', { mems: '0' }, 'cpuset', 'cpuset.mems', '0'],
  ['pids-limit', 'pids', { limit: 33 }, 'pids', 'pids.max', '33'],
  ['pids-unlimited', 'pids', { limit: -1 }, 'pids', 'pids.max', 'max'],
  ['blkio-weight', 'blockIO', { weight: 300 }, 'blkio', 'blkio.bfq.weight', '300'],
  [
    'hugepages',
    'hugepageLimits',
    [{ pageSize: '2MB', limit: 4 * mega }] as object,
    'hugetlb',
    'hugetlb.2MB.rsvd.limit_in_bytes',
    String(4 * mega),
  ],
  ['network-class', 'network', { classID: 1048577 }, 'net_cls', 'net_cls.classid', '1048577'],
  [
    'network-priority',
    'network',
    { priorities: [{ name: 'lo', priority: 5 }] },
    'net_prio',
    'net_prio.ifpriomap',
    'lo 5',
  ],
];

const version2: readonly Row[] = [
  ['memory-limit', 'memory', { limit: 64 * mega }, 'memory', 'memory.max', String(64 * mega)],
  ['memory-reservation', 'memory', { reservation: 32 * mega }, 'memory', 'memory.low', String(32 * mega)],
  ['memory-swap', 'memory', { limit: 64 * mega, swap: 96 * mega }, 'memory', 'memory.swap.max', String(32 * mega)],
  ['memory-swap-none', 'memory', { limit: 64 * mega, swap: 64 * mega }, 'memory', 'memory.swap.max', '0'],
  ['memory-unlimited', 'memory', { limit: -1 }, 'memory', 'memory.max', 'max'],
  ['memory-swap-unlimited', 'memory', { limit: 64 * mega, swap: -1 }, 'memory', 'memory.swap.max', 'max'],
  ['block-weight', 'blockIO', { weight: 300 }, 'io', 'io.bfq.weight', 'default 300'],
  ['cpu-quota', 'cpu', { quota: 20000 }, 'cpu', 'cpu.max', '20000 100000'],
  ['cpu-quota-with-period', 'cpu', { quota: 20000, period: 50000 }, 'cpu', 'cpu.max', '20000 50000'],
  ['cpu-period', 'cpu', { period: 50000 }, 'cpu', 'cpu.max', 'max 50000'],
  ['cpu-unlimited', 'cpu', { quota: -1 }, 'cpu', 'cpu.max', 'max 100000'],
  ['cpu-burst', 'cpu', { quota: 20000, burst: 10000 }, 'cpu', 'cpu.max.burst', '10000'],
  ['cpu-idle', 'cpu', { idle: 1 }, 'cpu', 'cpu.idle', '1'],
  ['cpus', 'cpu', { cpus: '0' }, 'cpuset', 'cpuset.cpus', '0'],
  ['mems', 'cpu', { mems: '0' }, 'cpuset', 'cpuset.mems', '0'],
  ['pids-limit', 'pids', { limit: 33 }, 'pids', 'pids.max', '33'],
  ['pids-unlimited', 'pids', { limit: -1 }, 'pids', 'pids.max', 'max'],
  [
    'hugepages',
    'hugepageLimits',
    [{ pageSize: '2MB', limit: 4 * mega }] as object,
    'hugetlb',
    'hugetlb.2MB.rsvd.max',
    String(4 * mega),
  ],
  ['unified-memory-high', 'unified', { 'memory.high': '40000000' }, 'memory', 'memory.high', '39997440'],
  ['unified-pids', 'unified', { 'pids.max': '44' }, 'pids', 'pids.max', '44'],
  ['unified-cpu-weight', 'unified', { 'cpu.weight': '77' }, 'cpu', 'cpu.weight', '77'],
  ['unified-unknown-to-runtimes', 'unified', { 'cgroup.max.depth': '3' }, '', 'cgroup.max.depth', '3'],
];

/** Key, file of version 1, key of io.max. The first loop device is a disk that most kernels have. */
const throttles: ReadonlyArray<readonly [string, string, string]> = [
  ['throttleReadBpsDevice', 'blkio.throttle.read_bps_device', 'rbps'],
  ['throttleWriteBpsDevice', 'blkio.throttle.write_bps_device', 'wbps'],
  ['throttleReadIOPSDevice', 'blkio.throttle.read_iops_device', 'riops'],
  ['throttleWriteIOPSDevice', 'blkio.throttle.write_iops_device', 'wiops'],
];

function addThrottles(test: Add): void {
  for (const [key, file, name] of throttles) {
    test(`block-${name}`, ['linux.resources.blockio'], async (box) => {
      if (!existsSync('/sys/block/loop0')) skip('no /dev/loop0');
      await box.created('true', { [`/linux/resources/blockIO/${key}`]: [{ major: 7, minor: 0, rate: 2048 }] });
      const content = box.cgroupFile('blkio', unified ? 'io.max' : file);
      const wanted = unified ? `${name}=2048` : '7:0 2048';
      expect(unified ? content.split(' ').includes(wanted) : content === wanted, `${content}, wanted ${wanted}`);
    });
  }
}

const proofs: Record<string, string> = {
  memory: 'linux.resources.memory',
  cpu: 'linux.resources.cpu',
  pids: 'linux.resources.pids',
  blockIO: 'linux.resources.blockio',
  hugepageLimits: 'linux.resources.hugepages',
  network: 'runtime.create.properties',
  unified: 'linux.unified.unknown',
};

export function needs(version: 1 | 2): void {
  if (unified !== (version === 2)) skip(`cgroup v${version} only`);
}

function addRows(rows: readonly Row[], version: 1 | 2, test: Add): void {
  for (const [slug, key, value, controller, file, wanted] of rows) {
    const proves = [proofs[key]!, ...(key === 'unified' ? ['linux.unified.controllers'] : [])];
    test(`v${version}-${slug}`, proves, async (box) => {
      needs(version);
      const top = `/sys/fs/cgroup/${version === 1 ? controller : ''}`;
      if (!existsSync(top)) skip(`no controller ${controller}`);
      if (version === 1 && !existsSync(`${top}/${file}`)) skip(`no ${file} in this kernel`);
      await box.created('true', { [`/linux/resources/${key}`]: value });
      if (version === 2 && !existsSync(`${top}${box.cgroup}/${file}`)) skip(`no ${file} in this kernel`);
      const content = box.cgroupFile(controller, file);
      const lines = content.split('\n').map((line) => line.trim());
      expect(lines.includes(wanted), `${file}: ${lines.join(' | ')}, wanted ${wanted}`);
    });
  }
}

export function addFiles(test: Add): void {
  addRows(version1, 1, test);
  addRows(version2, 2, test);
  addThrottles(test);
}
