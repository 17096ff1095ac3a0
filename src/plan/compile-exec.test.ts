import { joinersCalls } from '../linux/seccomp/allowed-calls.js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { consoleFlags } from '../generated/ops.js';
import type { Process } from '../bundle/types.js';
import type { HostFacts } from '../linux/facts.js';
import { compileExec, type ExecOptions, type ExecSpec } from './compile-exec.js';
import { encodePlan } from './encode.js';
import { placeCgroup } from './phases/cgroup-placement.js';
import { hostFacts } from './phases/cgroup-test-facts.js';
import { only, pick, places, testHost } from './test-inputs.js';

const v1 = placeCgroup('/web', 'web', hostFacts('v1', { controllers: ['memory', 'pids'] }), 'cgroupfs');
const v2 = placeCgroup('/web', 'web', hostFacts('v2'), 'cgroupfs');

const base: ExecOptions = {
  id: 'web',
  mode: 'run',
  target: { pid: 4321, startTime: 99 },
  joins: ['mount', 'pid', 'cgroup'],
  root: '/',
  cgroup: v2,
  cgroupOptional: false,
};

function compile(
  process: Partial<Process> = {},
  options: Partial<ExecOptions> = {},
  spec: ExecSpec = {},
  facts: Partial<HostFacts> = {},
) {
  const whole: Process = { args: ['/bin/true'], cwd: '/', user: { uid: 0, gid: 0 }, ...process };
  const plan = compileExec(spec, whole, { ...testHost, ...facts }, { ...base, ...options });
  encodePlan(plan);
  return plan;
}

/** Asserts that the operations come in this order, each once at least. */
function inOrder(plan: ReturnType<typeof compile>, ...ops: string[]): void {
  const at = places(plan, ...ops);
  assert.equal(
    at,
    [...at].sort((a, b) => a - b),
    ops.join(' '),
  );
  assert.not(at.includes(-1), `${ops[at.indexOf(-1)]} is missing`);
}

test('the target is pinned before anything else, with its start time', () => {
  const plan = compile();
  const [first] = plan.steps;
  assert.is(first?.op, 'process.open');
  assert.equal(first?.args, { slot: 5, pid: 4321, startTime: 99n });
});

test('one setns for all', () => {
  const joined = only(compile({}, { joins: ['user', 'mount', 'pid', 'cgroup'] }), 'ns.join-process');
  assert.equal(
    [joined.role, joined.args],
    ['joiner', { slot: 5, types: 0x10000000 | 0x20000 | 0x20000000 | 0x2000000 }],
  );
});

test('S22, CVE-2016-9962: the process is born without anything of the host’s, and with no more rights than it is to have', () => {
  const seccomp = { filter: new Uint8Array(8), flags: 0, rules: 1, allowed: joinersCalls };
  const linux = { seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } } as const;
  for (const noNewPrivileges of [true, false]) {
    const rlimits = [{ type: 'RLIMIT_NOFILE', soft: 9, hard: 9 }] as const;
    const whole = {
      noNewPrivileges,
      rlimits,
      terminal: true,
      selinuxLabel: 'l',
      oomScoreAdj: 5,
      execCPUAffinity: { final: '0' },
    };
    const { steps } = compile(whole, { seccomp, joins: ['user', 'mount', 'pid', 'cgroup'], cgroup: v1 }, { linux });
    const own = steps.filter(({ role }) => role === 'init').map(({ op }) => op);
    assert.equal(own, ['session.start', ...(noNewPrivileges ? ['process.seccomp'] : []), 'process.exec']);
  }
});

test('without no_new_privs a filter that forbids to have a child, or an agent’s, is the process’s own, and so are its rights', () => {
  const linux = { seccomp: { defaultAction: 'SCMP_ACT_ERRNO' } } as const;
  const seccomp = { filter: new Uint8Array(8), flags: 0, rules: 1, allowed: joinersCalls };
  const forbids = { ...seccomp, allowed: joinersCalls.filter((name) => name !== 'clone') };
  const { steps } = compile({}, { seccomp: forbids }, { linux });
  assert.equal(
    steps.filter(({ role }) => role === 'init').map(({ op }) => op),
    ['session.start', 'process.seccomp', 'process.capabilities', 'process.ambient', 'process.exec'],
  );
  const agent = { path: '/s', before: '', between: '', after: '' };
  const told = compile({}, { seccomp: { ...seccomp, agent } }, { linux });
  inOrder(told, 'session.start', 'process.seccomp', 'seccomp.send-listener', 'process.capabilities');
});

test('root of a user namespace only where one is joined', () => {
  assert.is(pick(compile(), 'ns.become-root').length, 0);
  const plan = compile({}, { joins: ['user', 'mount'] });
  inOrder(plan, 'ns.join-process', 'ns.become-root', 'root.open', 'process.user');
});

test('v2: the joiner is born into the cgroup, which is opened first; v1: there before it does anything', () => {
  const unified = compile();
  inOrder(unified, 'cgroup.open', 'child.create');
  assert.equal(
    pick(unified, 'child.create').map(({ args }) => args),
    [
      { namespaces: 0, cgroupSlot: 8, asJoiner: 1, fullSlot: 0xffffffff },
      { namespaces: 0, cgroupSlot: 0xffffffff, asJoiner: 0, fullSlot: 0xffffffff },
    ],
  );
  assert.is(pick(unified, 'cgroup.enter').length, 0);
  const legacy = compile({}, { cgroup: v1 });
  inOrder(legacy, 'cgroup.open', 'cgroup.enter', 'ns.join-process', 'session.start');
  assert.equal(
    pick(legacy, 'cgroup.enter').map(({ role }) => role),
    ['joiner', 'joiner'],
  );
  assert.equal(
    pick(legacy, 'child.create').map(({ args }) => (args as { fullSlot: number }).fullSlot),
    [0xffffffff, 10],
  );
});

test('without rights over cgroups, and none named, it is where its caller is', () => {
  for (const cgroup of [v1, v2]) {
    const plan = compile({}, { cgroup, cgroupOptional: true });
    for (const step of pick(plan, 'cgroup.')) assert.ok(step.tolerate?.includes('EACCES'), step.summary);
    for (const step of pick(plan, 'child.create')) {
      assert.is((step.args as { cgroupSlot: number }).cgroupSlot, 0xffffffff);
    }
  }
});

test('what is the host’s is closed before anything of the container’s is used', () => {
  const plan = compile({ terminal: true, capabilities: { bounding: ['CAP_KILL'] } });
  inOrder(plan, 'root.open', 'console.open', 'stdio.null', 'process.close-fds', 'keyring.join', 'process.directory');
});

test('the pid file comes when the program runs, and the wait after it', () => {
  const plan = compile({}, { pidFile: '/run/pid' });
  inOrder(plan, 'process.exec', 'file.publish', 'child.supervise');
  assert.equal(pick(compile({}, { mode: 'run-detached' }), 'child.supervise', 'file.publish'), []);
  assert.is(only(plan, 'file.publish').args.between, '');
});

test('seccomp: last under no_new_privs, before the capabilities go otherwise', () => {
  const seccomp = { filter: new Uint8Array(8), flags: 0, rules: 1, allowed: joinersCalls };
  const spec: ExecSpec = { linux: { seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } } };
  inOrder(compile({}, { seccomp }, spec), 'process.find', 'process.seccomp', 'process.capabilities', 'process.exec');
  const strict = compile({ noNewPrivileges: true }, { seccomp }, spec);
  inOrder(strict, 'process.capabilities', 'process.no-new-privileges', 'process.seccomp', 'process.exec');
});

test('a working directory is never made', () => {
  const [first, second] = pick(compile({ cwd: '/data' }), 'process.directory');
  assert.equal(
    [first?.args, second?.args],
    [
      { create: 0, path: '/data' },
      { create: 2, path: '/data' },
    ],
  );
});

test('execCPUAffinity: the first for the start, the other once it is in its cgroup', () => {
  const plan = compile({ execCPUAffinity: { initial: '0-1', final: '3' } }, { cgroup: v1 });
  const found = pick(plan, 'process.affinity');
  assert.equal(
    found.map(({ role }) => role),
    ['joiner', 'joiner'],
  );
  assert.equal(
    found.map(({ args }) => (args as { mask: Uint8Array }).mask[0]),
    [3, 8],
  );
  inOrder(plan, 'process.affinity', 'cgroup.enter');
});

test('S45: without execCPUAffinity the process has all CPUs that the cgroup allows, once it is in it', () => {
  const all = (execCPUAffinity?: { initial?: string; final?: string }) =>
    pick(compile(execCPUAffinity ? { execCPUAffinity } : {}, { cgroup: v1 }), 'process.affinity').map(
      ({ role, args }) => `${role} ${(args as { mask: Uint8Array }).mask.join()}`,
    );
  assert.equal(all(), ['joiner ']);
  assert.equal(all({ initial: '', final: '' }), ['joiner ']);
  assert.equal(all({ final: '1' }), ['joiner 2,0,0,0,0,0,0,0']);
  // config.md: SHOULD NOT change after the move when `final` is left out.
  assert.equal(all({ initial: '0' }), ['joiner 1,0,0,0,0,0,0,0']);
  inOrder(compile({}, { cgroup: v1 }), 'cgroup.enter', 'process.affinity', 'process.user');
});

test('limits of the process are set from outside, when it has made everything that they might forbid', () => {
  const plan = compile({ rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 1 }], oomScoreAdj: 5 });
  inOrder(plan, 'process.directory', 'child.write-proc', 'child.rlimit', 'process.user');
});

test('how many processes there may be is its own limit, for the joiner is one, too; what takes rights is not left to it', () => {
  const plan = compile({ rlimits: [{ type: 'RLIMIT_NPROC', soft: 1, hard: 2 }] });
  inOrder(plan, 'child.rlimit', 'process.user', 'session.start', 'process.rlimit', 'process.exec');
  assert.is(only(plan, 'child.rlimit').args.raise, 1);
  assert.equal(only(plan, 'process.rlimit').args, { resource: 6, soft: 1n, hard: 2n });
});

test('a scheduler is set from outside, since a fork may take it back', () => {
  const plan = compile({ scheduler: { policy: 'SCHED_BATCH' } });
  assert.is(only(plan, 'process.scheduler').role, 'host');
  inOrder(plan, 'session.start', 'process.exec');
  assert.ok(
    places(plan, 'process.scheduler')[0]! > plan.steps.findIndex(({ summary }) => summary === 'start the process'),
  );
});

test('without root the OOM score is set when the program runs, if it can be', () => {
  const plan = compile({ oomScoreAdj: 5 }, {}, {}, { uid: 1000 });
  inOrder(plan, 'process.exec', 'child.write-proc', 'child.supervise');
  assert.ok(only(plan, 'child.write-proc').tolerate?.includes('EACCES'));
});

test('a terminal goes through the socket or to the executor, and not on /dev/console', () => {
  const socket = compile({ terminal: true }, { mode: 'run-detached', consoleSocket: '/s' });
  assert.equal([only(socket, 'console.open').args.slot, only(socket, 'console.open').args.flags], [2, 2]);
  const foreground = compile({ terminal: true });
  assert.is(only(foreground, 'console.open').args.slot, 0xffffffff);
  assert.equal(only(foreground, 'child.supervise').args, { terminal: 1, subreaper: 1 });
});

test('a container without a mount namespace is entered by chroot', () => {
  assert.is(only(compile({}, { root: '/bundle/rootfs', joins: [] }), 'root.open').args.path, '/bundle/rootfs');
  const plan = compile({ terminal: true }, { root: '/bundle/rootfs', joins: ['pid'] });
  const at = (op: string) => plan.steps.findIndex((one) => one.op === op);
  assert.is(only(plan, 'console.open').args.flags, consoleFlags.handOver | consoleFlags.host);
  assert.ok(at('console.open') < at('root.open') && at('root.open') < at('stdio.null'));
  assert.is(only(plan, 'console.open').role, 'joiner');
});

test('the keyring is the container’s, unless create was told to leave it', () => {
  assert.is(only(compile(), 'keyring.join').args.name, '_ses.web');
  assert.equal(pick(compile({}, { noNewKeyring: true }), 'keyring.join'), []);
});

test.run();
