import { cgroupControl } from '../../operations/cgroups.js';
import { deleteContainer } from '../../operations/delete.js';
import type { CgroupRecord } from '../../tables/cgroup.js';
import type { RunHooks } from '../../operations/tools.js';
import { type Context, stateRoot } from '../context.js';

/** Hooks are rare and what runs them is large, so it is loaded when there are some. */
const runHooks: RunHooks = async (...call) => {
  const module = await import('../../operations/hooks.js');
  await module.runHooks(...call);
};

async function deriveCgroup(id: string, config: string): Promise<CgroupRecord | undefined> {
  const module = await import('../../operations/derive-cgroup.js');
  return module.deriveCgroup(id, config);
}

async function stopUnit(cgroup: CgroupRecord): Promise<void> {
  const module = await import('../../operations/systemd.js');
  module.stopUnitOf(cgroup);
}

async function awaitRecorder(directory: string, warn: Context['log']['warn']): Promise<void> {
  const module = await import('../../operations/record.js');
  module.awaitRecorder(directory, warn);
}

export async function run(context: Context): Promise<number> {
  const { options, operands, log } = context;
  const tools = { cgroups: cgroupControl, runHooks, deriveCgroup, stopUnit, awaitRecorder, warn: log.warn.bind(log) };
  const remove = (id: string): Promise<void> =>
    deleteContainer(stateRoot(context).path, id, options.is('force'), tools);
  if (!options.is('regex')) {
    await remove(operands[0] ?? '');
    return 0;
  }
  const { forEachMatching } = await import('../matching.js');
  await forEachMatching(context, remove);
  return 0;
}
