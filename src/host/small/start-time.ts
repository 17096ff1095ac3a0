/** src/host/start-time.ts for the small engine: the executor's C reads the same fields. */
import { door, scratch, SystemError } from './door.js';

const found = new Float64Array(scratch.bytes.buffer, 0, 2);
const pids = new Uint32Array(scratch.bytes.buffer, 8, 1);

export function startTimeOf(pid: number): number | undefined {
  pids[0] = pid;
  door.starts(scratch.at + 8, 1, scratch.at);
  const time = found[0]!;
  if (time < 0) throw new SystemError(time, 'read', `/proc/${pid}/stat`);
  return time === 0 ? undefined : time;
}
