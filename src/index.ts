/**
 * tsrun as a library for Node ≥ 20: the same operations as the command, errors as values. Synchronous where the
 * command is; the executor (`dist/tsrun`) is spawned for what must happen in a new process.
 *
 *   import { create, start, state, remove } from 'tsrun';
 *   create({ id: 'web', bundle: '/bundles/web' });
 *   await start('web');
 */
import './bundle/explain.js';
import { cgroupControl } from './operations/cgroups.js';
import { type CreateRequest, compileRequest, prepareCreate } from './operations/create.js';
import { deleteContainer } from './operations/delete.js';
import { deriveCgroup as deriveNow } from './operations/derive-cgroup.js';
import { explainReply } from './operations/explain-reply.js';
import { runHooks } from './operations/hooks.js';
import { killContainer } from './operations/kill.js';
import { sendSpawning } from './operations/kill-failure.js';
import { listContainers } from './operations/list.js';
import { carryOutHere } from './operations/roll-back.js';
import { startContainer } from './operations/start.js';
import { type ContainerState, readState } from './operations/state.js';
import type { Warn } from './operations/tools.js';
import type { CompiledPlan } from './plan/options.js';
import type { StateRoot } from './state/layout.js';

export type { Spec } from './bundle/types.js';
export type { Failure } from './errors/error.js';
export { TsrunError } from './errors/error.js';
export { renderFailure } from './errors/render.js';
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

function carryOut(options: ContainerOptions, mode: CreateRequest['mode']): number {
  const request = requestOf(options, mode);
  const { bytes, warnings } = prepareCreate(request);
  for (const warning of warnings) (options.warn ?? ignore)(warning);
  return carryOutHere(request.root.path, options.id, bytes, { warn: options.warn ?? ignore });
}

/** The plan that `create` would carry out; needs no privilege and does nothing. @throws TsrunError */
export const plan = (options: ContainerOptions): CompiledPlan => compileRequest(requestOf(options, 'create')).plan;

/** Creates a container; its process waits for `start`. @throws TsrunError; then nothing is left behind. */
export function create(options: ContainerOptions): void {
  carryOut(options, 'create');
}

/** Creates and starts a container, waits for it, removes it. Returns its exit status, 128 + N for signal N. */
export const run = (options: ContainerOptions): number => carryOut(options, 'run');

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
