import { statIfExists } from '../host/files.js';
import { gatherFacts } from '../linux/facts.js';
import { placeCgroup } from '../plan/phases/cgroup-placement.js';
import { placeInSystemd } from '../plan/phases/systemd-placement.js';
import { parseLoosely } from '../state/record-checks.js';
import type { CgroupRecord } from '../tables/cgroup.js';

/** Whether this is how the systemd driver takes a path, on a host where there is one. */
const isUnitPath = (path: string): boolean =>
  /^[^:/]*:[^:/]*:[^:/]+$/.test(path) && statIfExists('/run/systemd/system')?.kind === 'directory';

/**
 * Where `create` must have put a container with this config.json. Only an absolute cgroupsPath or a
 * systemd unit's is followed: any other depends on where `create` was called, and a wrong guess would kill somebody else.
 */
export function deriveCgroup(id: string, config: string): CgroupRecord | undefined {
  const linux = parseLoosely(config)?.linux as { cgroupsPath?: unknown } | undefined;
  const path = linux?.cgroupsPath;
  if (typeof path !== 'string') return undefined;
  if (isUnitPath(path)) return placeInSystemd(path, id, gatherFacts());
  if (!path.startsWith('/')) return undefined;
  return placeCgroup(path, id, gatherFacts(), 'cgroupfs');
}
