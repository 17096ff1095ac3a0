/**
 * `create` and `run`: everything that can be decided before the first side effect is decided here; then the
 * executor carries out the plan, and only a failure comes back.
 */
import { loadWithProfile } from '../bundle/spec-document.js';
import type { Spec } from '../bundle/types.js';
import { type Failure, fail, TsrunError } from '../errors/error.js';
import { errnoOf, lstatIfExists, readLink, statIfExists } from '../host/files.js';
import { effectiveUid } from '../host/process.js';
import { findProfile, type ProfileText } from '../linux/seccomp/cache.js';
import { gatherFacts, type HostFacts, mayMount } from '../linux/facts.js';
import { compileCreate } from '../plan/compile.js';
import { encodePlan } from '../plan/encode.js';
import type { CompiledPlan, CompileOptions } from '../plan/options.js';
import type { Keeper } from '../plan/kept.js';
import { type CompiledCgroup, compileCgroup } from '../plan/phases/cgroup.js';
import { placeCgroup } from '../plan/phases/cgroup-placement.js';
import { absolutePath, type StateRoot } from '../state/layout.js';
import { claimId } from '../state/lock.js';
import { encodeRecord, type ProcessIdentity, type RecordDraft } from '../state/record.js';
import { hostIdentity } from '../state/status.js';
import {
  makeNotifyDirectory,
  prepareRoot,
  removeState,
  writeAnnotations,
  writeConfigSnapshot,
  writeProvisional,
  writeStartNotes,
} from '../state/store.js';
import { checkContainerId } from '../state/ids.js';
import type { CgroupDriver, CgroupRecord } from '../tables/cgroup.js';
import { type NamespaceType, namespaces } from '../tables/namespaces.js';
import { confinementOf } from './confinement.js';
import { type RecordRequest, recordedSeccomp, recorderPart } from './record.js';
import { keeperOf } from './keeper.js';
import { recordOf, resctrlPart } from './resctrl.js';
import { seccompPart } from './seccomp.js';
import { hookStatesOf } from './state.js';
import { trace } from './trace.js';

/** What `create` and `run` are asked for; paths are absolute. */
export interface CreateRequest {
  readonly root: StateRoot;
  readonly id: string;
  readonly bundle: string;
  /** Another file instead of the bundle's config.json. */
  readonly config?: string | undefined;
  readonly mode: CompileOptions['mode'];
  readonly driver: CgroupDriver;
  /** The systemd driver's cgroup phase: handed in, so that it is loaded only by who wants it. */
  readonly compileCgroup?: ((spec: Spec, id: string, facts: HostFacts) => CompiledCgroup) | undefined;
  /** The executor whose end means that the creation has failed; absent where it is a child of ours (library). */
  readonly creator?: ProcessIdentity | undefined;
  /** The file of the engine that makes the plans, where later calls can find those that are kept. */
  readonly engine?: Keeper['engine'] | undefined;
  readonly switches: Pick<
    CompileOptions,
    | 'pidFile'
    | 'consoleSocket'
    | 'pidfdSocket'
    | 'noPivot'
    | 'noNewKeyring'
    | 'noSubreaper'
    | 'keep'
    | 'preserveFds'
    | 'listenFds'
    | 'listenFdNames'
    | 'notifySocket'
  > & { readonly record?: RecordRequest | undefined };
}

export interface PreparedCreate {
  readonly plan: CompiledPlan;
  readonly bytes: Uint8Array;
  readonly directory: string;
  readonly warnings: readonly Failure[];
  readonly cgroup: CgroupRecord;
}

const configPath = ({ bundle, config }: CreateRequest): string => config ?? `${bundle}/config.json`;

/** The one question about the root that is asked from here: is it there at all (S01). */
function checkRootfs(rootfs: string): void {
  const kind = lstatIfExists(rootfs)?.kind;
  if (kind === 'directory') return;
  const pointer = '/root/path';
  if (rootfs === '/') return;
  if (kind === undefined) fail('TSR_ROOT_MISSING', `root path '${rootfs}' does not exist`, { pointer });
  fail('TSR_ROOT_KIND', `root path '${rootfs}' is a ${kind}, not a directory`, { pointer });
}

/** False where one of them cannot be looked at: who enters it will say why. */
function isSame(path: string, other: string): boolean {
  try {
    const [there, here] = [statIfExists(path), statIfExists(other)];
    return there !== undefined && here !== undefined && there.ino === here.ino && there.dev === here.dev;
  } catch (error) {
    if (errnoOf(error) === '') throw error;
    return false;
  }
}

/** Namespace paths that lead to where we are already: nothing to join. */
function alreadyIn(spec: Spec): Set<NamespaceType> {
  const found = new Set<NamespaceType>();
  for (const { type, path } of spec.linux?.namespaces ?? []) {
    const own = namespaces.get(type)?.file;
    if (!path || own === undefined) continue;
    if (isSame(path, `/proc/self/ns/${own}`)) found.add(type);
  }
  return found;
}

function idMappers(spec: Spec, facts: HostFacts): CompileOptions['idMappers'] {
  if (facts.uid === 0 || !(spec.linux?.namespaces ?? []).some(({ type, path }) => type === 'user' && !path))
    return undefined;
  const find = (name: string): string | undefined =>
    ['/usr/bin', '/bin', '/usr/local/bin']
      .map((dir) => `${dir}/${name}`)
      .find((path) => statIfExists(path) !== undefined);
  const uid = find('newuidmap');
  const gid = find('newgidmap');
  return uid !== undefined && gid !== undefined ? { uid, gid } : undefined;
}

const stdioTarget = (fd: number): string => {
  try {
    return readLink(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
};

function draftRecord(
  request: CreateRequest,
  spec: Spec,
  facts: HostFacts,
  rootfs: string,
  cgroup: CgroupRecord,
): RecordDraft {
  const { poststart, poststop } = spec.hooks ?? {};
  return {
    id: request.id,
    ...(request.creator ? { creator: request.creator } : {}),
    ...hostIdentity(),
    ociVersion: spec.ociVersion,
    bundle: request.bundle,
    rootfs,
    created: new Date().toISOString(),
    annotations: spec.annotations ?? {},
    owner: facts.uid,
    cgroup,
    namespaces: (spec.linux?.namespaces ?? []).map(({ type, path }) => (path ? { type, path } : { type })),
    hooks: { ...(poststart ? { poststart } : {}), ...(poststop ? { poststop } : {}) },
    terminal: spec.process?.terminal ?? false,
    ...(spec.process === undefined ? { withoutProcess: true as const } : {}),
    confinement: confinementOf(spec, request.switches.noNewKeyring),
    stdio: [0, 1, 2].map(stdioTarget),
    rootless: facts.uid !== 0 || facts.inUserNamespace,
  };
}

/** state.json while the container is being made: the same record, `creating`, with the process in it; what is long in both is one text. */
function asCreating(ready: CompileOptions['ready']): CompileOptions['creating'] {
  return { ...ready, before: ready.before.replace('"ready"', '"creating"') };
}

function compileCgroups(spec: Spec, facts: HostFacts, request: CreateRequest): CompiledCgroup {
  if (request.driver === 'systemd') {
    const compile = request.compileCgroup ?? fail('TSR_CGROUP_DRIVER', 'the systemd cgroup driver was not loaded');
    return compile(spec, request.id, facts);
  }
  return compileCgroup(spec, placeCgroup(spec.linux?.cgroupsPath, request.id, facts, request.driver), facts);
}

/** Whether it matters which security modules are on. */
const namesLabel = ({ process, linux }: Spec): boolean =>
  Boolean(process?.apparmorProfile || process?.selinuxLabel || linux?.mountLabel);

/** Reads and checks a bundle, and works out all that its plan depends on; touches nothing. */
export function readRequest(request: CreateRequest, given?: HostFacts) {
  checkContainerId(request.id);
  // A bundle's own config.json is a file; another one may be handed over as `<(...)`.
  const find = (bytes: Uint8Array): ProfileText => findProfile(bytes, request.root.path);
  const stream = request.config !== undefined;
  const { spec, warnings, source, profile } = loadWithProfile(configPath(request), find, { stream });
  trace('config', { path: configPath(request), source, spec, warnings });
  const facts = given ?? gatherFacts({ lsm: namesLabel(spec) });
  trace('facts', facts);
  const rootfs = absolutePath(spec.root?.path ?? '', request.bundle);
  checkRootfs(rootfs);
  trace('rootfs', rootfs);
  const cgroup = compileCgroups(spec, facts, request);
  trace('cgroup', { record: cgroup.record, cgroupsPath: spec.linux?.cgroupsPath, id: request.id });
  const resctrl = resctrlPart(spec, request.id);
  const recorder = recorderPart(request.switches.record, spec, facts, {
    bundle: request.bundle,
    root: request.root.path,
  });
  const stateDir = `${request.root.path}/${request.id}`;
  const plain = { ...draftRecord(request, spec, facts, rootfs, cgroup.record), ...recordOf(resctrl) };
  const draft = recorder ? { ...plain, confinement: { ...plain.confinement, recordsSeccomp: true as const } } : plain;
  const ready = encodeRecord(draft);
  const hookState = hookStatesOf(draft);
  const options: CompileOptions = {
    ...request.switches,
    id: request.id,
    bundle: request.bundle,
    stateDir,
    mode: request.mode,
    creating: asCreating(ready),
    ready,
    hookState,
    cgroup,
    resctrl,
    recorder,
    seccomp: recorder
      ? recordedSeccomp(stateDir, recorder.pointer)
      : seccompPart(spec.linux?.seccomp, request.root.path, spec.ociVersion, () => hookState('creating'), profile),
    alreadyIn: alreadyIn(spec),
    idMappers: idMappers(spec, facts),
    here: draft,
    keeper: keeperOf(facts, request.engine),
  };
  trace('options', options);
  return { spec, facts, options, draft, source, warnings: [...warnings, ...cgroup.warnings] };
}

/** What was odd about the config may be why it is refused: `proccess` is an unknown key, and no process. */
function refuseWith(error: unknown, warnings: readonly Failure[]): never {
  if (!(error instanceof TsrunError) || error.failure.hint !== undefined) throw error;
  const blamed = error.failure.pointer?.slice(1);
  const odd = warnings.find(({ code, hint }) => code === 'TSR_CONFIG_UNKNOWN_KEY' && hint?.includes(`'${blamed}'`));
  if (blamed === undefined || odd === undefined) throw error;
  throw new TsrunError({ ...error.failure, hint: `${odd.message}; ${odd.hint}` });
}

function compileOrRefuse(
  spec: Spec,
  facts: HostFacts,
  options: CompileOptions,
  warnings: readonly Failure[],
): CompiledPlan {
  try {
    return compileCreate(spec, facts, options);
  } catch (error) {
    return refuseWith(error, warnings);
  }
}

/** Compiles what was read. @throws TsrunError with the pointer to blame. */
export function compileRead({ spec, facts, options, draft, source, warnings }: ReturnType<typeof readRequest>) {
  const plan = compileOrRefuse(spec, facts, options, warnings);
  trace('plan', plan);
  const { creating } = options;
  return { plan, creating, draft, spec, source, warnings: [...warnings, ...plan.warnings] };
}

/** Reads, checks and compiles; touches nothing. @throws TsrunError with the pointer to blame. */
export const compileRequest = (request: CreateRequest, given?: HostFacts) => compileRead(readRequest(request, given));

/** An ordinary user has the rights that a container takes only in a user namespace; to find out half way would blame a cgroup. */
export function requireUserNamespace(spec: Spec): void {
  if (effectiveUid() === 0 || (spec.linux?.namespaces ?? []).some(({ type }) => type === 'user') || mayMount()) return;
  fail('TSR_NAMESPACE_USER', 'without root a container needs a user namespace', {
    pointer: '/linux/namespaces',
    hint: 'add { "type": "user" }, with uidMappings and gidMappings; \'tsrun spec --rootless\' writes such a config',
  });
}

/**
 * Compiles the request, claims the id and writes the provisional record, so that from here on `delete --force`
 * finds everything (R06). The caller gives the plan to the executor.
 */
export function prepareCreate(request: CreateRequest): PreparedCreate {
  checkContainerId(request.id);
  prepareRoot(request.root);
  trace('root', request.root);
  const { plan, creating, draft, spec, source, warnings } = compileRequest(request);
  requireUserNamespace(spec);
  const bytes = encodePlan(plan);
  trace('done', 'encoded');
  const directory = claimId(request.root.path, request.id);
  trace('claimed', directory);
  try {
    writeProvisional(directory, creating);
    writeConfigSnapshot(directory, source.bytes ?? source.text);
    writeAnnotations(directory, draft.annotations);
    if (request.switches.notifySocket !== undefined) makeNotifyDirectory(directory);
    if (request.mode === 'create') writeStartNotes(directory, startNotes(plan));
  } catch (error) {
    removeState(request.root.path, request.id);
    throw error;
  }
  trace('done', 'written');
  return { plan, bytes, directory, warnings, cgroup: draft.cgroup };
}

/** Pointer and summary of what init does after `start`: its complaint then names a step by number. */
function startNotes(plan: CompiledPlan): string {
  const first = plan.steps.findIndex(({ op }) => op === 'process.wait-start');
  return JSON.stringify({ first, notes: plan.steps.slice(first).map(({ pointer, summary }) => [pointer, summary]) });
}
