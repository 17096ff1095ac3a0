import { normalisePath } from '../paths.js';
import type { Rule } from '../rule.js';
import type { Spec } from '../types.js';

/** What can be said of root.path without looking: the executor finds out the rest on the descriptor it uses (S01). */
export const rootRule: Rule<Spec> = {
  reads: ['/root'],
  check({ root }, report) {
    if (root.path === '')
      report.error('TSR_ROOT_PATH', '/root/path', 'must not be empty', "the usual value is 'rootfs'");
    if (root.path.startsWith('/') && normalisePath(root.path) === '/') {
      report.error(
        'TSR_ROOT_PATH',
        '/root/path',
        "the host's own '/' cannot be the root of a container",
        'name another directory',
      );
    }
  },
};
