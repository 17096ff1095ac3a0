import { test } from 'uvu';
import * as assert from 'uvu/assert';
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

test('one setns for all, by the joiner; the process itself needs nothing of the host', () => {
  const [joiner, ...rest] = pick(compile({}, { joins: ['user', 'mount', 'pid', 'cgroup'] }), 'ns.join-process');
  const types = 0x10000000 | 0x20000 | 0x20000000 | 0x2000000;
  assert.equal([joiner?.role, joiner?.args], ['joiner', { slot: 5, types }]);
  assert.equal(rest, []);
});

test('root of a user namespace only where one is joined', () => {
  assert.is(pick(compile(), 'ns.become-root').length, 0);
  const plan = compile({}, { joins: ['user', 'mount'] });
  inOrder(plan, 'ns.join-process', 'ns.become-root', 'root.open', 'process.user');
});

test('v2: the joiner is born into the cgroup, as who the caller is; v1: there before it does anything', () => {
  const unified = compile();
  inOrder(unified, 'cgroup.open', 'child.create');
  assert.equal(
    pick(unified, 'child.create').map(({ args }) => args),
    [
      { namespaces: 0, cgroupSlot: 8, asJoiner: 1 },
      { namespaces: 0, cgroupSlot: 0xffffffff, asJoiner: 0 },
    ],
  );
  assert.is(pick(unified, 'cgroup.enter').length, 0);
  const legacy = compile({}, { cgroup: v1 });
  inOrder(legacy, 'cgroup.open', 'cgroup.enter', 'ns.join-process', 'session.start');
  assert.equal(
    pick(legacy, 'cgroup.enter').map(({ role }) => role),
    ['joiner', 'init'],
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
  assert.is(pick(plan, 'process.close-fds').length, 2);
});

test('the pid file comes when the program runs, and the wait after it', () => {
  const plan = compile({}, { pidFile: '/run/pid' });
  inOrder(plan, 'process.exec', 'file.publish', 'child.supervise');
  assert.equal(pick(compile({}, { mode: 'run-detached' }), 'child.supervise', 'file.publish'), []);
  assert.is(only(plan, 'file.publish').args.between, '');
});

test('seccomp: last under no_new_privs, before the capabilities go otherwise', () => {
  const seccomp = { filter: new Uint8Array(8), flags: 0 };
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
    ['joiner', 'init'],
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
  assert.equal(all(), ['init ']);
  assert.equal(all({ initial: '', final: '' }), ['init ']);
  assert.equal(all({ final: '1' }), ['init 2,0,0,0,0,0,0,0']);
  // config.md: SHOULD NOT change after the move when `final` is left out.
  assert.equal(all({ initial: '0' }), ['joiner 1,0,0,0,0,0,0,0']);
  inOrder(compile({}, { cgroup: v1 }), 'cgroup.enter', 'process.affinity', 'process.user');
});

test('limits of the process are set from outside, when it has made everything that they might forbid', () => {
  const plan = compile({ rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 1 }], oomScoreAdj: 5 });
  inOrder(plan, 'child.write-proc', 'process.directory', 'child.rlimit', 'process.user');
});

test('without root the OOM score is set when the program runs, if it can be', () => {
  const plan = compile({ oomScoreAdj: 5 }, {}, {}, { uid: 1000 });
  inOrder(plan, 'process.exec', 'child.write-proc', 'child.supervise');
  assert.ok(only(plan, 'child.write-proc').tolerate?.includes('EACCES'));
});

test('a terminal goes through the socket or to the executor, and not on /dev/console', () => {
  const socket = compile({ terminal: true }, { mode: 'run-detached', consoleSocket: '/s' });
  assert.equal([only(socket, 'console.open').args.slot, only(socket, 'console.open').args.flags], [2, 0]);
  const foreground = compile({ terminal: true });
  assert.is(only(foreground, 'console.open').args.slot, 0xffffffff);
  assert.equal(only(foreground, 'child.supervise').args, { terminal: 1, subreaper: 1 });
});

test('a container without a mount namespace is entered by chroot', () => {
  assert.is(only(compile({}, { root: '/bundle/rootfs', joins: [] }), 'root.open').args.path, '/bundle/rootfs');
});

test('the keyring is the container’s, unless create was told to leave it', () => {
  assert.is(only(compile(), 'keyring.join').args.name, '_ses.web');
  assert.equal(pick(compile({}, { noNewKeyring: true }), 'keyring.join'), []);
});

test.run();
