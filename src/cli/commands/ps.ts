import { fail } from '../../errors/error.js';
import { cgroupControl } from '../../operations/cgroups.js';
import { listProcesses, tableOf } from '../../operations/ps.js';
import { type Context, print, stateRoot } from '../context.js';
import { clipLines, terminalFor } from '../terminal.js';

export function run(context: Context): number {
  const format = context.options.text('format') ?? 'table';
  if (format !== 'table' && format !== 'json')
    fail('TSR_CLI_VALUE', 'invalid format option', { hint: "it is 'table' or 'json'" });
  const [id = '', ...psArgs] = context.operands;
  const pids = listProcesses(stateRoot(context).path, id, cgroupControl);
  if (format === 'json') print(`${JSON.stringify(pids)}\n`);
  else {
    const { width } = terminalFor();
    const table = tableOf(pids, psArgs);
    print(width === undefined ? table : clipLines(table, width));
  }
  return 0;
}
