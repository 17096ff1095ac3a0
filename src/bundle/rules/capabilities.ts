import { capabilityNames, capabilityNumber } from '../../tables/capabilities.js';
import { quote } from '../describe.js';
import { nearest } from '../nearest.js';
import type { Rule } from '../rule.js';
import type { Process } from '../types.js';

const sets = ['bounding', 'effective', 'inheritable', 'permitted', 'ambient'] as const;

const bare = (name: string): string => name.replace(/^CAP_/i, '');
const bareNames = capabilityNames.map(bare);

/** The prefix is no likeness. */
function hintFor(name: string): string | undefined {
  const near = nearest(bare(name), bareNames);
  return near === undefined ? undefined : `did you mean 'CAP_${near}'?`;
}

/** config.md: a name that cannot be mapped MUST be a warning and SHOULD NOT be an error. One is enough for all sets. */
export const capabilitiesRule: Rule<Process> = {
  reads: ['/capabilities'],
  check({ capabilities }, report) {
    if (capabilities === undefined) return;
    const said = new Set<string>();
    for (const set of sets) {
      const names = capabilities[set] ?? [];
      for (let index = 0; index < names.length; index++) {
        const name = names[index]!;
        if (capabilityNumber(name) !== undefined || said.has(name)) continue;
        said.add(name);
        const message = `unknown capability ${quote(name)} is ignored`;
        report.warn('TSR_CAPABILITY_UNKNOWN', `/capabilities/${set}/${index}`, message, hintFor(name));
      }
    }
  },
};
