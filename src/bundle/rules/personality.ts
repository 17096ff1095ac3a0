import { quote } from '../describe.js';
import type { Rule } from '../rule.js';
import type { Spec } from '../types.js';

/** config-linux.md: "Currently no flag values are supported." */
export const personalityRule: Rule<Spec> = {
  reads: ['/linux/personality'],
  check({ linux }, report) {
    linux?.personality?.flags?.forEach((flag, index) => {
      report.error(
        'TSR_PERSONALITY_FLAG',
        `/linux/personality/flags/${index}`,
        `unknown flag ${quote(flag)}`,
        'no flag is defined; remove it',
      );
    });
  },
};
