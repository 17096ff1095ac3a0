import type { Reporter, Rule } from '../rule.js';
import type { Process, Scheduler } from '../types.js';

const code = 'TSR_SCHEDULER';

/** What sched_setattr(2) would answer with a bare EINVAL. */
export const schedulerRule: Rule<Process> = {
  reads: ['/scheduler'],
  check({ scheduler }, report) {
    if (scheduler === undefined) return;
    const { policy, nice = 0, priority = 0 } = scheduler;
    if (nice < -20 || nice > 19)
      report.error(code, '/scheduler/nice', `nice value ${nice} is out of range`, 'use -20 to 19');
    const isRealtime = policy === 'SCHED_FIFO' || policy === 'SCHED_RR';
    if (isRealtime && (priority < 1 || priority > 99)) {
      report.error(code, '/scheduler/priority', `priority ${priority} of '${policy}' is out of range`, 'use 1 to 99');
    }
    if (!isRealtime && priority !== 0) {
      report.error(
        code,
        '/scheduler/priority',
        `'${policy}' takes no priority, but it is ${priority}`,
        "remove 'priority'",
      );
    }
    checkDeadline(scheduler, report);
  },
};

function checkDeadline(scheduler: Scheduler, report: Reporter): void {
  const { policy, runtime = 0, deadline = 0, period = 0 } = scheduler;
  if (policy !== 'SCHED_DEADLINE') {
    for (const key of ['runtime', 'deadline', 'period'] as const) {
      if ((scheduler[key] ?? 0) > 0) {
        report.error(
          code,
          `/scheduler/${key}`,
          `'${key}' is of 'SCHED_DEADLINE', not of '${policy}'`,
          `remove '${key}'`,
        );
      }
    }
    return;
  }
  for (const key of ['runtime', 'deadline', 'period'] as const) {
    if (Number(scheduler[key] ?? 0) < 2 ** 63) continue;
    report.error(
      code,
      `/scheduler/${key}`,
      `${key} ${scheduler[key]} is too long`,
      'the kernel takes less than 2^63 nanoseconds',
    );
    return;
  }
  // sched(7): runtime <= deadline <= period, none below 1024 ns; a period of 0 means the deadline.
  if (runtime < 1024)
    report.error(code, '/scheduler/runtime', `runtime ${runtime} is too short`, 'use at least 1024 nanoseconds');
  if (deadline < runtime) {
    report.error(
      code,
      '/scheduler/deadline',
      `deadline ${deadline} is shorter than runtime ${runtime}`,
      'make it longer',
    );
  }
  if (period > 0 && period < deadline) {
    report.error(code, '/scheduler/period', `period ${period} is shorter than deadline ${deadline}`, 'make it longer');
  }
}
