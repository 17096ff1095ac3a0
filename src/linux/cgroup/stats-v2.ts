import { errnoOf, readTextIfExists } from '../../host/files.js';
import { add, blkioEntry, memoryEntry, multiply, parseCount, parseFlat, parsePressure } from './stats-parse.js';
import type { BlkioEntry, CgroupStats, Count, Pressure } from './stats-types.js';

const read = readTextIfExists;
const count = (file: string): Count => parseCount(read(file));

/** Undefined also where the kernel has the file but pressure is turned off (psi=1 missing). */
export function readPressure(file: string): Pressure | undefined {
  try {
    return parsePressure(read(file));
  } catch (error) {
    if (errnoOf(error) === 'EOPNOTSUPP' || errnoOf(error) === 'ENOTSUP') return undefined;
    throw error;
  }
}

export function readCpu(directory: string, stats: CgroupStats): void {
  const values = parseFlat(read(`${directory}/cpu.stat`));
  const nanoseconds = (key: string): Count => multiply(values.get(key) ?? 0, 1000);
  const total = nanoseconds('usage_usec');
  stats.cpu.usage = { ...(total ? { total } : {}), kernel: nanoseconds('system_usec'), user: nanoseconds('user_usec') };
  const periods = values.get('nr_periods');
  const throttledPeriods = values.get('nr_throttled');
  const throttledTime = nanoseconds('throttled_usec');
  if (periods || throttledPeriods || throttledTime) {
    stats.cpu.throttling = {
      ...(periods ? { periods } : {}),
      ...(throttledPeriods ? { throttledPeriods } : {}),
      ...(throttledTime ? { throttledTime } : {}),
    };
  }
  const psi = readPressure(`${directory}/cpu.pressure`);
  if (psi) stats.cpu.psi = psi;
}

export function readMemory(directory: string, stats: CgroupStats): void {
  const raw = parseFlat(read(`${directory}/memory.stat`));
  const value = (name: string): Count => count(`${directory}/memory.${name}`);
  const limit = value('max');
  const used = value('current');
  const usage = memoryEntry(limit, used, value('peak'), 0);
  const swap = swapEntry(limit, used, value('swap.max'), value('swap.current'));
  const cache = raw.get('file');
  const psi = readPressure(`${directory}/memory.pressure`);
  stats.memory = {
    ...(cache ? { cache } : {}),
    ...(usage ? { usage } : {}),
    ...(swap ? { swap } : {}),
    ...(raw.size > 0 ? { raw: Object.fromEntries(raw) } : {}),
    ...(psi ? { psi } : {}),
  };
}

/** v1 counts swap together with memory, and readers expect that; the peaks cannot be added. */
function swapEntry(limit: Count, used: Count, swapLimit: Count, swapUsed: Count) {
  const unlimited = parseCount('max');
  const both = swapLimit === unlimited || limit === unlimited ? unlimited : add(limit, swapLimit);
  return limit || used ? memoryEntry(both, add(used, swapUsed), 0, 0) : undefined;
}

export function readPids(directory: string, stats: CgroupStats): void {
  const current = count(`${directory}/pids.current`);
  const limit = read(`${directory}/pids.max`)?.trim();
  stats.pids = {
    ...(current ? { current } : {}),
    // No limit has always been 0 here.
    ...(limit !== undefined && limit !== 'max' ? { limit: parseCount(limit) } : {}),
  };
}

const operations = new Map<string, readonly ['ioServiceBytesRecursive' | 'ioServicedRecursive', string]>([
  ['rbytes', ['ioServiceBytesRecursive', 'Read']],
  ['wbytes', ['ioServiceBytesRecursive', 'Write']],
  ['rios', ['ioServicedRecursive', 'Read']],
  ['wios', ['ioServicedRecursive', 'Write']],
]);

export function readIo(directory: string, stats: CgroupStats): void {
  for (const line of (read(`${directory}/io.stat`) ?? '').split('\n')) {
    const [device, ...fields] = line.split(' ');
    const numbers = /^([0-9]+):([0-9]+)$/.exec(device ?? '');
    if (!numbers) continue;
    for (const field of fields) {
      const equals = field.indexOf('=');
      const known = operations.get(field.slice(0, equals));
      if (!known) continue;
      const list: BlkioEntry[] = stats.blkio[known[0]] ?? [];
      list.push(blkioEntry(Number(numbers[1]), Number(numbers[2]), known[1], parseCount(field.slice(equals + 1))));
      stats.blkio[known[0]] = list;
    }
  }
  const psi = readPressure(`${directory}/io.pressure`);
  if (psi) stats.blkio.psi = psi;
}

export function readHugetlb(directory: string, sizes: readonly string[], stats: CgroupStats): void {
  for (const size of sizes) {
    const prefix = `${directory}/hugetlb.${size}`;
    const text = read(`${prefix}.rsvd.current`) ?? read(`${prefix}.current`);
    if (text === undefined) continue;
    const usage = parseCount(text);
    const failcnt = parseFlat(read(`${prefix}.events`)).get('max') ?? 0;
    stats.hugetlb[size] = { ...(usage ? { usage } : {}), failcnt };
  }
}
