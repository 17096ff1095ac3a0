import { hasNamespace } from '../has-namespace.js';
import type { Rule } from '../rule.js';
import type { Spec } from '../types.js';

/** __NEW_UTS_LEN */
const longest = 64;

/** hostname and domainname: without a UTS namespace of its own the container would rename the host. */
export const nameRule = (key: 'hostname' | 'domainname'): Rule<Spec> => ({
  reads: [`/${key}`, '/linux/namespaces'],
  check(spec, report) {
    const name = spec[key];
    if (!name) return;
    // No character takes more than three bytes for each of its UTF-16 units.
    const bytes = name.length * 3 <= longest ? 0 : new TextEncoder().encode(name).length;
    if (bytes > longest) {
      report.error('TSR_HOSTNAME_LENGTH', `/${key}`, `the ${key} has ${bytes} bytes`, `use at most ${longest}`);
    }
    if (!hasNamespace(spec, 'uts')) {
      const hint = 'add { "type": "uts" } to linux.namespaces';
      report.error('TSR_HOSTNAME_NAMESPACE', `/${key}`, `the ${key} is set without a uts namespace`, hint);
    }
  },
});
