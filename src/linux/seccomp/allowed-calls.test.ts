import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Seccomp, SeccompSyscall } from '../../bundle/types.js';
import { allowedCalls } from './allowed-calls.js';

const rule = (names: string[], action: SeccompSyscall['action'], args?: SeccompSyscall['args']): SeccompSyscall => ({
  names,
  action,
  ...(args ? { args } : {}),
});
const list = (...syscalls: SeccompSyscall[]): Seccomp => ({ defaultAction: 'SCMP_ACT_ERRNO', syscalls });
const allowsCalls = (profile: Seccomp): boolean =>
  (['clone', 'write'] as const).every((name) => allowedCalls(profile).includes(name));

test('what is listed, or not listed where everything else is allowed', () => {
  assert.ok(allowsCalls(list(rule(['clone', 'write', 'read'], 'SCMP_ACT_ALLOW'))));
  assert.ok(allowsCalls({ defaultAction: 'SCMP_ACT_LOG' }));
  assert.not(allowsCalls(list(rule(['write'], 'SCMP_ACT_ALLOW'))));
  assert.not(allowsCalls({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule(['clone'], 'SCMP_ACT_KILL_PROCESS')] }));
});

test('a condition counts where it is known to be met: Docker and podman allow clone without flags of namespaces', () => {
  const masked = [{ index: 0, value: 2114060288, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }] as const;
  assert.ok(allowsCalls(list(rule(['write'], 'SCMP_ACT_ALLOW'), rule(['clone'], 'SCMP_ACT_ALLOW', masked))));
  const threads = [{ index: 0, value: 0x10000, valueTwo: 0x10000, op: 'SCMP_CMP_MASKED_EQ' }] as const;
  assert.not(allowsCalls(list(rule(['write'], 'SCMP_ACT_ALLOW'), rule(['clone'], 'SCMP_ACT_ALLOW', threads))));
  const first = [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] as const;
  assert.not(allowsCalls(list(rule(['clone'], 'SCMP_ACT_ALLOW'), rule(['write'], 'SCMP_ACT_ALLOW', first))));
});

test.run();
