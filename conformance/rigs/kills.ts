// T-KILL (security.md R06, R07, R08, R40): each process of a command is killed, or stopped while `delete --force` comes, after each of its
// system calls. Whatever comes of it, the command and `delete --force` end in time, and nothing is left.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { removeSync } from 'fs-extra/esm';
import { executorPath } from '../../src/host/executor.js';
import { buildHelper } from '../../src/executor/test-swapper.js';
import { type Bundle, makeBundle, tsrun } from './bundle.js';
import { leftSince, look, sleep } from './host.js';
import { finish, report } from './report.js';

const SIGKILL = 9;
const SIGSTOP = 19;
/** The executor, the engine, and whom the executor makes. */
const processes = [0, 1, 2, 3] as const;

interface Hit {
  /** The process that got the signal; undefined when it has not made so many calls. */
  readonly pid: number | undefined;
  /** How many calls it has made then. */
  readonly calls: number;
  readonly status: number;
}

/** Runs a command of tsrun; its `process`-th process gets the signal after `call` system calls. */
function hit(bundle: Bundle, process: number, call: number, signal: number, args: readonly string[]): Hit {
  const all = [process, call, signal, executorPath(), '--root', bundle.root, ...args].map(String);
  const { stdout } = spawnSync(buildHelper('stop-at'), all, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  const [first = '', ...rest] = last.split(' ');
  if (first === 'none') return { pid: undefined, calls: Number(rest[0]), status: Number(rest[1]) };
  return { pid: Number(first), calls: call, status: Number(rest[0]) };
}

const create = ({ directory }: Bundle): string[] => ['create', '--bundle', directory, 'web'];
const removal = ['delete', '--force', 'web'];

/** What is wrong with the end of it: `delete --force` must succeed, and nothing may be left. */
function problems(bundle: Bundle, before: readonly string[]): string[] {
  const { status, stderr } = tsrun(bundle, ...removal);
  const left = leftSince(before, bundle.root, 4000).map((item) => `left: ${item}`);
  return [...(status === 0 ? [] : [`delete --force: ${status} ${stderr}`]), ...left];
}

/** Every `stride`-th call of each process of the command. */
function sweep(
  stride: number,
  calls: (process: number) => number,
  round: (process: number, call: number) => void,
): number {
  let rounds = 0;
  for (const process of processes) {
    const last = calls(process);
    for (let call = 1 + (process % stride); call <= last; call += stride, rounds++) round(process, call);
  }
  return rounds;
}

function countCalls(bundle: Bundle, args: readonly string[], tidy: () => void): (process: number) => number {
  const found = processes.map((process) => {
    const { calls } = hit(bundle, process, 1e9, SIGKILL, args);
    tidy();
    return calls;
  });
  return (process) => found[process] ?? 0;
}

/** A process of `create` is killed, then the container is deleted. */
function killedCreates(bundle: Bundle, stride: number, calls: (process: number) => number): number {
  return sweep(stride, calls, (process, call) => {
    const before = look(bundle.root);
    hit(bundle, process, call, SIGKILL, create(bundle));
    report(`create: process ${process} is killed after ${call} calls`, problems(bundle, before));
  });
}

/** A process of `create` stands still while the container is deleted, and goes on after that. */
function stoppedCreates(bundle: Bundle, stride: number, calls: (process: number) => number): number {
  return sweep(stride, calls, (process, call) => {
    const before = look(bundle.root);
    const { pid } = hit(bundle, process, call, SIGSTOP, create(bundle));
    const { status, stderr } = tsrun(bundle, ...removal);
    resume(pid);
    sleep(100);
    const first = status === 0 ? [] : [`delete --force beside it: ${status} ${stderr}`];
    report(`create: process ${process} is stopped after ${call} calls`, [...first, ...problems(bundle, before)]);
  });
}

function resume(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, 'SIGCONT');
  } catch {
    // It was killed as it stood.
  }
}

/** `delete --force` is killed on its way, or stands still while another one comes. */
function brokenDeletes(bundle: Bundle, stride: number): number {
  // What is made keeps the streams, and nobody would wait for their end.
  const make = (): void =>
    void spawnSync(executorPath(), ['--root', bundle.root, ...create(bundle)], { stdio: 'ignore' });
  make();
  const calls = countCalls(bundle, removal, make);
  tsrun(bundle, ...removal);
  let rounds = 0;
  for (const signal of [SIGKILL, SIGSTOP])
    rounds += sweep(stride, calls, (process, call) => {
      const before = look(bundle.root);
      make();
      const { pid } = hit(bundle, process, call, signal, removal);
      // What stands still is still there, and what it would wait for is a zombie.
      const beside = signal === SIGSTOP ? tsrun(bundle, ...removal) : undefined;
      const found =
        beside && beside.status !== 0 ? [`the other delete --force: ${beside.status} ${beside.stderr}`] : [];
      resume(pid);
      const what = signal === SIGKILL ? 'killed' : 'stopped while another one comes';
      report(`delete --force: process ${process} is ${what} after ${call} calls`, [
        ...found,
        ...problems(bundle, before),
      ]);
    });
  return rounds;
}

/** `create` stands still where it has nothing but its directory; `delete --force` comes, and stands still in turn. */
function directoriesWithoutRecord(bundle: Bundle, stride: number, calls: (process: number) => number): number {
  const engine = 1;
  const stopAfter = (call: number): Hit => hit(bundle, engine, call, SIGSTOP, create(bundle));
  const isThere = (call: number): boolean => {
    const { pid } = stopAfter(call);
    const there = existsSync(join(bundle.root, 'web'));
    resume(pid);
    sleep(100);
    tsrun(bundle, ...removal);
    return there;
  };
  let [low, high] = [1, calls(engine)];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isThere(middle)) high = middle;
    else low = middle + 1;
  }
  const prepare = (): Hit => stopAfter(low);
  let made = prepare();
  const end = (): void => {
    resume(made.pid);
    sleep(100);
    tsrun(bundle, ...removal);
  };
  const last = countCalls(bundle, removal, () => {
    end();
    made = prepare();
  });
  end();
  return sweep(stride, last, (process, call) => {
    const before = look(bundle.root);
    made = prepare();
    const removing = hit(bundle, process, call, SIGSTOP, removal);
    resume(made.pid);
    sleep(150);
    resume(removing.pid);
    sleep(50);
    report(
      `delete --force that finds no record: process ${process} is stopped after ${call} calls`,
      problems(bundle, before),
    );
  });
}

/** A process of an exec is killed: the command ends, and so does whatever it has made. */
function killedExecs(bundle: Bundle, stride: number): number {
  const run = ['--root', bundle.root, 'run', '--detach', '--bundle', bundle.directory, 'web'];
  spawnSync(executorPath(), run, { stdio: 'ignore' });
  let rounds = 0;
  // The second one leaves a plan behind, and then there is no engine any more.
  for (const exec of [
    ['exec', 'web', '/bin/true'],
    ['exec', '--env', 'A=b', 'web', '/bin/true'],
  ]) {
    const calls = countCalls(bundle, exec, () => undefined);
    rounds += sweep(stride, calls, (process, call) => {
      const before = look(bundle.root);
      const { status } = hit(bundle, process, call, SIGKILL, exec);
      const left = leftSince(before, bundle.root, 2000).map((item) => `left: ${item}`);
      const hangs = Number.isNaN(status) ? ['hangs'] : [];
      report(`${exec.join(' ')}: process ${process} is killed after ${call} calls`, [...hangs, ...left]);
    });
  }
  tsrun(bundle, ...removal);
  return rounds;
}

/** @param long every call, otherwise some of each. */
export function killRig(long: boolean): void {
  const bundle = makeBundle('exec sleep 1000', { hooks: {} });
  const stride = (few: number): number => (long ? 1 : few);
  const calls = countCalls(bundle, create(bundle), () => tsrun(bundle, ...removal));
  report('calls are counted', calls(0) > 100 && calls(2) > 20 ? '' : `${processes.map(calls)}`);
  const sweeps: readonly (readonly [name: string, sweep: () => number])[] = [
    ['create killed', () => killedCreates(bundle, stride(31), calls)],
    ['create stopped', () => stoppedCreates(bundle, stride(151), calls)],
    ['delete --force broken', () => brokenDeletes(bundle, stride(61))],
    ['no record yet', () => directoriesWithoutRecord(bundle, stride(31), calls)],
    ['exec killed', () => killedExecs(bundle, stride(31))],
  ];
  for (const [name, sweepAll] of sweeps) {
    const since = Date.now();
    finish(`T-KILL, ${name}`, since, sweepAll());
  }
  removeSync(bundle.directory);
}
