/** What happens when a plan of `create` or `run` has failed: nothing may be left of it (R10 of cli-contract). */
import { type Failure, TsrunError } from '../errors/error.js';
import { decodeOutcome, type Outcome } from '../executor/outcome.js';
import { carryOut } from '../host/executor.js';
import { removeResctrlGroup } from '../linux/resctrl.js';
import { listDirectory, lstatIfExists, removeFile } from '../host/files.js';
import type { ContainerRecord, ProcessIdentity } from '../state/record.js';
import { readRecord, removeIfEmpty, removeState } from '../state/store.js';
import { stateFiles } from '../tables/state-files.js';
import type { CgroupRecord } from '../tables/cgroup.js';
import { cgroupControl } from './cgroups.js';
import { errorOf } from './conclude.js';
import { runHooks } from './hooks.js';
import { type ContainerState, lastStateOf } from './state.js';
import type { Warn } from './tools.js';

/** Ends the systemd unit of a container that has one; handed in by who has loaded that driver. */
export type StopUnit = (cgroup: CgroupRecord) => void;

export interface RollbackOptions {
  readonly warn: Warn;
  readonly stopUnit?: StopUnit | undefined;
  /** Who an id was claimed for; matters when there was no plan yet. */
  readonly creator?: ProcessIdentity | undefined;
}

/** What went wrong before is the news; a bus that does not answer is not. The unit ends by itself with its last process. */
function stopQuietly(cgroup: CgroupRecord, stopUnit: StopUnit): void {
  try {
    stopUnit(cgroup);
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
  }
}

/**
 * Whether the cgroups are this container's to empty. Before there is a first process nothing of ours is in them, and
 * create refuses a populated one: its processes are another container's. The same goes for a unit that exists.
 */
function isOurs({ pid }: Outcome, { step = '' }: Failure): boolean {
  return pid > 0 && !step.startsWith('start systemd unit');
}

/** The cgroups without the one that was unfit, which is somebody else's, and those behind it, which were not looked at. */
function madeOf(cgroup: CgroupRecord, { code, detail }: Failure): CgroupRecord {
  if (code !== 'TSR_CGROUP_NOT_EMPTY' && code !== 'TSR_CGROUP_FROZEN') return cgroup;
  const unfit = cgroup.places.findIndex(({ mountPoint, path }) => `${mountPoint}/${path}` === detail);
  return unfit < 0 ? cgroup : { ...cgroup, places: cgroup.places.slice(0, unfit) };
}

/**
 * The lifecycle of a container whose hook has failed goes on with its end (runtime.md, steps 4 to 7), and that has
 * hooks. As in runc it is so whatever has failed, once there was a process. Theirs is a warning, and the next one runs.
 */
function runPoststopHooks(record: ContainerRecord, state: ContainerState | undefined, warn: Warn): void {
  if (state === undefined) return;
  for (const [index, hook] of (record.hooks.poststop ?? []).entries()) {
    try {
      runHooks([hook], state, '/hooks/poststop', index);
    } catch (error) {
      if (!(error instanceof TsrunError)) throw error;
      warn(error.failure);
    }
  }
}

/**
 * What an engine had claimed that was killed over its plan; it had nothing but files. They are ours when the record says so, or
 * when there is none yet and nothing but what that engine writes it with.
 */
function takeBackClaim(root: string, id: string, { pid, startTime }: ProcessIdentity, enginePid: number): void {
  const directory = `${root}/${id}`;
  const record = readRecord(directory, id);
  if (record) {
    if (record.creator?.pid === pid && record.creator.startTime === startTime) removeState(root, id);
    return;
  }
  const half = `.${stateFiles.provisional}.${enginePid}`;
  const names = lstatIfExists(directory) ? listDirectory(directory) : [];
  if (names.length === 1 && names[0] === half) removeFile(`${directory}/${half}`);
  removeIfEmpty(directory);
}

/** Removes cgroups and state of the container that could not be made; returns the error to report. */
export function rollBack(
  root: string,
  id: string,
  round: { outcome: Uint8Array; plan: Uint8Array },
  { warn, stopUnit, creator }: RollbackOptions,
): TsrunError {
  const directory = `${root}/${id}`;
  if (round.plan.length === 0) {
    if (creator) takeBackClaim(root, id, creator, decodeOutcome(round.outcome).pid);
    return errorOf(round);
  }
  const record = readRecord(directory, id);
  if (!record) return errorOf(round);
  const error = errorOf(round, cgroupControl.oomKills(record.cgroup));
  const { step = '' } = error.failure;
  const outcome = decodeOutcome(round.outcome);
  const ours = isOurs(outcome, error.failure);
  if (ours) cgroupControl.killAll(record.cgroup);
  if (ours && record.cgroup.unit && stopUnit) stopQuietly(record.cgroup, stopUnit);
  // Made but not entered: empty, or somebody else's and then busy. A unit's are made by systemd, after it has agreed.
  if (ours || record.cgroup.unit === undefined) cgroupControl.remove(madeOf(record.cgroup, error.failure));
  if (record.intelRdtPath && !step.startsWith('make resctrl group')) removeResctrlGroup(record.intelRdtPath);
  const last = outcome.pid > 0 ? lastStateOf(record, warn) : undefined;
  removeState(root, id);
  runPoststopHooks(record, last, warn);
  return error;
}

/** Without an executor above us (Node): spawns one. Returns the exit status. */
export function carryOutHere(root: string, id: string, plan: Uint8Array, options: RollbackOptions): number {
  const outcome = carryOut(plan);
  const { status, value } = decodeOutcome(outcome);
  if (status === 'ok') return value;
  throw rollBack(root, id, { outcome, plan }, options);
}
