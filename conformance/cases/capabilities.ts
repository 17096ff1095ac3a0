import { readFileSync } from 'node:fs';
import { type Case, expect, same, skip, topic } from '../harness.js';

const names =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'.split(
    ' ',
  );
const sets = ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'] as const;
const proves = ['config.capabilities.sets'];

function parse(status: string): Record<string, bigint> {
  return Object.fromEntries(
    sets.map((set) => [set, BigInt(`0x${new RegExp(`Cap${set}:\\s*([0-9a-f]+)`).exec(status)?.[1] ?? '0'}`)]),
  );
}

const bit = (name: string) => 1n << BigInt(names.indexOf(name));
const mask = (list: readonly string[]) => list.reduce((sum, name) => sum | bit(name), 0n);
const ours = () => parse(readFileSync('/proc/self/status', 'utf8')).Bnd!;
const full = (list: readonly string[]) => list.map((name) => `CAP_${name}`);

/** The configured sets, the user, and the sets wanted: Inh Prm Eff Bnd Amb. */
type Row = readonly [
  string,
  Record<string, string[]>,
  number,
  readonly [string[], string[], string[], string[], string[]],
];

const rows: readonly Row[] = [
  ['none', {}, 0, [[], [], [], [], []]],
  ['bounding-only', { bounding: ['CHOWN', 'KILL'] }, 1000, [[], [], [], ['CHOWN', 'KILL'], []]],
  [
    'permitted-beyond-effective',
    { bounding: ['CHOWN', 'KILL'], permitted: ['CHOWN', 'KILL'], effective: ['KILL'] },
    1000,
    [[], [], [], ['CHOWN', 'KILL'], []],
  ],
  [
    'inheritable',
    { bounding: ['CHOWN'], permitted: ['CHOWN'], effective: ['CHOWN'], inheritable: ['CHOWN'] },
    0,
    [['CHOWN'], ['CHOWN'], ['CHOWN'], ['CHOWN'], []],
  ],
  [
    'ambient-as-user',
    {
      bounding: ['CHOWN', 'KILL'],
      permitted: ['CHOWN'],
      effective: ['CHOWN'],
      inheritable: ['CHOWN'],
      ambient: ['CHOWN'],
    },
    1000,
    [['CHOWN'], ['CHOWN'], ['CHOWN'], ['CHOWN', 'KILL'], ['CHOWN']],
  ],
  [
    'user-without-ambient',
    { bounding: ['CHOWN'], permitted: ['CHOWN'], effective: ['CHOWN'] },
    1000,
    [[], [], [], ['CHOWN'], []],
  ],
];

export function capabilityCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('capabilities', cases);
  for (const name of names) {
    test(`only-${name}`, proves, async (box) => {
      if ((ours() & bit(name)) === 0n) skip(`CAP_${name} is not in the bounding set here`);
      const list = full([name]);
      const got = parse(
        await box.sh('cat /proc/self/status', {
          '/process/capabilities': { bounding: list, effective: list, permitted: list },
        }),
      );
      for (const set of ['Prm', 'Eff', 'Bnd'] as const)
        same(got[set]!.toString(16), bit(name).toString(16), `Cap${set}`);
    });
  }
  for (const [slug, configured, uid, wanted] of rows) {
    test(slug, proves, async (box) => {
      const value = Object.fromEntries(Object.entries(configured).map(([set, list]) => [set, full(list)]));
      const got = parse(
        await box.sh('cat /proc/self/status', { '/process/capabilities': value, '/process/user': { uid, gid: uid } }),
      );
      sets.forEach((set, index) => {
        same(got[set]!.toString(16), mask(wanted[index]!).toString(16), `Cap${set}`);
      });
    });
  }
  test('ambient-beyond-inheritable-warns', ['config.capabilities.unknown-warned'], async (box) => {
    const list = ['CAP_CHOWN'];
    const sets = { bounding: list, effective: list, permitted: list, ambient: ['CAP_CHOWN', 'CAP_KILL'] };
    const result = await box.run('echo on', { '/process/capabilities': sets });
    same([result.code, result.stdout.trim()], [0, 'on'], 'exit status and output');
    expect(result.stderr.includes('CAP_KILL'), `no warning that names it: '${result.stderr.trim()}'`);
  });
  test(
    'unknown-warns-and-goes-on',
    ['config.capabilities.unknown-warned', 'config.capabilities.unknown-not-fatal', 'runtime.warnings.continue'],
    async (box) => {
      const list = ['CAP_CHOWN', 'CAP_NO_SUCH_THING'];
      const result = await box.run('echo on', {
        '/process/capabilities': { bounding: list, effective: list, permitted: list },
      });
      same([result.code, result.stdout.trim()], [0, 'on'], 'exit status and output');
      expect(result.stderr.includes('CAP_NO_SUCH_THING'), `no warning that names it: '${result.stderr.trim()}'`);
    },
  );
  test('a-removed-one-does-not-work', proves, async (box) => {
    const list = ['CAP_KILL'];
    const out = await box.sh('chown 5 /tmp 2>/dev/null || echo refused', {
      '/process/capabilities': { bounding: list, effective: list, permitted: list },
    });
    same(out, 'refused', 'chown');
  });
  return cases;
}
