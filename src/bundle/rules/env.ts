import type { Reporter, Rule } from '../rule.js';
import type { Process } from '../types.js';

/** Entries are NAME=value with a name. The message never repeats one: values are secret (S53). */
export function checkEnvironment(env: readonly string[] | undefined, at: string, report: Reporter): void {
  if (env === undefined) return;
  for (let index = 0; index < env.length; index++) {
    const entry = env[index]!;
    if (entry.indexOf('=') > 0) continue;
    const what = entry.startsWith('=') ? "the entry has no name before its '='" : "the entry has no '='";
    report.error('TSR_ENV_FORM', `${at}/${index}`, what, 'write it as NAME=value');
  }
}

export const envRule: Rule<Process> = {
  reads: ['/env'],
  check({ env }, report) {
    checkEnvironment(env, '/env', report);
  },
};
