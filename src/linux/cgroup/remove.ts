import { TsrunError } from '../../errors/error.js';
import { errnoOf, removeDirectory } from '../../host/files.js';
import { monotonicMs, sleepMs } from '../../host/process.js';
import type { CgroupRecord } from '../../tables/cgroup.js';
import { directoryOf, isDirectory } from './place.js';
import { removeBelow } from './tree.js';

const longestWaitMs = 5000;

/** rmdir; '' when the directory is gone, else the errno's name. */
function tryRemove(directory: string): string {
  try {
    removeDirectory(directory);
    return '';
  } catch (error) {
    const errno = errnoOf(error);
    // A read-only cgroupfs answers EROFS also for what is not there.
    return errno === 'ENOENT' || (errno === 'EROFS' && !isDirectory(directory)) ? '' : errno;
  }
}

/**
 * Removes a cgroup and those the container made below it, deepest first. A zombie, or a task on its way out, keeps
 * a cgroup busy for a moment: EBUSY is tried again, for a bounded time (R17).
 */
function removeTree(directory: string, deadline: number): string {
  let errno = tryRemove(directory);
  for (let pauseMs = 1; errno !== ''; pauseMs = Math.min(pauseMs * 2, 50)) {
    removeBelow(directory);
    errno = tryRemove(directory);
    if (errno === '' || (errno !== 'EBUSY' && errno !== 'ENOTEMPTY') || monotonicMs() >= deadline) break;
    sleepMs(pauseMs);
  }
  return errno;
}

/**
 * Removes the container's cgroup from every hierarchy; what is gone already is fine.
 * @throws TSR_CGROUP_REMOVE for the first that stays, after all were tried.
 */
export function remove(record: CgroupRecord): void {
  const deadline = monotonicMs() + longestWaitMs;
  let failure: TsrunError | undefined;
  for (const place of record.places) {
    const directory = directoryOf(place);
    const errno = removeTree(directory, deadline);
    if (errno === '') continue;
    failure ??= new TsrunError({
      code: 'TSR_CGROUP_REMOVE',
      message: `cannot remove cgroup '${directory}'`,
      syscall: 'rmdir',
      errno,
    });
  }
  if (failure) throw failure;
}
