import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { add, hugepageName, multiply, parseBlkio, parseCount, parseList, parsePressure } from './stats-parse.js';
import { renderStats } from './stats-json.js';
import type { CgroupStats } from './stats-types.js';
import * as v1 from './stats-v1.js';
import * as v2 from './stats-v2.js';
import { withFolder } from '../../test-fixtures.js';

const unlimited = 18_446_744_073_709_551_615n;

/** Gives a reader a directory of these files and returns what it put into empty stats. */
function readFrom(files: Record<string, string>, reader: (directory: string, stats: CgroupStats) => void) {
  return withFolder('stats', (directory) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    const stats = { cpu: {}, memory: {}, pids: {}, blkio: {}, hugetlb: {} } as unknown as CgroupStats;
    reader(directory, stats);
    return stats;
  });
}

test('numbers are exact, max is the largest, anything else is 0', () => {
  assert.is(parseCount('9007199254740991\n'), 9_007_199_254_740_991);
  assert.is(parseCount('9223372036854771712'), 9_223_372_036_854_771_712n);
  assert.is(parseCount('max\n'), unlimited);
  assert.is(parseCount('-1'), -1);
  for (const text of [undefined, '', '1.5', '0x10', '1 2']) assert.is(parseCount(text), 0);
  assert.is(add(1, 2), 3);
  assert.is(add(2 ** 53 - 1, 2), 9_007_199_254_740_993n);
  assert.is(multiply(2 ** 50 + 1, 1000), 1_125_899_906_842_625_000n);
});

test('lists of CPUs', () => {
  assert.equal(parseList('0-2,7\n'), [0, 1, 2, 7]);
  assert.equal(parseList(''), []);
  assert.equal(parseList(undefined), []);
});

test('pressure, also where only one line is there', () => {
  const text = 'some avg10=1.50 avg60=0.25 avg300=0.00 total=12345\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n';
  assert.equal(parsePressure(text), {
    some: { avg10: 1.5, avg60: 0.25, avg300: 0, total: 12_345 },
    full: { avg10: 0, avg60: 0, avg300: 0, total: 0 },
  });
  assert.is(parsePressure(undefined), undefined);
});

test('blkio lines with and without an operation, the total left out', () => {
  assert.equal(parseBlkio('8:0 Read 10\n8:0 Discard 0\n8:16 7\nTotal 17\n'), [
    { major: 8, op: 'Read', value: 10 },
    { major: 8, op: 'Discard' },
    { major: 8, minor: 16, value: 7 },
  ]);
  assert.is(parseBlkio(undefined), undefined);
});

test('huge page sizes by the kernel names', () => {
  assert.equal(['hugepages-64kB', 'hugepages-2048kB', 'hugepages-1048576kB', 'x'].map(hugepageName), [
    '64KB',
    '2MB',
    '1GB',
    undefined,
  ]);
});

test('memory on v2: swap counts with memory, as readers of v1 expect', () => {
  const files = {
    'memory.stat': 'anon 100\nfile 200\n',
    'memory.current': '300\n',
    'memory.max': '1000\n',
    'memory.peak': '400\n',
    'memory.swap.current': '50\n',
    'memory.swap.max': '500\n',
  };
  assert.equal(readFrom(files, v2.readMemory).memory, {
    cache: 200,
    usage: { limit: 1000, usage: 300, max: 400, failcnt: 0 },
    swap: { limit: 1500, usage: 350, failcnt: 0 },
    raw: { anon: 100, file: 200 },
  });
  const free = readFrom({ ...files, 'memory.swap.max': 'max\n' }, v2.readMemory).memory;
  assert.is(free.swap?.limit, unlimited);
});

test('cpu on v2: microseconds become nanoseconds', () => {
  const files = {
    'cpu.stat': 'usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 5\nnr_throttled 1\nthrottled_usec 7\n',
  };
  assert.equal(readFrom(files, v2.readCpu).cpu, {
    usage: { total: 30_000, kernel: 10_000, user: 20_000 },
    throttling: { periods: 5, throttledPeriods: 1, throttledTime: 7000 },
  });
});

test('io on v2: by the names of v1', () => {
  const files = {
    'io.stat': '8:0 rbytes=90 wbytes=0 rios=3 wios=4 dbytes=0 dios=0\n8:16 rbytes=1\n',
    'io.pressure': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=9\n',
  };
  assert.equal(readFrom(files, v2.readIo).blkio, {
    ioServiceBytesRecursive: [
      { major: 8, op: 'Read', value: 90 },
      { major: 8, op: 'Write' },
      { major: 8, minor: 16, op: 'Read', value: 1 },
    ],
    ioServicedRecursive: [
      { major: 8, op: 'Read', value: 3 },
      { major: 8, op: 'Write', value: 4 },
    ],
    psi: { some: { avg10: 0, avg60: 0, avg300: 0, total: 9 } },
  });
});

test('pids: no limit is no number', () => {
  assert.equal(readFrom({ 'pids.current': '3\n', 'pids.max': 'max\n' }, v2.readPids).pids, { current: 3 });
  assert.equal(readFrom({ 'pids.current': '3\n', 'pids.max': '7\n' }, v2.readPids).pids, { current: 3, limit: 7 });
});

test('huge pages: reservations where the kernel counts them, nothing without a file', () => {
  const read = (files: Record<string, string>) =>
    readFrom(files, (directory, stats) => v2.readHugetlb(directory, ['2MB', '1GB'], stats)).hugetlb;
  assert.equal(read({ 'hugetlb.2MB.rsvd.current': '5\n', 'hugetlb.2MB.events': 'max 2\n' }), {
    '2MB': { usage: 5, failcnt: 2 },
  });
});

test('blkio on v1: the best files that say something', () => {
  const files = {
    'blkio.bfq.io_serviced_recursive': '',
    'blkio.throttle.io_serviced_recursive': '8:0 Read 2\nTotal 2\n',
    'blkio.throttle.io_service_bytes_recursive': '8:0 Read 4096\nTotal 4096\n',
  };
  assert.equal(readFrom(files, v1.readBlkio).blkio, {
    ioServicedRecursive: [{ major: 8, op: 'Read', value: 2 }],
    ioServiceBytesRecursive: [{ major: 8, op: 'Read', value: 4096 }],
  });
});

test('cpuacct on v1: ticks become nanoseconds, CPUs are listed', () => {
  const files = {
    'cpuacct.stat': 'user 3\nsystem 2\n',
    'cpuacct.usage': '51000000\n',
    'cpuacct.usage_percpu': '50000000 1000000 \n',
    'cpuacct.usage_all': 'cpu user system\n0 30 20\n1 1 0\n',
  };
  assert.equal(readFrom(files, v1.readCpuacct).cpu.usage, {
    total: 51_000_000,
    percpu: [50_000_000, 1_000_000],
    percpu_kernel: [20, 0],
    percpu_user: [30, 1],
    kernel: 20_000_000,
    user: 30_000_000,
  });
});

test('prints 64-bit numbers as they are', () => {
  const stats = readFrom({ 'pids.current': '3\n', 'pids.max': '9223372036854771712\n' }, v2.readPids);
  assert.match(renderStats(stats), '"pids":{"current":3,"limit":9223372036854771712}');
});

test.run();
