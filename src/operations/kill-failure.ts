/** When the executor could not send a signal. */
import { TsrunError } from '../errors/error.js';
import { decodeNotes, decodeOutcome, outcomeErrno } from '../executor/outcome.js';
import { carryOut } from '../host/executor.js';
import { encodePlan } from '../plan/encode.js';
import type { CgroupRecord } from '../tables/cgroup.js';
import { explainOutcome } from './conclude.js';
import { notRunning, type SendSignals, thawSummary } from './kill.js';
import type { CgroupControl } from './tools.js';

interface Round {
  readonly outcome: Uint8Array;
  readonly plan: Uint8Array;
}

/** Why the signals have not gone out; and what was frozen for them runs again. */
export function explainKill(cgroup: CgroupRecord, round: Round, cgroups: Pick<CgroupControl, 'thaw'>): TsrunError {
  const outcome = decodeOutcome(round.outcome);
  const notes = outcome.status === 'plan-refused' ? [] : decodeNotes(round.plan, outcome);
  if (notes.some(([, summary]) => summary === thawSummary)) cgroups.thaw(cgroup);
  if (outcome.status !== 'step-failed') return new TsrunError(explainOutcome(outcome, notes));
  if (outcomeErrno(outcome) === 'ESRCH') return notRunning();
  return new TsrunError({ ...explainOutcome(outcome, notes), code: 'TSR_KILL' });
}

/** Without an executor above us (Node): spawns one. */
export const sendSpawning =
  (cgroups: Pick<CgroupControl, 'thaw'>): SendSignals =>
  (steps, cgroup) => {
    const plan = encodePlan({ steps, preserveFds: 0 });
    const outcome = carryOut(plan, ['ignore', 'ignore', 'ignore']);
    if (decodeOutcome(outcome).status !== 'ok') throw explainKill(cgroup, { outcome, plan }, cgroups);
  };
