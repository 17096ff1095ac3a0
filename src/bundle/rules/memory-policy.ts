import { faultInList } from '../number-list.js';
import type { Rule } from '../rule.js';
import type { Spec } from '../types.js';

const code = 'TSR_MEMORY_POLICY';
const withoutNodes: ReadonlySet<string> = new Set(['MPOL_DEFAULT', 'MPOL_LOCAL']);
const withNodes: ReadonlySet<string> = new Set([
  'MPOL_BIND',
  'MPOL_INTERLEAVE',
  'MPOL_WEIGHTED_INTERLEAVE',
  'MPOL_PREFERRED_MANY',
]);

/** What set_mempolicy(2) would answer with a bare EINVAL. */
export const memoryPolicyRule: Rule<Spec> = {
  reads: ['/linux/memoryPolicy'],
  check({ linux }, report) {
    const policy = linux?.memoryPolicy;
    if (policy === undefined) return;
    const { mode, nodes = '', flags = [] } = policy;
    const at = '/linux/memoryPolicy';
    const fault = faultInList(nodes);
    if (fault) report.error('TSR_NUMBER_LIST', `${at}/nodes`, fault, "write a list such as '0-3,7'");
    if (withoutNodes.has(mode) && nodes !== '')
      report.error(code, `${at}/nodes`, `'${mode}' takes no nodes`, "remove 'nodes'");
    if (withNodes.has(mode) && nodes === '') report.error(code, `${at}/nodes`, `'${mode}' needs nodes`, "add 'nodes'");
    if (flags.includes('MPOL_F_STATIC_NODES') && flags.includes('MPOL_F_RELATIVE_NODES')) {
      report.error(code, `${at}/flags`, 'nodes cannot be static and relative at once', 'remove one of the two flags');
    }
    if (flags.length > 0 && withoutNodes.has(mode))
      report.error(code, `${at}/flags`, `'${mode}' takes no flags`, "remove 'flags'");
  },
};
