/** Signals for every process of a container's cgroups, none escaping by a fork meanwhile (R18, R20). */
import { fail } from '../../errors/error.js';
import { errnoOf, readTextIfExists, writeExisting } from '../../host/files.js';
import { monotonicMs, sendSignal, sleepMs } from '../../host/process.js';
import type { CgroupRecord } from '../../tables/cgroup.js';
import { freeze, isFrozen, thaw } from './freezer.js';
import { directoryOf, unifiedPlace } from './place.js';
import { processes } from './processes.js';

const killSignal = 9;
const longestWaitMs = 10_000;
/** Without a freezer a fork may slip through between the list and the signal: look again, so many times. */
const mostRounds = 100;

/** False, with everything running, where there is no freezer, no right to it, or a process that will not stop. */
export function tryFreeze(record: CgroupRecord): boolean {
  try {
    freeze(record);
    return true;
  } catch {
    return false;
  }
}

/** Runs `work` while nothing in the cgroup runs, if that can be had, and lets it run again on every path. */
function whileFrozen(record: CgroupRecord, work: (frozen: boolean) => void): void {
  // Without a freezer signals still go out, round by round.
  const frozen = tryFreeze(record);
  try {
    work(frozen);
  } finally {
    if (frozen) thaw(record);
  }
}

/** One signal for everybody that has not had it; true if that was somebody. */
function signalOthers(record: CgroupRecord, signal: number, done: Set<number>): boolean {
  let found = false;
  for (const pid of processes(record)) {
    if (done.has(pid)) continue;
    done.add(pid);
    found = true;
    try {
      sendSignal(pid, signal);
    } catch (error) {
      if (errnoOf(error) !== 'ESRCH') throw error;
    }
  }
  return found;
}

function signalRounds(record: CgroupRecord, signal: number, rounds: number): void {
  const done = new Set<number>();
  for (let round = 0; round < rounds && signalOthers(record, signal, done); round++);
}

/** cgroup.kill (kernel 5.14) reaches everybody in one write; false where it cannot be had. */
function killByFile(record: CgroupRecord): boolean {
  const place = unifiedPlace(record);
  if (place === undefined) return false;
  try {
    writeExisting(`${directoryOf(place)}/cgroup.kill`, '1');
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'EACCES', 'EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'EROFS'].includes(errnoOf(error)))
      return false;
    throw error;
  }
  return true;
}

/**
 * Sends a signal to every process. A paused container stays paused, and gets the signal when it is resumed; but
 * SIGKILL thaws it, as v1 lets nobody die while frozen.
 */
export function signalAll(record: CgroupRecord, signal: number): void {
  if (signal === killSignal && killByFile(record)) thaw(record);
  else signalEach(record, signal);
}

function signalEach(record: CgroupRecord, signal: number): void {
  if (!isFrozen(record)) {
    whileFrozen(record, (frozen) => signalRounds(record, signal, frozen ? 1 : mostRounds));
    return;
  }
  signalRounds(record, signal, 1);
  if (signal === killSignal) thaw(record);
}

/** Whether the last process left within the time. */
function processesGone(record: CgroupRecord, limitMs: number): boolean {
  const deadline = monotonicMs() + limitMs;
  for (let pauseMs = 1; processes(record).length > 0; pauseMs = Math.min(pauseMs * 2, 20)) {
    if (monotonicMs() >= deadline) return false;
    sleepMs(pauseMs);
  }
  return true;
}

/** `12 (stat)`: what a process that does not die is, and its state letter. */
function describe(pid: number): string {
  const stat = readTextIfExists(`/proc/${pid}/stat`) ?? '';
  const end = stat.lastIndexOf(')');
  return end === -1
    ? String(pid)
    : `${pid} ${stat.slice(stat.indexOf('('), end + 1)} in state ${stat.slice(end + 2, end + 3)}`;
}

/**
 * Kills every process and waits for their end.
 * @throws TSR_CGROUP_KILL naming a process that is still there after ten seconds.
 */
export function killAll(record: CgroupRecord): void {
  if (processes(record).length === 0) return;
  const deadline = monotonicMs() + longestWaitMs;
  signalAll(record, killSignal);
  while (!processesGone(record, 200)) {
    if (monotonicMs() >= deadline) {
      blame(record);
      return;
    }
    signalEach(record, killSignal);
  }
}

function blame(record: CgroupRecord): void {
  const [first, ...others] = processes(record);
  if (first === undefined) return;
  fail('TSR_CGROUP_KILL', `${others.length + 1} process(es) are still there ${longestWaitMs / 1000} s after SIGKILL`, {
    detail: `process ${describe(first)}`,
    hint: 'state D is a system call that cannot be interrupted, often on a dead network or disk',
  });
}
