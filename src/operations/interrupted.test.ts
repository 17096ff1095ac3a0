// R39: signals to what makes a container, while its engine works, while it hangs, and while its plan is carried out. Needs root.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { containerSuite, type TestContainer } from '../executor/test-container.js';
import { executorPath } from '../host/executor.js';
import { until } from '../state/test-container.js';

const { tests, test } = containerSuite('interrupted');
const stops = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 } as const;
type Stop = keyof typeof stops;
const names = Object.keys(stops) as Stop[];

interface Making {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: string | null; said: string; ms: number }>;
}

const stateOf = (container: TestContainer): string => join(container.folder, 'state', container.id);

function making(container: TestContainer, command: readonly string[]): Making {
  const args = ['--root', join(container.folder, 'state'), ...command, container.id];
  const child = spawn(executorPath(), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr?.on('data', (data: Buffer) => (said += String(data)));
  const began = performance.now();
  const ended = new Promise<Awaited<Making['ended']>>((resolve) =>
    child.on('exit', (code, signal) =>
      setTimeout(() => resolve({ code, signal, said, ms: performance.now() - began }), 5),
    ),
  );
  return { child, ended };
}

const childrenOf = (pid: number): number[] => {
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number) : [];
};

/** No process, cgroup or file of it. */
function nothingLeft(container: TestContainer, what: string): void {
  assert.not(existsSync(stateOf(container)), `${what}: state`);
  for (const place of ['/sys/fs/cgroup', '/sys/fs/cgroup/pids', '/sys/fs/cgroup/memory', '/sys/fs/cgroup/unified'])
    assert.not(existsSync(join(place, container.id)), `${what}: ${place}`);
}

async function stopHanging(container: TestContainer, command: readonly string[], signal: Stop, when: () => boolean) {
  const { child, ended } = making(container, command);
  await until(() => childrenOf(child.pid!).length > 0, 'there is an engine');
  const [engine] = childrenOf(child.pid!);
  await until(when, 'the engine is so far');
  process.kill(engine!, 'SIGSTOP');
  const began = performance.now();
  child.kill(signal);
  const patience = setTimeout(() => process.kill(engine!, 'SIGKILL'), 3000);
  const { code, said } = await ended;
  clearTimeout(patience);
  return { code, said: said.trim(), ms: performance.now() - began, engine: engine! };
}

test('an engine that hangs: each signal ends create and run, soon, with 128 and its number', async (container) => {
  container.prepare('trap "exit 0" HUP INT QUIT TERM; sleep 60 & wait');
  for (const command of [['create'], ['run'], ['run', '-d']])
    for (const signal of names) {
      const what = `${command.join(' ')} ${signal}`;
      const result = await stopHanging(container, [...command, '--bundle', container.folder], signal, () => true);
      // It may have been quicker than our SIGSTOP.
      if (result.code === 0) {
        container.tsrun(['delete', '--force', container.id]);
        continue;
      }
      assert.equal(
        [result.code, result.said],
        [stops[signal], `tsrun ${command[0]} ${container.id}: interrupted by ${signal}`],
        what,
      );
      assert.ok(result.ms < 1000, `${what}: ${result.ms} ms`);
      assert.not(existsSync(`/proc/${result.engine}/exe`), what);
      nothingLeft(container, what);
    }
});

test('an engine that hangs after it has claimed the id, and one that has not: what is there already stays', async (container) => {
  container.prepare('sleep 60');
  const state = stateOf(container);
  for (const signal of names) {
    const create = ['create', '--bundle', container.folder];
    const claimed = await stopHanging(container, create, signal, () => existsSync(state));
    if (claimed.code !== 0) nothingLeft(container, `${signal} after the claim`);
    container.tsrun(['delete', '--force', container.id]);
  }
  // Somebody else's, whole or just claimed.
  mkdirSync(state, { recursive: true, mode: 0o700 });
  writeFileSync(join(state, 'config.json'), '{}');
  await stopHanging(container, ['create', '--bundle', container.folder], 'SIGTERM', () => true);
  assert.equal(readdirSync(state), ['config.json']);
});

test('a container of the same name is not taken back', async (container) => {
  assert.is(container.create('sleep 60').status, 0);
  const before = readdirSync(stateOf(container)).sort();
  for (let delay = 0; delay < 12; delay += 2) {
    const { child, ended } = making(container, ['create', '--bundle', container.folder]);
    await new Promise((resolve) => setTimeout(resolve, delay));
    child.kill('SIGTERM');
    await ended;
    assert.equal(readdirSync(stateOf(container)).sort(), before);
  }
  assert.match(container.tsrun(['state', container.id]).output, /"created"/);
});

test('at any moment, also twice: done or undone, and nothing is left of what was undone', async (container) => {
  container.prepare('sleep 60');
  for (let round = 0; round < 80; round++) {
    const signal = names[round % names.length]!;
    const { child, ended } = making(container, [round % 3 ? 'create' : 'run', '--bundle', container.folder]);
    await new Promise((resolve) => setTimeout(resolve, round % 40));
    const began = performance.now();
    child.kill(signal);
    if (round % 2) setTimeout(() => child.kill('SIGTERM'), 1);
    if (round % 3 === 0) setTimeout(() => container.tsrun(['kill', container.id, 'KILL']), 300);
    const { code, signal: by } = await ended;
    const what = `round ${round}, ${signal}`;
    if (code === 0) assert.is(container.tsrun(['delete', '--force', container.id]).status, 0, what);
    // By the signal itself: before there was an engine, or in a running container's.
    else if (by === null && code !== 137) assert.is(code, stops[signal], what);
    if (round % 3) assert.ok(performance.now() - began < 1000, what);
    nothingLeft(container, what);
  }
});

tests.run();
