import { sysctlNamespace, sysctlPath } from '../../tables/sysctl.js';
import { quote } from '../describe.js';
import { hasNamespace } from '../has-namespace.js';
import { escapeKey } from '../pointer.js';
import type { Reporter, Rule } from '../rule.js';
import type { Spec } from '../types.js';

/**
 * security.md S16. Whether a network namespace that is joined is the host's own can only be seen at run time.
 */
export const sysctlRule: Rule<Spec> = {
  reads: ['/linux/sysctl', '/linux/namespaces', '/hostname', '/domainname'],
  check(spec, report) {
    const sysctl = spec.linux?.sysctl;
    if (sysctl === undefined) return;
    const paths = new Map<string, string>();
    for (const name in sysctl) {
      const path = sysctlPath(name);
      if (path === undefined) {
        report.error(
          'TSR_SYSCTL_NAME',
          pointerOf(name),
          `${quote(name)} has an empty part or '..'`,
          "write a name such as 'net.ipv4.ip_forward'",
        );
        continue;
      }
      const other = paths.get(path);
      if (other !== undefined) {
        report.error(
          'TSR_SYSCTL_NAME',
          pointerOf(name),
          `${quote(name)} and ${quote(other)} are the same parameter`,
          'remove one of the two',
        );
      }
      paths.set(path, name);
      checkNamespace(spec, path, name, report);
      checkName(spec, path, name, report);
    }
  },
};

const pointerOf = (name: string): string => `/linux/sysctl/${escapeKey(name)}`;

function checkNamespace(spec: Spec, path: string, name: string, report: Reporter): void {
  const needed = sysctlNamespace(path);
  if (needed === undefined) {
    const hint = 'only parameters of the ipc, network, uts and user namespaces can be set';
    report.error(
      'TSR_SYSCTL_NAMESPACE',
      pointerOf(name),
      `${quote(name)} belongs to the host, not to a namespace`,
      hint,
    );
  } else if (!hasNamespace(spec, needed)) {
    const hint = `add { "type": "${needed}" } to linux.namespaces`;
    report.error('TSR_SYSCTL_NAMESPACE', pointerOf(name), `${quote(name)} needs a ${needed} namespace`, hint);
  }
}

/** The two parameters that are keys of their own as well. */
function checkName(spec: Spec, path: string, name: string, report: Reporter): void {
  if (path !== 'kernel/hostname' && path !== 'kernel/domainname') return;
  const key = path === 'kernel/hostname' ? 'hostname' : 'domainname';
  const wanted = spec[key];
  const value = spec.linux?.sysctl?.[name] ?? '';
  if (wanted === undefined || wanted === value) return;
  const message = `${quote(value)} differs from '${key}', which is ${quote(wanted)}`;
  report.error('TSR_SYSCTL_NAME', pointerOf(name), message, 'set only one of the two');
}
