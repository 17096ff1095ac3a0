/** `run` and `exec` for a Node program: it goes on while the container works, and may have the output. */
import { decodeOutcome, splitAnswer } from '../executor/outcome.js';
import { type Carried, carryOutAsync, type Stream } from '../host/carry-out-async.js';
import { errorOf } from './conclude.js';
import { explainExec } from './exec-failure.js';
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

async function carried(
  plan: Uint8Array,
  { stdin = 'ignore', stdout = 'inherit', stderr = 'inherit' }: Streams,
  explain: (outcome: Uint8Array) => Error,
  remark: (outcome: Uint8Array) => void = () => undefined,
): Promise<Finished> {
  const result: Carried = await carryOutAsync(plan, [stdin, stdout, stderr]);
  const { outcome, remarks } = splitAnswer(result.outcome);
  remarks.forEach(remark);
  const { status, value } = decodeOutcome(outcome);
  if (status !== 'ok') throw explain(outcome);
  return { status: value, stdout: result.stdout, stderr: result.stderr };
}

/** @throws TsrunError; then nothing is left of the container. */
export const runAsync = (
  root: string,
  id: string,
  plan: Uint8Array,
  options: Streams & RollbackOptions,
): Promise<Finished> =>
  carried(
    plan,
    options,
    (outcome) => rollBack(root, id, { outcome, plan }, options),
    (outcome) => options.warn(errorOf({ outcome, plan }).failure),
  );

/** @throws TsrunError */
export const execAsync = (root: string, id: string, plan: Uint8Array, streams: Streams): Promise<Finished> =>
  carried(plan, streams, (outcome) => explainExec(root, id, { outcome, plan }, false));
