/** `events` and `stats`: what a container uses, and when it has run out of memory. */
import { fail } from '../errors/error.js';
import { monotonicMs } from '../host/process.js';
import { openProcess, waitForAny } from '../host/wait.js';
import { openOomSource } from '../linux/cgroup/oom-source.js';
import { stats } from '../linux/cgroup/stats.js';
import type { CgroupStats } from '../linux/cgroup/stats-types.js';
import { isAlive, statusOf } from '../state/status.js';
import { type Container, openContainer } from '../state/store.js';

/** How often to look whether the container still runs and whether memory has run out, where the kernel does not tell. */
export const tickMs = 100;

export interface WatchOptions {
  readonly root: string;
  readonly id: string;
  readonly intervalMs: number;
  /** Once, now, and that is all. */
  readonly once: boolean;
  readonly onStats: (stats: CgroupStats) => void;
  readonly onOom: () => void;
}

export function openRunning(root: string, id: string): Container {
  const container = openContainer(root, id);
  const status = statusOf(container.record, container.directory);
  if (status === 'stopped' || status === 'creating') fail('TSR_EVENTS_STATE', `container with id ${id} is not running`);
  return container;
}

/** Reports until the container's process ends. */
export function watchContainer({ root, id, intervalMs, once, onStats, onOom }: WatchOptions): void {
  const { record } = openRunning(root, id);
  if (once) {
    onStats(stats(record.cgroup));
    return;
  }
  const memory = openOomSource(record.cgroup);
  const wakers = [memory.fd, openProcess(record.pid)].filter((fd) => fd !== undefined);
  const longestMs = wakers.length === 2 ? Number.POSITIVE_INFINITY : tickMs;
  let next = monotonicMs() + intervalMs;
  for (let alive = true; alive; ) {
    waitForAny(wakers, Math.max(1, Math.min(longestMs, next - monotonicMs())));
    alive = isAlive(record);
    // Asked once more when it is dead: that may be why.
    if (memory.happened()) onOom();
    if (!alive || monotonicMs() < next) continue;
    onStats(stats(record.cgroup));
    next += intervalMs * Math.max(1, Math.ceil((monotonicMs() - next) / intervalMs));
  }
}
