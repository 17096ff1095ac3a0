// What the text calls REQUIRED, left out. Where it has a rule of its own (root, cwd, a hook's path), the cases are with that.
import type { Changes } from '../config.js';
import { namespaces } from '../config.js';
import { type Case, same, topic } from '../harness.js';

type Row = readonly [slug: string, whole: Record<string, unknown>, configured: (value: unknown) => Changes];

const range = { containerID: 0, hostID: 100000, size: 65536 };
const inUserNamespace = (key: string, value: unknown): Changes => ({
  '/linux/namespaces': namespaces('user'),
  '/linux/uidMappings': [range],
  '/linux/gidMappings': [range],
  [`/linux/${key}`]: [value],
});
const rule = { names: ['mkdir'], action: 'SCMP_ACT_ERRNO' };
const seccomp = (syscall: unknown): Changes => ({
  '/linux/seccomp': { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [syscall] },
});
const disk = { major: 7, minor: 0, rate: 2048 };
const throttle = (key: string): Row => [key, disk, (value) => ({ [`/linux/resources/blockIO/${key}`]: [value] })];

const rows: readonly Row[] = [
  ['user', { uid: 0, gid: 0 }, (value) => ({ '/process/user': value })],
  ['rlimit', { type: 'RLIMIT_NOFILE', soft: 64, hard: 128 }, (value) => ({ '/process/rlimits': [value] })],
  ['ioPriority', { class: 'IOPRIO_CLASS_BE', priority: 4 }, (value) => ({ '/process/ioPriority': value })],
  ['namespace', { type: 'cgroup' }, (value) => ({ '/linux/namespaces': [...namespaces(), value] })],
  ['uidMapping', range, (value) => inUserNamespace('uidMappings', value)],
  ['gidMapping', range, (value) => inUserNamespace('gidMappings', value)],
  throttle('throttleReadBpsDevice'),
  throttle('throttleWriteIOPSDevice'),
  ['hugepageLimit', { pageSize: '2MB', limit: 4194304 }, (value) => ({ '/linux/resources/hugepageLimits': [value] })],
  ['syscall', rule, seccomp],
  ['syscall-argument', { index: 0, value: 1, op: 'SCMP_CMP_EQ' }, (value) => seccomp({ ...rule, args: [value] })],
];

export function requiredCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('required', cases);
  for (const [slug, whole, configured] of rows) {
    // Whole, it runs: what is refused below is refused for what is missing.
    test(`${slug}-whole`, [], async (box) => {
      await box.created('true', configured(whole));
      same(await box.status(), 'created', 'status');
    });
    for (const key of Object.keys(whole)) {
      const { [key]: _, ...rest } = whole;
      test(`${slug}-without-${key}`, ['config.required', 'config.valid-values'], (box) =>
        box.refused(configured(rest)),
      );
    }
  }
  return cases;
}
