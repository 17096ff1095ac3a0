import type { Rule } from '../rule.js';
import type { Process } from '../types.js';

/** struct winsize has 16 bits; without a terminal the specification wants the key ignored. */
export const consoleSizeRule: Rule<Process> = {
  reads: ['/terminal', '/consoleSize'],
  check({ terminal, consoleSize }, report) {
    if (!terminal || consoleSize === undefined) return;
    for (const key of ['height', 'width'] as const) {
      if (consoleSize[key] > 65535) {
        report.error(
          'TSR_CONSOLE_SIZE',
          `/consoleSize/${key}`,
          `${consoleSize[key]} is more than a terminal can have`,
          'use at most 65535',
        );
      }
    }
  },
};
