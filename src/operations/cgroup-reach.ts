import { isWritable, lstatIfExists } from '../host/files.js';
import type { CgroupRecord } from '../tables/cgroup.js';

/** The cgroups of a record that the caller has no right to make: directories, in the record's order. */
export function cgroupsOutOfReach({ driver, places }: CgroupRecord): string[] {
  if (driver !== 'cgroupfs') return [];
  const missing: string[] = [];
  for (const { mountPoint, path } of places) {
    const directory = `${mountPoint}/${path}`;
    let nearest = directory;
    while (nearest.length > mountPoint.length && lstatIfExists(nearest) === undefined) {
      nearest = nearest.slice(0, nearest.lastIndexOf('/'));
    }
    if (!isWritable(nearest)) missing.push(directory);
  }
  return missing;
}
