/**
 * Plans for calls that will come: `create` keeps those of `start` and `delete` in the state directory, an exec that comes
 * again and again (a probe) its own. The executor finds them there and needs no engine (docs/decisions/0007). It
 * compares words and bytes and decides nothing: the steps marked `expects` say what must still be as it was, and when one
 * of them fails the engine is asked as if there were no plan.
 */
import { fail } from '../errors/error.js';
import { opTable, wireVersion } from '../generated/ops.js';
import { encodePlan } from './encode.js';
import type { Plan, Step } from './step.js';

/** For whom a plan is kept; the executor does not take another's. */
export interface Keeper {
  readonly uid: number;
  /** Permitted capabilities of the runtime. */
  readonly permitted: bigint;
  /** The engine's file: after an upgrade all is worked out anew. */
  readonly engine: { readonly inode: bigint; readonly modifiedNs: bigint };
}

/** One word of the command line from the command's name on. */
export type KeptWord =
  | { readonly kind: 'literal' | 'optional'; readonly text: string }
  /** Any absolute path of at most `longestPath` bytes; it becomes the `path` of the step with this index. */
  | { readonly kind: 'path'; readonly step: number };

export interface KeptCall {
  readonly words: readonly KeptWord[];
  readonly plan: Plan;
}

const magic = 0x4b525354;
const headerBytes = 48;
const wordBytes = 20;
const kinds = { literal: 0, optional: 1, path: 2 } as const;

/** The executor takes no longer file (kept.c). */
export const longestKept = 1 << 20;

const longestPath = 255;
/** The place of a path that each call brings along. */
export const pathPlace = `/${'?'.repeat(longestPath - 1)}`;

/** How many plans of a command there may be; the executor tries their files in turn (kept.c). A pod's probes are fewer. */
export const keptEach = 20;
export const keptFile = (command: string, index = 0): string => `${command}-${index.toString(36)}.plan`;

const literal = (text: string): KeptWord => ({ kind: 'literal', text });
const optional = (text: string): KeptWord => ({ kind: 'optional', text });

/** `start ID` and `delete [-f|--force] ID`. */
export const startWords = (id: string): KeptWord[] => [literal('start'), literal(id)];
export const deleteWords = (id: string): KeptWord[] => [
  literal('delete'),
  optional('--force'),
  optional('-f'),
  literal(id),
];

const utf8 = new TextEncoder();

/** Which reference of the wire a step's `path` is. */
function pathReference(step: Step | undefined): number {
  const row = step === undefined ? [] : opTable[step.op];
  let reference = 0;
  for (let i = 1; i < row.length; i += 2) {
    if (row[i] === 'path') return reference;
    if (row[i + 1] !== 'u32' && row[i + 1] !== 'u64' && row[i + 1] !== 'slot') reference++;
  }
  return fail('TSR_PLAN_ENCODE', 'a kept plan has no path in the step that should get one');
}

/** The file's bytes, and where in them the plan begins. Little endian, as plans are. */
export function encodeKept({ words, plan }: KeptCall, keeper: Keeper): { bytes: Uint8Array; planAt: number } {
  const texts = words.map((word) => utf8.encode(word.kind === 'path' ? '' : word.text));
  const textAt = headerBytes + words.length * wordBytes;
  const planAt = (textAt + texts.reduce((sum, text) => sum + text.length + 1, 0) + 7) & ~7;
  const planBytes = encodePlan(plan);
  const bytes = new Uint8Array(planAt + planBytes.length);
  const view = new DataView(bytes.buffer);
  const put = (at: number, ...values: number[]): void => {
    for (const [i, value] of values.entries()) view.setUint32(at + i * 4, value, true);
  };
  put(0, magic, wireVersion, bytes.length, keeper.uid);
  view.setBigUint64(16, keeper.permitted, true);
  view.setBigUint64(24, keeper.engine.inode, true);
  view.setBigUint64(32, keeper.engine.modifiedNs, true);
  put(40, words.length, planAt);
  let at = textAt;
  for (const [i, word] of words.entries()) {
    const text = texts[i]!;
    const [step, reference] = word.kind === 'path' ? [word.step, pathReference(plan.steps[word.step])] : [0, 0];
    put(headerBytes + i * wordBytes, kinds[word.kind], at, text.length, step, reference);
    bytes.set(text, at);
    at += text.length + 1;
  }
  bytes.set(planBytes, planAt);
  return { bytes, planAt };
}
