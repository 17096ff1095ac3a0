import { fail } from '../errors/error.js';
import { type ProgramResult, runProgram } from '../host/program.js';
import { isFromHere, statusOf } from '../state/status.js';
import { openContainer } from '../state/store.js';
import type { CgroupControl } from './tools.js';

/** Host pids of everything in a container; none when it has stopped and nothing has been left behind. */
export function listProcesses(root: string, id: string, cgroups: Pick<CgroupControl, 'processes'>): number[] {
  const { record, directory } = openContainer(root, id);
  if (!isFromHere(record)) return [];
  const pids = cgroups.processes(record.cgroup);
  if (pids.length > 0) return pids;
  // Without cgroups nobody keeps count; the first process is the one that is known.
  const status = statusOf(record, directory);
  return status === 'stopped' || status === 'creating' ? [] : [record.pid];
}

const code = 'TSR_PS';

function runPs(args: readonly string[], run: (name: string, args: readonly string[]) => ProgramResult): string {
  const { status, output, errors, errno } = run('ps', args);
  if (errno !== '') fail(code, "cannot run 'ps' of the host", { errno, hint: "'--format json' does without it" });
  if (status !== 0) fail(code, `'ps' of the host ended with status ${status}`, { detail: errors || output });
  return output;
}

/** The rows of the host's ps(1) that are about these processes, below its header. */
export function tableOf(pids: readonly number[], psArgs: readonly string[], run = runProgram): string {
  const lines = runPs(psArgs.length > 0 ? psArgs : ['-ef'], run).split('\n');
  const header = lines[0] ?? '';
  const column = header.trim().split(/\s+/).indexOf('PID');
  if (column < 0) fail(code, "couldn't find PID field in ps output", { hint: "let ps print a column 'PID'" });
  const wanted = new Set(pids.map(String));
  const rows = lines.slice(1).filter((line) => wanted.has(line.trim().split(/\s+/)[column] ?? ''));
  return [header, ...rows, ''].join('\n');
}
