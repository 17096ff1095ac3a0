import { readTextIfExists } from '../../host/files.js';
import type { CgroupRecord } from '../../tables/cgroup.js';
import { directoryOf, legacyPlace, readKey, unifiedPlace } from './place.js';
import { visitBelow } from './tree.js';

/**
 * How many processes of the container the kernel killed for want of memory; undefined when there is no memory
 * controller or no cgroup any more. To be read before the cgroup is removed (R09).
 */
export function oomKillCount(record: CgroupRecord): number | undefined {
  const legacy = legacyPlace(record, 'memory');
  const place = legacy ?? unifiedPlace(record);
  if (place === undefined) return undefined;
  const directory = directoryOf(place);
  const count = readKey(`${directory}/${legacy ? 'memory.oom_control' : 'memory.events'}`, 'oom_kill');
  return count === undefined ? undefined : Number(count) + (legacy ? countBelow(directory) : 0);
}

/**
 * Whether the kernel has killed somebody for want of memory since `before` was in that file. Whom it was it does not say: the
 * count is of the processes that were in this very cgroup.
 */
export function oomKilledSince(file: string, before: string): boolean {
  const countIn = (text: string): number => Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
  return countIn(readTextIfExists(file) ?? '') > countIn(before);
}

/** v1 counts each cgroup for itself, v2 the whole tree. */
function countBelow(directory: string): number {
  let sum = 0;
  visitBelow(directory, (path) => {
    sum += Number(readKey(`${path}/memory.oom_control`, 'oom_kill') ?? 0);
  });
  return sum;
}
