import { type Failure, fail, TsrunError } from '../errors/error.js';
import { errnoOf } from '../host/files.js';
import { isAlive, statusOf } from '../state/status.js';
import { type Container, openContainer } from '../state/store.js';
import type { KernelCgroups } from './cgroups.js';
import { trace } from './trace.js';

type Freezer = Pick<KernelCgroups, 'isFrozen' | 'freeze' | 'thaw'>;

/** The kernel's refusal, with runc's guess at the reason. */
function carryOut(act: () => void, code: string, message: string): void {
  try {
    act();
  } catch (error) {
    const errno = errnoOf(error);
    if (error instanceof TsrunError || errno === '') throw error;
    const hint = 'this might be caused by lack of full access to cgroups';
    const rest: Partial<Failure> = errno === 'EACCES' || errno === 'EPERM' || errno === 'EROFS' ? { hint } : {};
    fail(code, message, { errno, ...rest });
  }
}

function statusOfContainer(container: Container, cgroups: Freezer): string {
  const { record, directory } = container;
  const status = statusOf(record, directory, () => cgroups.isFrozen(record.cgroup));
  trace('container', { container, status });
  return status;
}

/** Freezes every process of a created or running container. */
export function pauseContainer(root: string, id: string, cgroups: Freezer): void {
  const container = openContainer(root, id);
  const status = statusOfContainer(container, cgroups);
  if (status !== 'running' && status !== 'created') {
    fail('TSR_PAUSE_STATE', 'container not running', { detail: `it is ${status}` });
  }
  carryOut(() => cgroups.freeze(container.record.cgroup), 'TSR_PAUSE', 'cannot freeze the container');
  // A cgroup that is not there counts as gone, and stops nobody.
  if (!cgroups.isFrozen(container.record.cgroup) && isAlive(container.record)) {
    fail('TSR_PAUSE', 'the container has no cgroup that could be frozen');
  }
}

/** Lets a paused container go on. */
export function resumeContainer(root: string, id: string, cgroups: Freezer): void {
  const container = openContainer(root, id);
  const status = statusOfContainer(container, cgroups);
  if (status !== 'paused') fail('TSR_RESUME_STATE', 'container not paused', { detail: `it is ${status}` });
  carryOut(() => cgroups.thaw(container.record.cgroup), 'TSR_PAUSE', 'cannot thaw the container');
}
