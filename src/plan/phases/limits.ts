import { fail } from '../../errors/error.js';
import { rlimitNumber } from '../../tables/rlimits.js';
import type { ProcessContext } from '../options.js';
import { type Step, step } from '../step.js';

/** Written from outside: inside a user namespace the value could only be raised. Absent means untouched (spec). */
export function oomSteps({ process }: ProcessContext): Step[] {
  if (process.oomScoreAdj === undefined) return [];
  const value = `${process.oomScoreAdj}`;
  const args = { file: 'oom_score_adj', value };
  return [step('host', 'child.write-proc', args, '/process/oomScoreAdj', `set OOM score adjustment ${value}`)];
}

/**
 * Set by the host, which may raise them, and when everything else is done: a limit of the payload must not stop
 * its own setup.
 */
export function rlimitSteps({ process }: ProcessContext): Step[] {
  const list = process.rlimits ?? [];
  const steps: Step[] = [];
  for (let i = 0; i < list.length; i++) {
    const { type, soft, hard } = list[i]!;
    const pointer = `/process/rlimits/${i}`;
    const resource = rlimitNumber(type) ?? fail('TSR_PLAN_NAME', `unknown rlimit '${type}'`, { pointer });
    const args = { resource, raise: 0, soft: BigInt(soft), hard: BigInt(hard) };
    steps.push(step('host', 'child.rlimit', args, pointer, `limit ${type} ${soft}:${hard}`));
  }
  return steps;
}
