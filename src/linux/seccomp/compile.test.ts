import { existsSync, readFileSync } from 'node:fs';
import { test as always } from 'uvu';
import * as assert from 'uvu/assert';
import type { Seccomp, SeccompAction, SeccompArg, SeccompOperator, SeccompSyscall } from '../../bundle/types.js';
import { TsrunError } from '../../errors/error.js';
import { seccompArchs } from '../../tables/seccomp.js';
import { instructionSize } from './bpf.js';
import { compileSeccomp } from './compile.js';
import { interpret } from './interpret.js';
import { findLibseccomp } from './library.js';
import { openLibseccomp } from './libseccomp.js';

/** What a host without libseccomp cannot show is skipped, not passed. */
const test = findLibseccomp().path.startsWith('/') ? always : always.skip;

const here = 'SCMP_ARCH_X86_64';
const errno = (number: number) => 0x50000 + number;
const allow = 0x7fff0000;
const deny: Seccomp = { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 99 };

const rule = (
  names: readonly string[],
  action: SeccompAction = 'SCMP_ACT_ALLOW',
  rest: Partial<SeccompSyscall> = {},
) => ({
  names,
  action,
  ...rest,
});
const where = (index: number, op: SeccompOperator, value: number | bigint, valueTwo?: number | bigint): SeccompArg => ({
  index,
  op,
  value,
  ...(valueTwo === undefined ? {} : { valueTwo }),
});

/** A profile's answers on x86-64, by call name and arguments. */
function answers(seccomp: Seccomp, arch = here) {
  const { filter } = compileSeccomp(seccomp, arch);
  return (name: string | number, ...args: (number | bigint)[]) => on(filter, arch, name, ...args);
}

function on(filter: Uint8Array, arch: string, name: string | number, ...args: (number | bigint)[]): number {
  const row = seccompArchs.get(arch)!;
  const nr = typeof name === 'number' ? name : openLibseccomp().numbersOn(row.token, [name])[0]!;
  return interpret(filter, { arch: row.audit, nr: nr >>> 0, args });
}

function failure(seccomp: Seccomp, arch = here) {
  try {
    compileSeccomp(seccomp, arch);
  } catch (error) {
    if (error instanceof TsrunError) return error.failure;
    throw error;
  }
  throw new Error('compiled');
}

test('gives every action its verdict', () => {
  const ask = answers({
    ...deny,
    listenerPath: '/run/agent',
    syscalls: [
      rule(['read']),
      rule(['open'], 'SCMP_ACT_LOG'),
      rule(['close'], 'SCMP_ACT_KILL'),
      rule(['stat'], 'SCMP_ACT_KILL_THREAD'),
      rule(['fstat'], 'SCMP_ACT_KILL_PROCESS'),
      rule(['lstat'], 'SCMP_ACT_TRAP'),
      rule(['poll'], 'SCMP_ACT_ERRNO'),
      rule(['lseek'], 'SCMP_ACT_ERRNO', { errnoRet: 0 }),
      rule(['mmap'], 'SCMP_ACT_ERRNO', { errnoRet: 4094 }),
      rule(['brk'], 'SCMP_ACT_TRACE', { errnoRet: 0xffff }),
      rule(['ioctl'], 'SCMP_ACT_TRACE'),
      rule(['mkdir'], 'SCMP_ACT_NOTIFY'),
    ],
  });
  const expected = {
    read: allow,
    open: 0x7ffc0000,
    close: 0,
    stat: 0,
    fstat: 0x80000000,
    lstat: 0x30000,
    poll: errno(1),
    lseek: errno(0),
    mmap: errno(4094),
    brk: 0x7ff0ffff,
    ioctl: 0x7ff00001,
    mkdir: 0x7fc00000,
    pread64: errno(99),
  };
  for (const [name, verdict] of Object.entries(expected)) assert.is(ask(name), verdict, name);
});

test('takes EPERM where the profile names no errno', () => {
  const ask = answers({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [rule(['read', 'reboot'])] });
  assert.is(ask('write'), errno(1));
});

test('compares all 64 bits of an argument', () => {
  const big = 0xffff_ffff_ffff_fffen;
  const cases: [SeccompOperator, number | bigint, (number | bigint)[], (number | bigint)[]][] = [
    ['SCMP_CMP_EQ', big, [big], [big + 1n, 0xfffffffe, big - (1n << 32n)]],
    ['SCMP_CMP_NE', big, [big + 1n, 0], [big]],
    ['SCMP_CMP_LT', 0x1_0000_0000, [0xffffffff, 0], [0x1_0000_0000, big]],
    ['SCMP_CMP_LE', 0x1_0000_0000, [0x1_0000_0000, 5], [0x1_0000_0001, big]],
    ['SCMP_CMP_GE', 0x1_0000_0000n, [0x1_0000_0000, big], [0xffffffff, 0]],
    ['SCMP_CMP_GT', 0x1_0000_0000n, [0x1_0000_0001, big], [0x1_0000_0000, 7]],
    ['SCMP_CMP_EQ', 2 ** 53 - 1, [2 ** 53 - 1], [2n ** 53n, 2n ** 53n - 2n]],
  ];
  for (const [op, value, yes, no] of cases) {
    const ask = answers({
      ...deny,
      syscalls: [rule(['setuid', 'reboot']), rule(['ioctl'], undefined, { args: [where(1, op, value)] })],
    });
    for (const datum of yes) assert.is(ask('ioctl', 0, datum), allow, `${datum} ${op} ${value}`);
    for (const datum of no) assert.is(ask('ioctl', 0, datum), errno(99), `not ${datum} ${op} ${value}`);
  }
});

test('takes value for the mask and valueTwo for the datum of MASKED_EQ', () => {
  const args = [where(0, 'SCMP_CMP_MASKED_EQ', 0xff00_0000_00f0n, 0x1200_0000_0030n)];
  const ask = answers({ ...deny, syscalls: [rule(['clone'], undefined, { args })] });
  assert.is(ask('clone', 0x1200_0000_0030n), allow);
  assert.is(ask('clone', 0x1234_5678_9a3fn), allow);
  assert.is(ask('clone', 0x1300_0000_0030n), errno(99));
  assert.is(ask('clone', 0x1200_0000_0040n), errno(99));
});

test('joins conditions by and, two on one argument by or', () => {
  const both = { args: [where(0, 'SCMP_CMP_EQ', 1), where(1, 'SCMP_CMP_EQ', 2)] };
  const either = { args: [where(0, 'SCMP_CMP_EQ', 1), where(0, 'SCMP_CMP_EQ', 2), where(1, 'SCMP_CMP_EQ', 3)] };
  const ask = answers({
    ...deny,
    syscalls: [rule(['socket'], undefined, both), rule(['kill'], undefined, either)],
  });
  assert.is(ask('socket', 1, 2), allow);
  for (const args of [
    [1, 1],
    [2, 2],
    [0, 0],
  ])
    assert.is(ask('socket', ...args), errno(99));
  for (const args of [
    [1, 9],
    [2, 9],
    [9, 3],
  ])
    assert.is(ask('kill', ...args), allow);
  assert.is(ask('kill', 9, 9), errno(99));
});

test('skips unknown names and rules that say what the default says', () => {
  const ask = answers({
    ...deny,
    syscalls: [
      rule(['no_such_call', '', '__proto__', 'constructor', 'write\0x', 'read']),
      rule(['mkdir'], 'SCMP_ACT_ERRNO', { errnoRet: 99 }),
      rule(['rmdir'], 'SCMP_ACT_ERRNO', { errnoRet: 98 }),
    ],
  });
  assert.is(ask('read'), allow);
  assert.is(ask('write'), errno(99));
  assert.is(ask('mkdir'), errno(99));
  assert.is(ask('rmdir'), errno(98));
});

test('covers the listed architectures and its own, and kills the others', () => {
  const { filter } = compileSeccomp(
    { ...deny, architectures: ['SCMP_ARCH_X86'], syscalls: [rule(['read', 'reboot'])] },
    here,
  );
  assert.is(on(filter, here, 'read'), allow);
  assert.is(on(filter, here, 'write'), errno(99));
  assert.is(on(filter, 'SCMP_ARCH_X86', 'read'), allow);
  assert.is(on(filter, 'SCMP_ARCH_X86', 'write'), errno(99));
  assert.is(on(filter, 'SCMP_ARCH_AARCH64', 'read'), 0);
  assert.is(on(filter, 'SCMP_ARCH_X32', 'read'), 0);
});

test('compiles for another machine', () => {
  const ask = answers(
    { ...deny, architectures: ['SCMP_ARCH_ARM'], syscalls: [rule(['read', 'openat2', 'set_tls'])] },
    'SCMP_ARCH_AARCH64',
  );
  assert.is(ask('read'), allow);
  assert.is(ask('write'), errno(99));
  assert.is(ask('openat2'), allow);
  assert.is(ask(438), errno(38));
});

test('answers ENOSYS to calls newer than the profile, on the own architecture without any list', () => {
  const newest = openLibseccomp().numbersHere(['openat2'])[0]!;
  for (const action of ['SCMP_ACT_ERRNO', 'SCMP_ACT_KILL', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_TRAP'] as const) {
    const ask = answers({ defaultAction: action, syscalls: [rule(['read', 'openat2'])] });
    assert.is(ask(newest), allow, action);
    assert.is(ask(newest + 1), errno(38), action);
    assert.is.not(ask('write'), errno(38), action);
  }
});

test('counts denied and conditional names for the age of the profile', () => {
  const ask = answers({
    ...deny,
    syscalls: [
      rule(['read']),
      rule(['openat2'], 'SCMP_ACT_ERRNO', { errnoRet: 99 }),
      rule(['pidfd_getfd'], undefined, { args: [where(0, 'SCMP_CMP_EQ', 1)] }),
    ],
  });
  assert.is(ask('openat2'), errno(99));
  assert.is(ask('pidfd_getfd', 2), errno(99));
  assert.is(ask(439), errno(38));
});

test('puts nothing in front of a lenient default, of ENOSYS itself, or of a profile without names', () => {
  for (const action of ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE'] as const) {
    const ask = answers({ defaultAction: action, syscalls: [rule(['read'], 'SCMP_ACT_KILL')] });
    assert.is.not(ask(400), errno(38), action);
  }
  assert.is(answers(deny)(400), errno(99));
  assert.is(answers({ defaultAction: 'SCMP_ACT_KILL' })(400), 0);
  const plain = compileSeccomp({ ...deny, defaultErrnoRet: 38, syscalls: [rule(['read'])] }, here).filter.length;
  const patched = compileSeccomp({ ...deny, syscalls: [rule(['read'])] }, here).filter.length;
  assert.ok(patched > plain);
});

test('sets the flags of the config, SPEC_ALLOW where the key is absent, and those of a listener', () => {
  const flags = (seccomp: Partial<Seccomp>) => compileSeccomp({ ...deny, ...seccomp }, here).flags;
  const notify = { listenerPath: '/run/agent', syscalls: [rule(['mkdir'], 'SCMP_ACT_NOTIFY')] };
  assert.is(flags({}), 4);
  assert.is(flags({ flags: [] }), 0);
  assert.is(flags({ flags: ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_TSYNC'] }), 3);
  assert.is(flags({ flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] }), 0);
  assert.is(flags(notify), 4 + 8);
  assert.is(flags({ ...notify, flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] }), 0x28);
  assert.is(flags({ ...notify, flags: ['SECCOMP_FILTER_FLAG_TSYNC'] }), 0x19);
  assert.is(compileSeccomp({ ...deny, ...notify }, here).listener, true);
  assert.is(compileSeccomp(deny, here).listener, false);
});

test('names the key of what libseccomp refuses', () => {
  const foreign = failure({ ...deny, architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_S390X'] });
  assert.is(foreign.code, 'TSR_SECCOMP_ARCH');
  assert.is(foreign.pointer, '/linux/seccomp/architectures/1');
  assert.match(foreign.message, 'byte order');
  const same = { args: [where(0, 'SCMP_CMP_EQ', 1)] };
  const contradiction = failure({
    ...deny,
    syscalls: [rule(['kill'], undefined, same), rule(['mkdir', 'kill'], 'SCMP_ACT_LOG', same)],
  });
  assert.is(contradiction.code, 'TSR_SECCOMP_RULE');
  assert.is(contradiction.pointer, '/linux/seccomp/syscalls/1/names/1');
});

test('refuses names it does not know even where nobody validated them', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'scmp_act_allow']) {
    const cases: [string, object][] = [
      ['/defaultAction', { defaultAction: name }],
      ['/architectures/1', { architectures: ['SCMP_ARCH_X86', name] }],
      ['/flags/0', { flags: [name] }],
      ['/syscalls/0/action', { syscalls: [rule(['read'], name as SeccompAction)] }],
      [
        '/syscalls/0/args/0/op',
        { syscalls: [rule(['read'], undefined, { args: [where(0, name as SeccompOperator, 1)] })] },
      ],
    ];
    for (const [key, part] of cases)
      assert.is(failure({ ...deny, ...part } as Seccomp).pointer, `/linux/seccomp${key}`);
  }
  assert.is(failure(deny, 'SCMP_ARCH_NONE').code, 'TSR_SECCOMP_ARCH');
});

test('refuses a program longer than the kernel takes', () => {
  const args = (value: number) => ({ args: [where(0, 'SCMP_CMP_EQ', value)] });
  const syscalls = Array.from({ length: 5000 }, (_, value) => rule(['ioctl'], undefined, args(value * 7)));
  assert.is(failure({ ...deny, syscalls }).code, 'TSR_SECCOMP_TOO_LARGE');
});

test("agrees with podman's default profile, call by call", () => {
  const path = '/usr/share/containers/seccomp.json';
  if (!existsSync(path)) return;
  const profile = JSON.parse(readFileSync(path, 'utf8')) as Seccomp & {
    syscalls: (SeccompSyscall & { errnoRet?: number | null })[];
  };
  const syscalls = profile.syscalls.map(({ names, action, errnoRet, args }) =>
    rule(names, action, { ...(errnoRet == null ? {} : { errnoRet }), ...(args?.length ? { args } : {}) }),
  );
  const archs = [here, 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'] as const;
  const seccomp: Seccomp = { ...deny, architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'], syscalls };
  // The first unconditional rule decides; names with any condition are left to the tests above.
  const expected = new Map<string, number>();
  for (const { names, action, errnoRet, args } of syscalls) {
    for (const name of names) {
      if (args || action === 'SCMP_ACT_ERRNO') expected.set(name, -1);
      if (expected.has(name)) continue;
      expected.set(name, errnoRet === undefined ? allow : errno(errnoRet));
    }
  }
  const { filter } = compileSeccomp(seccomp, here);
  assert.ok(filter.length / instructionSize < 4096);
  let compared = 0;
  for (const arch of archs) {
    for (const [name, verdict] of expected) {
      const number = openLibseccomp().numbersOn(seccompArchs.get(arch)!.token, [name])[0] ?? -1;
      if (verdict === -1 || number < 0) continue;
      assert.is(on(filter, arch, number), verdict, `${arch} ${name}`);
      compared++;
    }
  }
  assert.ok(compared > 900, `${compared}`);
});

test('of the rules that libseccomp refuses the first of the profile is named, whatever order it gets them in', () => {
  const one = { args: [where(0, 'SCMP_CMP_EQ', 1)] };
  const two = { args: [where(0, 'SCMP_CMP_EQ', 2), where(2, 'SCMP_CMP_MASKED_EQ', 2n ** 63n + 5n, 2n ** 63n + 1n)] };
  const first = [rule(['close', 'read'], 'SCMP_ACT_ALLOW', one), rule(['write', 'openat2'], 'SCMP_ACT_ALLOW', two)];
  const read = rule(['stat', 'read'], 'SCMP_ACT_LOG', one);
  const openat2 = rule(['openat2'], 'SCMP_ACT_LOG', two);
  const { pointer, message } = failure({ ...deny, syscalls: [...first, read, openat2] });
  assert.is(pointer, '/linux/seccomp/syscalls/2/names/1');
  assert.match(message, "'read' contradicts");
  const other = failure({ ...deny, syscalls: [...first, openat2, read] });
  assert.is(other.pointer, '/linux/seccomp/syscalls/2/names/0');
  const ask = answers({ ...deny, syscalls: first });
  assert.is(ask('openat2', 2, 0, 2n ** 63n + 3n), ask('read', 1));
  assert.is(ask('openat2', 2, 0, 3n), ask('read', 2));
});

test('calls that are one call on x86 are let through in whatever order a profile names them', () => {
  const names = ['socketcall', 'socket', 'bind', 'ipc', 'semop', 'shmat'];
  for (const list of [names, [...names].reverse()]) {
    const syscalls = [...list.map((name) => rule([name])), rule(['read', 'write'])];
    const ask = answers({ ...deny, architectures: ['SCMP_ARCH_X86'], syscalls });
    for (const name of ['socket', 'bind', 'semop', 'shmat', 'write']) assert.is(ask(name), ask('read'), name);
  }
});

always.run();
