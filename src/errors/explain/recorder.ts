/** Steps of `--record-seccomp` that have failed. */
import type { Failure } from '../error.js';
import type { StepFailure } from './step-failure.js';

const filterLoad = 'load the seccomp filter that shows';
const noneLeft =
  "the recorder of the container's system calls has ended, and nobody would let those of this process go on";

/**
 * A process that ends with 1 and without a word has lost whom it waited for. We are there; so a call was refused behind a filter whose
 * recorder is not.
 */
export const explainLostRecorder = (
  notes: readonly (readonly [pointer: string, summary: string])[],
  waitStatus: number,
): Failure | undefined =>
  waitStatus === 0x100 && notes.some(([, summary]) => summary.startsWith(filterLoad))
    ? { code: 'TSR_RECORD_FAILED', message: noneLeft }
    : undefined;

/** undefined for any other step. */
export function explainRecorder({ pointer, summary, errno, syscall, text }: StepFailure): Failure | undefined {
  const place = pointer === '' ? {} : { pointer };
  const refused = { code: 'TSR_RECORD_SECCOMP', errno, syscall, ...place };
  const lost = { code: 'TSR_RECORD_FAILED', ...place };
  const file = /^start the seccomp recorder for (.+)$/.exec(summary)?.[1];
  if (file !== undefined && syscall === 'openat')
    return { ...refused, message: `cannot write a seccomp profile '${file}'` };
  if (/^(connect to the seccomp|send the seccomp listener to the) recorder/.test(summary)) {
    return { ...lost, message: noneLeft, errno, syscall };
  }
  if (summary.startsWith(filterLoad) && errno === 'EBUSY') {
    const hint = 'a process can have one; is this within a container that is recorded, or has one?';
    return { ...refused, message: 'another seccomp agent has the system calls already', hint };
  }
  if (summary !== 'write the recorded seccomp profile') return undefined;
  const said = text.trim() || 'no seccomp profile was written: the recorder could not start its writer';
  if (errno === 'EIO') return { ...lost, message: said };
  return { ...lost, message: 'no seccomp profile was written: the recorder was killed' };
}
