/**
 * What init writes into the reply FIFO when it cannot execute the program after `start`: `struct record` of kernel.h.
 * It comes from inside the container, so it only indexes what the plan said (security.md S39).
 */
import { fail } from '../errors/error.js';
import { syscallNames } from '../generated/ops.js';
import type { Notes, Outcome } from './outcome.js';

const headerSize = 28;
const textLimit = 1024;
const replySize = headerSize + textLimit;

/** Decodes a reply. @throws TSR_START_REPLY for anything that is none. */
export function decodeReply(bytes: Uint8Array): Outcome {
  if (bytes.length !== replySize) {
    fail('TSR_START_REPLY', 'the container process sent an answer that makes no sense', {
      detail: `${bytes.length} bytes`,
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (index: number): number => view.getUint32(index * 4, true);
  const length = Math.min(word(6), textLimit);
  return {
    status: 'step-failed',
    step: word(1),
    errno: word(2) <= 4095 ? word(2) : 0,
    syscall: word(3) === 0 ? '' : (syscallNames[word(3)] ?? ''),
    value: view.getInt32(16, true),
    pid: 0,
    item: word(5),
    text: new TextDecoder().decode(bytes.subarray(headerSize, headerSize + length)),
  };
}

/** Notes of the steps from `first` on; `start.json` of the state directory. */
export interface StartNotes {
  readonly first: number;
  readonly notes: Notes;
}

/** Reads what `create` wrote. Undefined for what is damaged: the errno is then all there is to say. */
export function parseStartNotes(text: string): StartNotes | undefined {
  try {
    const value = JSON.parse(text) as { first?: unknown; notes?: unknown } | null;
    const isNote = (note: unknown): boolean =>
      Array.isArray(note) && typeof note[0] === 'string' && typeof note[1] === 'string';
    const valid = Number.isSafeInteger(value?.first) && Array.isArray(value?.notes) && value.notes.every(isNote);
    return valid ? (value as StartNotes) : undefined;
  } catch {
    return undefined;
  }
}
