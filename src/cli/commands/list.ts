import { fail } from '../../errors/error.js';
import { renderPlain } from '../../errors/render.js';
import { isPlain } from '../../host/json.js';
import { cgroupControl } from '../../operations/cgroups.js';
import { listContainerIds, listContainers, listContainersAs } from '../../operations/list.js';
import { type Shown, shownPid } from '../../operations/state.js';
import type { Status } from '../../state/status.js';
import { type Context, print, stateRoot } from '../context.js';
import { clipTo, columnsOf, padTo, terminalFor } from '../terminal.js';

const heading = ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'];

const rowOf = (record: Shown, status: Status, owner: string): string[] => [
  record.id,
  String(shownPid(record, status)),
  status,
  record.bundle,
  record.created,
  owner,
];

type Rows = readonly (readonly string[])[];

const blanks: string[] = [''];

/** Lines, in which each column but the last is as wide as `widths` says. */
function linesOf(rows: Rows, widths: readonly number[], narrow: boolean): string[] {
  if (narrow) for (let size = blanks.length; size <= Math.max(...widths); size++) blanks.push(' '.repeat(size));
  const lines: string[] = [];
  for (const row of rows) {
    const last = row.length - 1;
    let line = '';
    for (let at = 0; at < last; at++) {
      const cell = row[at]!;
      // As many characters as columns: `padEnd`, of which a table of many containers would feel each call.
      line += narrow ? cell + blanks[widths[at]! - cell.length]! : padTo(cell, widths[at]!);
    }
    lines.push(line + row[last]!);
  }
  return lines;
}

const asText = (lines: readonly string[]): string => `${lines.join('\n')}\n`;

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

/** What may be in a path and not on a terminal is in no other column. */
const sanitised = (rows: Rows): Rows =>
  rows.map((row) => row.map((cell, column) => (column === 3 ? renderPlain(cell) : cell)));

/** runc's table: columns at least 12 wide, 3 spaces between, the last one as long as it is. */
function renderTable(rows: Rows): string {
  const widths = widestOf(rows, 3, 12, true);
  const lines = linesOf(rows, widths, true);
  // Mostly each character can be shown, and takes a column: asked once, about all.
  if (widths[3]! < 1024 && isPlain(lines.join(''))) return asText(lines);
  const shown = sanitised(rows);
  return asText(linesOf(shown, widestOf(shown, 3, 12, false), false));
}

/** Columns that may lose something, and how far: the end of a path says most, a time loses its fractions. */
const yielding = [
  { column: 3, least: 12, from: 'start' },
  { column: 0, least: 12, from: 'end' },
  { column: 3, least: 6, from: 'start' },
] as const;

/** For a terminal: narrower columns first, then shorter cells. */
export function fitTable(raw: Rows, width: number): string {
  const narrow = isPlain(raw.map((row) => row.join('')).join(''));
  const rows = narrow ? raw : sanitised(raw);
  const usual = widestOf(rows, 3, 12, narrow);
  if (sum(usual.slice(0, -1)) + columnsOf(longestOwner(rows)) <= width) return asText(linesOf(rows, usual, narrow));
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
  return asText(linesOf(cells, widths, false));
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
  if (format === 'json') print(`${JSON.stringify(listContainers(root, cgroupControl, warn))}\n`);
  else {
    const rows = [heading, ...listContainersAs(root, cgroupControl, warn, rowOf)];
    const { width } = terminalFor();
    print(width === undefined ? renderTable(rows) : fitTable(rows, width));
  }
  return 0;
}
