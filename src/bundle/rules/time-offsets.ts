import type { Rule } from '../rule.js';
import type { Spec } from '../types.js';

/** Offsets are written before the first process enters a new time namespace; later the kernel takes none. */
export const timeOffsetsRule: Rule<Spec> = {
  reads: ['/linux/timeOffsets', '/linux/namespaces'],
  check({ linux }, report) {
    if (linux?.timeOffsets?.monotonic === undefined && linux?.timeOffsets?.boottime === undefined) return;
    const namespace = linux.namespaces?.find(({ type }) => type === 'time');
    if (namespace !== undefined && namespace.path === undefined) return;
    const [why, hint] = namespace
      ? ['for a time namespace that is joined', "remove 'timeOffsets'"]
      : ['without a time namespace', 'add { "type": "time" } to linux.namespaces'];
    report.error('TSR_TIME_OFFSETS', '/linux/timeOffsets', `'timeOffsets' is set ${why}`, hint);
  },
};
