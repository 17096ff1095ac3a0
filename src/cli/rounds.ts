import { carryOut, failedRound, handOver, handOverAnd, isEngine } from '../host/executor.js';
import type { Log } from './log.js';

/** What an executor could not do: its answer and the plan it had. */
export interface Round {
  readonly outcome: Uint8Array;
  readonly plan: Uint8Array;
}

export interface Besides {
  /** What the engine does while its plan is being carried out; nobody waits for it, and it may fail. */
  readonly meanwhile?: () => Promise<void>;
  /** For what has failed and does not stop the plan. */
  readonly remark?: (round: Round) => Promise<void>;
}

/** The command again, started to say why its plan has failed, or what is worth saying while it goes on. */
async function laterRound(
  log: Log,
  { outcome: answer, plan }: Round,
  explain: (round: Round) => Promise<Error>,
  remark: Besides['remark'],
): Promise<number> {
  const { decodeOutcome, outcomeSize } = await import('../executor/outcome.js');
  const round = { outcome: answer.subarray(0, outcomeSize), plan };
  const outcome = decodeOutcome(round.outcome);
  if (log.isVerbose) (await import('./debug.js')).tellTrace(log, answer, plan, outcome);
  if (outcome.status === 'trace') return 0;
  if (outcome.status !== 'remark' || !remark) throw await explain(round);
  await remark(round);
  return 0;
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
  { meanwhile, remark }: Besides = {},
): Promise<number> {
  const failed = failedRound();
  if (failed) return laterRound(log, failed, explain, remark);
  const plan = await prepare();
  if (isEngine()) {
    const traced = log.isVerbose ? await (await import('./debug.js')).traced(log, plan) : plan;
    return meanwhile ? handOverAnd(traced, meanwhile) : handOver(traced);
  }
  const { decodeOutcome, splitAnswer } = await import('../executor/outcome.js');
  const { outcome, remarks } = splitAnswer(carryOut(plan));
  for (const one of remarks) await remark?.({ outcome: one, plan });
  const { status, value } = decodeOutcome(outcome);
  if (status === 'ok') return value;
  throw await explain({ outcome, plan });
}
