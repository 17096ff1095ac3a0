import { carryOut, failedRound, handOver, isEngine } from '../../host/executor.js';
import { prepareRestore, restoreLog } from '../../operations/restore.js';
import { type Context, stateRoot } from '../context.js';
import { criuDirectories, criuFlags } from '../criu-flags.js';
import { createRequest, loadSystemd, rollbackOptions } from './create.js';

/** Takes back what had been made, and says why CRIU could not go on. */
async function undo(context: Context, round: { outcome: Uint8Array; plan: Uint8Array }): Promise<Error> {
  const { rollBack } = await import('../../operations/roll-back.js');
  const { criuError } = await import('../../operations/criu.js');
  const systemd = await loadSystemd(context);
  rollBack(stateRoot(context).path, context.operands[0] ?? '', round, rollbackOptions(context, systemd));
  return criuError(round, restoreLog(criuDirectories(context)));
}

export async function run(context: Context): Promise<number> {
  const round = failedRound();
  if (round) throw await undo(context, round);
  const create = await createRequest(context, context.options.is('detach') ? 'run-detached' : 'run');
  // What was listened to is in the image; nobody listens for the container now.
  const switches = { ...create.switches, notifySocket: undefined };
  const request = { create: { ...create, switches }, directories: criuDirectories(context), flags: criuFlags(context) };
  const { bytes, warnings } = prepareRestore(request);
  for (const warning of warnings) context.log.warn(warning);
  if (isEngine()) handOver(bytes);
  const { decodeOutcome } = await import('../../executor/outcome.js');
  const outcome = carryOut(bytes);
  const { status, value } = decodeOutcome(outcome);
  if (status === 'ok') return value;
  throw await undo(context, { outcome, plan: bytes });
}
