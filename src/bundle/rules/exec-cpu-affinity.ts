import { faultInList } from '../number-list.js';
import type { Rule } from '../rule.js';
import type { Process } from '../types.js';

export const execCpuAffinityRule: Rule<Process> = {
  reads: ['/execCPUAffinity'],
  check({ execCPUAffinity }, report) {
    for (const key of ['initial', 'final'] as const) {
      const fault = faultInList(execCPUAffinity?.[key] ?? '');
      if (fault) report.error('TSR_NUMBER_LIST', `/execCPUAffinity/${key}`, fault, "write a list such as '0-3,7'");
    }
  },
};
