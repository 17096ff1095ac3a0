import { readTextIfExists } from '../../host/files.js';
import { memoryEntry, multiply, parseBlkio, parseCount, parseFlat, parseList } from './stats-parse.js';
import type { BlkioList, CgroupStats, Count, MemoryEntry } from './stats-types.js';

const read = readTextIfExists;
const count = (file: string): Count => parseCount(read(file));

/** cpuacct.stat counts in ticks of 1/100 s on every architecture. */
const tickNs = 10_000_000;

export function readCpuacct(directory: string, stats: CgroupStats): void {
  const times = parseFlat(read(`${directory}/cpuacct.stat`));
  const total = count(`${directory}/cpuacct.usage`);
  const percpu = (read(`${directory}/cpuacct.usage_percpu`) ?? '').trim().split(' ').filter(Boolean).map(parseCount);
  const rows = (read(`${directory}/cpuacct.usage_all`) ?? '')
    .split('\n')
    .slice(1)
    .filter(Boolean)
    .map((line) => line.split(' ').map(parseCount));
  stats.cpu.usage = {
    ...(total ? { total } : {}),
    ...(percpu.length > 0 ? { percpu } : {}),
    ...(rows.length > 0
      ? { percpu_kernel: rows.map((row) => row[2] ?? 0), percpu_user: rows.map((row) => row[1] ?? 0) }
      : {}),
    kernel: multiply(times.get('system') ?? 0, tickNs),
    user: multiply(times.get('user') ?? 0, tickNs),
  };
}

export function readCpu(directory: string, stats: CgroupStats): void {
  const values = parseFlat(read(`${directory}/cpu.stat`));
  const periods = values.get('nr_periods');
  const throttledPeriods = values.get('nr_throttled');
  const throttledTime = values.get('throttled_time');
  if (!periods && !throttledPeriods && !throttledTime) return;
  stats.cpu.throttling = {
    ...(periods ? { periods } : {}),
    ...(throttledPeriods ? { throttledPeriods } : {}),
    ...(throttledTime ? { throttledTime } : {}),
  };
}

export function readCpuset(directory: string, stats: CgroupStats): void {
  const value = (name: string): Count => count(`${directory}/cpuset.${name}`);
  const cpus = parseList(read(`${directory}/cpuset.cpus`));
  const mems = parseList(read(`${directory}/cpuset.mems`));
  stats.cpuset = {
    ...(cpus.length > 0 ? { cpus } : {}),
    cpu_exclusive: value('cpu_exclusive'),
    ...(mems.length > 0 ? { mems } : {}),
    mem_hardwall: value('mem_hardwall'),
    mem_exclusive: value('mem_exclusive'),
    memory_migrate: value('memory_migrate'),
    memory_spread_page: value('memory_spread_page'),
    memory_spread_slab: value('memory_spread_slab'),
    memory_pressure: value('memory_pressure'),
    sched_load_balance: value('sched_load_balance'),
    sched_relax_domain_level: value('sched_relax_domain_level'),
  };
}

function readEntry(directory: string, prefix: string): MemoryEntry | undefined {
  const value = (name: string): Count => count(`${directory}/${prefix}.${name}`);
  return memoryEntry(value('limit_in_bytes'), value('usage_in_bytes'), value('max_usage_in_bytes'), value('failcnt'));
}

export function readMemory(directory: string, stats: CgroupStats): void {
  const raw = parseFlat(read(`${directory}/memory.stat`));
  const cache = raw.get('cache');
  const usage = readEntry(directory, 'memory');
  const swap = readEntry(directory, 'memory.memsw');
  const kernel = readEntry(directory, 'memory.kmem');
  const kernelTCP = readEntry(directory, 'memory.kmem.tcp');
  stats.memory = {
    ...(cache ? { cache } : {}),
    ...(usage ? { usage } : {}),
    ...(swap ? { swap } : {}),
    ...(kernel ? { kernel } : {}),
    ...(kernelTCP ? { kernelTCP } : {}),
    ...(raw.size > 0 ? { raw: Object.fromEntries(raw) } : {}),
  };
}

const bfq: readonly (readonly [BlkioList, string])[] = [
  ['ioServicedRecursive', 'blkio.bfq.io_serviced_recursive'],
  ['ioServiceBytesRecursive', 'blkio.bfq.io_service_bytes_recursive'],
];

/** Lists of files, best first; the first list whose first file has something is read. */
const blkioFiles: readonly (readonly (readonly [BlkioList, string])[])[] = [
  [
    ['sectorsRecursive', 'blkio.bfq.sectors_recursive'],
    ['ioServiceTimeRecursive', 'blkio.bfq.io_service_time_recursive'],
    ['ioWaitTimeRecursive', 'blkio.bfq.io_wait_time_recursive'],
    ['ioMergedRecursive', 'blkio.bfq.io_merged_recursive'],
    ['ioQueueRecursive', 'blkio.bfq.io_queued_recursive'],
    ['ioTimeRecursive', 'blkio.bfq.time_recursive'],
    ...bfq,
  ],
  bfq,
  [
    ['sectorsRecursive', 'blkio.sectors_recursive'],
    ['ioServiceTimeRecursive', 'blkio.io_service_time_recursive'],
    ['ioWaitTimeRecursive', 'blkio.io_wait_time_recursive'],
    ['ioMergedRecursive', 'blkio.io_merged_recursive'],
    ['ioQueueRecursive', 'blkio.io_queued_recursive'],
    ['ioTimeRecursive', 'blkio.time_recursive'],
    ['ioServicedRecursive', 'blkio.io_serviced_recursive'],
    ['ioServiceBytesRecursive', 'blkio.io_service_bytes_recursive'],
  ],
  [
    ['ioServicedRecursive', 'blkio.throttle.io_serviced_recursive'],
    ['ioServiceBytesRecursive', 'blkio.throttle.io_service_bytes_recursive'],
  ],
  [
    ['ioServicedRecursive', 'blkio.throttle.io_serviced'],
    ['ioServiceBytesRecursive', 'blkio.throttle.io_service_bytes'],
  ],
];

export function readBlkio(directory: string, stats: CgroupStats): void {
  for (const files of blkioFiles) {
    const first = parseBlkio(read(`${directory}/${files[0]![1]}`));
    if (first === undefined || first.length === 0) continue;
    for (const [list, file] of files) {
      const entries = parseBlkio(read(`${directory}/${file}`)) ?? [];
      if (entries.length > 0) stats.blkio[list] = entries;
    }
    return;
  }
}

export function readHugetlb(directory: string, sizes: readonly string[], stats: CgroupStats): void {
  for (const size of sizes) {
    const reserved = read(`${directory}/hugetlb.${size}.rsvd.usage_in_bytes`) !== undefined ? '.rsvd' : '';
    const prefix = `${directory}/hugetlb.${size}${reserved}`;
    const text = read(`${prefix}.usage_in_bytes`);
    if (text === undefined) continue;
    const usage = parseCount(text);
    const max = count(`${prefix}.max_usage_in_bytes`);
    const failcnt = count(`${prefix}.failcnt`);
    stats.hugetlb[size] = { ...(usage ? { usage } : {}), ...(max ? { max } : {}), failcnt };
  }
}
