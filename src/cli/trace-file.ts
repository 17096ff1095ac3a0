/**
 * `--trace`: the engine's own phases, kept in the plan while the executor has it; then, with what the executor has noted, the file.
 * It is written by an engine, with the rights and from the directory of the caller. Values of the environment and the like are left out
 * before anything is kept (security.md S53).
 */
import { fail, TsrunError } from '../errors/error.js';
import { decodeNotes, type Outcome } from '../executor/outcome.js';
import { decodeRecords, lineInPlan, operationsOf, type Recorded, rolesOf } from '../executor/trace.js';
import { callerDescriptor, isEngine, isLaterRound } from '../host/executor.js';
import { closeFile, errnoOf, fileFacts, openFile, openFlags, writeAll } from '../host/files.js';
import { currentDirectory, elapsedMs, monotonicMs, ownPid, parentPid } from '../host/process.js';
import { listen, type Topics } from '../operations/trace.js';
import { areaOf } from '../plan/print.js';
import type { OpName } from '../generated/ops.js';
import { absolutePath } from '../state/layout.js';
import { descriptorOf } from '../tables/descriptors.js';
import { version } from '../tables/versions.js';
import { layOut, redact } from '../html/config-text.js';
import { type Trace, type TraceAbout, writeTrace } from '../trace/format.js';
import { eventsOf, type EnginePart } from '../trace/record.js';
import type { Context } from './context.js';

/** What an engine was at until it told this. */
const phaseNames: { readonly [topic: string]: string } = {
  root: 'command line and state root',
  config: 'read and check config.json',
  facts: 'facts about the host',
  rootfs: 'look for the root',
  cgroup: 'place the cgroup',
  options: 'the seccomp filter and what else the plan depends on',
  plan: 'compile the plan',
  encoded: 'encode the plan',
  claimed: 'claim the id',
  written: 'write the state files',
  container: "read the container's record",
  exec: 'the process, its namespaces and cgroups',
};

/** A config that is longer is left out. */
const longestConfig = 4 << 20;

/** `path` is absolute: a later engine's working directory is where the plan has gone. */
type Part = EnginePart & Omit<TraceAbout, 'outcome' | 'dropped'> & { readonly path: string };

export class TraceFile {
  #path: string;
  readonly #part: { -readonly [K in keyof Part]: Part[K] };
  readonly #phases: [string, number][] = [];

  constructor(context: Context, name: string) {
    const pid = isEngine() ? parentPid() : ownPid();
    const [command = '', id = ''] = [context.words[0], context.operands[0]];
    this.#path = absolutePath(named(name, { p: String(pid), i: id, c: command, '%': '%' }), currentDirectory());
    const began = monotonicMs() - elapsedMs();
    const time = new Date().toISOString();
    this.#part = { command, id, version, pid, time, config: '', began, phases: this.#phases, path: this.#path };
    if (isLaterRound()) return;
    closeFile(this.#open(false));
    listen((topic, data) => this.#heard(topic, data));
  }

  #heard(topic: keyof Topics, data: unknown): void {
    const phase = phaseNames[topic === 'done' ? (data as Topics['done']) : topic];
    if (phase === undefined) return;
    this.#phases.push([phase, monotonicMs()]);
    if (topic === 'config') this.#keepConfig((data as Topics['config']).spec);
    else if (topic === 'exec') this.#keepConfig({ process: (data as Topics['exec']).process });
    // Nobody waits for that but who wants a trace.
    else return;
    this.#phases.push(['keep the config for this trace', monotonicMs()]);
  }

  #keepConfig(config: unknown): void {
    const { text } = layOut(redact(config));
    this.#part.config = text.length <= longestConfig ? text : '';
  }

  line(): string {
    return JSON.stringify(this.#part);
  }

  writeEngine(): void {
    this.#phases.push(['what it has refused', monotonicMs()]);
    this.#write(this.#traceOf(this.#part, undefined, 'failed'), true);
  }

  write(answer: Uint8Array, plan: Uint8Array, outcome: Outcome): void {
    if (outcome.status === 'remark') return;
    // Interrupted before there was a plan: nothing has been noted.
    const part = plan.length === 0 ? this.#part : (JSON.parse(lineInPlan(plan)) as Part);
    this.#path = part.path;
    const notes = decodeNotes(plan);
    const recorded = decodeRecords(answer, notes.length);
    const goes = outcome.status === 'trace' && outcome.step < notes.length;
    const state = goes ? 'going' : outcome.status === 'trace' || outcome.status === 'ok' ? 'done' : 'failed';
    const steps = {
      notes,
      roles: rolesOf(plan, notes.length),
      areas: operationsOf(plan, notes.length).map((name) => areaOf(name as OpName)),
      recorded,
      failed: state === 'failed' ? outcome : undefined,
    };
    this.#write(this.#traceOf(part, steps, state), !goes);
  }

  #traceOf(
    part: Part,
    steps: (Parameters<typeof eventsOf>[1] & { recorded: Recorded | undefined }) | undefined,
    outcome: TraceAbout['outcome'],
  ): Trace {
    const { began: _, phases: __, path: ___, ...about } = part;
    return { about: { ...about, outcome, dropped: steps?.recorded?.dropped ?? 0 }, events: eventsOf(part, steps) };
  }

  /** What can be written over is written as soon as the program runs and again at the end; all else once. */
  #write(trace: Trace, last: boolean): void {
    let fd = -1;
    try {
      fd = this.#open(false);
      const isFile = fileFacts(fd).kind === 'file';
      if (!isFile && !last) return;
      if (isFile && descriptorOf(this.#path) === undefined) {
        closeFile(fd);
        fd = this.#open(true);
      }
      writeAll(fd, writeTrace(trace));
    } catch (error) {
      if (error instanceof TsrunError) throw error;
      this.#refuse(error);
    } finally {
      if (fd >= 0 && descriptorOf(this.#path) === undefined) closeFile(fd);
    }
  }

  #open(truncate: boolean): number {
    const number = descriptorOf(this.#path);
    if (number !== undefined) {
      const fd = callerDescriptor(number);
      return fd ?? this.#refuse({ code: 'EBADF' });
    }
    try {
      const { write, create, nonBlock } = openFlags;
      return openFile(this.#path, write | create | nonBlock | (truncate ? openFlags.truncate : 0), 0o644);
    } catch (error) {
      return this.#refuse(error);
    }
  }

  #refuse(error: unknown): never {
    return fail('TSR_TRACE_WRITE', `cannot write the trace to '${this.#path}'`, { errno: errnoOf(error) });
  }
}

/** The file's name with what stands for something replaced. */
const named = (name: string, values: { readonly [letter: string]: string }): string =>
  name.replace(/%(.)/g, (whole, letter: string) => values[letter] ?? whole);
