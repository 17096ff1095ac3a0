/** What differs between two plans, in steps. Pure. */
import { jsonValue } from './print.js';
import type { Plan, Step } from './step.js';
import { singly } from './step-items.js';

export interface Change {
  /** '-': only in the other plan, '+': only in this one, '~': the same step with other arguments. */
  readonly sign: '-' | '+' | '~';
  readonly step: Step;
  /** '~': names of the arguments that differ; never their values, which may be secrets (S53). */
  readonly args?: readonly string[];
}

/** What differs between any two containers: paths of the bundle and the state. */
export type Neutral = (text: string) => string;

/** Records and kept plans hold times and paths of one container. */
const personal = new Set<string>(['file.publish', 'state.ours', 'plan.keep', 'file.note', 'expect.file']);

const argText = (value: unknown, neutral: Neutral): string => neutral(JSON.stringify(value, jsonValue) ?? '');

interface Line {
  readonly step: Step;
  readonly head: string;
  readonly whole: string;
}

const linesOf = ({ steps }: Plan, neutral: Neutral): Line[] =>
  steps.flatMap(singly).map((step) => {
    const head = `${step.role} ${step.op} ${neutral(step.summary)}`;
    return { step, head, whole: personal.has(step.op) ? head : `${head} ${argText(step.args, neutral)}` };
  });

/** Rows of a table of this many cells would take too long: then only what has no equal is told. */
const mostCells = 4_000_000;

/** Pairs of positions that a longest common subsequence has; both lists ascending. */
function commonPairs(a: readonly Line[], b: readonly Line[]): [number, number][] {
  if (a.length * b.length > mostCells) return equalPairs(a, b);
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        a[i]!.head === b[j]!.head
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i]!.head === b[j]!.head) pairs.push([i++, j++]);
    else if (lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!) i++;
    else j++;
  }
  return pairs;
}

function equalPairs(a: readonly Line[], b: readonly Line[]): [number, number][] {
  const places = new Map(b.map(({ head }, index) => [head, index]));
  const pairs: [number, number][] = [];
  let last = -1;
  a.forEach(({ head }, index) => {
    const place = places.get(head) ?? -1;
    if (place <= last) return;
    pairs.push([index, place]);
    last = place;
  });
  return pairs;
}

function changedArgs(one: Step, other: Step, neutral: readonly [Neutral, Neutral]): string[] {
  const [a, b] = [one.args as Record<string, unknown>, other.args as Record<string, unknown>];
  return Object.keys(b).filter((name) => argText(a[name], neutral[0]) !== argText(b[name], neutral[1]));
}

/** @param neutral for each plan, takes out of a text what names this very container. */
export function differenceOf(from: Plan, to: Plan, neutral: readonly [Neutral, Neutral]): Change[] {
  const [a, b] = [linesOf(from, neutral[0]), linesOf(to, neutral[1])];
  const changes: Change[] = [];
  let [i, j] = [0, 0];
  for (const [left, right] of [...commonPairs(a, b), [a.length, b.length] as const]) {
    for (; i < left; i++) changes.push({ sign: '-', step: a[i]!.step });
    for (; j < right; j++) changes.push({ sign: '+', step: b[j]!.step });
    if (left < a.length && a[left]!.whole !== b[right]!.whole) {
      const { step } = b[right]!;
      changes.push({ sign: '~', step, args: changedArgs(a[left]!.step, step, neutral) });
    }
    [i, j] = [left + 1, right + 1];
  }
  return changes;
}
