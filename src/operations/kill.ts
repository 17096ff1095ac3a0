import { fail, TsrunError } from '../errors/error.js';
import { cgroupOpenFlags } from '../generated/ops.js';
import { errnoOf } from '../host/files.js';
import { signalKnown } from '../host/process.js';
import { type Step, step } from '../plan/step.js';
import type { ContainerRecord, ProcessIdentity } from '../state/record.js';
import { isAlive, isFromHere, startTimeOf, statusOf } from '../state/status.js';
import { openContainer } from '../state/store.js';
import { type CgroupRecord, firstSlot } from '../tables/cgroup.js';
import { endsWaiting, SIGKILL, SIGTERM, signalNumber } from '../tables/signals.js';
import type { CgroupControl, SignalProcess } from './tools.js';
import { trace, traceStep } from './trace.js';

/** Has the executor carry out steps of the host; the engine hands over and ends with it. @throws TsrunError */
export type SendSignals = (steps: readonly Step[], cgroup: CgroupRecord) => void;

/** Whether the container has a pid namespace of its own, whose end takes every process along. */
export const hasOwnPidNamespace = (record: ContainerRecord): boolean =>
  record.namespaces.some(({ type, path }) => type === 'pid' && path === undefined);

/** For what waits for the end and looks again, as `delete` does; the start time is compared while a pidfd is held (R21). */
export const signalByPid: SignalProcess = (process, signal) => {
  try {
    return signalKnown(process.pid, signal, () => isAlive(process));
  } catch (error) {
    const errno = errnoOf(error);
    return fail('TSR_KILL', `cannot send signal ${signal} to process ${process.pid}`, { errno });
  }
};

export interface KillOptions {
  /** Absent: the one that the image's stop signal names, else TERM. */
  readonly signal?: number | undefined;
  /** Every process of the container; then a stopped one is no error. */
  readonly all: boolean;
}

const signalStep = ({ pid, startTime }: ProcessIdentity, signal: number, rest?: { tolerate: string[] }): Step =>
  step('host', 'process.signal', { pid, startTime: BigInt(startTime), signal }, '', `signal process ${pid}`, rest);

/** What lets a cgroup run again that the signals have found frozen. */
export const thawSummary = 'thaw the cgroup';

/** How long the process of a created container may take to end. */
const endTimeoutMs = 1000;

/**
 * A signal ends what waits for `start`: `kill` is back when it has, so that the `delete` that follows finds it stopped. One
 * that is too slow for that, under load, is no failure of the signal.
 */
function waitSteps({ pid, startTime }: ProcessIdentity): Step[] {
  const args = { pid, startTime: BigInt(startTime), timeoutMs: endTimeoutMs };
  return [step('host', 'process.wait', args, '', `wait for the end of process ${pid}`, { tolerate: ['ETIMEDOUT'] })];
}

function thawSteps({ places }: CgroupRecord): Step[] {
  const place = places.find(({ controllers }) => controllers.includes('freezer')) ?? places[0];
  if (place === undefined) return [];
  const { version, mountPoint, path } = place;
  const slot = firstSlot;
  const open = { slot, version, flags: cgroupOpenFlags.mustExist, root: mountPoint, path, controllers: [] };
  const [file, value] = version === 1 ? ['freezer.state', 'THAWED'] : ['cgroup.freeze', '0'];
  const gone = { tolerate: ['ENOENT', 'ENODEV', 'EBADF'] };
  return [
    step('host', 'cgroup.open', open, '', 'open the cgroup', gone),
    step('host', 'cgroup.write', { slot, file, value }, '', thawSummary, gone),
  ];
}

/**
 * Every process of a cgroup that stands still. Who has left it when we look again may have been followed by a stranger
 * with the same number, whose start time we have then read: so only who is in both lists counts.
 */
function members(cgroup: CgroupRecord, cgroups: CgroupControl): ProcessIdentity[] {
  const found = cgroups.processes(cgroup).map((pid) => ({ pid, startTime: startTimeOf(pid) ?? 0 }));
  const still = new Set(cgroups.processes(cgroup));
  return found.filter(({ pid }) => still.has(pid));
}

/** The executor asks the kernel's own lists, however many they name; a step for each process where a list has no path. */
function everyoneSteps(cgroup: CgroupRecord, cgroups: CgroupControl, signal: number): Step[] {
  const lists = cgroups.lists(cgroup);
  if (lists === undefined)
    return members(cgroup, cgroups).map((process) => signalStep(process, signal, { tolerate: ['ESRCH'] }));
  return [step('host', 'cgroup.signal', { signal, lists }, '', 'signal every process of the cgroup')];
}

function signalEveryone(
  { cgroup }: ContainerRecord,
  signal: number,
  cgroups: CgroupControl,
  send: SendSignals,
  after: readonly Step[],
): void {
  const wasFrozen = cgroups.isFrozen(cgroup);
  if (!wasFrozen && !cgroups.tryFreeze(cgroup)) {
    cgroups.signalAll(cgroup, signal);
    return;
  }
  const steps = everyoneSteps(cgroup, cgroups, signal);
  send(wasFrozen ? steps : [...steps, ...thawSteps(cgroup), ...after], cgroup);
}

/** config.md, Annotations: the signal that SHOULD be sent to kill the container. A name that is none says nothing. */
function stopSignal({ annotations }: ContainerRecord): number {
  const named = signalNumber(annotations['org.opencontainers.image.stopSignal'] ?? '');
  return named === undefined || named === 0 ? SIGTERM : named;
}

/**
 * Sends a signal to a container, through a pidfd that the executor opens before it compares the start time (R21).
 * SIGKILL for everybody needs none: cgroup.kill takes no numbers, and in a frozen v1 cgroup nobody ends.
 */
export function killContainer(
  root: string,
  id: string,
  { signal: asked, all }: KillOptions,
  cgroups: CgroupControl,
  send: SendSignals,
): void {
  const container = openContainer(root, id);
  const { record, directory } = container;
  const signal = asked ?? stopSignal(record);
  const status = statusOf(record, directory);
  trace('container', { container, status });
  if (status === 'creating') refuse('it is still being created');
  const ends = status === 'created' && (signal === SIGKILL || endsWaiting.includes(signal));
  const after = ends ? waitSteps(record) : [];
  // SIGKILL to init ends only init where the pid namespace is shared; the rest must not survive it. A record
  // from another boot has nothing to say about the cgroups of this one (R41).
  const everyone = (all || (signal === SIGKILL && !hasOwnPidNamespace(record))) && isFromHere(record);
  if (everyone && cgroups.isPopulated(record.cgroup)) {
    traceStep(() => `signal ${signal} to every process of the cgroups: ${cgroups.processes(record.cgroup).join(', ')}`);
    if (signal === SIGKILL) cgroups.killAll(record.cgroup);
    else signalEveryone(record, signal, cgroups, send, after);
    return;
  }
  if (status === 'stopped') {
    if (!all) refuse();
    return;
  }
  // A v1 freezer holds even a killed process until it is thawed.
  const frozen = (ends || signal === SIGKILL) && cgroups.isFrozen(record.cgroup);
  traceStep(() => `signal ${signal} to process ${record.pid}${frozen ? ', and thaw its cgroup' : ''}`);
  const toInit = signalStep(record, signal, all ? { tolerate: ['ESRCH'] } : undefined);
  if (!frozen) send([toInit, ...after], record.cgroup);
  else send(signal === SIGKILL ? [toInit, ...thawSteps(record.cgroup), ...after] : [toInit], record.cgroup);
}

/** As engines know it. */
export function notRunning(detail?: string): TsrunError {
  // containerd, conmon and podman look for this text: the container is gone, which is what they wanted.
  const failure = { code: 'TSR_KILL_STOPPED', message: 'container not running' } as const;
  return new TsrunError(detail === undefined ? failure : { ...failure, detail });
}

function refuse(detail?: string): never {
  throw notRunning(detail);
}
