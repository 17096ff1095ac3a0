import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { groupedCalls } from '../../tables/syscall-groups.js';
import { parseRecorded, renderRecorded } from './recorded.js';

const recorded = (names: string[], architectures = ['SCMP_ARCH_X86_64']) => ({
  names: new Set(names),
  architectures: new Set(architectures),
});
const profileOf = (names: string[], architectures?: string[]) =>
  JSON.parse(renderRecorded(recorded(names, architectures)));
const namesOf = (profile: { syscalls: { names: string[] }[] }): string[] =>
  profile.syscalls.flatMap(({ names }) => names);

test('a recorded profile says "no such call" for all that it does not name', () => {
  const profile = profileOf(['openat', 'mkdir', 'mount']);
  assert.equal(
    [profile.defaultAction, profile.defaultErrnoRet, profile.architectures],
    ['SCMP_ACT_ERRNO', 38, ['SCMP_ARCH_X86_64']],
  );
  assert.ok(profile.syscalls.every((rule: object) => Object.keys(rule).join() === 'action,names'));
  assert.ok(profile.syscalls.every(({ action }: { action: string }) => action === 'SCMP_ACT_ALLOW'));
  for (const name of ['openat', 'mkdir', 'mount']) assert.ok(namesOf(profile).includes(name), name);
});

test('it has what tsrun, the kernel and the vDSO call besides, and no name twice', () => {
  const names = namesOf(profileOf([]));
  assert.is(new Set(names).size, names.length);
  for (const name of ['execve', 'capset', 'write', 'exit_group', 'rt_sigreturn', 'restart_syscall', 'clock_gettime'])
    assert.ok(names.includes(name), name);
  assert.not.ok(names.includes('sigreturn') || names.includes('set_tls'));
  assert.ok(namesOf(profileOf([], ['SCMP_ARCH_X86'])).includes('sigreturn'));
  assert.not.ok(namesOf(profileOf([], ['SCMP_ARCH_X86'])).includes('set_tls'));
  assert.ok(namesOf(profileOf([], ['SCMP_ARCH_ARM'])).includes('set_tls'));
});

test('its groups are by what calls are for; what is in none comes last', () => {
  assert.equal(groupedCalls(['mount', 'openat', 'execve', 'access', 'bpf', 'recvfrom']), [
    ['execve'],
    ['access', 'openat'],
    ['recvfrom'],
    ['bpf', 'mount'],
  ]);
  assert.equal(groupedCalls([]), []);
});

test('its lines are short, and it is the same whatever order calls came in', () => {
  const calls = ['accept4', 'bind', 'connect', 'getpeername', 'getsockname', 'getsockopt', 'listen', 'recvfrom'];
  const text = renderRecorded(recorded([...calls, 'sendmsg', 'sendto', 'setsockopt', 'shutdown', 'socket']));
  assert.ok(text.split('\n').every((line) => line.length <= 100));
  assert.is(renderRecorded(recorded(['a', 'b'])), renderRecorded(recorded(['b', 'a'])));
});

test('what was written can be read again, with an errno that was changed by hand', () => {
  const text = renderRecorded(recorded(['openat'], ['SCMP_ARCH_X86', 'SCMP_ARCH_X86_64']));
  const again = parseRecorded(text)!;
  assert.ok(again.names.has('openat') && again.names.has('capset'));
  assert.equal([...again.architectures], ['SCMP_ARCH_X86', 'SCMP_ARCH_X86_64']);
  assert.is(again.errno, 38);
  assert.is(renderRecorded(again), text);
  assert.is(parseRecorded(text.replace('"defaultErrnoRet": 38', '"defaultErrnoRet": 13'))!.errno, 13);
  assert.is(parseRecorded(text.replace('"defaultErrnoRet": 38,', ''))!.errno, 1, 'EPERM is what its absence means');
});

test('a profile that does anything else is none that can be added to', () => {
  const base = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ action: 'SCMP_ACT_ALLOW', names: ['read'] }] };
  const args = [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }];
  assert.ok(parseRecorded(JSON.stringify(base)));
  for (const other of [
    { defaultAction: 'SCMP_ACT_ALLOW' },
    { defaultAction: 'SCMP_ACT_KILL' },
    { flags: ['SECCOMP_FILTER_FLAG_LOG'] },
    { defaultErrnoRet: 'EPERM' },
    { architectures: ['SCMP_ARCH_Z80'] },
    { syscalls: undefined },
    { syscalls: [{ action: 'SCMP_ACT_ERRNO', names: ['read'] }] },
    { syscalls: [{ action: 'SCMP_ACT_ALLOW', names: ['read'], args }] },
    { syscalls: [{ action: 'SCMP_ACT_ALLOW', names: [7] }] },
    { syscalls: [null] },
  ])
    assert.is(parseRecorded(JSON.stringify({ ...base, ...other })), undefined, JSON.stringify(other));
  for (const text of ['', '[]', 'null', '7', '{', '{"__proto__":{}}']) assert.is(parseRecorded(text), undefined, text);
});

test.run();
