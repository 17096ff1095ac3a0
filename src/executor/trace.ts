/** What the executor has noted of its steps, for `--debug`: src/executor/trace.c writes it, behind an outcome. */
import { roles, syscallNames } from '../generated/ops.js';
import { errnoName } from '../tables/errnos.js';
import { decodeNotes, outcomeSize } from './outcome.js';

/** A step of the executor's, as it went. */
export interface TracedStep {
  readonly role: string;
  readonly pointer: string;
  readonly summary: string;
  /** Since the command began. Undefined behind a seccomp filter, where no clock may be asked. */
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

/** Places in a plan: word 11 of the header, the header's length, a step's. */
const tracedAt = 44;
const headerBytes = 48;
const stepBytes = 76;
const entryBytes = 16;

/** Asks the executor to note its steps. `elapsedMs`: since the command began. */
export function askForTrace(plan: Uint8Array, elapsedMs: number): Uint8Array {
  const asked = plan.slice();
  new DataView(asked.buffer).setUint32(tracedAt, Math.max(1, Math.round(elapsedMs * 1000)), true);
  return asked;
}

function entryOf(
  view: DataView,
  at: number,
): Pick<TracedStep, 'state' | 'errno' | 'syscall'> & { nanoseconds: number } {
  const errno = view.getUint16(at + 8, true);
  const syscall = view.getUint16(at + 10, true);
  return {
    nanoseconds: Number(view.getBigUint64(at, true)),
    errno: errno === 0 ? '' : errnoName(errno),
    syscall: errno === 0 ? '' : (syscallNames[syscall] ?? ''),
    state: errno !== 0 ? 'failed' : view.getUint32(at + 12, true) === 2 ? 'began' : 'done',
  };
}

/** What is new in an answer of the executor's; undefined when it was asked for none. The answer is untrusted (S39). */
export function decodeTrace(answer: Uint8Array, plan: Uint8Array): Traced | undefined {
  const bytes = answer.subarray(outcomeSize);
  if (bytes.length < 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const places = new DataView(plan.buffer, plan.byteOffset, plan.length);
  const notes = decodeNotes(plan);
  const began = places.getUint32(tracedAt, true) / 1000;
  const steps: TracedStep[] = [];
  let left = 0;
  const count = Math.min(notes.length, Math.floor((bytes.length - 8) / entryBytes));
  for (let index = view.getUint32(0, true); index < count; index++) {
    const at = 8 + index * entryBytes;
    if (view.getUint32(at + 12, true) === 0) {
      left += 1;
      continue;
    }
    const { nanoseconds, ...entry } = entryOf(view, at);
    const [pointer, summary] = notes[index] ?? ['', ''];
    const role = roles[places.getUint8(headerBytes + index * stepBytes + 2)] ?? '';
    steps.push({ ...entry, role, pointer, summary, atMs: nanoseconds === 0 ? undefined : began + nanoseconds / 1e6 });
  }
  return { steps, left, total: notes.length };
}
