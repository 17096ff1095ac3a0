/** A trace in the Trace Event format, which Perfetto and chrome://tracing read; how it is written and read back. */
import { fail } from '../errors/error.js';

/** Who did it; a thread of its own in a viewer. */
export const lanes = ['engine', 'host', 'joiner', 'init', 'hooks'] as const;
export type Lane = (typeof lanes)[number];

export const eventKinds = ['phase', 'step', 'wait', 'program', 'execve', 'launch', 'runs'] as const;

/** Something that took time. Milliseconds of CLOCK_MONOTONIC. */
export interface TraceEvent {
  readonly lane: Lane;
  readonly kind: (typeof eventKinds)[number];
  readonly name: string;
  /** What it is a part of, for sums. */
  readonly phase: string;
  readonly begin: number;
  readonly end: number;
  readonly pointer?: string;
  readonly errno?: string;
  readonly syscall?: string;
  /** Index in the plan. */
  readonly step?: number;
  /** Of a wait: for whom. */
  readonly waitsFor?: Lane;
  /** Its end was not seen. */
  readonly unfinished?: boolean;
}

export interface TraceAbout {
  readonly command: string;
  readonly id: string;
  readonly version: string;
  readonly pid: number;
  /** When the command began, RFC 3339. */
  readonly time: string;
  readonly outcome: 'done' | 'failed' | 'going';
  /** For how many events there was no room. */
  readonly dropped: number;
  /** The config as text, without its secrets (redact.ts); '' when there is none. */
  readonly config: string;
}

export interface Trace {
  readonly about: TraceAbout;
  /** In the order of their begin. */
  readonly events: readonly TraceEvent[];
}

const round = (microseconds: number): number => Math.round(microseconds * 1000) / 1000;

function eventObject(event: TraceEvent, pid: number): object {
  const { lane, name, phase, begin, end, ...args } = event;
  const ts = round(begin * 1000);
  return { name, cat: phase, ph: 'X', ts, dur: round(end * 1000) - ts, pid, tid: lanes.indexOf(lane) + 1, args };
}

/** The file's text. */
export function writeTrace({ about, events }: Trace): string {
  const { pid } = about;
  const used = lanes.filter((lane) => events.some((event) => event.lane === lane));
  const name = (what: string, tid: number, args: object): object => ({ name: what, ph: 'M', ts: 0, pid, tid, args });
  const named = [
    name('process_name', 0, { name: `tsrun ${about.command} ${about.id}` }),
    ...used.flatMap((lane) => {
      const tid = lanes.indexOf(lane) + 1;
      return [name('thread_name', tid, { name: lane }), name('thread_sort_index', tid, { sort_index: tid })];
    }),
  ];
  const lines = [...named, ...events.map((event) => eventObject(event, pid))].map((one) => JSON.stringify(one));
  return `{"displayTimeUnit":"ms","otherData":${JSON.stringify({ ...about, clock: 'CLOCK_MONOTONIC' })},"traceEvents":[\n${lines.join(',\n')}\n]}\n`;
}

type Loose = { readonly [key: string]: unknown };
const asObject = (value: unknown): Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
const asText = (value: unknown): string => (typeof value === 'string' ? value : '');
const asNumber = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);
const oneOf = <T extends string>(values: readonly T[], value: unknown): T | undefined =>
  values.find((known) => known === value);

function eventOf(value: unknown): TraceEvent | undefined {
  const { ph, name, cat, ts, dur, tid, args } = asObject(value);
  const { kind, pointer, errno, syscall, step, waitsFor, unfinished } = asObject(args);
  const lane = lanes[asNumber(tid) - 1];
  const known = oneOf(eventKinds, kind);
  if (ph !== 'X' || lane === undefined || known === undefined || typeof ts !== 'number') return undefined;
  const begin = ts / 1000;
  const wait = oneOf(lanes, waitsFor);
  return {
    lane,
    kind: known,
    name: asText(name),
    phase: asText(cat),
    begin,
    end: begin + Math.max(0, asNumber(dur)) / 1000,
    ...(asText(pointer) === '' ? {} : { pointer: asText(pointer) }),
    ...(asText(errno) === '' ? {} : { errno: asText(errno) }),
    ...(asText(syscall) === '' ? {} : { syscall: asText(syscall) }),
    ...(typeof step === 'number' ? { step } : {}),
    ...(wait ? { waitsFor: wait } : {}),
    ...(unfinished === true ? { unfinished } : {}),
  };
}

/** Reads what writeTrace() wrote, whoever had it since. @throws TSR_TRACE_FILE */
export function readTrace(text: string, name: string): Trace {
  let document: Loose;
  try {
    document = asObject(JSON.parse(text));
  } catch {
    return fail('TSR_TRACE_FILE', `'${name}' is no trace: it is no JSON`);
  }
  const { otherData, traceEvents } = document;
  const about = asObject(otherData);
  const events = (Array.isArray(traceEvents) ? traceEvents : []).flatMap((one) => eventOf(one) ?? []);
  if (typeof about.command !== 'string' || events.length === 0)
    fail('TSR_TRACE_FILE', `'${name}' is no trace that tsrun has written`, {
      hint: "make one with 'tsrun run --trace FILE …'",
    });
  return {
    about: {
      command: asText(about.command),
      id: asText(about.id),
      version: asText(about.version),
      pid: asNumber(about.pid),
      time: asText(about.time),
      outcome: oneOf(['done', 'failed', 'going'] as const, about.outcome) ?? 'going',
      dropped: asNumber(about.dropped),
      config: asText(about.config),
    },
    events: [...events].sort((one, other) => one.begin - other.begin || other.end - one.end),
  };
}
