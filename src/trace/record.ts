/** Events of what engine and executor have noted. What the executor hands over has been inside a container: its indexes are checked by who decodes it. */
import type { TraceRecord } from '../executor/trace.js';
import { type Lane, lanes, type TraceEvent } from './format.js';

export interface EnginePart {
  /** When the engine's main began. */
  readonly began: number;
  /** Names, and when each was over. */
  readonly phases: readonly (readonly [string, number])[];
}

export interface StepsPart {
  /** Pointer and summary of each step. */
  readonly notes: readonly (readonly [string, string])[];
  readonly roles: readonly string[];
  /** As `tsrun plan` groups them. */
  readonly areas: readonly string[];
  readonly recorded: { readonly records: readonly TraceRecord[] } | undefined;
  /** Where the plan has ended. */
  readonly failed: { readonly step: number; readonly status: string } | undefined;
}

const launches = [
  'start: arguments, environment, kept plans',
  'start again from sealed memory',
  'wait for engine: its plan',
] as const;
const laneOf = (role: string): Lane => lanes.find((lane) => lane === role) ?? 'host';

function engineEvents({ began, phases }: EnginePart, forked: number | undefined): TraceEvent[] {
  const base = { lane: 'engine', kind: 'phase' } as const;
  const events: TraceEvent[] = [];
  if (forked !== undefined && forked < began)
    events.push({
      ...base,
      name: "map the engine's memory and begin",
      phase: 'engine: begin',
      begin: forked,
      end: began,
    });
  let before = began;
  for (const [name, end] of phases) {
    events.push({ ...base, name, phase: `engine: ${name}`, begin: before, end });
    before = end;
  }
  return events;
}

/** For whom a process waits: the host for who has the next step, others for the host. */
function waited(record: TraceRecord, roles: readonly string[]): Lane {
  const target = laneOf(roles[record.step] ?? '');
  return record.role === 'host' ? target : 'host';
}

function eventOf(record: TraceRecord, { notes, roles, areas }: StepsPart, last: number): TraceEvent {
  const { kind, role, step, begin, errno, syscall } = record;
  const [pointer, summary] = notes[step] ?? ['', ''];
  const times = {
    begin,
    end: record.end ?? Math.max(begin, last),
    ...(record.end === undefined ? { unfinished: true } : {}),
  };
  const lane = laneOf(role);
  const failed = { ...(errno ? { errno } : {}), ...(syscall ? { syscall } : {}) };
  const place = { ...(pointer ? { pointer } : {}), step };
  switch (kind) {
    case 'launch': {
      const name = launches[step] ?? '';
      if (step === 2) return { lane, kind: 'wait', name, phase: 'waits', waitsFor: 'engine', ...times };
      return { lane, kind, name, phase: 'launcher', ...times };
    }
    case 'wait': {
      const waitsFor = waited(record, roles);
      return { lane, kind, name: `wait for ${waitsFor}`, phase: 'waits', waitsFor, ...times };
    }
    case 'program':
      return { lane: 'hooks', kind, name: summary, phase: 'hooks', ...times, ...failed, ...place };
    case 'execve':
      return { lane, kind, name: 'the kernel executes the program', phase: 'execve', ...times, ...failed, ...place };
    case 'runs':
      return { lane, kind, name: 'the program runs', phase: 'execve', ...times };
    default:
      return { lane, kind, name: summary, phase: areas[step] || 'other', ...times, ...failed, ...place };
  }
}

export function eventsOf(engine: EnginePart, steps: StepsPart | undefined): TraceEvent[] {
  const records = steps?.recorded?.records ?? [];
  const last = records.reduce((latest, { begin, end = begin }) => Math.max(latest, end), 0);
  const forked = records.find(({ kind, step }) => kind === 'launch' && step === 0)?.end;
  const events = [...engineEvents(engine, forked), ...records.map((record) => eventOf(record, steps!, last))];
  const failed = steps?.failed;
  // Its own record had no room.
  if (failed?.status === 'step-failed' && !events.some(({ kind, step }) => kind === 'step' && step === failed.step)) {
    const [pointer = '', summary = ''] = steps!.notes[failed.step] ?? [];
    events.push({
      lane: laneOf(steps!.roles[failed.step] ?? ''),
      kind: 'step',
      name: summary,
      phase: 'other',
      begin: last,
      end: last,
      pointer,
      unfinished: true,
    });
  }
  return events.sort((one, other) => one.begin - other.begin || other.end - one.end);
}
