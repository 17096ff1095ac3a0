import { hasNamespace } from '../has-namespace.js';
import { escapeKey } from '../pointer.js';
import type { Rule } from '../rule.js';
import type { Spec } from '../types.js';

const code = 'TSR_NET_DEVICE';

/** What dev_valid_name() in net/core/dev.c takes, and a `%d` at the end, which only a new name may have (config-linux.md). */
function faultInName(name: string, mayBeTemplate: boolean): string | undefined {
  if (name === '' || name === '.' || name === '..') return `'${name}' is no name of a network device`;
  if (new TextEncoder().encode(name).length > 15) return `'${name}' is longer than 15 bytes`;
  if (/[\s/:]/.test(name)) return `'${name}' contains a space, a slash or a colon`;
  const rest = mayBeTemplate ? name.replace(/%d$/, '') : name;
  return rest.includes('%')
    ? `'${name}' contains a '%'${mayBeTemplate ? " that is not '%d' at its end" : ''}`
    : undefined;
}

export const netDevicesRule: Rule<Spec> = {
  reads: ['/linux/netDevices', '/linux/namespaces'],
  check(spec, report) {
    const devices = Object.entries(spec.linux?.netDevices ?? {});
    if (devices.length === 0) return;
    if (!hasNamespace(spec, 'network')) {
      const hint = 'add { "type": "network" } to linux.namespaces';
      report.error(code, '/linux/netDevices', "'netDevices' is set without a network namespace", hint);
    }
    const taken = new Set<string>();
    for (const [host, { name }] of devices) {
      const at = `/linux/netDevices/${escapeKey(host)}`;
      const inside = name ?? host;
      const fault = faultInName(host, false) ?? (name === undefined ? undefined : faultInName(name, true));
      if (fault) report.error(code, at, fault, 'use the name of a network device');
      else if (taken.has(inside) && !inside.includes('%d')) {
        report.error(code, at, `two devices are to be named '${inside}'`, "give one of them another 'name'");
      }
      taken.add(inside);
    }
  },
};
