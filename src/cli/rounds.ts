import type { Outcome } from '../executor/outcome.js';
import { carryOut, failedRound, handOver, handOverAnd, isEngine } from '../host/executor.js';
import type { Log } from './log.js';

/** What an executor could not do: its answer and the plan it had. */
export interface Round {
  readonly outcome: Uint8Array;
  readonly plan: Uint8Array;
}

/** trace-file.ts. */
export interface Tracer {
  /** What is to be read again when the plan has been carried out. */
  line(): string;
  write(answer: Uint8Array, plan: Uint8Array, outcome: Outcome): void;
  /** There is no plan. */
  writeEngine(): void;
}

export interface Besides {
  /** What the engine does while its plan is being carried out; nobody waits for it, and it may fail. */
  readonly meanwhile?: () => Promise<void>;
  /** Where `--trace` goes. */
  readonly tracer?: Tracer | undefined;
  /** For what has failed and does not stop the plan. */
  readonly remark?: (round: Round) => Promise<void>;
}

/** The command again, started to say why its plan has failed, or what is worth saying while it goes on. */
async function laterRound(
  log: Log,
  { outcome: answer, plan }: Round,
  explain: (round: Round) => Promise<Error>,
  { remark, tracer }: Besides,
): Promise<number> {
  const { decodeOutcome, outcomeSize } = await import('../executor/outcome.js');
  const round = { outcome: answer.subarray(0, outcomeSize), plan };
  const outcome = decodeOutcome(round.outcome);
  if (log.isVerbose) (await import('./debug.js')).tellTrace(log, answer, plan, outcome);
  tracer?.write(answer, plan, outcome);
  if (outcome.status === 'trace') return 0;
  if (outcome.status !== 'remark' || !remark) throw await explain(round);
  await remark(round);
  return 0;
}

/** What the engine itself refuses has a trace, too. */
async function prepareTraced(prepare: () => Uint8Array | Promise<Uint8Array>, tracer: Tracer | undefined) {
  try {
    return await prepare();
  } catch (error) {
    tracer?.writeEngine();
    throw error;
  }
}

/**
 * A command that is one plan. The executor that started us gets it, and starts us again only when it has failed: then
 * `explain` says why, or when something has failed that does not stop it, which goes to `remark`. With --debug it also hands over
 * what it has noted of the steps. Without an executor above us (Node) one is spawned. Returns the exit status. @throws what `prepare` throws and `explain` gives
 */
export async function inRounds(
  log: Log,
  prepare: () => Uint8Array | Promise<Uint8Array>,
  explain: (round: Round) => Promise<Error>,
  besides: Besides = {},
): Promise<number> {
  const { meanwhile, remark, tracer } = besides;
  const failed = failedRound();
  if (failed) return laterRound(log, failed, explain, besides);
  const given = await prepareTraced(prepare, tracer);
  const plan = log.isVerbose || tracer ? (await import('./debug.js')).traced(log, given, tracer?.line()) : given;
  if (isEngine()) {
    return meanwhile ? handOverAnd(plan, meanwhile) : handOver(plan);
  }
  const { decodeOutcome, splitAnswer } = await import('../executor/outcome.js');
  const { outcome, remarks, traced } = splitAnswer(carryOut(plan));
  for (const one of remarks) await remark?.({ outcome: one, plan });
  const decoded = decodeOutcome(outcome);
  tracer?.write(traced, plan, decoded);
  const { status, value } = decoded;
  if (status === 'ok') return value;
  throw await explain({ outcome, plan });
}
