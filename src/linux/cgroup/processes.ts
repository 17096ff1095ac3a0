import { errnoOf, readTextIfExists } from '../../host/files.js';
import type { CgroupPlace, CgroupRecord } from '../../tables/cgroup.js';
import { directoryOf, isDirectory, legacyPlace, unifiedPlace } from './place.js';
import { visitBelow } from './tree.js';

/** Where to look for processes: every process of the container is in each of its cgroups. */
function candidates(record: CgroupRecord): CgroupPlace[] {
  const preferred = [unifiedPlace(record), legacyPlace(record, 'freezer'), legacyPlace(record, 'pids')];
  return [...preferred.filter((place) => place !== undefined), ...record.places];
}

/** Process ids of one cgroup. A threaded v2 cgroup lists threads only, and says so with EOPNOTSUPP. */
function listed(directory: string): string {
  try {
    return readTextIfExists(`${directory}/cgroup.procs`) ?? '';
  } catch (error) {
    if (errnoOf(error) !== 'EOPNOTSUPP' && errnoOf(error) !== 'ENOTSUP') throw error;
    return readTextIfExists(`${directory}/cgroup.threads`) ?? '';
  }
}

function collect(directory: string, pids: Set<number>): void {
  for (const line of listed(directory).split('\n')) if (line !== '' && line !== '0') pids.add(Number(line));
}

/** Host pids of the container's cgroup and those below it, in ascending order; none when the cgroup is gone. */
export function processes(record: CgroupRecord): number[] {
  const pids = new Set<number>();
  for (const place of candidates(record)) {
    const directory = directoryOf(place);
    if (!isDirectory(directory)) continue;
    collect(directory, pids);
    visitBelow(directory, (path) => collect(path, pids));
    break;
  }
  return [...pids].sort((a, b) => a - b);
}

/** Whether `processes` would find any: mostly the first list tells, and its numbers need not be read. */
export function isPopulated(record: CgroupRecord): boolean {
  const top = candidates(record).map(directoryOf).find(isDirectory);
  return top !== undefined && (/[1-9]/.test(listed(top)) || processes(record).length > 0);
}

const isThreaded = (directory: string): boolean => readTextIfExists(`${directory}/cgroup.type`)?.trim() === 'threaded';

/** PATH_MAX, for texts whose characters have up to three bytes. */
const longestPath = 4096 / 3;

/**
 * The files that list the processes of the container's cgroup and of those below it; undefined where one has no path that the
 * kernel would take, for a container may have made cgroups thousands deep.
 */
export function lists(record: CgroupRecord): string[] | undefined {
  const top = candidates(record).map(directoryOf).find(isDirectory);
  if (top === undefined) return [];
  const directories = [top];
  visitBelow(top, (_, names) => directories.push(`${top}/${names.join('/')}`));
  if (!directories.every(({ length }) => length < longestPath - 20)) return undefined;
  // A threaded cgroup lists threads only. Their processes are in the list of the cgroup above that is not, if that is ours, too.
  return isThreaded(top)
    ? directories.map((directory) => `${directory}/cgroup.threads`)
    : directories.filter((directory) => !isThreaded(directory)).map((directory) => `${directory}/cgroup.procs`);
}

/** Whether any of the container's cgroups is there. */
export const exists = (record: CgroupRecord): boolean => record.places.some((place) => isDirectory(directoryOf(place)));
