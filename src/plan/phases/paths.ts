import type { Context } from '../options.js';
import { type Step, step } from '../step.js';
import { runsOf } from '../step-items.js';

/**
 * Read-only first, then masked, as runc does it: a path in both lists ends up masked. Duplicates count once (S12); the executor sees what is
 * masked already, by whatever path.
 */
export function pathSteps({ spec }: Context): Step[] {
  const steps: Step[] = [];
  for (const { first, items } of runsOf(spec.linux?.readonlyPaths ?? [])) {
    const pointer = `/linux/readonlyPaths/${first}`;
    steps.push(step('init', 'path.readonly', { paths: items }, pointer, 'make {} read-only'));
  }
  const paths = spec.linux?.maskedPaths ?? [];
  if (paths.length > 0) steps.push(step('init', 'path.mask', { paths }, '/linux/maskedPaths/0', 'mask {}'));
  return steps;
}
