import { fail } from '../../errors/error.js';
import { failedRound, handOver, isEngine } from '../../host/executor.js';
import { cgroupControl } from '../../operations/cgroups.js';
import { killContainer, type SendSignals } from '../../operations/kill.js';
import { encodePlan } from '../../plan/encode.js';
import { openContainer } from '../../state/store.js';
import { signalNumber } from '../../tables/signals.js';
import { type Context, stateRoot } from '../context.js';

function signalOf(name: string): number {
  const signal = signalNumber(name);
  if (signal !== undefined) return signal;
  return fail('TSR_KILL_SIGNAL', `unknown signal "${name}"`, {
    hint: 'give a name such as TERM or RTMIN+3, or a number up to 64',
  });
}

async function spawningSender(): Promise<SendSignals> {
  const { sendSpawning } = await import('../../operations/kill-failure.js');
  return sendSpawning(cgroupControl);
}

const sender = async (): Promise<SendSignals> =>
  isEngine() ? (steps) => handOver(encodePlan({ steps, preserveFds: 0 })) : spawningSender();

export async function run(context: Context): Promise<number> {
  const [id = '', name] = context.operands;
  const root = stateRoot(context).path;
  const signal = name === undefined ? undefined : signalOf(name);
  const round = failedRound();
  if (round) {
    const { explainKill } = await import('../../operations/kill-failure.js');
    throw explainKill(openContainer(root, id).record.cgroup, round, cgroupControl);
  }
  const options = { signal, all: context.options.is('all') };
  if (!context.options.is('regex')) {
    killContainer(root, id, options, cgroupControl, await sender());
    return 0;
  }
  const { forEachMatching } = await import('../matching.js');
  // Each with an executor of its own: handing over would be the end of us, and of what has gone wrong before.
  const send = await spawningSender();
  await forEachMatching(context, (found) => killContainer(root, found, options, cgroupControl, send));
  return 0;
}
