import type { Rule } from '../rule.js';
import type { Spec } from '../types.js';

export const annotationsRule: Rule<Spec> = {
  reads: ['/annotations'],
  check({ annotations }, report) {
    if (annotations?.[''] !== undefined) {
      report.error('TSR_ANNOTATION_NAME', '/annotations/', 'an annotation must have a name', 'remove the empty key');
    }
  },
};
