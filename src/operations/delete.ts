import { fail, TsrunError } from '../errors/error.js';
import { monotonicMs, sleepMs } from '../host/process.js';
import { stateFiles } from '../tables/state-files.js';
import type { ContainerRecord, ProcessIdentity } from '../state/record.js';
import { isCgroupRecord, parseLoosely } from '../state/record-checks.js';
import { withHead } from '../state/record-head.js';
import { isAlive, isFromHere, startTimeOf, statusOf } from '../state/status.js';
import {
  findDirectory,
  readRecord,
  readStateFile,
  removeIfEmpty,
  removeState,
  removeUnrecorded,
} from '../state/store.js';
import type { CgroupRecord } from '../tables/cgroup.js';
import { SIGKILL, SIGTERM } from '../tables/signals.js';
import { removeResctrlGroup } from '../linux/resctrl.js';
import { hasOwnPidNamespace, signalByPid } from './kill.js';
import { type ContainerState, lastStateOf } from './state.js';
import type { CgroupControl, RunHooks, SignalProcess, Warn } from './tools.js';
import { traceStep } from './trace.js';

export interface DeleteTools {
  readonly cgroups: CgroupControl;
  readonly runHooks: RunHooks;
  readonly warn: Warn;
  /** Waits for the profile of a container whose system calls are recorded. */
  readonly awaitRecorder?: (directory: string, warn: Warn) => void | Promise<void>;
  readonly signalProcess?: SignalProcess;
  /** Ends the systemd unit of a container that has one. */
  readonly stopUnit?: (cgroup: CgroupRecord) => Promise<void>;
  /** Works the cgroups out from the kept config.json, for when both records are lost. */
  readonly deriveCgroup?: (id: string, config: string) => Promise<CgroupRecord | undefined>;
}

/** As long as runc waits for a killed init. */
const killTimeoutMs = 10_000;

/** How long a `create` that is told to stop may take for its own cleaning up. */
const abortTimeoutMs = 1000;

/** Whether the process is gone, or a zombie, before the time is up. */
function hasEnded(process: ProcessIdentity, limitMs: number): boolean {
  const deadline = monotonicMs() + limitMs;
  for (let pauseMs = 1; isAlive(process); pauseMs = Math.min(pauseMs * 2, 20)) {
    if (monotonicMs() > deadline) return false;
    sleepMs(pauseMs);
  }
  return true;
}

/** Kills a process and waits for its end. */
function killAndWait(process: ProcessIdentity, signalProcess: SignalProcess): void {
  if (!signalProcess(process, SIGKILL) || hasEnded(process, killTimeoutMs)) return;
  fail('TSR_DELETE_ALIVE', 'container init still running', {
    detail: `process ${process.pid} has not ended ${killTimeoutMs / 1000} s after SIGKILL`,
  });
}

/** Ends every process of a container whose init is known. */
function endProcesses(record: ContainerRecord, tools: DeleteTools): void {
  const { cgroups, signalProcess = signalByPid } = tools;
  const frozen = cgroups.isFrozen(record.cgroup);
  traceStep(() => `kill process ${record.pid}${frozen ? ' and thaw its cgroup' : ''}`);
  signalProcess(record, SIGKILL);
  // A v1 freezer holds even the killed, and the wait would be in vain.
  if (frozen) cgroups.thaw(record.cgroup);
  killAndWait(record, signalProcess);
  if (!hasOwnPidNamespace(record)) cgroups.killAll(record.cgroup);
}

/**
 * Ends what an interrupted creation has left in the cgroup. Only processes younger than the creator are its
 * own: the cgroup may have been somebody's before, which `create` had no time to find out. True if it is ours.
 */
function endUnpublished(record: ContainerRecord, tools: DeleteTools): boolean {
  const { cgroups, signalProcess = signalByPid } = tools;
  const since = record.creator?.startTime ?? 0;
  let ours = true;
  for (const pid of cgroups.processes(record.cgroup)) {
    const startTime = startTimeOf(pid);
    if (startTime === undefined) continue;
    if (startTime >= since) killAndWait({ pid, startTime }, signalProcess);
    else ours = false;
  }
  return ours;
}

/**
 * Removes the cgroups; of a container in a systemd unit that is systemd's to do first. One that does not answer is
 * a warning: a scope ends by itself with its last process.
 */
async function removeCgroups(cgroup: CgroupRecord, tools: DeleteTools): Promise<void> {
  try {
    if (cgroup.unit) await tools.stopUnit?.(cgroup);
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    tools.warn(error.failure);
  }
  tools.cgroups.remove(cgroup);
  for (const { mountPoint, path } of cgroup.places) traceStep(() => `cgroup ${mountPoint}/${path} is removed`);
}

/** Ends the container's processes and removes its cgroups. */
async function tearDown(record: ContainerRecord, tools: DeleteTools): Promise<void> {
  // Pids and cgroups of another boot or pid namespace are somebody else's by now (R41).
  if (!isFromHere(record)) return;
  let ours = true;
  if (record.pid > 0) endProcesses(record, tools);
  else ours = endUnpublished(record, tools);
  if (ours) await removeCgroups(record.cgroup, tools);
  if (ours && record.intelRdtPath) removeResctrlGroup(record.intelRdtPath);
}

/** Each hook's failure is a warning, and the next one runs (runtime-spec, lifecycle). */
async function runPoststopHooks(
  record: ContainerRecord,
  state: ContainerState | undefined,
  tools: DeleteTools,
): Promise<void> {
  if (state === undefined) return;
  for (const [index, hook] of (record.hooks.poststop ?? []).entries()) {
    try {
      await tools.runHooks([hook], state, '/hooks/poststop', index);
    } catch (error) {
      if (!(error instanceof TsrunError)) throw error;
      tools.warn(error.failure);
    }
  }
}

/** What can still be said about a container whose records are damaged or of a newer format (R22, R42). */
function salvage(directory: string): { process: ProcessIdentity; cgroup?: CgroupRecord } {
  let process: ProcessIdentity = { pid: 0, startTime: 0 };
  let cgroup: CgroupRecord | undefined;
  for (const name of [stateFiles.record, stateFiles.provisional]) {
    const fields = readLoosely(directory, name);
    if (!fields || !isFromHere(fields as unknown as ContainerRecord)) continue;
    const { pid, startTime } = fields as { pid?: unknown; startTime?: unknown };
    if (process.pid === 0 && typeof pid === 'number' && typeof startTime === 'number') process = { pid, startTime };
    if (!cgroup && isCgroupRecord(fields.cgroup)) cgroup = fields.cgroup;
  }
  return { process, ...(cgroup ? { cgroup } : {}) };
}

function readLoosely(directory: string, name: string): { readonly [key: string]: unknown } | undefined {
  try {
    const fields = parseLoosely(readStateFile(directory, name) ?? '');
    return fields && (withHead(fields) ?? fields);
  } catch (error) {
    if (error instanceof TsrunError) return undefined;
    throw error;
  }
}

async function deriveFromConfig(directory: string, id: string, tools: DeleteTools): Promise<CgroupRecord | undefined> {
  try {
    const config = readStateFile(directory, stateFiles.config);
    return config === undefined ? undefined : await tools.deriveCgroup?.(id, config);
  } catch (error) {
    if (error instanceof TsrunError) return undefined;
    throw error;
  }
}

/**
 * Removes what has no usable record: a damaged one, or none because `create` was killed right after claiming the id. False: that
 * `create` lives, and has written one meanwhile.
 */
async function destroyDamaged(
  root: string,
  directory: string,
  id: string,
  damaged: boolean,
  tools: DeleteTools,
): Promise<boolean> {
  const { process, cgroup = await deriveFromConfig(directory, id, tools) } = salvage(directory);
  if (process.pid > 0) killAndWait(process, tools.signalProcess ?? signalByPid);
  if (cgroup) {
    tools.cgroups.killAll(cgroup);
    await removeCgroups(cgroup, tools);
  }
  if (!damaged) return removeUnrecorded(root, id);
  removeState(root, id);
  return true;
}

/** The record, or undefined where it is missing or, with force, damaged beyond reading. */
function readRecordFor(directory: string, id: string, force: boolean): ContainerRecord | 'damaged' | undefined {
  try {
    return readRecord(directory, id);
  } catch (error) {
    if (!force || !(error instanceof TsrunError)) throw error;
    return 'damaged';
  }
}

/** Stops a creation that is under way, politely at first, and looks at what it has left. */
function abortCreation(directory: string, record: ContainerRecord, tools: DeleteTools): ContainerRecord {
  const { creator, status } = record;
  // Nobody's creator is process 1: it would have inherited one.
  if (status !== 'creating' || !creator || creator.pid <= 1 || !isFromHere(record)) return record;
  const signalProcess = tools.signalProcess ?? signalByPid;
  const stopped = !signalProcess(creator, SIGTERM) || hasEnded(creator, abortTimeoutMs);
  if (!stopped) killAndWait(creator, signalProcess);
  const published = readRecordFor(directory, record.id, true);
  return published === undefined || published === 'damaged' ? record : published;
}

/**
 * Deletes a container: processes, cgroups, then the record, so that a failure can be tried again, and at last the
 * poststop hooks. Without force it must be stopped (runtime-spec, Delete); with force it is killed first, an interrupted or
 * damaged one is cleaned up as far as it is known, and a missing one is no error.
 */
export async function deleteContainer(root: string, id: string, force: boolean, tools: DeleteTools): Promise<void> {
  const directory = findDirectory(root, id);
  const record = directory === undefined ? undefined : readRecordFor(directory, id, force);
  if (directory === undefined || record === undefined || record === 'damaged') {
    if (directory !== undefined && force && !(await destroyDamaged(root, directory, id, record === 'damaged', tools)))
      return deleteContainer(root, id, force, tools);
    if (directory !== undefined && !force) removeIfEmpty(directory);
    if (!force) fail('TSR_STATE_MISSING', 'container does not exist');
    return;
  }
  const status = statusOf(record, directory, () => tools.cgroups.isFrozen(record.cgroup));
  traceStep(() => `${directory}: ${status}, process ${record.pid}, force: ${force}`);
  if (!force && status !== 'stopped') {
    fail('TSR_DELETE_STATE', `cannot delete container ${id} that is not stopped: ${status}`);
  }
  const current = abortCreation(directory, record, tools);
  await tearDown(current, tools);
  if (current.confinement.recordsSeccomp) await tools.awaitRecorder?.(directory, tools.warn);
  traceStep(() => 'processes and cgroups are gone; the state goes now, then the poststop hooks run');
  const last = lastStateOf(current, tools.warn);
  if (removeState(root, id)) await runPoststopHooks(current, last, tools);
}
