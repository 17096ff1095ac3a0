/** A trace for a terminal. */
import { type Analysis, analyse, type Piece } from './analyse.js';
import type { Trace, TraceEvent } from './format.js';

const milliseconds = (value: number): string => value.toFixed(2).padStart(8);
const clean = (text: string): string => text.replace(/\p{Cc}/gu, '?');
const share = (part: number, whole: number): string =>
  `${Math.round((100 * part) / Math.max(whole, 1e-9))} %`.padStart(5);

/** What one process does until another one has to. */
function stretches(path: readonly Piece[]): Piece[][] {
  const found: Piece[][] = [];
  for (const piece of path) {
    const last = found.at(-1);
    if (last?.[0]?.lane === piece.lane) last.push(piece);
    else found.push([piece]);
  }
  return found;
}

function describeStretch(pieces: readonly Piece[], begin: number): string {
  const [first, last] = [pieces[0]!, pieces.at(-1)!];
  const largest = pieces
    .filter(({ event }) => event !== undefined)
    .sort((one, other) => other.end - other.begin - (one.end - one.begin))
    .slice(0, 3);
  const names = pieces
    .filter((piece) => largest.includes(piece))
    .map((piece) => `${clean(piece.name)} ${(piece.end - piece.begin).toFixed(2)}`);
  const left = pieces.filter(({ event }) => event !== undefined).length - largest.length;
  const more = left > 0 ? `, ${left} more` : '';
  return `${milliseconds(first.begin - begin)}${milliseconds(last.end - first.begin)}  ${first.lane.padEnd(6)}  ${names.join(', ')}${more}`;
}

function describeStep(
  { lane, name, pointer = '', begin, end, errno, unfinished }: TraceEvent,
  pointerWidth: number,
): string {
  const result = errno === undefined ? (unfinished ? ' (its end was not seen)' : '') : ` (${errno})`;
  return `${milliseconds(end - begin)}  ${lane.padEnd(6)}  ${clean(pointer).padEnd(pointerWidth)}  ${clean(name)}${result}`;
}

function slowestLines(slowest: readonly TraceEvent[]): string[] {
  const shown = slowest.slice(0, 10);
  const width = Math.min(32, Math.max(...shown.map(({ pointer = '' }) => pointer.length)));
  return shown.map((event) => describeStep(event, width));
}

function head({ about }: Trace, { begin, goal, reached }: Analysis): string {
  const what = clean(`tsrun ${about.command} ${about.id}`);
  return `${what}: ${(goal - begin).toFixed(2)} ms until ${reached}`;
}

/** Lines as long as they are: what looks at a terminal cuts them. */
export function printTrace(trace: Trace): string {
  const analysis = analyse(trace);
  const { begin, goal, path, sums, slowest } = analysis;
  const whole = goal - begin;
  const failed = trace.events.filter(({ errno }) => errno !== undefined).at(-1);
  const lines = [
    head(trace, analysis),
    clean(`${trace.about.time}, tsrun ${trace.about.version}, process ${trace.about.pid}; times are milliseconds`),
    ...(trace.about.outcome === 'failed' && failed ? [`failed: ${describeStep(failed, 0).trim()}`] : []),
    ...(trace.about.dropped > 0 ? [`${trace.about.dropped} events had no room and are not here`] : []),
    '',
    'The critical path: who was at it while all else waited',
    '      at    took  who     the most of it',
    ...stretches(path).map((pieces) => describeStretch(pieces, begin)),
    '',
    'By phase: all of it, what the path had of it, and its share',
    '     sum    path  share  phase',
    ...sums.map(
      ({ phase, total, onPath }) =>
        `${milliseconds(total)}${milliseconds(onPath)}  ${share(onPath, whole)}  ${clean(phase)}`,
    ),
    '',
    'The slowest steps',
    ...slowestLines(slowest),
  ];
  return `${lines.join('\n')}\n`;
}

/** The same for programs; times in milliseconds since the command began. */
export function traceAsData(trace: Trace): object {
  const { begin, goal, reached, path, sums, slowest } = analyse(trace);
  const at = <T extends { begin: number; end: number }>(item: T): T => ({
    ...item,
    begin: item.begin - begin,
    end: item.end - begin,
  });
  const { config, ...about } = trace.about;
  return {
    ...about,
    totalMs: goal - begin,
    reached,
    path: path.map(({ event, ...piece }) => ({ ...at(piece), ...(event?.pointer ? { pointer: event.pointer } : {}) })),
    phases: sums,
    slowest: slowest.slice(0, 10).map(at),
    events: trace.events.map(at),
  };
}
