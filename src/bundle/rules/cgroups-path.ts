import type { Rule } from '../rule.js';
import type { Spec } from '../types.js';

/** PATH_MAX less the mount point. */
const longest = 4000;

/** security.md S33; the form that a cgroup driver wants is for the compiler, which knows the driver. */
export const cgroupsPathRule: Rule<Spec> = {
  reads: ['/linux/cgroupsPath'],
  check({ linux }, report) {
    const path = linux?.cgroupsPath;
    if (path === undefined) return;
    const at = '/linux/cgroupsPath';
    if (path.length > longest) {
      report.error('TSR_CGROUP_PATH', at, `cgroupsPath has ${path.length} characters`, `use at most ${longest}`);
    }
    if (path.includes('..') && path.split('/').includes('..')) {
      report.error('TSR_CGROUP_PATH', at, "cgroupsPath contains '..'", 'a container stays below its hierarchy');
    }
    if (path.includes('\n')) report.error('TSR_CGROUP_PATH', at, 'cgroupsPath contains a newline', 'remove it');
  },
};
