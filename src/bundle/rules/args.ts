import type { Rule } from '../rule.js';
import type { Process } from '../types.js';

/** An empty file name is never found by execvp; that it must be there at all is in the schema. */
export const argsRule: Rule<Process> = {
  reads: ['/args'],
  check({ args }, report) {
    if (args[0] === '') report.error('TSR_PROCESS_ARGS', '/args/0', 'the program must not be empty', 'name a program');
  },
};
