import { fail } from '../../errors/error.js';
import { isPlain, renderPlain } from '../../errors/render.js';
import { cgroupControl } from '../../operations/cgroups.js';
import { listContainerIds, listContainers } from '../../operations/list.js';
import type { ContainerState } from '../../operations/state.js';
import { type Context, print, stateRoot } from '../context.js';
import { clipTo, columnsOf, padTo, terminalFor } from '../terminal.js';

const rowsOf = (containers: readonly ContainerState[]): string[][] => [
  ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'],
  ...containers.map((c) => [c.id, String(c.pid), c.status, renderPlain(c.bundle), c.created, c.owner]),
];

type Rows = readonly (readonly string[])[];

/** Whether each character of a table takes a column; what is wide or takes no room is looked for once. */
const isNarrow = (rows: Rows): boolean => isPlain(rows.map((row) => row.join('')).join(''));

/** Each column but the last as wide as `widths` says. */
function joined(rows: Rows, widths: readonly number[], narrow: boolean): string {
  const lines: string[] = [];
  for (const row of rows) {
    const last = row.length - 1;
    let line = '';
    for (let at = 0; at < last; at++) {
      const cell = row[at]!;
      line += narrow ? cell.padEnd(widths[at]!) : padTo(cell, widths[at]!);
    }
    lines.push(line, row[last]!, '\n');
  }
  return lines.join('');
}

function widestOf(rows: Rows, gap: number, least: number, narrow: boolean): number[] {
  const widths = rows[0]!.map(() => least);
  for (const row of rows) {
    for (let at = 0; at < row.length; at++) {
      const cell = row[at]!;
      const width = (narrow ? cell.length : columnsOf(cell)) + gap;
      if (width > widths[at]!) widths[at] = width;
    }
  }
  return widths;
}

/** runc's table: columns at least 12 wide, 3 spaces between, the last one as long as it is. */
function renderTable(rows: Rows): string {
  const narrow = isNarrow(rows);
  return joined(rows, widestOf(rows, 3, 12, narrow), narrow);
}

/** Columns that may lose something, and how far: the end of a path says most, a time loses its fractions. */
const yielding = [
  { column: 3, least: 12, from: 'start' },
  { column: 0, least: 12, from: 'end' },
  { column: 3, least: 6, from: 'start' },
] as const;

/** For a terminal: narrower columns first, then shorter cells. */
export function fitTable(rows: Rows, width: number): string {
  const narrow = isNarrow(rows);
  const usual = widestOf(rows, 3, 12, narrow);
  if (sum(usual.slice(0, -1)) + columnsOf(longestOwner(rows)) <= width) return joined(rows, usual, narrow);
  const short = rows.map((row) => row.map((cell, column) => (column === 4 ? cell.replace(/\.\d+Z$/, 'Z') : cell)));
  const widths = widestOf(short, 2, 0, narrow);
  let cells = short;
  for (const { column, least, from } of yielding) {
    const over = sum(widths) - 2 - width;
    if (over <= 0) break;
    const room = Math.min(widths[column]!, Math.max(least + 2, widths[column]! - over));
    widths[column] = room;
    cells = cells.map((row) => row.map((cell, at) => (at === column ? clipTo(cell, room - 2, from) : cell)));
  }
  return joined(cells, widths, false);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const longestOwner = (rows: Rows): string =>
  rows.reduce((most, row) => (columnsOf(row[5]!) > columnsOf(most) ? row[5]! : most), '');

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
  else {
    const { width } = terminalFor();
    const rows = rowsOf(containers);
    print(width === undefined ? renderTable(rows) : fitTable(rows, width));
  }
  return 0;
}
