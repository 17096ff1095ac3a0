import { readTextIfExists } from '../../host/files.js';
import type { CgroupPlace, CgroupRecord } from '../../tables/cgroup.js';
import { parseOwnCgroups } from './parse.js';
import { directoryOf } from './place.js';

/** Where process `pid` is now, if that is this place or below it. */
function moved(place: CgroupPlace, pid: number): string {
  const own = parseOwnCgroups(readTextIfExists(`/proc/${pid}/cgroup`) ?? '').find(
    ({ controllers }) => controllers.length === 0,
  );
  const path = own?.path.slice(1) ?? '';
  return path.startsWith(`${place.path}/`) && !path.split('/').includes('..') ? path : place.path;
}

/**
 * Places for another process. A container that runs a service manager moves its processes into cgroups of its
 * own and gives controllers to them; then the container's v2 cgroup takes no process any more, and the one of the
 * first process is the next best (R37). Only for an exec that names no cgroup.
 */
export function currentPlaces(record: CgroupRecord, initPid: number): CgroupRecord {
  const places = record.places.map((place) => {
    if (place.version === 1) return place;
    const given = readTextIfExists(`${directoryOf(place)}/cgroup.subtree_control`)?.trim() ?? '';
    return given === '' ? place : { ...place, path: moved(place, initPid) };
  });
  return { ...record, places };
}
