/** Where the time of a start went: the critical path, sums by phase, the slowest steps. */
import { type Lane, lanes, type Trace, type TraceEvent } from './format.js';

/** A piece of the path from the command's begin to its goal: somebody was at it, and all else waited for it. */
export interface Piece {
  readonly lane: Lane;
  readonly event: TraceEvent | undefined;
  readonly name: string;
  readonly phase: string;
  readonly begin: number;
  readonly end: number;
}

export interface Sum {
  readonly phase: string;
  readonly count: number;
  readonly total: number;
  /** How much of it the goal had to wait for. */
  readonly onPath: number;
}

export interface Analysis {
  readonly begin: number;
  /** When the program ran; without one, when the last step was done. */
  readonly goal: number;
  /** What the goal is, for people. */
  readonly reached: string;
  readonly path: readonly Piece[];
  readonly sums: readonly Sum[];
  readonly slowest: readonly TraceEvent[];
}

const between = 'between the steps';
/** A hair: what two clocks' readings next to each other may be out of order by. */
const tick = 0.0005;

/** Those of a lane that are no part of another one of it. */
function outermost(events: readonly TraceEvent[], lane: Lane): TraceEvent[] {
  const found: TraceEvent[] = [];
  for (const event of events) {
    if (event.lane !== lane || event.kind === 'runs') continue;
    const last = found.at(-1);
    if (last === undefined || event.begin >= last.end - tick) found.push(event);
  }
  return found;
}

/** They are in the order of their begins. */
function lastBefore(events: readonly TraceEvent[], at: number): TraceEvent | undefined {
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (events[middle]!.begin < at - tick) low = middle + 1;
    else high = middle;
  }
  return events[low - 1];
}

/** Backwards from the goal: a wait leads to whom it was for, the first of a process to who made it. */
function criticalPath(events: readonly TraceEvent[], from: Lane, begin: number, goal: number): Piece[] {
  const byLane = new Map(lanes.map((lane) => [lane, outermost(events, lane)]));
  const path: Piece[] = [];
  let lane = from;
  let waiting: Lane | undefined;
  let at = goal;
  const gap = (to: number): void => {
    if (at - to > tick) path.push({ lane, event: undefined, name: between, phase: between, begin: to, end: at });
  };
  for (let guard = 2 * events.length + 9; guard > 0 && at > begin + tick; guard--) {
    const event = lastBefore(byLane.get(lane)!, at);
    if (event === undefined) {
      if (lane === 'host') break;
      waiting = lane;
      lane = 'host';
      continue;
    }
    if (event.kind === 'wait' && event.waitsFor !== undefined && event.waitsFor === waiting) {
      // It had handed over a moment before the other one was awake.
      at = event.begin;
      waiting = undefined;
      continue;
    }
    waiting = undefined;
    if (event.kind === 'wait' && event.waitsFor !== undefined && lastBefore(byLane.get(event.waitsFor)!, at)) {
      if (event.end < at) gap(event.end);
      at = Math.min(at, event.end);
      waiting = lane;
      lane = event.waitsFor;
      continue;
    }
    if (event.end < at) gap(event.end);
    const end = Math.min(at, event.end);
    path.push({ lane, event, name: event.name, phase: event.phase, begin: event.begin, end });
    at = event.begin;
  }
  return path.reverse();
}

function sumUp(events: readonly TraceEvent[], path: readonly Piece[]): Sum[] {
  const sums = new Map<string, { count: number; total: number; onPath: number }>();
  const of = (phase: string) => {
    const sum = sums.get(phase) ?? { count: 0, total: 0, onPath: 0 };
    sums.set(phase, sum);
    return sum;
  };
  for (const event of events) {
    // What is within a step is counted with it.
    if (event.kind === 'wait' || event.kind === 'program' || event.kind === 'execve' || event.kind === 'runs') continue;
    const sum = of(event.phase);
    sum.count += 1;
    sum.total += event.end - event.begin;
  }
  for (const { phase, begin, end } of path) of(phase).onPath += end - begin;
  return [...sums]
    .map(([phase, sum]) => ({ phase, ...sum, total: Math.max(sum.total, sum.onPath) }))
    .sort((one, other) => other.onPath - one.onPath || other.total - one.total);
}

export function analyse({ events, about }: Trace): Analysis {
  const begin = events.reduce((least, event) => Math.min(least, event.begin), Number.POSITIVE_INFINITY);
  const runs = events.find(({ kind }) => kind === 'runs');
  const supervised = events.find(({ phase }) => phase === 'supervision');
  const started = events.filter(
    (event) => event !== supervised && event.begin < (supervised?.begin ?? Number.POSITIVE_INFINITY),
  );
  const last = started.reduce((one, other) => (other.end > one.end ? other : one), started[0]!);
  const goal = runs?.begin ?? last.end;
  const within = events
    .filter((event) => event.begin < goal)
    .map((event) => (event.end > goal ? { ...event, end: goal } : event));
  // The init of a created container is in a step that only `start` ends.
  const failed =
    about.outcome === 'done' ? undefined : events.find(({ errno, unfinished }) => errno !== undefined || unfinished);
  const path = criticalPath(within, runs ? 'host' : last.lane, begin, goal);
  const steps = within.filter(({ kind }) => kind !== 'wait' && kind !== 'runs');
  return {
    begin,
    goal,
    reached: runs ? 'the program runs' : failed && last === failed ? 'the failure' : 'the last step is done',
    path,
    sums: sumUp(within, path),
    slowest: steps
      .filter(({ kind }) => kind !== 'execve' && kind !== 'program')
      .sort((one, other) => other.end - other.begin - (one.end - one.begin)),
  };
}
