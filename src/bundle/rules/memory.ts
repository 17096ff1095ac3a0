import type { Rule } from '../rule.js';
import type { Resources } from '../types.js';

/** `swap` counts memory and swap together, so it cannot be less than `limit`. 0 is "not set", -1 is "no limit". */
export const memoryRule: Rule<Resources> = {
  reads: ['/memory'],
  check({ memory }, report) {
    const { limit = 0, swap = 0 } = memory ?? {};
    if (limit > 0 && swap > 0 && swap < limit) {
      const message = `swap ${swap} is less than limit ${limit}, though it counts memory and swap together`;
      report.error('TSR_MEMORY_SWAP', '/memory/swap', message, `use at least ${limit}`);
    }
  },
};
