import { quote } from '../describe.js';
import { escapeKey } from '../pointer.js';
import type { Rule } from '../rule.js';
import type { Resources } from '../types.js';

/** config-linux.md: an entry MUST have one of the two limits. The device's name is one word of a line of rdma.max (S31). */
export const rdmaRule: Rule<Resources> = {
  reads: ['/rdma'],
  check({ rdma }, report) {
    for (const [device, { hcaHandles, hcaObjects }] of Object.entries(rdma ?? {})) {
      const at = `/rdma/${escapeKey(device)}`;
      if (/^$|[\s/]/.test(device))
        report.error('TSR_RDMA', at, `${quote(device)} is no device name`, 'use a name of /sys/class/infiniband');
      if (hcaHandles === undefined && hcaObjects === undefined) {
        report.error('TSR_RDMA', at, "the entry has neither 'hcaHandles' nor 'hcaObjects'", 'add one of them');
      }
    }
  },
};
