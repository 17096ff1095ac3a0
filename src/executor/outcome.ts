import { TsrunError } from '../errors/error.js';
import { eachOf, type OpName, opTable, syscallNames } from '../generated/ops.js';
import { noteOfAll, noteOfItem } from '../tables/step-notes.js';
import { errnoName } from '../tables/errnos.js';
import { decodeLossless } from '../tables/lossless-text.js';

/** What the executor says when it is done; fixed size, checked field by field (security.md S39). */
export interface Outcome {
  /** `trace`: nothing has happened but what stands behind it (trace.ts). `replied`: of a kept start; what follows is init's own last word, and `step` is of the plan that made it. */
  readonly status:
    | 'ok'
    | 'step-failed'
    | 'child-died'
    | 'plan-refused'
    | 'interrupted'
    | 'replied'
    | 'remark'
    | 'trace';
  /** Index of the step that failed. */
  readonly step: number;
  /** Errno number, 0 for none. */
  readonly errno: number;
  /** The system call tried last, '' for none. */
  readonly syscall: string;
  /** ok: exit code. step-failed, child-died: a wait status. interrupted: the signal's number. */
  readonly value: number;
  /** Host pid of the container's first process, 0 for none. */
  readonly pid: number;
  /** Which of its list a step was at that goes through one (plan/step-items.ts). */
  readonly item: number;
  /** Output of a hook or helper; untrusted text. */
  readonly text: string;
}

const magic = 0x4f525354;
const headerSize = 36;
const textLimit = 1024;
export const outcomeSize = headerSize + textLimit;
const statuses = [
  'ok',
  'step-failed',
  'child-died',
  'plan-refused',
  'interrupted',
  'replied',
  'remark',
  'trace',
] as const;

function broken(message: string): never {
  throw new TsrunError({
    code: 'TSR_EXECUTOR_ANSWER',
    message: `the executor's answer is not usable: ${message}`,
    hint: "was the file 'tsrun' replaced meanwhile?",
  });
}

/** Decodes the outcome record of `outcomeSize` bytes. @throws TSR_EXECUTOR_ANSWER on anything else. */
export function decodeOutcome(bytes: Uint8Array): Outcome {
  if (bytes.length !== outcomeSize) broken(`${bytes.length} bytes instead of ${outcomeSize}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (index: number): number => view.getUint32(index * 4, true);
  const status = statuses[word(1)];
  if (word(0) !== magic || !status) broken('unknown format');
  const textLength = Math.min(word(8), textLimit);
  const text = new TextDecoder().decode(bytes.subarray(headerSize, headerSize + textLength));
  return {
    status,
    step: word(2),
    errno: word(3) <= 4095 ? word(3) : 0,
    syscall: word(4) === 0 ? '' : (syscallNames[word(4)] ?? ''),
    value: view.getInt32(20, true),
    pid: word(6),
    item: word(7),
    text,
  };
}

/**
 * What a spawned executor answers with: the outcome, before it what was worth a remark while it went on, and behind it what was
 * asked for of the steps (trace.ts).
 */
export function splitAnswer(answer: Uint8Array): { outcome: Uint8Array; remarks: Uint8Array[]; traced: Uint8Array } {
  const remarks: Uint8Array[] = [];
  const view = new DataView(answer.buffer, answer.byteOffset, answer.length);
  let at = 0;
  for (; at + outcomeSize < answer.length; at += outcomeSize) {
    if (statuses[view.getUint32(at + 4, true)] !== 'remark') break;
    remarks.push(answer.subarray(at, at + outcomeSize));
  }
  return { outcome: answer.subarray(at, at + outcomeSize), remarks, traced: answer.subarray(at) };
}

/** Pointer and summary of every step, as the plan carried them: `[pointer, summary]`. */
export type Notes = readonly (readonly [string, string])[];

/** What an encoded plan has for us: pointers and summaries, each with a NUL behind it, and with `--trace` what the engine knows. */
export function planNotes(plan: Uint8Array): { notes: Uint8Array; more: Uint8Array } {
  const view = new DataView(plan.buffer, plan.byteOffset, plan.length);
  const offset = view.getUint32(28, true);
  const all = plan.subarray(offset, offset + view.getUint32(32, true));
  let end = 0;
  for (let texts = 2 * view.getUint32(12, true); texts > 0; texts--) {
    const nul = all.indexOf(0, end);
    if (nul < 0) break;
    end = nul + 1;
  }
  return { notes: all.subarray(0, end), more: all.subarray(end) };
}

/** Of an encoded plan: how long its head is, and each step (ops.h). */
export const planHeaderBytes = 48;
export const planStepBytes = 76;
const referencesAt = 36;

/** Of operations that go through a list: which of a step's references it is, by the code. */
const listReferences: ReadonlyMap<number, number> = new Map(
  Object.entries(eachOf).map(([op, name]) => {
    const [code, ...fields] = opTable[op as OpName];
    const references = fields.filter((_, i) => i % 2 === 0 && !['u32', 'slot', 'u64'].includes(fields[i + 1]!));
    return [code, references.indexOf(name)];
  }),
);

/** What the step with this index goes through; undefined where it is one alone. */
function listOf(plan: Uint8Array, view: DataView, index: number): readonly string[] | undefined {
  const step = planHeaderBytes + index * planStepBytes;
  const reference = listReferences.get(view.getUint16(step, true));
  if (reference === undefined) return undefined;
  const at = step + referencesAt + reference * 8;
  const from = view.getUint32(20, true) + view.getUint32(at, true);
  const list = decodeLossless(plan.subarray(from, from + view.getUint32(at + 4, true)));
  return list.split('\0').slice(0, -1);
}

/**
 * Reads the notes out of an encoded plan; an engine that was interrupted has left none. Of a step that goes through a list it is that for
 * all of it, or where `failed` is an outcome, for the one that it failed at.
 */
export function decodeNotes(plan: Uint8Array, failed?: Pick<Outcome, 'step' | 'item'>): Notes {
  if (plan.length === 0) return [];
  const texts = decodeLossless(planNotes(plan).notes).split('\0');
  const view = new DataView(plan.buffer, plan.byteOffset, plan.length);
  return Array.from({ length: (texts.length - 1) / 2 }, (_, i) => {
    const [pointer, summary] = [texts[2 * i]!, texts[2 * i + 1]!];
    const list = summary.includes('{}') ? listOf(plan, view, i) : undefined;
    if (list === undefined) return [pointer, summary];
    const item = failed?.step === i ? list[failed.item] : undefined;
    return item === undefined ? noteOfAll(pointer, summary, list) : noteOfItem(pointer, summary, failed!.item, item);
  });
}

/** "exit status 3", "killed by signal 9". */
export function describeWaitStatus(status: number): string {
  const signal = status & 0x7f;
  return signal === 0 ? `exit status ${(status >> 8) & 0xff}` : `killed by signal ${signal}`;
}

/** Name of an errno of an outcome, '' for none. */
export const outcomeErrno = (outcome: Outcome): string => (outcome.errno === 0 ? '' : errnoName(outcome.errno));
