import type { Reporter, Rule } from '../rule.js';
import type { Spec } from '../types.js';

/** config-linux.md: a type MUST NOT come twice. */
export const namespacesRule: Rule<Spec> = {
  reads: ['/linux/namespaces', '/linux/uidMappings', '/linux/gidMappings'],
  check(spec, report) {
    const namespaces = spec.linux?.namespaces ?? [];
    const seen: string[] = [];
    for (let index = 0; index < namespaces.length; index++) {
      const { type, path } = namespaces[index]!;
      if (seen.includes(type)) {
        const pointer = `/linux/namespaces/${index}/type`;
        report.error(
          'TSR_NAMESPACE_DUPLICATE',
          pointer,
          `the ${type} namespace is listed twice`,
          'remove one of the two',
        );
      }
      seen.push(type);
      if (type === 'user' && path === undefined) checkMapped(spec, report);
    }
  },
};

/** An unmapped user namespace has no ids at all. */
function checkMapped({ linux }: Spec, report: Reporter): void {
  for (const key of ['uidMappings', 'gidMappings'] as const) {
    if ((linux?.[key]?.length ?? 0) > 0) continue;
    report.error('TSR_NAMESPACE_MAPPINGS', `/linux/${key}`, `a new user namespace needs '${key}'`, `add '${key}'`);
  }
}
