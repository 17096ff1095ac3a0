import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeProvisional } from '../state/record.js';
import { startTimeOf } from '../state/status.js';
import {
  cleanUp,
  draftOf,
  makeRoot,
  type ProcessOfTest,
  publish,
  startProcess,
  until,
} from '../state/test-container.js';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type KillOptions, killContainer as kill, type SendSignals } from './kill.js';
import { sendSpawning } from './kill-failure.js';
import { FakeCgroups, someCgroup } from './test-tools.js';

test.after(cleanUp);

const killContainer = (root: string, id: string, options: KillOptions, cgroups: FakeCgroups): void =>
  kill(root, id, options, cgroups, sendSpawning(cgroups));
const ownPidns = draftOf('web', { cgroup: someCgroup });
const sharedPidns = draftOf('web', { namespaces: [{ type: 'mount' }, { type: 'pid', path: '/proc/1/ns/pid' }] });
const gone = { pid: 2 ** 22 + 1, startTime: 1 };
const hasEnded =
  ({ pid }: ProcessOfTest) =>
  () =>
    startTimeOf(pid) === undefined;

function running(draft = ownPidns) {
  const root = makeRoot();
  const init = startProcess('sleep', ['60']);
  publish(root, draft, init);
  return { root, init, cgroups: new FakeCgroups() };
}

test('sends the signal to init', async () => {
  const { root, init, cgroups } = running();
  const ended = new Promise((resolve) => init.child.on('exit', (_code, signal) => resolve(signal)));
  killContainer(root, 'web', { signal: 10, all: false }, cgroups);
  assert.is(await ended, 'SIGUSR1');
});

test('without a signal it is the one that the image names, else TERM', async () => {
  for (const [named, wanted] of [
    ['SIGUSR1', 'SIGUSR1'],
    ['2', 'SIGINT'],
    ['banana', 'SIGTERM'],
    ['0', 'SIGTERM'],
    [undefined, 'SIGTERM'],
  ] as const) {
    const annotations: Record<string, string> =
      named === undefined ? {} : { 'org.opencontainers.image.stopSignal': named };
    const { root, init, cgroups } = running({ ...ownPidns, annotations });
    const ended = new Promise((resolve) => init.child.on('exit', (_code, signal) => resolve(signal)));
    killContainer(root, 'web', { all: false }, cgroups);
    assert.is(await ended, wanted, named);
  }
});

test('signal 0 asks whether it lives', () => {
  const { root, init, cgroups } = running();
  killContainer(root, 'web', { signal: 0, all: false }, cgroups);
  assert.ok(startTimeOf(init.pid) !== undefined);
});

test('a stopped container is an error in the words engines match, and none with --all', () => {
  const root = makeRoot();
  publish(root, ownPidns, gone);
  const cgroups = new FakeCgroups();
  for (const signal of [0, 9, 15]) {
    assert.throws(
      () => killContainer(root, 'web', { signal, all: false }, cgroups),
      (error: Error) => error.message === 'container not running',
    );
    killContainer(root, 'web', { signal, all: true }, cgroups);
  }
  assert.throws(
    () => killContainer(root, 'none', { signal: 9, all: true }, cgroups),
    (error: Error) => error.message === 'container does not exist',
  );
});

test('a recycled pid is never signalled', () => {
  const root = makeRoot();
  const other = startProcess('sleep', ['60']);
  publish(root, ownPidns, { pid: other.pid, startTime: other.startTime + 1 });
  assert.throws(
    () => killContainer(root, 'web', { signal: 9, all: false }, new FakeCgroups()),
    /container not running/,
  );
  publish(root, { ...ownPidns, bootId: 'another' }, other);
  assert.throws(
    () => killContainer(root, 'web', { signal: 9, all: false }, new FakeCgroups()),
    /container not running/,
  );
  assert.ok(startTimeOf(other.pid) !== undefined);
});

test('a record of another boot reaches no cgroup', () => {
  const root = makeRoot();
  publish(root, { ...sharedPidns, bootId: 'another' }, gone);
  const cgroups = new FakeCgroups();
  const bystander = startProcess('sleep', ['60']);
  cgroups.pids = [bystander.pid];
  killContainer(root, 'web', { signal: 9, all: true }, cgroups);
  assert.equal(cgroups.calls, []);
  assert.ok(startTimeOf(bystander.pid) !== undefined);
});

test('--all reaches every process of the cgroup', async () => {
  const { root, init, cgroups } = running();
  const other = startProcess('sleep', ['60']);
  cgroups.pids = [init.pid, other.pid];
  killContainer(root, 'web', { signal: 15, all: true }, cgroups);
  assert.equal(cgroups.calls, ['freeze']);
  await until(hasEnded(init), 'init ends');
  await until(hasEnded(other), 'the other ends');
});

test('--all reaches more than the executor takes at once, and leaves alone who is in no list any more', async () => {
  const { root, init, cgroups } = running();
  const bystander = startProcess('sleep', ['60']);
  const many = Array.from({ length: 300 }, () => startProcess('sleep', ['60']));
  cgroups.pids = [gone.pid, init.pid, ...many.map(({ pid }) => pid)];
  killContainer(root, 'web', { signal: 15, all: true }, cgroups);
  for (const one of [init, ...many]) await until(hasEnded(one), 'each one ends');
  assert.ok(startTimeOf(bystander.pid) !== undefined);
});

test('where a list has no path each process is signalled by its number', () => {
  const { root, init, cgroups } = running();
  cgroups.pids = [init.pid];
  cgroups.lists = () => undefined;
  kill(root, 'web', { signal: 15, all: true }, cgroups, (steps) => {
    assert.is(steps[0]?.op, 'process.signal');
  });
});

test('SIGKILL reaches every process where the pid namespace is shared, also when init is gone', async () => {
  const { root, init, cgroups } = running(sharedPidns);
  const other = startProcess('sleep', ['60']);
  cgroups.pids = [init.pid, other.pid];
  killContainer(root, 'web', { signal: 9, all: false }, cgroups);
  assert.equal(cgroups.calls, ['kill']);
  await until(hasEnded(other), 'the other ends');

  const left = startProcess('sleep', ['60']);
  cgroups.pids = [left.pid];
  killContainer(root, 'web', { signal: 9, all: false }, cgroups);
  await until(hasEnded(left), 'the one left behind ends');
  assert.throws(() => killContainer(root, 'web', { signal: 9, all: false }, cgroups), /container not running/);
});

test('another signal than SIGKILL goes to init alone', async () => {
  const { root, init, cgroups } = running(sharedPidns);
  const other = startProcess('sleep', ['60']);
  cgroups.pids = [init.pid, other.pid];
  killContainer(root, 'web', { signal: 15, all: false }, cgroups);
  await until(hasEnded(init), 'init ends');
  assert.ok(startTimeOf(other.pid) !== undefined);
});

test('without a cgroup init is what there is to reach', async () => {
  const { root, init, cgroups } = running(sharedPidns);
  killContainer(root, 'web', { signal: 9, all: true }, cgroups);
  await until(hasEnded(init), 'init ends');
});

test('SIGKILL thaws a paused container, which would otherwise hold the dead; other signals do not', () => {
  const { root, cgroups } = running();
  cgroups.frozen = true;
  const steps = (signal: number): string[] => {
    const found: string[] = [];
    kill(root, 'web', { signal, all: false }, cgroups, (list) => {
      found.push(...list.map(({ op }) => op));
    });
    return found;
  };
  assert.equal(steps(10), ['process.signal']);
  assert.equal(steps(9), ['process.signal', 'cgroup.open', 'cgroup.write']);
});

test('R21: a process that ends after it was looked at is not running, and its number is nobody else', async () => {
  const { root, init, cgroups } = running();
  const send: SendSignals = (steps, cgroup) => {
    init.child.kill('SIGKILL');
    while (startTimeOf(init.pid) !== undefined);
    sendSpawning(cgroups)(steps, cgroup);
  };
  assert.throws(() => kill(root, 'web', { signal: 15, all: false }, cgroups, send), /container not running/);
});

test('where nothing can be frozen, --all goes round by round', async () => {
  const { root, init, cgroups } = running();
  cgroups.pids = [init.pid];
  cgroups.freezes = false;
  killContainer(root, 'web', { signal: 15, all: true }, cgroups);
  assert.equal(cgroups.calls, ['freeze', 'signal 15']);
});

test('a paused container stays paused under --all, and what was frozen for it runs again', () => {
  const { root, init, cgroups } = running();
  cgroups.pids = [init.pid];
  for (const frozen of [false, true]) {
    cgroups.frozen = frozen;
    kill(root, 'web', { signal: 15, all: true }, cgroups, (steps) => {
      assert.is(steps.at(-1)?.op, frozen ? 'cgroup.signal' : 'cgroup.write');
    });
  }
});

test('a container that is still being created is not running', () => {
  const root = makeRoot();
  mkdirSync(`${root}/web`);
  writeFileSync(`${root}/web/provisional.json`, encodeProvisional(ownPidns));
  for (const all of [false, true]) {
    assert.throws(() => killContainer(root, 'web', { signal: 15, all }, new FakeCgroups()), /container not running/);
  }
});

test.run();
