/** The container's cgroups as the lifecycle commands treat them; `events` and `update` take stats.ts and apply.ts besides. */
import { freeze, isFrozen, thaw } from './freezer.js';
import { killAll, signalAll, tryFreeze } from './kill.js';
import { oomKillCount } from './oom.js';
import { exists, isPopulated, lists, processes } from './processes.js';
import { remove } from './remove.js';

export const cgroupManager = {
  exists,
  processes,
  isPopulated,
  lists,
  isFrozen,
  freeze,
  thaw,
  tryFreeze,
  signalAll,
  killAll,
  remove,
  oomKillCount,
};
