import { cgroupControl } from '../../operations/cgroups.js';
import { dumpLog, prepareCheckpoint } from '../../operations/checkpoint.js';
import { type Context, stateRoot } from '../context.js';
import { criuDirectories, criuFlags } from '../criu-flags.js';
import { inRounds, type Round } from '../rounds.js';

async function explain(context: Context, round: Round): Promise<Error> {
  const { criuError } = await import('../../operations/criu.js');
  return criuError(round, dumpLog(criuDirectories(context)));
}

function prepare(context: Context): Uint8Array {
  const directories = criuDirectories(context);
  const request = {
    root: stateRoot(context).path,
    id: context.operands[0] ?? '',
    directories,
    flags: criuFlags(context),
  };
  return prepareCheckpoint(request, cgroupControl).bytes;
}

export const run = (context: Context): Promise<number> =>
  inRounds(
    context.log,
    () => prepare(context),
    (round) => explain(context, round),
  );
