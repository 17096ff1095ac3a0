/** Whether a place is fit for a new container; looked at before create does anything. */
import { fail } from '../../errors/error.js';
import { readTextIfExists } from '../../host/files.js';
import type { CgroupPlace, CgroupRecord } from '../../tables/cgroup.js';
import { directoryOf, isDirectory, legacyPlace, readKey, unifiedPlace } from './place.js';
import { processes } from './processes.js';

const pointer = '/linux/cgroupsPath';

/** The cgroup itself, or the nearest above it that exists; the mount point at last. */
function nearest(place: CgroupPlace): string {
  let directory = directoryOf(place);
  while (directory.length > place.mountPoint.length && !isDirectory(directory)) {
    directory = directory.slice(0, directory.lastIndexOf('/'));
  }
  return directory;
}

function isFrozenAt(place: CgroupPlace, directory: string): boolean {
  if (place.version === 2) return readKey(`${directory}/cgroup.events`, 'frozen') === '1';
  const state = readTextIfExists(`${directory}/freezer.state`)?.trim();
  return state === 'FROZEN' || state === 'FREEZING';
}

/**
 * A frozen cgroup, or one below a frozen one, would stop the container's first process before it is one, and
 * create would hang; one with processes would let a stranger be killed with the container.
 * @throws TSR_CGROUP_FROZEN, TSR_CGROUP_NOT_EMPTY
 */
export function refuseUnfit(record: CgroupRecord): void {
  for (const place of [legacyPlace(record, 'freezer'), unifiedPlace(record)]) {
    if (place === undefined) continue;
    const directory = nearest(place);
    if (isFrozenAt(place, directory)) {
      fail('TSR_CGROUP_FROZEN', "container's cgroup unexpectedly frozen", { pointer, detail: directory });
    }
    if (directory.length !== place.mountPoint.length + 1 + place.path.length) continue;
    const found = processes(record).length;
    if (found > 0) {
      fail('TSR_CGROUP_NOT_EMPTY', `container's cgroup is not empty: ${found} process(es) found`, {
        pointer,
        detail: directory,
      });
    }
  }
}
