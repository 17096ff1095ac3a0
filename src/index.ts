/**
 * tsrun as a library for Node ≥ 20: the same operations as the command, errors as values. What takes a moment is
 * synchronous, what takes as long as a container (`run`, `exec`) is not; the executor (`dist/tsrun`) is spawned for what
 * must happen in a new process. docs/library.md shows it at work.
 */
import './bundle/explain.js';
import { cgroupControl } from './operations/cgroups.js';
import { type CreateRequest, compileRequest, prepareCreate } from './operations/create.js';
import { deleteContainer } from './operations/delete.js';
import { deriveCgroup as deriveNow } from './operations/derive-cgroup.js';
import { explainReply } from './operations/explain-reply.js';
import { prepareExec } from './operations/exec.js';
import { runHooks } from './operations/hooks.js';
import { killContainer } from './operations/kill.js';
import { sendSpawning } from './operations/kill-failure.js';
import { listContainers } from './operations/list.js';
import { carryOutHere } from './operations/roll-back.js';
import { execAsync, type Finished, runAsync, type Streams } from './operations/run-async.js';
import { startContainer } from './operations/start.js';
import { type ContainerState, readState } from './operations/state.js';
import type { Warn } from './operations/tools.js';
import type { CompiledPlan } from './plan/options.js';
import type { StateRoot } from './state/layout.js';

export type { Spec } from './bundle/types.js';
export type { Failure } from './errors/error.js';
export { TsrunError } from './errors/error.js';
export { renderFailure } from './errors/render.js';
export type { Finished, Stream, Streams } from './operations/run-async.js';
export type { ContainerState } from './operations/state.js';
export type { CompiledPlan } from './plan/options.js';
export { printPlan } from './plan/print.js';
export type { Step } from './plan/step.js';

/** Where containers live unless said otherwise; the command's root for root. */
export const defaultRoot = '/run/tsrun';

export interface ContainerOptions {
  readonly id: string;
  /** Absolute path of the bundle. */
  readonly bundle: string;
  /** State root, absolute; `/run/tsrun`. */
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

const stateRoot = (path = defaultRoot): StateRoot => ({ path, explicit: path !== defaultRoot, sticky: false });
const ignore: Warn = () => undefined;
const deriveCgroup = async (id: string, config: string) => deriveNow(id, config);

function requestOf(options: ContainerOptions, mode: CreateRequest['mode']): CreateRequest {
  return {
    root: stateRoot(options.root),
    id: options.id,
    bundle: options.bundle,
    config: options.config,
    mode,
    driver: 'cgroupfs',
    switches: { pidFile: options.pidFile, consoleSocket: options.consoleSocket },
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
  carryOutHere(options.root ?? defaultRoot, options.id, prepare(options, 'create'), { warn: options.warn ?? ignore });
}

/** Creates and starts a container, waits for it, removes it. @throws TsrunError, when it never ran. */
export const run = async (options: ContainerOptions & Streams): Promise<Finished> =>
  runAsync(options.root ?? defaultRoot, options.id, prepare(options, 'run'), { warn: ignore, ...options });

/** What `exec` runs, and as whom; everything else is as for the container's first process. */
export interface ExecOptions extends Place, Streams {
  readonly cwd?: string;
  /** `NAME=value`, added to the container's. */
  readonly env?: readonly string[];
  /** `UID` or `UID:GID`. */
  readonly user?: string;
}

/** Runs a program in a running container and waits for it. @throws TsrunError, when it never ran. */
export async function exec(id: string, args: readonly string[], options: ExecOptions = {}): Promise<Finished> {
  const { root = defaultRoot, warn = ignore, cwd, env = [], user } = options;
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
export const start = (id: string, { root = defaultRoot, warn = ignore }: Place = {}): Promise<void> =>
  startContainer(root, id, { cgroups: cgroupControl, explainReply, runHooks, warn });

/** The container's state, as the specification has it. @throws TsrunError when there is no such container. */
export const state = (id: string, { root = defaultRoot }: Place = {}): ContainerState =>
  readState(root, id, cgroupControl);

/** Every container of a state root. */
export const list = ({ root, warn = ignore }: Place = {}): ContainerState[] =>
  listContainers(stateRoot(root), cgroupControl, warn);

/** Sends a signal, by number; `all`: to every process of the container. @throws TsrunError */
export function kill(
  id: string,
  signal: number,
  { root = defaultRoot, all = false }: Place & { all?: boolean } = {},
): void {
  killContainer(root, id, { signal, all }, cgroupControl, sendSpawning(cgroupControl));
}

/** Removes a stopped container; with `force` also any other. @throws TsrunError */
export const remove = (
  id: string,
  { root = defaultRoot, force = false, warn = ignore }: Place & { force?: boolean } = {},
): Promise<void> => deleteContainer(root, id, force, { cgroups: cgroupControl, runHooks, deriveCgroup, warn });
