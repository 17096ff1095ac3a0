import type { Rule } from '../rule.js';
import type { Spec } from '../types.js';

/** config-linux.md: major and minor are required unless the type is `p`. */
export const devicesRule: Rule<Spec> = {
  reads: ['/linux/devices'],
  check({ linux }, report) {
    linux?.devices?.forEach((device, index) => {
      if (device.type === 'p') return;
      for (const key of ['major', 'minor'] as const) {
        if (device[key] !== undefined) continue;
        const message = `a device of type '${device.type}' needs '${key}'`;
        report.error('TSR_DEVICE_NUMBER', `/linux/devices/${index}/${key}`, message, `add '${key}'`);
      }
    });
  },
};
