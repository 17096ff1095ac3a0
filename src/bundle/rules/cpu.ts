import { faultInList } from '../number-list.js';
import type { Rule } from '../rule.js';
import type { Resources } from '../types.js';

/** Bounds of kernel/sched: a period of 1 ms to 1 s, a quota of at least 1 ms. 0 is "not set". */
export const cpuRule: Rule<Resources> = {
  reads: ['/cpu'],
  check({ cpu }, report) {
    if (cpu === undefined) return;
    const { quota = 0, burst = 0, period = 0, cpus = '', mems = '' } = cpu;
    if (period !== 0 && (period < 1000 || period > 1_000_000)) {
      report.error('TSR_CPU_PERIOD', '/cpu/period', `a period of ${period} microseconds`, 'use 1000 to 1000000');
    }
    if (quota > 0 && quota < 1000) {
      report.error(
        'TSR_CPU_QUOTA',
        '/cpu/quota',
        `a quota of ${quota} microseconds`,
        'use at least 1000, or 0 for no limit',
      );
    }
    if (quota > 0 && burst > quota) {
      report.error('TSR_CPU_BURST', '/cpu/burst', `burst ${burst} is more than quota ${quota}`, `use at most ${quota}`);
    }
    for (const [key, list] of [
      ['cpus', cpus],
      ['mems', mems],
    ] as const) {
      const fault = faultInList(list);
      if (fault) report.error('TSR_NUMBER_LIST', `/cpu/${key}`, fault, "write a list such as '0-3,7'");
    }
  },
};
