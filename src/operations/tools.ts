/** What operations on a container need beyond the state store; `cli/` and the library hand in the real ones. */
import type { Failure } from '../errors/error.js';
import type { Hook, State } from '../generated/config-types.js';
import type { ProcessIdentity } from '../state/record.js';
import type { CgroupRecord } from '../tables/cgroup.js';

/** The container's cgroups, as the later commands treat them. A cgroup that is gone is never an error. */
export interface CgroupControl {
  isFrozen(cgroup: CgroupRecord): boolean;
  thaw(cgroup: CgroupRecord): void;
  /** Stops every process; false, with all of them running, where that cannot be had. */
  tryFreeze(cgroup: CgroupRecord): boolean;
  /** Host pids in the cgroup and below. */
  processes(cgroup: CgroupRecord): number[];
  /** Whether there is any. */
  isPopulated(cgroup: CgroupRecord): boolean;
  /** The files that list them; undefined where one has no path that the kernel would take. */
  lists(cgroup: CgroupRecord): string[] | undefined;
  /** Sends a signal to every process, none escaping by a fork meanwhile. */
  signalAll(cgroup: CgroupRecord, signal: number): void;
  /** Kills every process and waits for their end, for a bounded time. */
  killAll(cgroup: CgroupRecord): void;
  remove(cgroup: CgroupRecord): void;
}

/**
 * Runs hooks in order with the state on their standard input; throws at the first failure. `pointer` is that of
 * the list, `first` the place of the first hook in it.
 */
export type RunHooks = (hooks: readonly Hook[], state: State, pointer: string, first?: number) => void | Promise<void>;

/** Signals exactly this process. False: it is gone. */
export type SignalProcess = (process: ProcessIdentity, signal: number) => boolean;

/** Tells the user what went wrong without stopping the command. */
export type Warn = (failure: Failure) => void;
