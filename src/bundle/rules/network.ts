import { quote } from '../describe.js';
import type { Rule } from '../rule.js';
import type { Resources } from '../types.js';

/** The name is one word of a line of net_prio.ifpriomap (S31). */
export const networkRule: Rule<Resources> = {
  reads: ['/network'],
  check({ network }, report) {
    network?.priorities?.forEach(({ name }, index) => {
      if (!/^$|[\s/]/.test(name)) return;
      const at = `/network/priorities/${index}/name`;
      report.error(
        'TSR_NETWORK_PRIORITY',
        at,
        `${quote(name)} is no name of a network interface`,
        "use a name such as 'eth0'",
      );
    });
  },
};
