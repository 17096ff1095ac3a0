/** What a container is doing, worked out from what the kernel says now; nothing of it is stored. */
import { hasReader, readLink, readTextIfExists } from '../host/files.js';
import { startTimeOf } from '../host/start-time.js';
import { stateFiles } from '../tables/state-files.js';
import type { ContainerRecord, ProcessIdentity } from './record.js';

export { startTimeOf };

export type Status = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

type HostIdentity = Pick<ContainerRecord, 'bootId' | 'pidNamespaceInode'>;

/** A process cannot change it: `list` asks for every container. */
let here: HostIdentity | undefined;

/** What pids mean here: they are only comparable within one boot and one pid namespace. */
export function hostIdentity(): HostIdentity {
  if (here !== undefined) return here;
  // pid:[4026531836]
  const link = readLink('/proc/self/ns/pid');
  here = {
    bootId: readTextIfExists('/proc/sys/kernel/random/boot_id')?.trim() ?? '',
    pidNamespaceInode: Number(link.slice(link.indexOf('[') + 1, -1)),
  };
  return here;
}

/** Identity of a living process, e.g. of the one that creates a container. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const startTime = startTimeOf(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/** Living children of a process. Who is in both lists was its child when its start time was read. */
export function childrenOf(pid: number): ProcessIdentity[] {
  const list = (): string[] => (readTextIfExists(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean);
  const found = list().map((child) => identityOf(Number(child)));
  const still = list();
  return found.filter((child): child is ProcessIdentity => child !== undefined && still.includes(String(child.pid)));
}

/** Whether this very process lives. */
export const isAlive = ({ pid, startTime }: ProcessIdentity): boolean => pid > 0 && startTimeOf(pid) === startTime;

/** Whether the record's pids are from this boot and this pid namespace (R41). */
export function isFromHere(record: Pick<ContainerRecord, 'bootId' | 'pidNamespaceInode'>): boolean {
  const { bootId, pidNamespaceInode } = hostIdentity();
  return record.bootId === bootId && record.pidNamespaceInode === pidNamespaceInode;
}

/** Whether init still waits for `start`, or for a `start` that has claimed the FIFO and not written yet. */
const isWaiting = (directory: string): boolean =>
  hasReader(`${directory}/${stateFiles.execFifo}`) || hasReader(`${directory}/${stateFiles.startedFifo}`);

/**
 * The status. A dead process is `stopped` whatever its freezer says: buildah gives up on a spurious `paused`.
 * `isFrozen` is asked last and may be left out where a pause makes no difference.
 */
export function statusOf(
  record: ContainerRecord,
  directory: string,
  isFrozen?: (record: ContainerRecord) => boolean,
): Status {
  if (record.status === 'creating') {
    const creator = record.creator;
    return creator && !(isAlive(creator) && isFromHere(record)) ? 'stopped' : 'creating';
  }
  if (!isAlive(record) || !isFromHere(record)) return 'stopped';
  if (isFrozen?.(record)) return 'paused';
  return isWaiting(directory) ? 'created' : 'running';
}
