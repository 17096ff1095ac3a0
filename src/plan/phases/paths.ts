import type { Context } from '../options.js';
import { type Step, step } from '../step.js';

/** Read-only first, then masked, as runc does it: a path in both lists ends up masked. Duplicates count once (S12). */
export function pathSteps({ spec }: Context): Step[] {
  const steps: Step[] = [];
  const readonly = spec.linux?.readonlyPaths ?? [];
  for (let i = 0; i < readonly.length; i++) {
    const path = readonly[i]!;
    if (readonly.indexOf(path) < i) continue;
    steps.push(step('init', 'path.readonly', { path }, `/linux/readonlyPaths/${i}`, `make ${path} read-only`));
  }
  const masked = spec.linux?.maskedPaths ?? [];
  for (let i = 0; i < masked.length; i++) {
    const path = masked[i]!;
    if (masked.indexOf(path) < i) continue;
    steps.push(step('init', 'path.mask', { path }, `/linux/maskedPaths/${i}`, `mask ${path}`));
  }
  return steps;
}
