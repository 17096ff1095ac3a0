import { cgroupControl } from '../../operations/cgroups.js';
import { explainReply, explainStart } from '../../operations/explain-reply.js';
import { type StartTools, startContainer } from '../../operations/start.js';
import { failedRound, isEngine } from '../../host/executor.js';
import { environment, ownPid, parentPid } from '../../host/process.js';
import type { RunHooks } from '../../operations/tools.js';
import { type Context, stateRoot } from '../context.js';

/** Hooks are rare and what runs them is large, so it is loaded when there are some. */
const runHooks: RunHooks = async (...call) => {
  const module = await import('../../operations/hooks.js');
  await module.runHooks(...call);
};

/** Only where a service manager waits: what it takes is not loaded otherwise. */
function listenerFor(manager: string | undefined): StartTools['listen'] {
  if (manager === undefined) return undefined;
  return async (container) => {
    const { listenForReady } = await import('../../operations/notify.js');
    return listenForReady(container, manager, isEngine() ? parentPid() : ownPid());
  };
}

export async function run(context: Context): Promise<number> {
  const { path } = stateRoot(context);
  const id = context.operands[0] ?? '';
  const failed = failedRound();
  if (failed) throw explainStart(path, id, failed);
  const tools = {
    cgroups: cgroupControl,
    explainReply,
    runHooks,
    warn: context.log.warn.bind(context.log),
    listen: listenerFor(environment('NOTIFY_SOCKET')),
  };
  await startContainer(path, id, tools);
  return 0;
}
