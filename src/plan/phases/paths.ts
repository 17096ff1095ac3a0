import type { Context } from '../options.js';
import { type Step, step } from '../step.js';

/** Read-only first, then masked, as runc does it: a path in both lists ends up masked. Duplicates count once (S12). */
export function pathSteps({ spec }: Context): Step[] {
  const steps: Step[] = [];
  const readonly = spec.linux?.readonlyPaths ?? [];
  const seen = new Set<string>();
  for (let i = 0; i < readonly.length; i++) {
    const path = readonly[i]!;
    if (seen.has(path)) continue;
    seen.add(path);
    steps.push(step('init', 'path.readonly', { path }, `/linux/readonlyPaths/${i}`, `make ${path} read-only`));
  }
  const masked = spec.linux?.maskedPaths ?? [];
  seen.clear();
  for (let i = 0; i < masked.length; i++) {
    const path = masked[i]!;
    if (seen.has(path)) continue;
    seen.add(path);
    steps.push(step('init', 'path.mask', { path }, `/linux/maskedPaths/${i}`, `mask ${path}`));
  }
  return steps;
}
