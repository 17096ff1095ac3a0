// Where the time goes in a command that has an engine, from traces: the medians of what its end had to wait for, by phase.
import { execFileSync, spawnSync } from 'node:child_process';
import { median } from './statistics.js';

interface Traced {
  readonly totalMs: number;
  readonly phases: readonly { readonly phase: string; readonly onPath: number }[];
}

/** `words` with a trace and a fresh id each time; `after` tidies up, untimed. */
export interface Traceable {
  readonly name: string;
  readonly words: (id: string, trace: string) => string[];
  readonly after: (id: string) => string[];
}

function traced(program: string, { words, after }: Traceable, id: string, file: string): Traced {
  const result = spawnSync(program, words(id, file), { stdio: 'ignore' });
  if (result.status !== 0) throw new Error(`bench: tsrun ${words(id, file).join(' ')} failed`);
  const text = execFileSync(program, ['trace', '--json', file], { encoding: 'utf8', maxBuffer: 64 << 20 });
  const last = after(id);
  if (last.length > 0) spawnSync(program, last, { stdio: 'ignore' });
  return JSON.parse(text) as Traced;
}

/** Rows of a table in Markdown: a phase, and its median in each of the commands. */
export function phaseTable(program: string, commands: readonly Traceable[], rounds: number, work: string): string[] {
  const columns = commands.map((command, column) => {
    const runs = Array.from({ length: rounds + 1 }, (_, round) =>
      traced(program, command, `phases${column}-${round}`, `${work}/phases.json`),
    ).slice(1);
    const phases = new Set(runs.flatMap((run) => run.phases.map(({ phase }) => phase)));
    const share = (run: Traced, phase: string) => run.phases.find((one) => one.phase === phase)?.onPath ?? 0;
    return new Map([
      ...[...phases].map((phase) => [phase, median(runs.map((run) => share(run, phase))) ?? 0] as const),
      ['all of it', median(runs.map(({ totalMs }) => totalMs)) ?? 0] as const,
    ]);
  });
  const longest = (phase: string) => Math.max(...columns.map((column) => column.get(phase) ?? 0));
  const names = [...new Set(columns.flatMap((column) => [...column.keys()]))]
    // Nobody waits for that but who wants a trace.
    .filter((phase) => longest(phase) >= 0.05 && !phase.includes('for this trace'))
    .sort((one, other) => longest(other) - longest(one));
  const cells = (phase: string) => columns.map((column) => `${(column.get(phase) ?? 0).toFixed(2)} ms`);
  return [
    `| waited for, median | ${commands.map(({ name }) => name).join(' | ')} |`,
    `| --- | ${commands.map(() => '---').join(' | ')} |`,
    ...names.map((phase) => `| ${phase} | ${cells(phase).join(' | ')} |`),
  ];
}

/** The begin of a command line. */
export const under = (root: string, ...words: string[]): string[] => ['--root', root, ...words];
