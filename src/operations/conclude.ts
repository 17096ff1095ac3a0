/** After a failed plan: says why, in terms of the config, and takes back what had been made. */
import { type Failure, TsrunError } from '../errors/error.js';
import { explainStep } from '../errors/explain/outcome.js';
import { explainLostRecorder } from '../errors/explain/recorder.js';
import {
  decodeNotes,
  decodeOutcome,
  describeWaitStatus,
  type Notes,
  type Outcome,
  outcomeErrno,
} from '../executor/outcome.js';
import type { CgroupRecord } from '../tables/cgroup.js';
import { signalName } from '../tables/signals.js';

/** What rollback needs of cgroups; the manager of linux/cgroup is the real one. */
export interface RollbackTools {
  oomKills(cgroup: CgroupRecord): number;
  killAll(cgroup: CgroupRecord): void;
  remove(cgroup: CgroupRecord): void;
}

function explainDeath(outcome: Outcome, oomKills: number): Failure {
  if (oomKills > 0) {
    return {
      code: 'TSR_INIT_OOM',
      message: 'container init was OOM-killed (memory limit too low?)',
      pointer: '/linux/resources/memory/limit',
    };
  }
  return {
    code: 'TSR_INIT_DIED',
    message: `container init ended without an error message: ${describeWaitStatus(outcome.value)}`,
  };
}

/** The failure behind an outcome. `oomKills`: how many processes the kernel killed for memory in the container's cgroup. */
export function explainOutcome(outcome: Outcome, notes: Notes, oomKills = 0): Failure {
  const [pointer, summary] = notes[outcome.step] ?? ['', ''];
  switch (outcome.status) {
    case 'plan-refused':
      return {
        code: 'TSR_EXECUTOR_PLAN',
        message: 'the executor refused the plan',
        errno: outcomeErrno(outcome),
        hint: "was the file 'tsrun' replaced meanwhile?",
      };
    case 'interrupted':
      return {
        code: 'TSR_INTERRUPTED',
        message: `interrupted by ${signalName(outcome.value) ?? `signal ${outcome.value}`}`,
      };
    case 'child-died':
      return explainLostRecorder(notes, outcome.value) ?? explainDeath(outcome, oomKills);
    default: {
      if (oomKills > 0) return explainDeath(outcome, oomKills);
      const ended = outcome.value === 0 ? '' : describeWaitStatus(outcome.value);
      return explainStep({
        pointer,
        summary,
        errno: outcomeErrno(outcome),
        syscall: outcome.syscall,
        ended,
        text: outcome.text,
        limitMs: outcome.value,
      });
    }
  }
}

/** The error to throw for a failed round. An interrupted command ends with 128 + the signal's number. */
export function errorOf(round: { readonly outcome: Uint8Array; readonly plan: Uint8Array }, oomKills = 0): TsrunError {
  const outcome = decodeOutcome(round.outcome);
  const notes = outcome.status === 'plan-refused' ? [] : decodeNotes(round.plan, outcome);
  const error = new TsrunError(explainOutcome(outcome, notes, oomKills));
  if (outcome.status === 'interrupted') error.exitCode = 128 + outcome.value;
  return error;
}
