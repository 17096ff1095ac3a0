import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TsrunError } from '../errors/error.js';
import type { CgroupStats } from '../linux/cgroup/stats-types.js';
import { stringifyExact } from '../tables/exact-json.js';
import { parseDuration } from './duration.js';
import { updateOptions } from './option-rows.js';
import { parseOptions } from './parse.js';
import { formatBytes, renderStats } from './stats-view.js';
import { parseSize, resourcesOfFlags } from './update-flags.js';

const refused = (act: () => unknown): boolean => {
  try {
    act();
    return false;
  } catch (error) {
    return error instanceof TsrunError && error.failure.code === 'TSR_CLI_VALUE';
  }
};

test('sizes are written as Docker writes them', () => {
  for (const [text, bytes] of [
    ['0', 0],
    ['-1', -1],
    ['1024', 1024],
    ['64m', 67108864],
    ['64M', 67108864],
    ['64MB', 67108864],
    ['64MiB', 67108864],
    ['1.5g', 1610612736],
    ['2 k', 2048],
    ['100b', 100],
  ] as const) {
    assert.is(parseSize('memory', text), bytes, text);
  }
  for (const text of ['', '-2', 'm', '1x', '1mm', '0x10', '1e3', '99999999999p']) {
    assert.ok(
      refused(() => parseSize('memory', text)),
      text,
    );
  }
});

test('durations are written as Go writes them', () => {
  for (const [text, ms] of [
    ['5s', 5000],
    ['500ms', 500],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['0', 0],
    ['-1s', -1000],
    ['250us', 0.25],
  ] as const) {
    assert.is(parseDuration('interval', text), ms, text);
  }
  for (const text of ['5', '', 's', '5 s', '1d', '5s5', 'x5s'])
    assert.ok(
      refused(() => parseDuration('interval', text)),
      text,
    );
});

test('every option of update that sets a limit comes out as a resource', () => {
  const flags = (...args: string[]) => resourcesOfFlags(parseOptions(updateOptions(), args, false).options);
  assert.equal(flags(), {});
  assert.equal(flags('--memory='), {});
  assert.equal(
    flags(
      '--memory=64m',
      '--memory-swap',
      '-1',
      '--memory-reservation',
      '1k',
      '--pids-limit=5',
      '--blkio-weight',
      '300',
    ),
    { memory: { limit: 67108864, reservation: 1024, swap: -1 }, pids: { limit: 5 }, blockIO: { weight: 300 } },
  );
  assert.equal(
    flags(
      ...[
        '--cpu-share=2',
        '--cpu-quota=-1',
        '--cpu-burst=3',
        '--cpu-period=4',
        '--cpu-rt-runtime=5',
        '--cpu-rt-period=6',
      ],
    ),
    { cpu: { shares: 2, quota: -1, burst: 3, period: 4, realtimeRuntime: 5, realtimePeriod: 6 } },
  );
  assert.equal(flags('--cpuset-cpus=0-2,7', '--cpuset-mems=0', '--cpu-idle=1'), {
    cpu: { idle: 1, cpus: '0-2,7', mems: '0' },
  });
  assert.equal(flags('--kernel-memory=1m', '--kernel-memory-tcp=8m'), {
    memory: { kernel: 1048576, kernelTCP: 8388608 },
  });
  assert.ok(refused(() => flags('--cpu-share=many')));
  assert.equal(flags('--l3-cache-schema=L3:0=f'), {}, 'that is none of the cgroups');
});

test('JSON of exact integers', () => {
  const value = { a: 18446744073709551615n, b: [1n, undefined, null], c: undefined, 'd"': 'x\n', e: { f: 1.5 } };
  assert.is(stringifyExact(value), '{"a":18446744073709551615,"b":[1,null,null],"d\\"":"x\\n","e":{"f":1.5}}');
  assert.equal(JSON.parse(stringifyExact({ x: [true, { y: [] }] })), { x: [true, { y: [] }] });
});

test('statistics read as sentences, and what is not known is left out', () => {
  assert.equal([0, 1023, 1536, 150 << 20, 9223372036854771712n].map(formatBytes), [
    '0 B',
    '1023 B',
    '1.5 KiB',
    '150 MiB',
    '8.0 EiB',
  ]);
  const stats = {
    cpu: {
      usage: { total: 2_500_000_000, user: 2_000_000_000, kernel: 500_000_000 },
      throttling: { periods: 9, throttledPeriods: 4 },
    },
    memory: {
      usage: { usage: 32 << 20, limit: 64 << 20, failcnt: 2 },
      swap: { usage: 1, limit: 9223372036854771712n, failcnt: 0 },
    },
    pids: { current: 3, limit: 10 },
    blkio: {
      ioServiceBytesRecursive: [
        { op: 'Read', value: 2048 },
        { op: 'Read', value: 2048 },
        { op: 'Total', value: 9999 },
      ],
    },
    hugetlb: { '2MB': { usage: 2 << 20, failcnt: 0 }, '1GB': { failcnt: 0 } },
  } as unknown as CgroupStats;
  assert.is(
    renderStats(stats),
    `CPU        2.50 s (user 2.00 s, system 0.50 s), throttled in 4 of 9 periods
Memory     32.0 MiB of 64.0 MiB (50 %), limit hit 2 times
with swap  1 B
Processes  3 of 10
Block I/O  read 4.0 KiB, written 0 B
2MB pages  2.0 MiB
`,
  );
  const before = { ...stats, cpu: { usage: { total: 2_000_000_000, user: 0, kernel: 0 } } } as CgroupStats;
  assert.match(renderStats(stats, before, 1000), /^CPU {8}50\.0 %, 2\.50 s/);
  assert.is(renderStats({ cpu: {}, memory: {}, pids: {}, blkio: {}, hugetlb: {} } as unknown as CgroupStats), '');
});

test.run();
