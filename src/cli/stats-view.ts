/** What a container uses, for a person to read. */
import type { BlkioStats, CgroupStats, Count, MemoryEntry } from '../linux/cgroup/stats-types.js';

const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

export function formatBytes(count: Count): string {
  let value = Number(count);
  let unit = 0;
  while (value >= 1024 && unit < binaryUnits.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${binaryUnits[unit]}`;
}

export function formatSeconds(nanoseconds: Count): string {
  return `${(Number(nanoseconds) / 1e9).toFixed(2)} s`;
}

/** v1 writes "no limit" as the largest multiple of a page. */
const isLimit = (limit: Count): boolean => Number(limit) > 0 && Number(limit) < 2 ** 62;

function memoryText({ usage = 0, limit, max, failcnt }: MemoryEntry): string {
  const share = isLimit(limit)
    ? ` of ${formatBytes(limit)} (${Math.round((Number(usage) / Number(limit)) * 100)} %)`
    : '';
  const peak = max === undefined ? '' : `, at most ${formatBytes(max)}`;
  return `${formatBytes(usage)}${share}${peak}${Number(failcnt) > 0 ? `, limit hit ${failcnt} times` : ''}`;
}

/** CPU time spent between two samples, in percent of one CPU. */
function cpuShare(now: CgroupStats, before: CgroupStats | undefined, elapsedMs: number): string {
  if (before === undefined || elapsedMs <= 0) return '';
  const spentNs = Number(now.cpu.usage?.total ?? 0) - Number(before.cpu.usage?.total ?? 0);
  return ` ${((spentNs / 1e6 / elapsedMs) * 100).toFixed(1)} %,`;
}

function cpuText(now: CgroupStats, before: CgroupStats | undefined, elapsedMs: number): string {
  const { usage, throttling } = now.cpu;
  if (usage === undefined) return '';
  const times = `user ${formatSeconds(usage.user)}, system ${formatSeconds(usage.kernel)}`;
  const throttled = throttling?.throttledPeriods
    ? `, throttled in ${throttling.throttledPeriods} of ${throttling.periods ?? 0} periods`
    : '';
  return `${cpuShare(now, before, elapsedMs)} ${formatSeconds(usage.total ?? 0)} (${times})${throttled}`.trim();
}

function ioText({ ioServiceBytesRecursive: entries }: BlkioStats): string {
  if (entries === undefined) return '';
  const sum = (wanted: string): number =>
    entries.reduce((total, { op, value }) => total + (op?.toLowerCase() === wanted ? Number(value ?? 0) : 0), 0);
  return `read ${formatBytes(sum('read'))}, written ${formatBytes(sum('write'))}`;
}

function pressureText(stats: CgroupStats): string {
  const rows = [
    ['cpu', stats.cpu.psi],
    ['memory', stats.memory.psi],
    ['io', stats.blkio.psi],
  ] as const;
  return rows.flatMap(([name, psi]) => (psi?.some ? [`${name} ${psi.some.avg10} %`] : [])).join(', ');
}

/** One line a resource; resources that the host does not account for are left out. */
export function renderStats(now: CgroupStats, before?: CgroupStats, elapsedMs = 0): string {
  const { memory, pids } = now;
  const processes = pids.current === undefined ? '' : `${pids.current}${pids.limit ? ` of ${pids.limit}` : ''}`;
  const rows: [string, string][] = [
    ['CPU', cpuText(now, before, elapsedMs)],
    ['Memory', memory.usage ? memoryText(memory.usage) : ''],
    ['with swap', memory.swap ? memoryText(memory.swap) : ''],
    ['Processes', processes],
    ['Block I/O', ioText(now.blkio)],
    ['Pressure', pressureText(now)],
    ...Object.entries(now.hugetlb)
      .filter(([, { usage }]) => usage !== undefined)
      .map(([size, { usage = 0 }]): [string, string] => [`${size} pages`, formatBytes(usage)]),
  ];
  return rows
    .filter(([, text]) => text !== '')
    .map(([name, text]) => `${name.padEnd(11)}${text}\n`)
    .join('');
}
