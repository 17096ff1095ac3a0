import { fail } from '../../errors/error.js';
import type { ProcessContext } from '../options.js';
import { consoleFlags } from '../../generated/ops.js';
import { noSlot, type Step, slots, step } from '../step.js';

/** Whether the caller and the config agree on a terminal. */
function refuseMismatch({ process, options }: ProcessContext): void {
  const socket = options.consoleSocket !== undefined;
  const detached = options.mode !== 'run';
  if (process.terminal && detached && !socket) {
    fail('TSR_CONSOLE_SOCKET', 'a detached container with a terminal needs --console-socket, or nobody could read it', {
      pointer: '/process/terminal',
    });
  }
  if (socket && !(process.terminal && detached)) {
    fail('TSR_CONSOLE_SOCKET', '--console-socket is for a detached container with a terminal', {
      pointer: '/process/terminal',
    });
  }
}

/** Host, before the container exists: a socket nobody listens on must fail first. */
export function socketSteps(context: ProcessContext): Step[] {
  refuseMismatch(context);
  const { consoleSocket, pidfdSocket } = context.options;
  const agent = context.options.seccomp?.agent;
  const steps: Step[] = [];
  for (const [slot, path, what] of [
    [slots.console, consoleSocket, 'console'],
    [slots.pidfd, pidfdSocket, 'pidfd'],
    [slots.seccompListener, agent?.path, agent?.records === undefined ? 'seccomp agent' : 'seccomp recorder'],
  ] as const) {
    if (path === undefined) continue;
    const pointer = slot === slots.seccompListener ? (agent?.records ?? '/linux/seccomp/listenerPath') : '';
    steps.push(step('host', 'socket.connect', { slot, path }, pointer, `connect to the ${what} socket ${path}`));
  }
  return steps;
}

/**
 * The terminal comes from the container's own devpts, so it is made after the mounts; a foreground run gets the
 * master handed to the executor, else it goes through the console socket.
 */
export function consoleSteps({ process, options }: ProcessContext, flags: number = consoleFlags.bind): Step[] {
  if (!process.terminal) return [];
  const { consoleSize } = process;
  const args = {
    slot: options.consoleSocket === undefined ? noSlot : slots.console,
    rows: consoleSize?.height ?? 0,
    columns: consoleSize?.width ?? 0,
    uid: process.user?.uid ?? 0,
    flags,
  };
  const summary = flags & consoleFlags.bind ? 'open a terminal and make it /dev/console' : 'open a terminal';
  return [step('init', 'console.open', args, '/process/terminal', summary)];
}
