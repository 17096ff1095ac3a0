import type { Rule } from '../rule.js';
import type { Spec } from '../types.js';
import { checkEnvironment } from './env.js';

const hookNames = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const;

/** Absolute paths and timeouts are in the schema; this is what is left. */
export const hooksRule: Rule<Spec> = {
  reads: ['/hooks'],
  check({ hooks }, report) {
    if (hooks === undefined) return;
    for (const name of hookNames) {
      const list = hooks[name] ?? [];
      for (let index = 0; index < list.length; index++) {
        checkEnvironment(list[index]!.env, `/hooks/${name}/${index}/env`, report);
      }
    }
  },
};
