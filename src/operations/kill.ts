import { fail } from '../errors/error.js';
import { errnoOf } from '../host/files.js';
import { sendSignal } from '../host/process.js';
import type { ContainerRecord } from '../state/record.js';
import { isAlive, isFromHere, statusOf } from '../state/status.js';
import { openContainer } from '../state/store.js';
import { SIGKILL } from '../tables/signals.js';
import type { CgroupControl, SignalProcess } from './tools.js';

/** Whether the container has a pid namespace of its own, whose end takes every process along. */
export const hasOwnPidNamespace = (record: ContainerRecord): boolean =>
  record.namespaces.some(({ type, path }) => type === 'pid' && path === undefined);

/**
 * Signals by pid right after comparing the start time. The moment between the two is what a pidfd would close;
 * JavaScript has none, the executor's `process.signal` has.
 */
export const signalByPid: SignalProcess = (process, signal) => {
  if (!isAlive(process)) return false;
  try {
    sendSignal(process.pid, signal);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ESRCH') return false;
    return fail('TSR_KILL', `cannot send signal ${signal} to process ${process.pid}`, { errno });
  }
};

export interface KillOptions {
  readonly signal: number;
  /** Every process of the container; then a stopped one is no error. */
  readonly all: boolean;
}

/** Sends a signal to a container. */
export function killContainer(
  root: string,
  id: string,
  { signal, all }: KillOptions,
  cgroups: CgroupControl,
  signalProcess: SignalProcess = signalByPid,
): void {
  const { record, directory } = openContainer(root, id);
  const status = statusOf(record, directory);
  if (status === 'creating') refuse('it is still being created');
  // SIGKILL to init ends only init where the pid namespace is shared; the rest must not survive it. A record
  // from another boot has nothing to say about the cgroups of this one (R41).
  const everyone = (all || (signal === SIGKILL && !hasOwnPidNamespace(record))) && isFromHere(record);
  if (everyone && cgroups.processes(record.cgroup).length > 0) {
    if (signal === SIGKILL) cgroups.killAll(record.cgroup);
    else cgroups.signalAll(record.cgroup, signal);
    return;
  }
  const reached = status !== 'stopped' && signalProcess(record, signal);
  if (!reached && !all) refuse();
  // A v1 freezer holds even a killed process until it is thawed.
  if (reached && signal === SIGKILL && cgroups.isFrozen(record.cgroup)) cgroups.thaw(record.cgroup);
}

// containerd, conmon and podman look for this text: the container is gone, which is what they wanted.
function refuse(detail?: string): never {
  fail('TSR_KILL_STOPPED', 'container not running', detail === undefined ? {} : { detail });
}
