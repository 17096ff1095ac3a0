import { readFileSync } from 'node:fs';
import { type Case, same, skip, topic } from '../harness.js';
import { addPriorityLimits, addRaisedLimits } from './host-powers.js';

/** Type, its line in /proc/PID/limits, soft and hard value: low enough to be set without privileges, high enough to run a shell. */
const types: ReadonlyArray<readonly [string, string, bigint, bigint]> = [
  ['AS', 'Max address space', 1000000000n, 2000000000n],
  ['CORE', 'Max core file size', 0n, 1024n],
  ['CPU', 'Max cpu time', 100n, 200n],
  ['DATA', 'Max data size', 500000000n, 600000000n],
  ['FSIZE', 'Max file size', 1000000n, 2000000n],
  ['LOCKS', 'Max file locks', 50n, 60n],
  ['MEMLOCK', 'Max locked memory', 4096n, 8192n],
  ['MSGQUEUE', 'Max msgqueue size', 4096n, 8192n],
  ['NICE', 'Max nice priority', 0n, 0n],
  ['NOFILE', 'Max open files', 64n, 128n],
  ['NPROC', 'Max processes', 500n, 1000n],
  ['RSS', 'Max resident set', 100000000n, 200000000n],
  ['RTPRIO', 'Max realtime priority', 0n, 0n],
  ['RTTIME', 'Max realtime timeout', 1000n, 2000n],
  ['SIGPENDING', 'Max pending signals', 50n, 60n],
  ['STACK', 'Max stack size', 4194304n, 8388608n],
];

function limits(text: string, title: string): string[] {
  const line = text.split('\n').find((item) => item.startsWith(title));
  return (line ?? '').slice(26).trim().split(/\s+/).slice(0, 2);
}

const exact = ['config.rlimits.soft', 'config.rlimits.hard', 'config.rlimits.getrlimit'];

export function rlimitCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('rlimits', cases);
  for (const [type, title, soft, hard] of types) {
    test(type, exact, async (box) => {
      const ours = limits(readFileSync('/proc/self/limits', 'utf8'), title)[1]!;
      if (ours !== 'unlimited' && BigInt(ours) < hard) skip(`the hard limit here is ${ours} already`);
      const out = await box.sh('cat /proc/self/limits', {
        '/process/rlimits': [{ type: `RLIMIT_${type}`, soft, hard }],
      });
      same(limits(out, title), [String(soft), String(hard)], `soft and hard ${type}`);
    });
    if (!['NOFILE', 'CORE', 'CPU'].includes(type)) continue;
    test(`${type}-twice`, ['config.rlimits.duplicates'], async (box) => {
      const one = { type: `RLIMIT_${type}`, soft, hard };
      await box.refused({ '/process/rlimits': [one, one] });
    });
  }
  test('unlimited-exactly', exact, async (box) => {
    const title = 'Max file size';
    if (limits(readFileSync('/proc/self/limits', 'utf8'), title)[1] !== 'unlimited') skip('file size is limited here');
    const out = await box.sh('cat /proc/self/limits', {
      '/process/rlimits': [{ type: 'RLIMIT_FSIZE', soft: 9007199254740993n, hard: 18446744073709551615n }],
    });
    same(limits(out, title), ['9007199254740993', 'unlimited'], 'soft and hard');
  });
  test('two-types', exact, async (box) => {
    const list = [
      { type: 'RLIMIT_NOFILE', soft: 70, hard: 80 },
      { type: 'RLIMIT_CORE', soft: 1, hard: 2 },
    ];
    const out = await box.sh('cat /proc/self/limits', { '/process/rlimits': list });
    same(
      [limits(out, 'Max open files'), limits(out, 'Max core')],
      [
        ['70', '80'],
        ['1', '2'],
      ],
      'limits',
    );
  });
  for (const [slug, entry] of [
    ['unknown', { type: 'RLIMIT_NOSUCH', soft: 1, hard: 1 }],
    ['lower-case', { type: 'rlimit_nofile', soft: 64, hard: 64 }],
    ['without-prefix', { type: 'NOFILE', soft: 64, hard: 64 }],
    ['empty-type', { type: '', soft: 64, hard: 64 }],
    ['soft-above-hard', { type: 'RLIMIT_NOFILE', soft: 65, hard: 64 }],
    ['negative', { type: 'RLIMIT_NOFILE', soft: -1, hard: 64 }],
    ['fraction', { type: 'RLIMIT_NOFILE', soft: 1.5, hard: 64 }],
    ['string', { type: 'RLIMIT_NOFILE', soft: '64', hard: 64 }],
    ['beyond-64-bits', { type: 'RLIMIT_NOFILE', soft: 64, hard: 18446744073709551616n }],
  ] as const) {
    test(`refused-${slug}`, ['config.rlimits.mappable', 'config.valid-values'], (box) =>
      box.refused({ '/process/rlimits': [entry] }),
    );
  }
  addRaisedLimits(test);
  addPriorityLimits(test);
  return cases;
}
