import { descriptorOf } from '../../tables/descriptors.js';
import { stateFiles } from '../../tables/state-files.js';
import type { Context, ProcessContext, RecordText } from '../options.js';
import { recordStateNames, runStateNames } from '../state-names.js';
import { noDescriptor, type Step, slots, step } from '../step.js';
import { keepSteps } from './keep.js';
import { notifyRemoveSteps } from './notify.js';

function publishStep({ options }: Context, text: RecordText, summary: string): Step {
  const args = { mode: 0o600, descriptor: noDescriptor, path: `${options.stateDir}/${stateFiles.record}`, ...text };
  return step('host', 'file.publish', args, '', summary);
}

/** `start` wakes init through the one, and learns through the other that the program is being executed. */
export function fifoSteps({ options }: Context): Step[] {
  if (options.mode !== 'create') return [];
  const make = (slot: number, name: string): Step =>
    step('host', 'fifo.make', { slot, mode: 0o600, path: `${options.stateDir}/${name}` }, '', `make ${name}`);
  return [make(slots.execFifo, stateFiles.execFifo), make(slots.replyFifo, stateFiles.replyFifo)];
}

/** As soon as there is a pid: whoever kills us now leaves something that `delete` can find (R06). */
export const publishCreating = (context: Context): Step[] => [
  publishStep(context, context.options.creating, 'save the state with the pid'),
];

/** The pid file comes last: engines take it as the sign that everything else is there. */
export function publishReady(context: Context): Step[] {
  const { options } = context;
  const steps: Step[] = [];
  if (options.pidfdSocket !== undefined) {
    const args = { slot: slots.pidfd, text: 'standard' };
    steps.push(step('host', 'socket.send-pidfd', args, '', 'send a pidfd of init'));
  }
  steps.push(...publishState(context), ...keepSteps(context), ...pidFileSteps(context));
  return steps;
}

/** The record of a container that is complete. */
export const publishState = (context: Context): Step[] => [
  publishStep(context, context.options.ready, 'save the state'),
];

/** A file is replaced by a whole new one; a descriptor of the caller's is written to. */
export function pidFileStep(path: string): Step {
  const descriptor = descriptorOf(path) ?? noDescriptor;
  const args = { mode: 0o644, descriptor, path, before: '', between: '', after: '' };
  return step('host', 'file.publish', args, '', `write the pid to ${path}`);
}

export const pidFileSteps = ({ options: { pidFile } }: Context): Step[] =>
  pidFile === undefined ? [] : [pidFileStep(pidFile)];

/** A foreground run waits for its process. */
export function superviseSteps({ process, options }: ProcessContext): Step[] {
  if (options.mode !== 'run') return [];
  const args = { terminal: process.terminal ? 1 : 0, subreaper: options.noSubreaper ? 0 : 1 };
  return [step('host', 'child.supervise', args, '/process', 'forward signals and wait for the process')];
}

/** And tidies up behind it, unless asked to keep things (`run --keep`). */
export function removeSteps(context: Context): Step[] {
  const { options } = context;
  if (options.mode !== 'run' || options.keep) return [];
  const { before, between } = options.ready;
  const record = { path: `${options.stateDir}/${stateFiles.record}`, before, between };
  const args = {
    directory: options.stateDir,
    names: options.recorder ? [...recordStateNames, ...runStateNames] : runStateNames,
  };
  // `delete --force` from elsewhere removes all that and runs the hooks; and a new container may have the name by now (R03).
  const deleted = { tolerate: ['ENOENT', 'ESTALE'], orEnd: true };
  return [
    step('host', 'state.ours', record, '', 'look whether the container was deleted meanwhile', deleted),
    ...(options.cgroup?.remove ?? []),
    ...(options.resctrl?.remove ?? []),
    ...notifyRemoveSteps(context),
    step('host', 'file.remove', args, '', 'remove the state', deleted),
  ];
}
