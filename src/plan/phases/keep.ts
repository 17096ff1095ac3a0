/** The last that `create` does for its container: it leaves the plans of `start` and `delete` for whoever calls them. */
import { compileDelete, endedIndex } from '../compile-delete.js';
import { compileStart } from '../compile-start.js';
import { numbersOffset } from '../encode.js';
import { deleteWords, encodeKept, type KeptCall, keptFile, startWords } from '../kept.js';
import type { Context } from '../options.js';
import { type Step, step } from '../step.js';

/** Best effort: without the file the engine is asked, as it always can be. */
const optional = { tolerate: ['ENOSPC', 'EDQUOT'] };

function keepStep({ options }: Context, command: string, call: KeptCall, ended: number | undefined): Step {
  const { bytes, planAt } = encodeKept(call, options.keeper!);
  const numbersAt = ended === undefined ? 0 : planAt + numbersOffset(ended);
  const args = {
    pidAt: numbersAt,
    startTimeAt: ended === undefined ? 0 : numbersAt + 4,
    path: `${options.stateDir}/${keptFile(command)}`,
    plan: bytes,
  };
  return step('host', 'plan.keep', args, '', `keep the plan of ${command}`, optional);
}

/** What `start` has to do besides, or to refuse, the engine does. */
const startIsPlain = ({ spec, options }: Context): boolean =>
  options.mode === 'create' &&
  spec.process !== undefined &&
  !spec.hooks?.poststart?.length &&
  options.notifySocket === undefined;

/** Nobody survives the first process, and there is nothing to tell anybody. */
const deleteIsPlain = ({ spec, options, namespaces }: Context): boolean =>
  namespaces.created.has('pid') &&
  !spec.hooks?.poststop?.length &&
  options.notifySocket === undefined &&
  options.resctrl === undefined &&
  options.recorder === undefined &&
  options.cgroup?.record.unit === undefined;

export function keepSteps(context: Context): Step[] {
  const { id, stateDir, keeper, here, cgroup } = context.options;
  if (keeper === undefined || here === undefined || context.options.mode === 'run') return [];
  const plan = (steps: readonly Step[]) => ({ steps, preserveFds: 0 });
  const steps: Step[] = [];
  if (startIsPlain(context)) {
    const call = {
      words: startWords(id),
      plan: plan(compileStart(cgroup?.record ?? { driver: 'disabled', places: [] })),
    };
    steps.push(keepStep(context, 'start', call, undefined));
  }
  if (deleteIsPlain(context)) {
    const call = { words: deleteWords(id), plan: plan(compileDelete(here, stateDir, cgroup?.remove ?? [])) };
    steps.push(keepStep(context, 'delete', call, endedIndex));
  }
  return steps;
}
