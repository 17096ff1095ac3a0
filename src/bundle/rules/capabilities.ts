import { capabilityNames, capabilityNumber } from '../../tables/capabilities.js';
import { quote } from '../describe.js';
import { suggestion } from '../nearest.js';
import type { Rule } from '../rule.js';
import type { Process } from '../types.js';

const sets = ['bounding', 'effective', 'inheritable', 'permitted', 'ambient'] as const;

/** config.md: a name that cannot be mapped MUST be a warning and SHOULD NOT be an error. */
export const capabilitiesRule: Rule<Process> = {
  reads: ['/capabilities'],
  check({ capabilities }, report) {
    if (capabilities === undefined) return;
    for (const set of sets) {
      const names = capabilities[set] ?? [];
      for (let index = 0; index < names.length; index++) {
        const name = names[index]!;
        if (capabilityNumber(name) !== undefined) continue;
        const message = `unknown capability ${quote(name)} is ignored`;
        const hint = suggestion(name, capabilityNames);
        report.warn('TSR_CAPABILITY_UNKNOWN', `/capabilities/${set}/${index}`, message, hint);
      }
    }
  },
};
