/** Steps of `--record-seccomp` that have failed. */
import type { Failure } from '../error.js';
import type { StepFailure } from './outcome.js';

/** undefined for any other step. */
export function explainRecorder({ pointer, summary, errno, syscall, text }: StepFailure): Failure | undefined {
  const place = pointer === '' ? {} : { pointer };
  const refused = { code: 'TSR_RECORD_SECCOMP', errno, syscall, ...place };
  const lost = { code: 'TSR_RECORD_FAILED', ...place };
  const file = /^start the seccomp recorder for (.+)$/.exec(summary)?.[1];
  if (file !== undefined && syscall === 'openat')
    return { ...refused, message: `cannot write a seccomp profile '${file}'` };
  if (summary.startsWith('connect to the seccomp recorder')) {
    const message =
      "the recorder of the container's system calls has ended, and nobody would let those of this process go on";
    return { ...lost, message, errno, syscall };
  }
  if (summary.startsWith('load the seccomp filter that shows') && errno === 'EBUSY') {
    const hint = 'a process can have one; is this within a container that is recorded, or has one?';
    return { ...refused, message: 'another seccomp agent has the system calls already', hint };
  }
  if (summary !== 'write the recorded seccomp profile') return undefined;
  const said = text.trim() || 'no seccomp profile was written: the recorder could not start its writer';
  if (errno === 'EIO') return { ...lost, message: said };
  return { ...lost, message: 'no seccomp profile was written: the recorder was killed' };
}
