/** `run` and `exec` for a Node program: it goes on while the container works, and may have the output. */
import { decodeOutcome, splitAnswer } from '../executor/outcome.js';
import { type Carried, carryOutAsync, type Stream } from '../host/carry-out-async.js';
import { TsrunError } from '../errors/error.js';
import { childrenOf } from '../state/status.js';
import { removeState } from '../state/store.js';
import { SIGKILL } from '../tables/signals.js';
import { cgroupControl } from './cgroups.js';
import { errorOf } from './conclude.js';
import { explainExec } from './exec-failure.js';
import { killContainer, signalByPid } from './kill.js';
import { sendSpawning } from './kill-failure.js';
import { type Limits, type Running, Watch } from './limits.js';
import { type RollbackOptions, rollBack } from './roll-back.js';

export type { Stream } from '../host/carry-out-async.js';

export interface Streams {
  /** Default: `ignore`. */
  readonly stdin?: Exclude<Stream, 'collect'>;
  /** Default: `inherit`. */
  readonly stdout?: Stream;
  readonly stderr?: Stream;
}

export interface Finished {
  /** Exit status; 128 + N for signal N. */
  readonly status: number;
  /** What was collected; else ''. */
  readonly stdout: string;
  readonly stderr: string;
}

/** What the two of them do differently. */
interface Ways {
  /** Ends the process for good. */
  readonly kill: (running: Running) => void;
  readonly explain: (outcome: Uint8Array) => Error;
  readonly remark?: (outcome: Uint8Array) => void;
  /** The executor was stopped before its first step. */
  readonly abandon?: () => void;
}

async function carried(plan: Uint8Array, options: Streams & Limits, ways: Ways): Promise<Finished> {
  const { stdin = 'ignore', stdout = 'inherit', stderr = 'inherit' } = options;
  const watch = new Watch(options, ways.kill);
  let result: Carried;
  try {
    result = await carryOutAsync(plan, [stdin, stdout, stderr], (running) => watch.begin(running));
  } finally {
    watch.end();
  }
  const stopped = watch.reason;
  if (stopped && result.outcome.length === 0) {
    ways.abandon?.();
    throw stopped;
  }
  const { outcome, remarks } = splitAnswer(result.outcome);
  for (const remark of remarks) ways.remark?.(remark);
  const { status, value } = decodeOutcome(outcome);
  const failure = status === 'ok' ? undefined : ways.explain(outcome);
  if (stopped ?? failure) throw stopped ?? failure;
  return { status: value, stdout: result.stdout, stderr: result.stderr };
}

/** @throws TsrunError; then nothing is left of the container. */
export const runAsync = (
  root: string,
  id: string,
  plan: Uint8Array,
  options: Streams & RollbackOptions & Limits,
): Promise<Finished> =>
  carried(plan, options, {
    kill: () => killQuietly(root, id),
    explain: (outcome) => rollBack(root, id, { outcome, plan }, options),
    remark: (outcome) => options.warn(errorOf({ outcome, plan }).failure),
    abandon: () => removeState(root, id),
  });

/** @throws TsrunError */
export const execAsync = (root: string, id: string, plan: Uint8Array, options: Streams & Limits): Promise<Finished> =>
  carried(plan, options, {
    kill: ({ pid }) => killChildren(pid),
    explain: (outcome) => explainExec(root, id, { outcome, plan }, false),
  });

/** It may have ended by itself, or not yet have begun. */
function killQuietly(root: string, id: string): void {
  try {
    killContainer(root, id, { signal: SIGKILL, all: false }, cgroupControl, sendSpawning(cgroupControl));
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
  }
}

/** The process of an exec is the executor's child, and stays that until the executor has been told of its end. */
function killChildren(executor: number): void {
  for (const child of childrenOf(executor)) signalByPid(child, SIGKILL);
}
