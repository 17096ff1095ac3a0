import type { Changes } from '../config.js';
import { type Add, type Box, type Case, expect, same, topic } from '../harness.js';
import { addNotify } from './notify.js';

const rule = (syscalls: object[], more: object = {}) => ({
  '/linux/seccomp': { defaultAction: 'SCMP_ACT_ALLOW', ...more, syscalls },
});

/** setpriority(which, who, 5): busybox's renice reports its error. */
const renice = 'renice -n 5 -p $$ >/dev/null 2>&1 && echo allowed || echo refused';

/** The script's output, from below a filter: without one, everything is allowed as well. */
async function filtered(box: Box, script: string, changes: Changes): Promise<string> {
  const [mode, ...out] = (await box.sh(`grep ^Seccomp: /proc/self/status; ${script}`, changes)).split('\n');
  same(mode?.split(/\s+/)[1], '2', 'mode');
  return out.join('\n');
}

const operators: ReadonlyArray<readonly [string, number, number | undefined, boolean]> = [
  ['SCMP_CMP_EQ', 5, undefined, true],
  ['SCMP_CMP_EQ', 6, undefined, false],
  ['SCMP_CMP_NE', 6, undefined, true],
  ['SCMP_CMP_NE', 5, undefined, false],
  ['SCMP_CMP_LT', 6, undefined, true],
  ['SCMP_CMP_LT', 5, undefined, false],
  ['SCMP_CMP_LE', 5, undefined, true],
  ['SCMP_CMP_LE', 4, undefined, false],
  ['SCMP_CMP_GT', 4, undefined, true],
  ['SCMP_CMP_GT', 5, undefined, false],
  ['SCMP_CMP_GE', 5, undefined, true],
  ['SCMP_CMP_GE', 6, undefined, false],
  ['SCMP_CMP_MASKED_EQ', 4, 4, true],
  ['SCMP_CMP_MASKED_EQ', 2, 2, false],
];

const errnos: ReadonlyArray<readonly [number, string]> = [
  [1, 'Operation not permitted'],
  [2, 'No such file or directory'],
  [13, 'Permission denied'],
  [38, 'Function not implemented'],
  [95, 'Operation not supported'],
];
const making = ['mkdir', 'mkdirat'];

function addActions(test: Add): void {
  for (const [errnoRet, text] of errnos) {
    test(`errno-${errnoRet}`, ['linux.seccomp.rules'], async (box) => {
      const out = await box.sh(
        'mkdir /tmp/x 2>&1 || true',
        rule([{ names: making, action: 'SCMP_ACT_ERRNO', errnoRet }]),
      );
      expect(out.endsWith(text), out);
    });
  }
  test('errno-default-is-EPERM', ['linux.seccomp.rules'], async (box) => {
    const out = await box.sh('mkdir /tmp/x 2>&1 || true', rule([{ names: making, action: 'SCMP_ACT_ERRNO' }]));
    expect(out.endsWith('Operation not permitted'), out);
  });
  test('allow', ['linux.seccomp.rules'], async (box) => {
    const allowed = { names: making, action: 'SCMP_ACT_ALLOW' };
    const refused = { names: ['chown', 'fchownat'], action: 'SCMP_ACT_ERRNO', errnoRet: 13 };
    same(await filtered(box, 'mkdir /tmp/x && echo made', rule([allowed, refused])), 'made', 'mkdir');
  });
  test('log', ['linux.seccomp.rules'], async (box) => {
    const rules = rule([{ names: making, action: 'SCMP_ACT_LOG' }]);
    same(await filtered(box, 'mkdir /tmp/x && echo made', rules), 'made', 'mkdir');
  });
  for (const action of ['SCMP_ACT_KILL', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_KILL_THREAD', 'SCMP_ACT_TRAP']) {
    test(action, ['linux.seccomp.rules'], async (box) => {
      same(
        await box.sh('mkdir /tmp/x 2>/dev/null; echo $?', rule([{ names: making, action }])),
        '159',
        'exit status of mkdir (128 + SIGSYS)',
      );
    });
  }
  test('trace-without-tracer', ['linux.seccomp.rules'], async (box) => {
    const out = await box.sh('mkdir /tmp/x 2>&1 || true', rule([{ names: making, action: 'SCMP_ACT_TRACE' }]));
    expect(out.endsWith('Function not implemented'), out);
  });
  test('default-errno', ['linux.seccomp.rules'], async (box) => {
    // Everything is refused with this number but what is listed; what a shell needs is listed by refusing only a few.
    const seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['chroot', ...making], action: 'SCMP_ACT_ERRNO', errnoRet: 30 }],
    };
    const out = await box.sh('mkdir /tmp/x 2>&1 || true', { '/linux/seccomp': seccomp });
    expect(out.endsWith('Read-only file system'), out);
  });
  test('unknown-call-is-skipped', ['linux.seccomp.rules'], async (box) => {
    const out = await box.sh(
      'mkdir /tmp/x 2>&1 || true',
      rule([{ names: ['no_such_call', ...making], action: 'SCMP_ACT_ERRNO', errnoRet: 13 }]),
    );
    expect(out.endsWith('Permission denied'), out);
  });
  test('mode-is-filter', ['linux.seccomp.rules'], async (box) => {
    const out = await box.sh('grep ^Seccomp: /proc/self/status', rule([{ names: making, action: 'SCMP_ACT_ERRNO' }]));
    same(out.split(/\s+/)[1], '2', 'mode');
  });
  for (const value of [true, false]) {
    test(`with-noNewPrivileges-${value}`, ['linux.seccomp.rules', 'config.process.noNewPrivileges'], async (box) => {
      const changes = {
        ...rule([{ names: making, action: 'SCMP_ACT_ERRNO', errnoRet: 13 }]),
        '/process/noNewPrivileges': value,
        '/process/user': { uid: 1000, gid: 1000 },
      };
      const out = await box.sh('mkdir /tmp/x 2>&1; grep NoNewPrivs /proc/self/status', changes);
      expect(out.includes('Permission denied') && out.endsWith(value ? '1' : '0'), out);
    });
  }
  for (const value of [true, false]) {
    // A program of the image, before the container's own: the profile may have clone3 give ENOSYS, as Docker's has.
    test(`startContainer-hook-with-noNewPrivileges-${value}`, ['linux.seccomp.rules'], async (box) => {
      const rules = [
        { names: making, action: 'SCMP_ACT_ERRNO', errnoRet: 13 },
        { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
      ];
      const script = 'grep ^Seccomp: /proc/self/status >/tmp/seen; mkdir /tmp/made; true';
      const out = await box.sh('cat /tmp/seen; ls /tmp', {
        ...rule(rules),
        '/process/noNewPrivileges': value,
        '/hooks/startContainer': [{ path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/bin'] }],
      });
      same(out.replace(/\s+/g, ' '), 'Seccomp: 2 seen', 'what the hook saw and could do');
    });
  }
  test('exec-gets-the-filter', ['linux.seccomp.rules'], async (box) => {
    await box.started('sleep 30', rule([{ names: making, action: 'SCMP_ACT_ERRNO', errnoRet: 13 }]));
    const result = await box.error('exec', box.id, 'mkdir', '/tmp/x');
    expect(result.stderr.includes('Permission denied'), result.stderr);
  });
}

function addArguments(test: Add): void {
  for (const [op, value, valueTwo, matches] of operators) {
    test(`${op}-${value}-${matches ? 'matches' : 'does-not-match'}`, ['linux.seccomp.rules'], async (box) => {
      const arg = { index: 2, value, ...(valueTwo === undefined ? {} : { valueTwo }), op };
      same(
        await filtered(box, renice, rule([{ names: ['setpriority'], action: 'SCMP_ACT_ERRNO', args: [arg] }])),
        matches ? 'refused' : 'allowed',
        'renice',
      );
    });
  }
  test('two-arguments-both-needed', ['linux.seccomp.rules'], async (box) => {
    const args = [
      { index: 0, value: 0, op: 'SCMP_CMP_EQ' },
      { index: 2, value: 6, op: 'SCMP_CMP_EQ' },
    ];
    same(
      await filtered(box, renice, rule([{ names: ['setpriority'], action: 'SCMP_ACT_ERRNO', args }])),
      'allowed',
      'renice',
    );
  });
  test('value-of-64-bits', ['linux.seccomp.rules'], async (box) => {
    const args = [{ index: 2, value: 18446744073709551615n, op: 'SCMP_CMP_NE' }];
    same(
      await filtered(box, renice, rule([{ names: ['setpriority'], action: 'SCMP_ACT_ERRNO', args }])),
      'refused',
      'renice',
    );
  });
  const arch =
    process.arch === 'x64'
      ? ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']
      : ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'];
  test('architectures', ['linux.seccomp.rules'], async (box) => {
    const out = await box.sh(
      'mkdir /tmp/x 2>&1 || true',
      rule([{ names: making, action: 'SCMP_ACT_ERRNO', errnoRet: 13 }], { architectures: arch }),
    );
    expect(out.endsWith('Permission denied'), out);
  });
  for (const flag of ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW', 'SECCOMP_FILTER_FLAG_TSYNC']) {
    test(flag, ['linux.seccomp.rules'], async (box) => {
      const out = await box.sh(
        'mkdir /tmp/x 2>&1 || true',
        rule([{ names: making, action: 'SCMP_ACT_ERRNO', errnoRet: 13 }], { flags: [flag] }),
      );
      expect(out.endsWith('Permission denied'), out);
    });
  }
}

function addRefused(test: Add): void {
  const one = { names: making, action: 'SCMP_ACT_ERRNO' };
  const rows: ReadonlyArray<readonly [string, string, object]> = [
    ['unknown-action', 'config.valid-values', { defaultAction: 'SCMP_ACT_NOSUCH' }],
    ['no-default-action', 'config.valid-values', { syscalls: [one] }],
    [
      'unknown-action-of-rule',
      'config.valid-values',
      { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: making, action: 'SCMP_ACT_NOSUCH' }] },
    ],
    [
      'unknown-architecture',
      'config.valid-values',
      { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_NOSUCH'] },
    ],
    [
      'unknown-flag',
      'config.valid-values',
      { defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_NOSUCH'], syscalls: [one] },
    ],
    [
      'unknown-operator',
      'config.valid-values',
      {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ ...one, args: [{ index: 0, value: 1, op: 'SCMP_CMP_NOSUCH' }] }],
      },
    ],
    [
      'argument-6',
      'config.valid-values',
      { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ ...one, args: [{ index: 6, value: 1, op: 'SCMP_CMP_EQ' }] }] },
    ],
    [
      'no-names',
      'linux.seccomp.names',
      { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: [], action: 'SCMP_ACT_ERRNO' }] },
    ],
    [
      'errno-of-allow',
      'linux.seccomp.errno-unsupported',
      { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: making, action: 'SCMP_ACT_ALLOW', errnoRet: 5 }] },
    ],
    [
      'errno-of-kill',
      'linux.seccomp.errno-unsupported',
      { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: making, action: 'SCMP_ACT_KILL', errnoRet: 5 }] },
    ],
    [
      'default-errno-of-allow',
      'linux.seccomp.errno-unsupported',
      { defaultAction: 'SCMP_ACT_ALLOW', defaultErrnoRet: 5, syscalls: [one] },
    ],
    [
      'metadata-without-listener',
      'linux.seccomp.metadata',
      { defaultAction: 'SCMP_ACT_ALLOW', listenerMetadata: 'x', syscalls: [one] },
    ],
  ];
  for (const [slug, proof, seccomp] of rows)
    test(`refused-${slug}`, [proof, 'config.valid-values'], (box) => box.refused({ '/linux/seccomp': seccomp }));
  test('listener-missing', ['linux.seccomp.listener-failure', 'runtime.errors.clean'], async (box) => {
    const seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      listenerPath: box.path('nosuch'),
      syscalls: [{ names: ['chroot'], action: 'SCMP_ACT_NOTIFY' }],
    };
    await box.refused({ '/linux/seccomp': seccomp });
  });
  test('listener-of-datagrams', ['linux.seccomp.listener-socket'], async (box) => {
    const program =
      'import socket,sys,time\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.bind(sys.argv[1])\nprint(1,flush=True)\ntime.sleep(60)';
    await box.python(program, box.path('socket'));
    await box.refused({
      '/linux/seccomp': {
        defaultAction: 'SCMP_ACT_ALLOW',
        listenerPath: box.path('socket'),
        syscalls: [{ names: ['chroot'], action: 'SCMP_ACT_NOTIFY' }],
      },
    });
  });
}

export function seccompCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('seccomp', cases);
  addActions(test);
  addArguments(test);
  addRefused(test);
  addNotify(test);
  return cases;
}
