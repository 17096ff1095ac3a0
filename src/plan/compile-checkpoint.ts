import type { Spec } from '../bundle/types.js';
import { environmentOf } from './phases/hooks.js';
import { noSlot, type Plan, type Step, step } from './step.js';
import { checkReadonly, readonlyMounts } from './criu/mounts.js';
import type { CheckpointOptions } from './criu/options.js';
import { dumpMessage, encodeRequest } from './criu/request.js';
import { becomeCriuSteps, helperSummaries, summaries, untilStep } from './criu/steps.js';

/** The container is in the image now; its processes are gone. */
function removeSteps({ flags, remove }: CheckpointOptions): Step[] {
  if (flags.leaveRunning || flags.preDump) return [];
  const args = { timeoutMs: 0, pidKind: 3, ...remove, ...environmentOf(undefined), stateBefore: '', stateAfter: '' };
  return [step('host', 'hook.run', args, '', helperSummaries.remove)];
}

/** Whoever serves or waits for the pages must know when CRIU is ready for them. */
function readySteps({ statusFd }: CheckpointOptions['flags'], summary: string): Step[] {
  if (statusFd === undefined) return [];
  const tell = { descriptor: statusFd, value: Uint8Array.of(0) };
  return [untilStep(['status-ready'], summary), step('host', 'file.tell', tell, '', `write to descriptor ${statusFd}`)];
}

/**
 * The plan of `checkpoint`. Pure. @throws TsrunError with the pointer of the mount that CRIU could not save, or not so
 * that a restore is as safe as the container was.
 */
export function compileCheckpoint(spec: Spec, options: CheckpointOptions): Plan {
  const { flags, place, mounts } = options;
  if (!flags.preDump) checkReadonly(readonlyMounts(spec), mounts);
  const request = encodeRequest(dumpMessage(spec, options));
  const summary = flags.preDump ? summaries.preDump : summaries.dump;
  const steps = [
    step(
      'host',
      'child.create',
      { namespaces: 0, cgroupSlot: noSlot, asJoiner: 0, fullSlot: noSlot },
      '',
      'a process for CRIU',
    ),
    ...becomeCriuSteps(place, [], false),
    step('host', 'criu.request', { request }, '', summary),
    ...readySteps(flags, summary),
    untilStep([], summary),
    ...removeSteps(options),
  ];
  return { steps, preserveFds: 0 };
}
