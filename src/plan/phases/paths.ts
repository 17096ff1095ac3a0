import type { Context } from '../options.js';
import { type Step, step } from '../step.js';
import { runsOf } from '../step-items.js';

/** Read-only first, then masked, as runc does it: a path in both lists ends up masked. Duplicates count once (S12). */
export function pathSteps({ spec }: Context): Step[] {
  const steps: Step[] = [];
  for (const { first, items } of runsOf(spec.linux?.readonlyPaths ?? [])) {
    const pointer = `/linux/readonlyPaths/${first}`;
    steps.push(step('init', 'path.readonly', { paths: items }, pointer, 'make {} read-only'));
  }
  for (const { first, items } of runsOf(spec.linux?.maskedPaths ?? []))
    steps.push(step('init', 'path.mask', { paths: items }, `/linux/maskedPaths/${first}`, 'mask {}'));
  return steps;
}
