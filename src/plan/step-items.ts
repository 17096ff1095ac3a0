/** Steps that go through a list (`each` in ops.json): many masked paths are one step. */
import { eachOf } from '../generated/ops.js';
import { noteOfItem } from '../tables/step-notes.js';
import type { Step } from './step.js';

/** A step of many as steps of one, for who shows a plan; others as they are. */
export function singly(step: Step): readonly Step[] {
  const name = eachOf[step.op];
  if (name === undefined) return [step];
  const args = step.args as unknown as Readonly<Record<string, readonly string[]>>;
  return args[name]!.map((item, index) => {
    const [pointer, summary] = noteOfItem(step.pointer, step.summary, index, item);
    return { ...step, pointer, summary, args: { ...args, [name]: [item] } } as unknown as Step;
  });
}

/** Where the entries of a list of the config go into a step each that stand together: `first` is the index of the first. */
export interface Run {
  readonly first: number;
  readonly items: readonly string[];
}

/** A list without what comes twice (S12), as few runs. */
export function runsOf(list: readonly string[]): readonly Run[] {
  const seen = new Set(list);
  if (list.length === 0) return [];
  if (seen.size === list.length) return [{ first: 0, items: list }];
  const runs: { first: number; items: string[] }[] = [];
  let next = -1;
  for (let i = 0; i < list.length; i++) {
    const item = list[i]!;
    if (!seen.delete(item)) continue;
    if (i === next) runs.at(-1)!.items.push(item);
    else runs.push({ first: i, items: [item] });
    next = i + 1;
  }
  return runs;
}
