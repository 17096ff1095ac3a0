/** Why an exec failed. Nothing is left of it: its process is dead, and all it had was the container's. */
import { TsrunError } from '../errors/error.js';
import { decodeNotes, decodeOutcome } from '../executor/outcome.js';
import { monotonicMs, sleepMs } from '../host/process.js';
import { oomKilledSince } from '../linux/cgroup/oom.js';
import { notedFile } from '../plan/phases/cgroup-exec.js';
import { isAlive } from '../state/status.js';
import { type Container, openContainer } from '../state/store.js';
import { SIGKILL } from '../tables/signals.js';
import { errorOf } from './conclude.js';

interface Round {
  readonly outcome: Uint8Array;
  readonly plan: Uint8Array;
}

function find(root: string, id: string): Container | undefined {
  try {
    return openContainer(root, id);
  } catch (error) {
    if (error instanceof TsrunError) return undefined;
    throw error;
  }
}

/** How long a container's first process may take to be gone when it has been killed: its own have to go first. */
const longestDeathMs = 200;

/**
 * Whether the container's process is gone or going. Its end begins with killing everybody in its pid namespace, us
 * among them, and nobody is born there any more; so after such a failure it is worth a moment to wait for it.
 */
function hasEnded({ record }: Container, looksLikeIt: boolean): boolean {
  for (const deadline = monotonicMs() + (looksLikeIt ? longestDeathMs : 0); isAlive(record); sleepMs(2)) {
    if (monotonicMs() >= deadline) return false;
  }
  return true;
}

/** Steps are named by the config's keys; in a process file these are at the top. */
const inProcessFile = (pointer: string): string => pointer.replace(/^\/process(?=\/|$)/, '');

/** Whether memory has run out in the very cgroup since the exec began (R38). It may have hit another process of the container. */
function ranOutOfMemory({ plan }: Round, noted: string): boolean {
  const file = decodeNotes(plan)
    .map(([, summary]) => notedFile(summary))
    .find((name) => name !== undefined);
  return file !== undefined && oomKilledSince(file, noted);
}

/** @param fromFile whether the process came from a process file. */
export function explainExec(root: string, id: string, round: Round, fromFile: boolean): TsrunError {
  const { status, value, text } = decodeOutcome(round.outcome);
  const error = errorOf(round);
  if (status === 'interrupted') return error;
  const container = find(root, id);
  const { step, syscall, errno = '' } = error.failure;
  const killed = status === 'child-died' && (value & 0x7f) === SIGKILL;
  // Whatever went wrong for want of the container's process, that it is gone is the reason (R13).
  if (!container || hasEnded(container, killed || ['ESRCH', 'ENOMEM'].includes(errno))) {
    const detail = [step, syscall, errno].filter((part) => part !== undefined && part !== '').join(': ');
    const rest = detail === '' ? {} : { detail };
    return new TsrunError({ code: 'TSR_EXEC_STATE', message: 'cannot exec in a stopped container', ...rest });
  }
  const { pointer } = error.failure;
  const message = error.failure.message.replace(/^container init /, 'the process ');
  return new TsrunError({
    ...error.failure,
    message,
    ...(fromFile && pointer !== undefined ? { pointer: inProcessFile(pointer) } : {}),
    ...(killed && ranOutOfMemory(round, text) ? { message: `${message} (possibly OOM-killed)` } : {}),
  });
}
