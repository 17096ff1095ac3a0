import { carryOut, failedRound, handOver, handOverAnd, isEngine } from '../host/executor.js';

/** What an executor could not do: its answer and the plan it had. */
export interface Round {
  readonly outcome: Uint8Array;
  readonly plan: Uint8Array;
}

/**
 * A command that is one plan. The executor that started us gets it, and starts us again only when it has failed: then
 * `explain` says why. Without one (Node) it is spawned. Returns the exit status. @throws what `prepare` throws and `explain` gives
 * @param meanwhile what the engine does while its plan is being carried out; nobody waits for it, and it may fail.
 */
export async function inRounds(
  prepare: () => Uint8Array | Promise<Uint8Array>,
  explain: (round: Round) => Promise<Error>,
  meanwhile?: () => Promise<void>,
): Promise<number> {
  const failed = failedRound();
  if (failed) throw await explain(failed);
  const plan = await prepare();
  if (isEngine()) return meanwhile ? handOverAnd(plan, meanwhile) : handOver(plan);
  const { decodeOutcome } = await import('../executor/outcome.js');
  const outcome = carryOut(plan);
  const { status, value } = decodeOutcome(outcome);
  if (status === 'ok') return value;
  throw await explain({ outcome, plan });
}
