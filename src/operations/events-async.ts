/** `events` for a Node program, which goes on meanwhile. */
import { closeFile } from '../host/files.js';
import { monotonicMs } from '../host/process.js';
import { type Abort, delay } from '../host/timers.js';
import { openOomSource } from '../linux/cgroup/oom-source.js';
import { stats } from '../linux/cgroup/stats.js';
import type { CgroupStats } from '../linux/cgroup/stats-types.js';
import { isAlive } from '../state/status.js';
import { openRunning, tickMs } from './events.js';

export type ContainerEvent =
  | { readonly type: 'stats'; readonly id: string; readonly data: CgroupStats }
  | { readonly type: 'oom'; readonly id: string };

/** What a container uses now. */
export const statsOf = (root: string, id: string): CgroupStats => stats(openRunning(root, id).record.cgroup);

/** Until the container's process has ended, or `signal` says so. */
export async function* eventsOf(
  root: string,
  id: string,
  { intervalMs, signal }: { readonly intervalMs: number; readonly signal?: Abort | undefined },
): AsyncGenerator<ContainerEvent, void> {
  const { record } = openRunning(root, id);
  const memory = openOomSource(record.cgroup);
  try {
    let next = monotonicMs() + intervalMs;
    for (let alive = true; alive && !signal?.aborted; ) {
      await delay(Math.max(1, Math.min(tickMs, next - monotonicMs())), signal);
      alive = isAlive(record);
      if (memory.happened()) yield { type: 'oom', id };
      if (!alive || monotonicMs() < next) continue;
      yield { type: 'stats', id, data: stats(record.cgroup) };
      next += intervalMs * Math.max(1, Math.ceil((monotonicMs() - next) / intervalMs));
    }
  } finally {
    if (memory.fd !== undefined) closeFile(memory.fd);
  }
}
