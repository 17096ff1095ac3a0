import { fail } from '../../errors/error.js';
import { renderPlain } from '../../errors/render.js';
import { cgroupControl } from '../../operations/cgroups.js';
import { listContainerIds, listContainers } from '../../operations/list.js';
import type { ContainerState } from '../../operations/state.js';
import { type Context, print, stateRoot } from '../context.js';

/** runc's table: columns at least 12 wide, 3 spaces between, the last one as long as it is. */
function renderTable(containers: readonly ContainerState[]): string {
  const rows = [
    ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'],
    ...containers.map((c) => [c.id, String(c.pid), c.status, renderPlain(c.bundle), c.created, c.owner]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(12, ...rows.map((row) => [...row[column]!].length + 3)));
  return rows
    .map(
      (row) =>
        `${row.map((cell, column) => (column === row.length - 1 ? cell : cell + ' '.repeat(widths[column]! - [...cell].length))).join('')}\n`,
    )
    .join('');
}

export function run(context: Context): number {
  const format = context.options.text('format') ?? 'table';
  if (format !== 'table' && format !== 'json')
    fail('TSR_CLI_VALUE', 'invalid format option', { hint: "it is 'table' or 'json'" });
  const warn = context.log.warn.bind(context.log);
  const root = stateRoot(context);
  if (context.options.is('quiet')) {
    const ids = listContainerIds(root, warn);
    print(ids.map((id) => `${id}\n`).join(''));
    return 0;
  }
  const containers = listContainers(root, cgroupControl, warn);
  if (format === 'json') print(`${JSON.stringify(containers)}\n`);
  else print(renderTable(containers));
  return 0;
}
