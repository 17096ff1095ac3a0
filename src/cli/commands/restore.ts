import { prepareRestore, restoreLog } from '../../operations/restore.js';
import type { Context } from '../context.js';
import { criuDirectories, criuFlags } from '../criu-flags.js';
import { inRounds, type Round } from '../rounds.js';
import { createRequest, remark, undo } from './create.js';

/** As after a failed create; the reason is in CRIU's log. */
async function explain(context: Context, round: Round): Promise<Error> {
  const { criuError } = await import('../../operations/criu.js');
  await undo(context, round);
  return criuError(round, restoreLog(criuDirectories(context)));
}

async function prepare(context: Context): Promise<Uint8Array> {
  const create = await createRequest(context, context.options.is('detach') ? 'run-detached' : 'run');
  // What was listened to is in the image; nobody listens for the container now.
  const switches = { ...create.switches, notifySocket: undefined };
  const request = { create: { ...create, switches }, directories: criuDirectories(context), flags: criuFlags(context) };
  const { bytes, warnings } = prepareRestore(request);
  for (const warning of warnings) context.log.warn(warning);
  return bytes;
}

export const run = (context: Context): Promise<number> =>
  inRounds(
    context.log,
    () => prepare(context),
    (round) => explain(context, round),
    { remark: (round) => remark(context, round) },
  );
