/** Who tells that a container has run out of memory: the kernel, where it can, or else the count of those it has killed. */
import { closeFile, openFile, openFlags, readSome, statIfExists, writeExisting } from '../../host/files.js';
import { openCounter, watchFile } from '../../host/wait.js';
import type { CgroupRecord } from '../../tables/cgroup.js';
import { oomKillCount } from './oom.js';
import { directoryOf, legacyPlace, unifiedPlace } from './place.js';

export interface OomSource {
  /** Becomes readable when there may be news; without one somebody has to ask from time to time. */
  readonly fd: number | undefined;
  /** Whether memory has run out since this was asked last. */
  happened(): boolean;
}

/** Everything that can be read now, which is not much. */
function drain(fd: number): Uint8Array {
  try {
    return readSome(fd, 4096);
  } catch {
    return new Uint8Array(0); // EAGAIN
  }
}

/**
 * v1 counts in an eventfd how often the cgroup was out of memory, be it by its own limit or by one above, and also when
 * nobody is killed for it (`disableOOMKiller`). Not told of: a cgroup below that is out of a limit of its own.
 */
function legacySource(directory: string): OomSource | undefined {
  const control = `${directory}/memory.oom_control`;
  const counter = openCounter();
  if (counter === undefined) return undefined;
  try {
    const fd = openFile(control, openFlags.read);
    try {
      writeExisting(`${directory}/cgroup.event_control`, `${counter} ${fd}`);
    } finally {
      closeFile(fd);
    }
  } catch {
    closeFile(counter); // no right to it, or a real-time kernel (EOPNOTSUPP)
    return undefined;
  }
  return {
    fd: counter,
    happened() {
      const times = drain(counter).reduceRight((sum, byte) => sum * 256 + byte, 0);
      // It is also told once that the cgroup is gone.
      return times > (times === 1 && statIfExists(control) === undefined ? 1 : 0);
    },
  };
}

/** The number of processes killed, looked at when `fd` says so. */
function countingSource(record: CgroupRecord, fd: number | undefined): OomSource {
  let killed = oomKillCount(record) ?? 0;
  return {
    fd,
    happened() {
      if (fd !== undefined) drain(fd);
      const before = killed;
      killed = oomKillCount(record) ?? killed;
      return killed > before;
    },
  };
}

export function openOomSource(record: CgroupRecord): OomSource {
  const legacy = legacyPlace(record, 'memory');
  if (legacy) return legacySource(directoryOf(legacy)) ?? countingSource(record, undefined);
  const place = unifiedPlace(record);
  const changes = place && watchFile(`${directoryOf(place)}/memory.events`);
  return countingSource(record, changes);
}
