/** What the executor has noted of its steps, for `--debug` and `--trace`: src/executor/trace.c writes it, behind an outcome. */
import { opTable, roles, syscallNames } from '../generated/ops.js';
import { errnoName } from '../tables/errnos.js';
import { decodeNotes, outcomeSize, planHeaderBytes, planNotes, planStepBytes } from './outcome.js';

/** In the order of ops.h. */
export const recordKinds = ['step', 'wait', 'program', 'execve', 'launch', 'runs'] as const;
export type RecordKind = (typeof recordKinds)[number];

/** A step, or what is in one or before it. Times are milliseconds of CLOCK_MONOTONIC; undefined: there was no end. */
export interface TraceRecord {
  readonly kind: RecordKind;
  readonly role: string;
  /** Index in the plan; of what the launcher did, its number. */
  readonly step: number;
  readonly begin: number;
  readonly end: number | undefined;
  readonly errno: string;
  readonly syscall: string;
}

export interface Recorded {
  readonly records: readonly TraceRecord[];
  /** For how many there was no room. */
  readonly dropped: number;
  /** From which step on it is news to who was told before. */
  readonly told: number;
  /** When the plan's first step began. */
  readonly began: number;
}

/** A step of the executor's, as it went. */
export interface TracedStep {
  readonly role: string;
  readonly pointer: string;
  readonly summary: string;
  /** Since the command began. */
  readonly atMs: number | undefined;
  readonly state: 'done' | 'failed' | 'began';
  readonly errno: string;
  readonly syscall: string;
}

export interface Traced {
  readonly steps: readonly TracedStep[];
  /** How many further steps have not been carried out: alternatives that were not needed among them. */
  readonly left: number;
  /** How many steps the plan has. */
  readonly total: number;
}

/** Places in a plan: words of its header, the header's length, a step's. */
const totalAt = 8;
const notesLengthAt = 32;
const tracedAt = 44;
const headerBytes = 48;
const recordBytes = 32;

/** Asks the executor to note its steps. `elapsedMs`: since the command began. `more`: a text to be read again afterwards. */
export function askForTrace(plan: Uint8Array, elapsedMs: number, more = ''): Uint8Array {
  const line = more === '' ? new Uint8Array(0) : new TextEncoder().encode(more);
  const asked = new Uint8Array(plan.length + line.length);
  asked.set(plan);
  asked.set(line, plan.length);
  const view = new DataView(asked.buffer);
  view.setUint32(tracedAt, Math.max(1, Math.round(elapsedMs * 1000)), true);
  view.setUint32(totalAt, asked.length, true);
  view.setUint32(notesLengthAt, view.getUint32(notesLengthAt, true) + line.length, true);
  return asked;
}

/** The text that askForTrace() was given, or ''. */
export const lineInPlan = (plan: Uint8Array): string =>
  plan.length === 0 ? '' : new TextDecoder().decode(planNotes(plan).more);

/** The name of each step's operation. */
export function operationsOf(plan: Uint8Array, count: number): string[] {
  const names = new Map(Object.entries(opTable).map(([name, [code]]) => [code, name]));
  const view = new DataView(plan.buffer, plan.byteOffset, plan.length);
  return Array.from(
    { length: count },
    (_, i) => names.get(view.getUint16(planHeaderBytes + i * planStepBytes, true)) ?? '',
  );
}

export function rolesOf(plan: Uint8Array, count: number): string[] {
  return Array.from({ length: count }, (_, i) => roles[plan[planHeaderBytes + i * planStepBytes + 2] ?? 0] ?? '');
}

/** Two words as one number; exact as long as a machine is up for a hundred days, and to some nanoseconds afterwards. */
const wide = (view: DataView, at: number): number =>
  (view.getUint32(at + 4, true) % 2 ** 31) * 2 ** 32 + view.getUint32(at, true);

/** Makes milliseconds of a moment: of the clock, or of the processor's counter by how it went beside the clock. */
function reader(view: DataView): (at: number) => number {
  const [clock, counter, clockNow, counterNow] = [16, 24, 32, 40].map((at) => wide(view, at)) as [
    number,
    number,
    number,
    number,
  ];
  const rate = counterNow > counter ? (clockNow - clock) / (counterNow - counter) : 0;
  return (at) => {
    const value = wide(view, at);
    const isCounter = view.getUint8(at + 7) >= 0x80;
    return (isCounter ? clock + (value - counter) * rate : value) / 1e6;
  };
}

/** What stands behind an outcome; undefined when the executor was asked for nothing. It is untrusted (S39). */
export function decodeRecords(answer: Uint8Array, stepCount: number): Recorded | undefined {
  const bytes = answer.subarray(outcomeSize);
  if (bytes.length < headerBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const milliseconds = reader(view);
  const count = Math.min(view.getUint32(4, true), Math.floor((bytes.length - headerBytes) / recordBytes));
  const records: TraceRecord[] = [];
  for (let index = 0, at = headerBytes; index < count; index++, at += recordBytes) {
    const role = roles[view.getUint8(at + 24)];
    const kind = recordKinds[view.getUint8(at + 25)];
    const step = view.getUint32(at + 16, true);
    const state = view.getUint8(at + 26);
    if (role === undefined || kind === undefined || step >= stepCount || state === 0) continue;
    const [errno, syscall] = [view.getUint16(at + 20, true), view.getUint16(at + 22, true)];
    const begin = milliseconds(at);
    records.push({
      kind,
      role,
      step,
      begin,
      end: state === 1 ? Math.max(begin, milliseconds(at + 8)) : undefined,
      errno: errno === 0 || errno > 4095 ? '' : errnoName(errno),
      syscall: errno === 0 ? '' : (syscallNames[syscall] ?? ''),
    });
  }
  return { records, dropped: view.getUint32(8, true), told: view.getUint32(0, true), began: milliseconds(16) };
}

const stateOf = ({ errno, end }: TraceRecord): TracedStep['state'] =>
  errno !== '' ? 'failed' : end === undefined ? 'began' : 'done';

/** What is new in an answer of the executor's; undefined when it was asked for none. */
export function decodeTrace(answer: Uint8Array, plan: Uint8Array): Traced | undefined {
  const notes = decodeNotes(plan);
  const recorded = decodeRecords(answer, notes.length);
  if (recorded === undefined) return undefined;
  const elapsed = new DataView(plan.buffer, plan.byteOffset).getUint32(tracedAt, true) / 1000 - recorded.began;
  const byStep = new Map(recorded.records.filter(({ kind }) => kind === 'step').map((one) => [one.step, one]));
  const steps: TracedStep[] = [];
  for (let index = recorded.told; index < notes.length; index++) {
    const record = byStep.get(index);
    if (record === undefined) continue;
    const { role, errno, syscall, begin, end } = record;
    const [pointer, summary] = notes[index] ?? ['', ''];
    steps.push({ role, pointer, summary, errno, syscall, state: stateOf(record), atMs: elapsed + (end ?? begin) });
  }
  const left = Math.max(0, notes.length - recorded.told - steps.length);
  return { steps, left, total: notes.length };
}
