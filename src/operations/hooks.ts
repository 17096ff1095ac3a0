import { fail, TsrunError } from '../errors/error.js';
import { decodeNotes, decodeOutcome } from '../executor/outcome.js';
import { carryOut } from '../host/executor.js';
import { encodePlan } from '../plan/encode.js';
import { directoryStep, environmentOf } from '../plan/phases/hooks.js';
import { step } from '../plan/step.js';
import { explainOutcome } from './conclude.js';
import type { RunHooks } from './tools.js';
import { traceStep } from './trace.js';

/** `hook.run` puts no pid into the state: it is complete. */
const pidInState = 3;

/**
 * Runs hooks whose state is known in full, those of `start` and `delete`, in a plan of their own: the executor has
 * the process group, the deadline and the bounded output that a hook needs (security.md S40, R15).
 */
export const runHooks = ((hooks, state, pointer, first = 0) => {
  if (hooks.length === 0) return;
  const name = pointer.slice(pointer.lastIndexOf('/') + 1);
  const steps = hooks.map(({ path, args, env, timeout }, index) =>
    step(
      'host',
      'hook.run',
      {
        timeoutMs: (timeout ?? 0) * 1000,
        pidKind: pidInState,
        path,
        args: args ?? [path],
        ...environmentOf(env),
        stateBefore: JSON.stringify(state),
        stateAfter: '',
      },
      `${pointer}/${first + index}`,
      `run ${name} hook #${first + index} ${path}`,
    ),
  );
  const plan = encodePlan({ steps: [directoryStep(state.bundle, pointer), ...steps], preserveFds: 0 });
  const answer = carryOut(plan, ['ignore', 'ignore', 'ignore']);
  if (answer.length === 0) fail('TSR_EXECUTOR_ANSWER', 'the executor has not answered', { pointer });
  const outcome = decodeOutcome(answer);
  traceStep(() => `${hooks.length} of the ${name} hooks: ${outcome.status === 'ok' ? 'done' : 'failed'}`, { pointer });
  if (outcome.status !== 'ok') throw new TsrunError(explainOutcome(outcome, decodeNotes(plan, outcome)));
}) satisfies RunHooks;
