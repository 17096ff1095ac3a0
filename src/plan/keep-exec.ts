/** The plan of an exec that comes again and again with the same words and the same process file: a probe. */
import type { CgroupRecord } from '../tables/cgroup.js';
import { type NamespaceType, namespaces } from '../tables/namespaces.js';
import { hereSteps, type HereFacts } from './compile-delete.js';
import type { ExecOptions } from './compile-exec.js';
import { runsSteps } from './compile-start.js';
import { type KeptCall, type KeptWord, pathPlace } from './kept.js';
import { expects, noDescriptor, type Plan, type Step, step } from './step.js';

export interface ExecFacts {
  /** What all this was worked out from: if another record lies there, another plan is due. */
  readonly stateFile: { readonly path: string; readonly content: Uint8Array };
  readonly processFile?: { readonly path: string; readonly content: Uint8Array } | undefined;
  /** Types that exist here and in which the container's process is where we are. */
  readonly shared: readonly NamespaceType[];
  /** What decided which cgroups to enter. */
  readonly cgroupFiles: readonly { readonly path: string; readonly content: string }[];
  /** `user:[4026531837]` */
  readonly userNamespace: string;
  /** The container's cgroups; undefined with --ignore-paused. */
  readonly freezes: CgroupRecord | undefined;
}

const fileStep = (path: string, content: string | Uint8Array, summary: string): Step =>
  step('host', 'expect.file', { path, content }, '', summary, expects);

function namespaceStep({ target, joins }: ExecOptions, shared: readonly NamespaceType[]): Step {
  const files = (types: readonly NamespaceType[]): string[] => types.map((type) => namespaces.get(type)!.file);
  const args = { pid: target.pid, same: files(shared), other: files(joins) };
  return step('host', 'expect.namespaces', args, '', "the container's namespaces are the same ones", expects);
}

/** The words, with places for the two files that an engine names anew each time. */
function wordsOf({ options, operands }: Words, places: ReadonlyMap<string, number>): KeptWord[] {
  let place: number | undefined;
  const before = options.map((text): KeptWord => {
    const step = place;
    place = places.get(text);
    return step === undefined ? { kind: 'literal', text } : { kind: 'path', step };
  });
  return [...before, ...operands.map((text): KeptWord => ({ kind: 'literal', text }))];
}

/** The command line from `exec` on. */
export interface Words {
  readonly options: readonly string[];
  /** The id, and the program with what belongs to it. */
  readonly operands: readonly string[];
}

/** The same exec with all it depends on: nothing of it is decided again. */
export function keepExec(
  { steps, preserveFds }: Plan,
  options: ExecOptions,
  here: HereFacts,
  facts: ExecFacts,
  words: Words,
): KeptCall {
  const [open, ...rest] = steps;
  if (open?.op !== 'process.open') throw new TypeError("an exec's plan begins with the container's process");
  const checks: Step[] = [
    { ...open, ...expects },
    ...hereSteps(here),
    step(
      'host',
      'expect.link',
      { path: '/proc/self/ns/user', target: facts.userNamespace },
      '',
      'ids mean the same',
      expects,
    ),
    fileStep(facts.stateFile.path, facts.stateFile.content, "the container's record is the same"),
    namespaceStep(options, facts.shared),
    ...facts.cgroupFiles.map(({ path, content }) => fileStep(path, content, 'its cgroups are used as they were')),
    ...(facts.freezes ? runsSteps(facts.freezes) : []),
  ];
  const places = new Map<string, number>();
  if (facts.processFile) {
    const named = words.options.includes('--process');
    if (named) places.set('--process', checks.length);
    const path = named ? pathPlace : facts.processFile.path;
    checks.push(fileStep(path, facts.processFile.content, 'the process file says the same'));
  }
  const all = [...checks, ...rest].map((one, index): Step => {
    if (one.op !== 'file.publish' || !words.options.includes('--pid-file')) return one;
    if (one.args.descriptor !== noDescriptor) return one;
    places.set('--pid-file', index);
    return { ...one, args: { ...one.args, path: pathPlace }, summary: 'write the pid file' };
  });
  return { words: wordsOf(words, places), plan: { steps: all, preserveFds } };
}
