import { cgroupControl } from '../../operations/cgroups.js';
import { dumpLog, prepareCheckpoint } from '../../operations/checkpoint.js';
import { carryOut, failedRound, handOver, isEngine } from '../../host/executor.js';
import { type Context, stateRoot } from '../context.js';
import { criuDirectories, criuFlags } from '../criu-flags.js';

async function explain(context: Context, round: { outcome: Uint8Array; plan: Uint8Array }): Promise<Error> {
  const { criuError } = await import('../../operations/criu.js');
  return criuError(round, dumpLog(criuDirectories(context)));
}

export async function run(context: Context): Promise<number> {
  const round = failedRound();
  if (round) throw await explain(context, round);
  const directories = criuDirectories(context);
  const request = {
    root: stateRoot(context).path,
    id: context.operands[0] ?? '',
    directories,
    flags: criuFlags(context),
  };
  const { bytes } = prepareCheckpoint(request, cgroupControl);
  if (isEngine()) handOver(bytes);
  const { decodeOutcome } = await import('../../executor/outcome.js');
  const outcome = carryOut(bytes);
  if (decodeOutcome(outcome).status === 'ok') return 0;
  throw await explain(context, { outcome, plan: bytes });
}
