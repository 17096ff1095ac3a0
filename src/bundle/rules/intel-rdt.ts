import { quote } from '../describe.js';
import type { Rule } from '../rule.js';
import type { Spec } from '../types.js';

export const intelRdtRule: Rule<Spec> = {
  reads: ['/linux/intelRdt'],
  check({ linux }, report) {
    const { closID, l3CacheSchema = '', schemata = [] } = linux?.intelRdt ?? {};
    const at = '/linux/intelRdt';
    // The id is the name of a directory below the resctrl root; '/' alone is the root itself.
    if (closID !== undefined && closID !== '/' && (/^\.{0,2}$/.test(closID) || /[/\n]/.test(closID))) {
      report.error(
        'TSR_RDT_CLOSID',
        `${at}/closID`,
        `${quote(closID)} cannot be the name of a class`,
        "use one name, or '/' for the default class",
      );
    }
    if (l3CacheSchema.includes('\n')) {
      report.error(
        'TSR_RDT_SCHEMA',
        `${at}/l3CacheSchema`,
        'a schema is one line',
        "put further lines into 'schemata'",
      );
    }
    schemata.forEach((line, index) => {
      if (line.includes('\n'))
        report.error('TSR_RDT_SCHEMA', `${at}/schemata/${index}`, 'a schema is one line', 'make it two entries');
    });
  },
};
