import { quote } from '../describe.js';
import { escapeKey } from '../pointer.js';
import type { Rule } from '../rule.js';
import type { Resources } from '../types.js';

const code = 'TSR_UNIFIED_NAME';
/** Limits of the cgroup itself; the other cgroup.* files move processes or change what the runtime relies on. */
const limits: ReadonlySet<string> = new Set(['cgroup.max.depth', 'cgroup.max.descendants', 'cgroup.pressure']);

/** Each key is one file of the container's cgroup (security.md S31), and none that could lead out of it. */
export const unifiedRule: Rule<Resources> = {
  reads: ['/unified'],
  check({ unified }, report) {
    for (const name of Object.keys(unified ?? {})) {
      const at = `/unified/${escapeKey(name)}`;
      if (name.includes('/')) report.error(code, at, `${quote(name)} contains a slash`, 'name one file of the cgroup');
      else if (!/^[^.]+\../.test(name)) {
        report.error(code, at, `${quote(name)} is no file of a controller`, "use a name such as 'memory.high'");
      } else if (name.startsWith('cgroup.') && !limits.has(name)) {
        report.error(code, at, `${quote(name)} is the runtime's own`, 'remove it');
      }
    }
  },
};
