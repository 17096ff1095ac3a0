/** When a process began. */
import { readTextIfExists } from './files.js';

/**
 * Start time of a living process: field 22 of /proc/PID/stat. Undefined when there is none or it is a zombie, which counts as gone. One
 * whose first thread alone has ended looks like a zombie, too, and lives as long as the others.
 */
export function startTimeOf(pid: number): number | undefined {
  const stat = readTextIfExists(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name in parentheses may hold anything, also parentheses and spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const threads = Number(fields[17]);
  return (state === 'Z' && threads < 2) || state === 'X' || state === 'x' ? undefined : Number(fields[19]);
}
