// R39: signals to what makes a container, while its engine works, while it hangs, and while its plan is carried out. Needs root.
// How long a stop may take is told in calls that are refused at once, on the same machine at the same time: a stop kills one engine and
// starts another, which is about two of them, so far below the 100 ms that R39 allows: quiet, 318 stops took 3.7 ms in the middle, 14 at most.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
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

const making = (container: TestContainer, command: readonly string[]): Making =>
  begin(executorPath(), ['--root', join(container.folder, 'state'), ...command, container.id]);

function begin(file: string, args: readonly string[]): Making {
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr?.on('data', (data: Buffer) => (said += String(data)));
  const began = performance.now();
  const ended = new Promise<Awaited<Making['ended']>>((resolve) =>
    child.on('exit', (code, signal) => {
      const ms = performance.now() - began;
      const done = (): void => resolve({ code, signal, said, ms });
      // A container that has been made keeps the streams; otherwise the end of them is the end of what was said.
      if (code === 0) done();
      else child.on('close', done);
    }),
  );
  return { child, ended };
}

const childrenOf = (pid: number): number[] => {
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number) : [];
};

/** It may have gone already. */
function tryKill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {}
}

/** T: stopped. It has been too quick for us when it is a zombie, or gone. */
const isStopped = (pid: number): boolean => {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && readFileSync(file, 'utf8').split(') ')[1]?.[0] === 'T';
};

/** Runs from the file itself; what is to be the container's first process, which takes its place soon, has a sealed copy. */
function isEngine(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`) === realpathSync(executorPath());
  } catch {
    return false;
  }
}

/** Until SIGSTOP has worked: neither running nor asleep any more. */
const isSettled = (pid: number): boolean => {
  const file = `/proc/${pid}/stat`;
  return !existsSync(file) || /^[TZX]/.test(readFileSync(file, 'utf8').split(') ')[1] ?? '');
};

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** How long a call takes that ends with an error at once. */
async function refusal(container: TestContainer): Promise<number> {
  return (await making(container, ['create', '--bundle', '/nonexistent']).ended).ms;
}

/** In the middle a stop is no more than a few calls; something that is waited for would be many. */
function assertSoon(stopped: readonly number[], refused: readonly number[]): void {
  const [stop, call] = [median(stopped), median(refused)];
  assert.ok(stop < 6 * call, `stopping takes ${stop} ms, a call that is refused ${call} ms, each in the middle`);
}

/** No process, cgroup or file of it. */
function nothingLeft(container: TestContainer, what: string): void {
  assert.not(existsSync(stateOf(container)), `${what}: state`);
  for (const place of ['/sys/fs/cgroup', '/sys/fs/cgroup/pids', '/sys/fs/cgroup/memory', '/sys/fs/cgroup/unified'])
    assert.not(existsSync(join(place, container.id)), `${what}: ${place}`);
}

async function stopHanging(container: TestContainer, command: readonly string[], signal: Stop, when: () => boolean) {
  const { child, ended } = making(container, command);
  let engine: number | undefined;
  await until(() => {
    [engine] = childrenOf(child.pid!);
    return engine !== undefined || child.exitCode !== null;
  }, 'there is an engine, or has been');
  // On a quick machine it can be over before we look.
  if (engine === undefined) {
    const { code, said, ms } = await ended;
    return { code, said: said.trim(), ms, engine, hangs: false };
  }
  await until(when, 'the engine is so far');
  tryKill(engine, 'SIGSTOP');
  await until(() => isSettled(engine!), 'it has stopped');
  const hangs = isStopped(engine) && isEngine(engine);
  const began = performance.now();
  child.kill(signal);
  const patience = setTimeout(() => tryKill(engine!, 'SIGKILL'), 3000);
  const { code, said } = await ended;
  clearTimeout(patience);
  return { code, said: said.trim(), ms: performance.now() - began, engine, hangs };
}

test('an engine that hangs: each signal ends create and run, soon, with 128 and its number', async (container) => {
  container.prepare('trap "exit 0" HUP INT QUIT TERM; sleep 60 & wait');
  const stopped: number[] = [];
  const refused: number[] = [];
  for (const command of [['create'], ['run'], ['run', '-d']])
    for (const signal of names) {
      const what = `${command.join(' ')} ${signal}`;
      const result = await stopHanging(container, [...command, '--bundle', container.folder], signal, () => true);
      refused.push(await refusal(container));
      // It may have been quicker than our SIGSTOP; what a program in the container does with a signal is its business.
      if (!result.hangs || result.code === 0) {
        container.tsrun(['delete', '--force', container.id]);
        continue;
      }
      assert.equal(
        [result.code, result.said],
        [stops[signal], `tsrun ${command[0]} ${container.id}: interrupted by ${signal}`],
        what,
      );
      stopped.push(result.ms);
      assert.not(existsSync(`/proc/${result.engine}/exe`), what);
      nothingLeft(container, what);
    }
  assert.ok(stopped.length > 0, 'none was caught in time');
  assertSoon(stopped, refused);
});

/** `run` of the container below strace, which watches the launcher's words to the container's first process. */
function runTraced(container: TestContainer, log: string, ...more: readonly string[]): Making {
  const command = [executorPath(), '--root', join(container.folder, 'state'), 'run', '--bundle', container.folder];
  return begin('strace', ['-o', log, '-e', 'trace=sendmsg', ...more, ...command, container.id]);
}

test('one that comes when the program runs and `run` does not know yet: it is not passed on to who has no handler', async (container) => {
  const log = join(container.folder, 'words');
  container.prepare('true');
  await runTraced(container, log).ended;
  const last = readFileSync(log, 'utf8').match(/^sendmsg/gm)?.length ?? 0;
  container.prepare('touch /up; exec sleep 60');
  const marker = join(container.folder, 'rootfs/up');
  // After its last word, which lets the program run, the launcher pauses.
  const pause = ['-e', `inject=sendmsg:delay_exit=2000000:when=${last}`];
  const attempt = async (signal: Stop): Promise<readonly unknown[]> => {
    rmSync(marker, { force: true });
    const { child, ended } = runTraced(container, log, ...pause);
    await until(() => existsSync(marker), 'the program runs');
    process.kill(childrenOf(child.pid!)[0]!, signal);
    const patience = setTimeout(() => container.tsrun(['kill', container.id, 'KILL']), 5000);
    const { code, said } = await ended;
    clearTimeout(patience);
    nothingLeft(container, signal);
    return [code, said.trim()];
  };
  for (const signal of ['SIGHUP', 'SIGTERM'] as const) {
    const wanted = [stops[signal], `tsrun run ${container.id}: interrupted by ${signal}`];
    let got = await attempt(signal);
    // A machine that is so busy that we come after the pause has not tried it.
    for (let i = 0; i < 2 && got[0] === 137; i++) got = await attempt(signal);
    assert.equal(got, wanted);
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
  const stopped: number[] = [];
  const refused: number[] = [];
  for (let round = 0; round < 80; round++) {
    const signal = names[round % names.length]!;
    const { child, ended } = making(container, [round % 3 ? 'create' : 'run', '--bundle', container.folder]);
    await new Promise((resolve) => setTimeout(resolve, round % 40));
    const began = performance.now();
    child.kill(signal);
    if (round % 2) setTimeout(() => child.kill('SIGTERM'), 1);
    if (round % 3 === 0) setTimeout(() => container.tsrun(['kill', container.id, 'KILL']), 300);
    const { code, signal: by } = await ended;
    const ms = performance.now() - began;
    const what = `round ${round}, ${signal}`;
    if (code === 0) assert.is(container.tsrun(['delete', '--force', container.id]).status, 0, what);
    // By the signal itself: before there was an engine, or in a running container's.
    // 137: it came too late for the engine, and the container ran until it was killed.
    else if (by === null && code !== 137) {
      assert.is(code, stops[signal], what);
      stopped.push(ms);
    }
    refused.push(await refusal(container));
    nothingLeft(container, what);
  }
  assert.ok(stopped.length > 0, 'none was caught in time');
  assertSoon(stopped, refused);
});

tests.run();
