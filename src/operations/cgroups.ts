/** The kernel's cgroups, for the operations that follow `create`; `create` itself writes them through its plan. */
import { cgroupManager } from '../linux/cgroup/manager.js';
import type { CgroupRecord } from '../tables/cgroup.js';
import type { CgroupControl } from './tools.js';

export interface KernelCgroups extends CgroupControl {
  freeze(cgroup: CgroupRecord): void;
  /** How many processes the kernel has killed for want of memory; 0 where it does not say. */
  oomKills(cgroup: CgroupRecord): number;
}

export const cgroupControl: KernelCgroups = {
  ...cgroupManager,
  oomKills: (cgroup) => cgroupManager.oomKillCount(cgroup) ?? 0,
};
