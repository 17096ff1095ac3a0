/**
 * sd_notify (runc's way): what the container tells its own socket goes on to the service manager that called us. The
 * socket is bound when the program is about to run: here for `run`, by `start` for a created container.
 */
import { notifyDirectory, notifySocketFile } from '../../tables/notify.js';
import type { Context } from '../options.js';
import { type Step, step } from '../step.js';

export const directoryOf = ({ options }: Context): string => `${options.stateDir}/${notifyDirectory}`;

export function notifyListenSteps(context: Context): Step[] {
  const { notifySocket: manager, mode } = context.options;
  if (manager === undefined || mode === 'create') return [];
  const args = { directory: directoryOf(context), manager };
  return [step('host', 'notify.listen', args, '', 'listen for the container to be ready')];
}

/** A detached run waits; a foreground one, which waits anyway, listens meanwhile. */
export function notifyForwardSteps({ options }: Context): Step[] {
  if (options.notifySocket === undefined || options.mode !== 'run-detached') return [];
  const args = { pid: 0, startTime: 0n, sender: 0 };
  return [step('host', 'notify.forward', args, '', 'wait until the container is ready')];
}

export function notifyRemoveSteps(context: Context): Step[] {
  if (context.options.notifySocket === undefined) return [];
  const args = { directory: directoryOf(context), names: [notifySocketFile] };
  return [step('host', 'file.remove', args, '', 'remove the notify socket')];
}
