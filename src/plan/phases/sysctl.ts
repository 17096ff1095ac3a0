import { fail } from '../../errors/error.js';
import { sysctlNamespace, sysctlPath } from '../../tables/sysctl.js';
import type { Context } from '../options.js';
import { type Step, step } from '../step.js';
import { isApart } from './namespaces.js';

/** JSON pointers write `~` and `/` of a key as `~0` and `~1` (RFC 6901). */
const escapeKey = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/**
 * The rules have checked the names. That a namespace is listed is not enough, though: its path may lead to the
 * runtime's own, and then the parameter would be the host's (S16).
 */
export function sysctlSteps({ spec, namespaces }: Context): Step[] {
  const steps: Step[] = [];
  for (const [key, value] of Object.entries(spec.linux?.sysctl ?? {})) {
    const pointer = `/linux/sysctl/${escapeKey(key)}`;
    const path = sysctlPath(key) ?? '';
    const type = sysctlNamespace(path);
    if (type === undefined || !isApart(namespaces, type)) {
      fail(
        'TSR_SYSCTL_NAMESPACE',
        `'${key}' would change the host's: its ${type ?? ''} namespace is not the container's`,
        {
          pointer,
        },
      );
    }
    steps.push(step('init', 'sysctl.write', { path, value }, pointer, `set ${key} to ${value}`));
  }
  return steps;
}
