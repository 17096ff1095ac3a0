import { carryOut, failedRound, handOver, handOverAnd, isEngine } from '../host/executor.js';

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

async function isRemark({ outcome }: Round): Promise<boolean> {
  const { decodeOutcome } = await import('../executor/outcome.js');
  return decodeOutcome(outcome).status === 'remark';
}

/**
 * A command that is one plan. The executor that started us gets it, and starts us again only when it has failed: then
 * `explain` says why, or when something has failed that does not stop it, which goes to `remark`. Without one (Node) it is spawned. Returns the exit status. @throws what `prepare` throws and `explain` gives
 */
export async function inRounds(
  prepare: () => Uint8Array | Promise<Uint8Array>,
  explain: (round: Round) => Promise<Error>,
  { meanwhile, remark }: Besides = {},
): Promise<number> {
  const failed = failedRound();
  if (failed && remark && (await isRemark(failed))) {
    await remark(failed);
    return 0;
  }
  if (failed) throw await explain(failed);
  const plan = await prepare();
  if (isEngine()) return meanwhile ? handOverAnd(plan, meanwhile) : handOver(plan);
  const { decodeOutcome, splitAnswer } = await import('../executor/outcome.js');
  const { outcome, remarks } = splitAnswer(carryOut(plan));
  for (const one of remarks) await remark?.({ outcome: one, plan });
  const { status, value } = decodeOutcome(outcome);
  if (status === 'ok') return value;
  throw await explain({ outcome, plan });
}
