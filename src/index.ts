/**
 * tsrun as a library for Node ≥ 20: the same operations as the command, errors as values. What takes a moment is
 * synchronous, what takes as long as a container (`run`, `exec`) is not; the executor (`dist/tsrun`) is spawned for what
 * must happen in a new process. docs/library.md shows it at work.
 */
import './bundle/explain.js';
import type { Resources } from './bundle/types.js';
import { fail } from './errors/error.js';
import { currentDirectory, effectiveUid, environment } from './host/process.js';
import type { CgroupStats } from './linux/cgroup/stats-types.js';
import { cgroupControl } from './operations/cgroups.js';
import { type CreateRequest, compileRequest, prepareCreate } from './operations/create.js';
import { deleteContainer } from './operations/delete.js';
import { awaitRecorder } from './operations/record.js';
import { deriveCgroup as deriveNow } from './operations/derive-cgroup.js';
import { explainReply } from './operations/explain-reply.js';
import { type ContainerEvent, eventsOf, statsOf } from './operations/events-async.js';
import { prepareExec } from './operations/exec.js';
import { runHooks } from './operations/hooks.js';
import { killContainer } from './operations/kill.js';
import { sendSpawning } from './operations/kill-failure.js';
import { type Limits, refuseAborted } from './operations/limits.js';
import { listContainers } from './operations/list.js';
import { pauseContainer, resumeContainer } from './operations/pause.js';
import { listProcesses } from './operations/ps.js';
import { carryOutHere } from './operations/roll-back.js';
import { execAsync, type Finished, runAsync, type Streams } from './operations/run-async.js';
import { startContainer } from './operations/start.js';
import { type ContainerState, readState } from './operations/state.js';
import type { Warn } from './operations/tools.js';
import { resourcesFromInput, updateContainer } from './operations/update.js';
import type { CompiledPlan } from './plan/options.js';
import { absolutePath, chooseRoot, type StateRoot } from './state/layout.js';
import { stringifyExact } from './tables/exact-json.js';
import { signalNumber } from './tables/signals.js';

export type { Resources, Spec } from './bundle/types.js';
export type { Failure } from './errors/error.js';
export { TsrunError } from './errors/error.js';
export { renderFailure } from './errors/render.js';
export type { CgroupStats } from './linux/cgroup/stats-types.js';
export type { ContainerEvent } from './operations/events-async.js';
export type { Limits } from './operations/limits.js';
export type { Finished, Stream, Streams } from './operations/run-async.js';
export type { ContainerState } from './operations/state.js';
export type { CompiledPlan } from './plan/options.js';
export { printPlan } from './plan/print.js';
export type { Step } from './plan/step.js';

/** Where containers live unless said otherwise: the command's root, for this user. */
export const defaultRoot: string = commandRoot();

export interface ContainerOptions {
  readonly id: string;
  /** Path of the bundle. Like every path here it may be relative: to the caller's directory. */
  readonly bundle: string;
  /** State root; `defaultRoot`. */
  readonly root?: string;
  /** Another file instead of the bundle's config.json. */
  readonly config?: string;
  readonly pidFile?: string;
  /** AF_UNIX socket that gets the terminal of a config with `process.terminal`. */
  readonly consoleSocket?: string;
  /** Gets what the specification wants warned of. */
  readonly warn?: Warn;
}

export interface Place {
  readonly root?: string;
  readonly warn?: Warn;
}

/** As a function declaration, so that `defaultRoot` can be worked out above. */
function commandRoot(): string {
  return chooseRoot(undefined, { euid: effectiveUid(), environment, currentDirectory }).path;
}

const absolute = (path: string): string => absolutePath(path, currentDirectory());
const ifGiven = (path: string | undefined): string | undefined => (path === undefined ? undefined : absolute(path));
const rootOf = ({ root = defaultRoot }: { readonly root?: string }): string => absolute(root);
function stateRoot(place: { readonly root?: string }): StateRoot {
  const chosen = chooseRoot(undefined, { euid: effectiveUid(), environment, currentDirectory });
  const path = rootOf(place);
  return path === chosen.path ? chosen : { path, explicit: true, sticky: false };
}
const ignore: Warn = () => undefined;
const deriveCgroup = async (id: string, config: string) => deriveNow(id, config);

function requestOf(options: ContainerOptions, mode: CreateRequest['mode']): CreateRequest {
  return {
    root: stateRoot(options),
    id: options.id,
    bundle: absolute(options.bundle),
    config: ifGiven(options.config),
    mode,
    driver: 'cgroupfs',
    switches: { pidFile: ifGiven(options.pidFile), consoleSocket: ifGiven(options.consoleSocket) },
  };
}

function prepare(options: ContainerOptions, mode: CreateRequest['mode']): Uint8Array {
  const { bytes, warnings } = prepareCreate(requestOf(options, mode));
  for (const warning of warnings) (options.warn ?? ignore)(warning);
  return bytes;
}

/** The plan that `create` would carry out; needs no privilege and does nothing. @throws TsrunError */
export const plan = (options: ContainerOptions): CompiledPlan => compileRequest(requestOf(options, 'create')).plan;

/** Creates a container; its process waits for `start`. @throws TsrunError; then nothing is left behind. */
export function create(options: ContainerOptions): void {
  carryOutHere(rootOf(options), options.id, prepare(options, 'create'), { warn: options.warn ?? ignore });
}

/** Creates and starts a container, waits for it, removes it. @throws TsrunError, when it never ran or was stopped. */
export async function run(options: ContainerOptions & Streams & Limits): Promise<Finished> {
  refuseAborted(options);
  return runAsync(rootOf(options), options.id, prepare(options, 'run'), { warn: ignore, ...options });
}

/** What `exec` runs, and as whom; everything else is as for the container's first process. */
export interface ExecOptions extends Place, Streams, Limits {
  readonly cwd?: string;
  /** `NAME=value`, added to the container's. */
  readonly env?: readonly string[];
  /** `UID` or `UID:GID`. */
  readonly user?: string;
}

/** Runs a program in a running container and waits for it. @throws TsrunError, when it never ran or was stopped. */
export async function exec(id: string, args: readonly string[], options: ExecOptions = {}): Promise<Finished> {
  const { warn = ignore, cwd, env = [], user } = options;
  const root = rootOf(options);
  refuseAborted(options);
  const { bytes, warnings } = prepareExec(
    {
      root,
      id,
      mode: 'run',
      flags: { args, cwd, env, user, tty: false, additionalGids: [], caps: [] },
      cgroups: [],
      ignorePaused: false,
      switches: { preserveFds: 0 },
    },
    (cgroup) => cgroupControl.isFrozen(cgroup),
  );
  for (const warning of warnings) warn(warning);
  return execAsync(root, id, bytes, options);
}

/** Lets a created container run its program. @throws TsrunError */
export const start = (id: string, place: Place = {}): Promise<void> =>
  startContainer(rootOf(place), id, { cgroups: cgroupControl, explainReply, runHooks, warn: place.warn ?? ignore });

/** The container's state, as the specification has it. @throws TsrunError when there is no such container. */
export const state = (id: string, place: Place = {}): ContainerState => readState(rootOf(place), id, cgroupControl);

/** Every container of a state root. */
export const list = (place: Place = {}): ContainerState[] =>
  listContainers(stateRoot(place), cgroupControl, place.warn ?? ignore);

/** Host pids of the container's processes. @throws TsrunError */
export const ps = (id: string, place: Place = {}): number[] => listProcesses(rootOf(place), id, cgroupControl);

/** A signal by number or name: 15, `TERM`, `SIGTERM`, `RTMIN+3`. @throws TsrunError */
function signalOf(signal: number | string): number {
  const number = signalNumber(String(signal));
  return (
    number ??
    fail('TSR_KILL_SIGNAL', `unknown signal "${signal}"`, { hint: 'give a name such as TERM, or a number up to 64' })
  );
}

/**
 * Sends a signal, by number or name; without one that which the image names, else TERM. `all`: to every process of the
 * container. @throws TsrunError
 */
export function kill(id: string, signal?: number | string, place: Place & { all?: boolean } = {}): void {
  const options = { signal: signal === undefined ? undefined : signalOf(signal), all: place.all ?? false };
  killContainer(rootOf(place), id, options, cgroupControl, sendSpawning(cgroupControl));
}

/** Freezes every process of a container. @throws TsrunError */
export const pause = (id: string, place: Place = {}): void => pauseContainer(rootOf(place), id, cgroupControl);

/** Lets a paused container go on. @throws TsrunError */
export const resume = (id: string, place: Place = {}): void => resumeContainer(rootOf(place), id, cgroupControl);

/** New limits, as `linux.resources` has them; what is not named stays. All of them or none. @throws TsrunError */
export async function update(id: string, resources: Resources, place: Place = {}): Promise<void> {
  const { resources: asked, warnings } = resourcesFromInput(new TextEncoder().encode(stringifyExact(resources)));
  const more = await updateContainer(rootOf(place), id, { resources: asked }, async ({ cgroup }, changes) => {
    const systemd = await import('./operations/systemd.js');
    systemd.updateUnit(cgroup, changes, cgroup.places[0]?.version === 2);
  });
  for (const warning of [...warnings, ...more]) (place.warn ?? ignore)(warning);
}

/** What a running container uses now. @throws TsrunError */
export const stats = (id: string, place: Place = {}): CgroupStats => statsOf(rootOf(place), id);

/**
 * What a running container uses, every `intervalMs` (5000), and each time it runs out of memory; until it ends or
 * `signal` says so. @throws TsrunError
 */
export const events = (
  id: string,
  { intervalMs = 5000, signal, ...place }: Place & { intervalMs?: number; signal?: Limits['signal'] } = {},
): AsyncGenerator<ContainerEvent, void> => eventsOf(rootOf(place), id, { intervalMs, signal });

/** Removes a stopped container; with `force` also any other. @throws TsrunError */
export const remove = (id: string, place: Place & { force?: boolean } = {}): Promise<void> =>
  deleteContainer(rootOf(place), id, place.force ?? false, {
    cgroups: cgroupControl,
    runHooks,
    deriveCgroup,
    awaitRecorder,
    warn: place.warn ?? ignore,
  });
