import { readTextIfExists } from '../../host/files.js';
import type { CgroupPlace, CgroupRecord } from '../../tables/cgroup.js';
import { parseOwnCgroups } from './parse.js';
import { directoryOf } from './place.js';

/** Where the process with these cgroups is now, if that is this place or below it. */
function moved(place: CgroupPlace, cgroups: string): string {
  const own = parseOwnCgroups(cgroups).find(({ controllers }) => controllers.length === 0);
  const path = own?.path.slice(1) ?? '';
  return path.startsWith(`${place.path}/`) && !path.split('/').includes('..') ? path : place.path;
}

/** Where another process goes, and the files that decided it. */
export interface CurrentPlaces {
  readonly record: CgroupRecord;
  readonly files: readonly { readonly path: string; readonly content: string }[];
}

/**
 * Places for another process. A container that runs a service manager moves its processes into cgroups of its
 * own and gives controllers to them; then the container's v2 cgroup takes no process any more, and the one of the
 * first process is the next best (R37). Only for an exec that names no cgroup.
 * @param ownFile where the kernel says which ones these are: `/proc/PID/cgroup`.
 */
export function currentPlaces(record: CgroupRecord, ownFile: string): CurrentPlaces {
  const files: { path: string; content: string }[] = [];
  const read = (path: string): string => {
    const content = readTextIfExists(path);
    if (content !== undefined) files.push({ path, content });
    return content ?? '';
  };
  const places = record.places.map((place) => {
    if (place.version === 1 || read(`${directoryOf(place)}/cgroup.subtree_control`).trim() === '') return place;
    return { ...place, path: moved(place, read(ownFile)) };
  });
  return { record: { ...record, places }, files };
}
