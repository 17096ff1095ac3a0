import type { Rule } from '../rule.js';
import type { Process } from '../types.js';

/** config.md: duplicates MUST be an error. A soft limit above the hard one is setrlimit's EINVAL. */
export const rlimitsRule: Rule<Process> = {
  reads: ['/rlimits'],
  check({ rlimits }, report) {
    const seen: string[] = [];
    for (let index = 0; index < (rlimits?.length ?? 0); index++) {
      const { type, soft, hard } = rlimits![index]!;
      const at = `/rlimits/${index}`;
      if (seen.includes(type)) {
        report.error('TSR_RLIMIT_DUPLICATE', `${at}/type`, `'${type}' is limited twice`, 'remove one of the two');
      }
      seen.push(type);
      if (soft > hard) {
        const message = `the soft limit ${soft} of '${type}' is above its hard limit ${hard}`;
        report.error('TSR_RLIMIT_ORDER', `${at}/soft`, message, 'lower it or raise the hard limit');
      }
    }
  },
};
