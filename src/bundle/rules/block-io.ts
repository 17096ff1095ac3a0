import type { Rule } from '../rule.js';
import type { Resources } from '../types.js';

/** config-linux.md: an entry of weightDevice MUST have one of the two weights. */
export const blockIoRule: Rule<Resources> = {
  reads: ['/blockIO'],
  check({ blockIO }, report) {
    blockIO?.weightDevice?.forEach(({ weight, leafWeight }, index) => {
      if (weight !== undefined || leafWeight !== undefined) return;
      const at = `/blockIO/weightDevice/${index}`;
      report.error('TSR_BLOCK_IO_WEIGHT', at, "the entry has neither 'weight' nor 'leafWeight'", 'add one of them');
    });
  },
};
