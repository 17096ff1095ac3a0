/** `--record-seccomp`: an agent that notes which calls are made, from before there is a process until the last has ended. */
import type { Context } from '../options.js';
import { type Step, step } from '../step.js';

export function recordSteps({ options }: Context): Step[] {
  if (options.recorder === undefined) return [];
  const { pointer, ...profile } = options.recorder;
  const args = { state: options.stateDir, ...profile };
  const summary = `start the seccomp recorder for ${profile.directory === '/' ? '' : profile.directory}/${profile.name}`;
  return [step('host', 'seccomp.record', args, pointer, summary)];
}

/** A foreground run has the profile when it ends; for others the recorder writes it when the last process has ended. */
export function recordEndSteps({ options }: Context): Step[] {
  if (options.recorder === undefined || options.mode !== 'run') return [];
  const { pointer } = options.recorder;
  return [step('host', 'seccomp.record-end', {}, pointer, 'write the recorded seccomp profile')];
}
