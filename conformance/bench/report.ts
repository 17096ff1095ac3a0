// The table on the terminal and in docs/performance.md, between two markers; the rest of that page is written by hand.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { chart } from './chart.js';
import { format, judge, ratio, type Row } from './statistics.js';

const page = 'docs/performance.md';
const begin = '<!-- written by npm run bench: begin -->';
const end = '<!-- written by npm run bench: end -->';
const template = `# Performance

\`npm run bench\` runs tsrun, crun and runc in turn on one machine and rewrites the table and the chart below. Times are the
median wall time of a whole command as a shell sees it.

${begin}
${end}
`;

function table(rows: readonly Row[], runtimes: readonly string[]): string[][] {
  const peers = runtimes.includes('tsrun') ? runtimes.filter((name) => name !== 'tsrun') : [];
  const verdict = (row: Row) =>
    runtimes.includes('tsrun')
      ? judge(row, 'tsrun')
          .map(({ text, met }) => `${text} ${met ? '✓' : '✗'}`)
          .join(', ')
      : '';
  return [
    ['median', ...runtimes, ...peers.map((peer) => `tsrun / ${peer}`), 'bar'],
    ...rows.map((row) => [
      row.name,
      ...runtimes.map((name) => format(row, name)),
      ...peers.map((peer) => ratio(row, 'tsrun', peer)?.toFixed(2) ?? '–'),
      verdict(row),
    ]),
  ];
}

export function printTable(rows: readonly Row[], runtimes: readonly string[]): void {
  const cells = table(rows, runtimes);
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  for (const row of cells)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  for (const row of rows) for (const [name, text] of row.failures) console.log(`${row.name}: ${name}: ${text}`);
}

export function writeReport(
  rows: readonly Row[],
  runtimes: ReadonlyMap<string, string>,
  phases: readonly string[],
): void {
  const names = [...runtimes.keys()];
  const [head = [], ...body] = table(rows, names);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const version = (path: string) => execFileSync(path, ['--version'], { encoding: 'utf8' }).split('\n')[0];
  const hierarchy = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'cgroup v2' : 'cgroup v1';
  const text = [
    begin,
    line(head),
    line(head.map(() => '---')),
    ...body.map(line),
    '',
    '![The same as bars](performance.svg)',
    '',
    `Measured with ${[...runtimes.values()].map(version).join(', ')} on Linux ${release()}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), ${hierarchy}; ` +
      `${Math.max(...rows.map((row) => row.samples))} samples of each time.`,
    ...(phases.length > 0
      ? ['', 'Where the time goes in what has an engine, from traces of as many runs (`tsrun trace`):', '', ...phases]
      : []),
    end,
  ].join('\n');
  const before = existsSync(page) && readFileSync(page, 'utf8').includes(begin) ? readFileSync(page, 'utf8') : template;
  const [head1 = '', rest = ''] = before.split(begin);
  writeFileSync(page, `${head1}${text}${rest.split(end)[1] ?? ''}`);
  writeFileSync('docs/performance.svg', chart(rows, names));
  console.log(`written: ${page}, docs/performance.svg`);
}
