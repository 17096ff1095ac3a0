/** The kernel's own opinion: a Node process puts the filter on itself through koffi and makes the calls. x86-64 numbers. */
import { spawnSync } from 'node:child_process';
import { test as always } from 'uvu';
import * as assert from 'uvu/assert';
import type { Seccomp, SeccompSyscall } from '../../bundle/types.js';
import { compileSeccomp } from './compile.js';
import { supportedFlags } from './kernel.js';
import { findLibseccomp } from './library.js';

const test = process.arch === 'x64' && findLibseccomp().path.startsWith('/') ? always : always.skip;

/** Loads the filter as the executor does, then prints 0 or an errno for each [nr, a0, a1, a2]. */
const program = `
const koffi = require('koffi');
const { filter, flags, calls } = JSON.parse(process.env.INPUT, (_, v) => typeof v === 'string' && /^[0-9]+n$/.test(v) ? BigInt(v.slice(0, -1)) : v);
const syscall = koffi.load(null).func('syscall', 'long', ['long', 'uint64_t', 'uint64_t', 'uint64_t', 'uint64_t', 'uint64_t', 'uint64_t']);
const apply = koffi.load(null).func('syscall', 'long', ['long', 'long', 'long', 'void *']);
const bytes = Buffer.from(filter, 'base64');
const program = koffi.struct({ len: 'uint16_t', filter: 'void *' });
syscall(157, 38, 1, 0, 0, 0, 0);
const status = koffi.load(null).func('syscall', 'long', ['long', 'long', 'long', koffi.pointer(program)])(317, 1, flags, [{ len: bytes.length / 8, filter: bytes }]);
const load = status < 0 ? koffi.errno() : 0;
const errnos = load ? [] : calls.map(([nr, a = 0, b = 0, c = 0]) => (syscall(nr, a, b, c, 0, 0, 0) < 0 ? koffi.errno() : 0));
process.stdout.write(JSON.stringify({ load, errnos }));
`;

type KernelCall = (number | bigint)[];

function underFilter(seccomp: Seccomp, calls: KernelCall[]) {
  const { filter, flags } = compileSeccomp(seccomp, 'SCMP_ARCH_X86_64');
  const input = { filter: Buffer.from(filter).toString('base64'), flags, calls };
  const INPUT = JSON.stringify(input, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
  const child = spawnSync(process.execPath, ['-e', program], { env: { ...process.env, INPUT }, encoding: 'utf8' });
  return { signal: child.signal, ...(JSON.parse(child.stdout || '{}') as { load?: number; errnos?: number[] }) };
}

const rule = (name: string, action: SeccompSyscall['action'], rest: Partial<SeccompSyscall> = {}): SeccompSyscall => ({
  names: [name],
  action,
  ...rest,
});
const [reboot, personality, getpriority, prlimit, kexec, futexWaitv] = [169, 135, 140, 302, 246, 449];

test('loads under the kernel and gives errnos, also none and the default', () => {
  const seccomp: Seccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [
      rule('reboot', 'SCMP_ACT_ERRNO', { errnoRet: 77 }),
      rule('kexec_load', 'SCMP_ACT_ERRNO', { errnoRet: 0 }),
      rule('personality', 'SCMP_ACT_ERRNO'),
    ],
  };
  const calls = [[reboot, 0xdead, 1, 2], [kexec], [personality, 0xffffffff], [getpriority]];
  assert.equal(underFilter(seccomp, calls), { signal: null, load: 0, errnos: [77, 0, 1, 0] });
});

test('compares 64-bit arguments as the kernel passes them', () => {
  const big = 0x8000_0000_0000_0001n;
  const args = [{ index: 1, op: 'SCMP_CMP_EQ' as const, value: big }];
  const masked = [{ index: 0, op: 'SCMP_CMP_MASKED_EQ' as const, value: 0xff00n, valueTwo: 0x1200n }];
  const seccomp: Seccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [
      rule('getpriority', 'SCMP_ACT_ERRNO', { errnoRet: 77, args }),
      rule('kexec_load', 'SCMP_ACT_ERRNO', { errnoRet: 78, args: masked }),
    ],
  };
  const calls = [
    [getpriority, 0, big],
    [getpriority, 0, 0],
    [kexec, 0x123456789a1200n],
  ];
  const { errnos } = underFilter(seccomp, calls);
  assert.equal(errnos, [77, 0, 78]);
});

test('gives ENOSYS to what is newer than a denying profile', () => {
  // Everything Node needs is allowed by name, so the default never meets Node itself.
  const names = Array.from({ length: 440 }, (_, number) => number);
  const allowed = namesOf(names).filter((name) => name !== 'reboot' && name !== 'prlimit64');
  const seccomp: Seccomp = {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 99,
    syscalls: [{ names: allowed, action: 'SCMP_ACT_ALLOW' }],
  };
  const { load, errnos } = underFilter(seccomp, [[reboot], [prlimit], [futexWaitv], [1000]]);
  assert.is(load, 0);
  assert.equal(errnos, [99, 99, 38, 38]);
});

test('kills with SIGSYS', () => {
  for (const action of ['SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_TRAP'] as const) {
    const seccomp: Seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule('reboot', action)] };
    assert.is(underFilter(seccomp, [[reboot]]).signal, 'SIGSYS', action);
  }
});

test('takes all four flags on this kernel', () => {
  const flags = supportedFlags();
  for (const flag of flags) {
    const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', flags: [flag] } as Seccomp;
    assert.is(underFilter(seccomp, []).load, 0, flag);
  }
  assert.ok(flags.includes('SECCOMP_FILTER_FLAG_TSYNC'));
});

test('gets a listener, with every flag beside it', () => {
  const flags = supportedFlags() as Seccomp['flags'] & string[];
  const syscalls = [rule('reboot', 'SCMP_ACT_NOTIFY')];
  const seccomp: Seccomp = { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/run/agent', flags, syscalls };
  assert.is(underFilter(seccomp, []).load, 0);
});

/** Names of x86-64's calls, from libseccomp. */
function namesOf(numbers: readonly number[]): string[] {
  const script = `const k=require('koffi');const f=k.load(${JSON.stringify(findLibseccomp().path)}).func('seccomp_syscall_resolve_num_arch','str',['uint32_t','int']);
process.stdout.write(JSON.stringify(${JSON.stringify(numbers)}.map((n)=>f(0xc000003e,n)).filter(Boolean)))`;
  return JSON.parse(spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stdout) as string[];
}

always.run();
