// The second part's table: CPU time and peak memory at each size, and what one more costs.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

export interface Cost {
  /** Milliseconds. */
  readonly cpu: number;
  /** KiB of the largest process. */
  readonly peak: number;
}

export interface Points {
  readonly name: string;
  readonly sizes: readonly number[];
  /** By "runtime size". */
  readonly costs: Map<string, Cost>;
  readonly failures: Map<string, string>;
}

const page = 'docs/growth.md';

/** Milliseconds for each further one, from the smallest size to the largest that worked. */
function slope({ sizes, costs }: Points, label: string): number | undefined {
  const known = sizes.filter((size) => costs.has(`${label} ${size}`));
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined || first === last || last !== sizes.at(-1)) return undefined;
  return (costs.get(`${label} ${last}`)!.cpu - costs.get(`${label} ${first}`)!.cpu) / (last - first);
}

const microseconds = (value: number | undefined): string =>
  value === undefined ? '–' : `${(Math.max(value, 0) * 1000).toFixed(1)} µs`;

/** Steeper than both peers, by more than a tenth and by more than the grain of the measurement. */
function verdict(points: Points, labels: readonly string[]): string {
  const own = slope(points, 'tsrun');
  const peers = labels.filter((label) => label !== 'tsrun').map((label) => slope(points, label));
  const known = peers.filter((value) => value !== undefined).map((value) => Math.max(value, 0));
  if (!labels.includes('tsrun') || known.length === 0) return '';
  if (own === undefined) return '✗';
  const span = points.sizes.at(-1)! - points.sizes[0]!;
  return own <= Math.min(...known) * 1.1 + 0.5 / span ? '✓' : '✗';
}

function rowsOf(points: Points, labels: readonly string[]): string[][] {
  const cell = (label: string, size: number): string => {
    const cost = points.costs.get(`${label} ${size}`);
    return cost === undefined ? 'failed' : `${cost.cpu.toFixed(1)} ms, ${(cost.peak / 1024).toFixed(1)} MiB`;
  };
  return [
    ...points.sizes.map((size, i) => [
      i === 0 ? points.name : '',
      String(size),
      ...labels.map((label) => cell(label, size)),
      '',
    ]),
    ['', 'each', ...labels.map((label) => microseconds(slope(points, label))), verdict(points, labels)],
  ];
}

export function report(all: readonly Points[], runtimes: ReadonlyMap<string, string>, write: boolean): void {
  const labels = [...runtimes.keys()];
  const head = ['', 'size', ...labels, 'no steeper'];
  const rows = [head, ...all.flatMap((points) => rowsOf(points, labels))];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows)
    console.log(
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  for (const { name, failures } of all) for (const [where, text] of failures) console.log(`${name}: ${where}: ${text}`);
  if (!write) return;
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const version = (path: string) => execFileSync(path, ['--version'], { encoding: 'utf8' }).split('\n')[0];
  const text = [
    '# How cost grows',
    '',
    'Written by `npm run bench -- --growth`: CPU time and the peak memory of the largest process, and in the rows "each" what one',
    "more costs. CPU time is the command's own, that of all it waited for, and that of the container's init.",
    '',
    line(head),
    line(head.map(() => '---')),
    ...rows.slice(1).map(line),
    '',
    `Measured with ${[...runtimes.values()].map(version).join(', ')} on Linux ${release()}, ${cpus().length} cores (${cpus()[0]?.model.trim()}).`,
    '',
  ];
  writeFileSync(page, text.join('\n'));
  console.log(`written: ${page}`);
}
