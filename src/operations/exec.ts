/** `exec`: another process in a container. Decides everything here; the executor only carries it out. */
import { type ProcessDocument, parseProcess } from '../bundle/process-document.js';
import type { Linux } from '../bundle/types.js';
import { type Failure, fail } from '../errors/error.js';
import { errnoOf, listDirectory, statIfExists } from '../host/files.js';
import { type CurrentPlaces, currentPlaces } from '../linux/cgroup/current.js';
import { gatherIdentity, type HostFacts } from '../linux/facts.js';
import { findProfile, type ProfileText } from '../linux/seccomp/cache.js';
import { compileExec, type ExecOptions, type ExecSpec } from '../plan/compile-exec.js';
import { encodePlan } from '../plan/encode.js';
import type { CompiledPlan } from '../plan/options.js';
import { placeSubCgroups } from '../plan/phases/cgroup-exec.js';
import type { ContainerRecord, NamespaceRecord } from '../state/record.js';
import { isAlive, isFromHere } from '../state/status.js';
import { type Container, openContainer } from '../state/store.js';
import type { CgroupRecord } from '../tables/cgroup.js';
import { type NamespaceType, namespaces } from '../tables/namespaces.js';
import { completeProcess, type ExecFlags, type ExecProcess, processFromFlags } from './exec-process.js';
import { recordedSeccomp } from './record.js';
import { seccompPart } from './seccomp.js';
import { readSnapshot, type Snapshot } from './snapshot.js';
import { trace as tell } from './trace.js';

export interface ExecRequest {
  /** Path of the state root. */
  readonly root: string;
  readonly id: string;
  readonly mode: ExecOptions['mode'];
  /** A process file, absolute; what the flags say about the process is then ignored. */
  readonly processFile?: string | undefined;
  readonly flags: ExecFlags;
  /** `--cgroup`. */
  readonly cgroups: readonly string[];
  readonly ignorePaused: boolean;
  readonly switches: Pick<ExecOptions, 'pidFile' | 'consoleSocket' | 'pidfdSocket' | 'preserveFds'>;
}

/** All that an exec was worked out from; who sees it come again can keep its plan. */
export interface ExecTrace {
  readonly container: Container;
  readonly plan: CompiledPlan;
  readonly options: ExecOptions;
  readonly facts: HostFacts;
  readonly shared: readonly NamespaceType[];
  readonly cgroupFiles: CurrentPlaces['files'];
  /** Text of the process file, if there was one. */
  readonly processText: string | undefined;
}

export interface PreparedExec {
  readonly bytes: Uint8Array;
  readonly warnings: readonly Failure[];
  readonly trace: ExecTrace;
}

const refuse = (message: string): never => fail('TSR_EXEC_STATE', `cannot exec in a ${message}`);

/**
 * The words are runc's, which engines and people know. That the container is created or running makes no difference
 * here, and is not asked: `statusOf` would have to try two FIFOs for it.
 */
function checkStatus({ record }: Container, isPaused: (cgroup: CgroupRecord) => boolean): void {
  if (record.status === 'creating') refuse('container that is still being created');
  if (!isAlive(record) || !isFromHere(record)) refuse('stopped container');
  if (isPaused(record.cgroup)) refuse('paused container (use --ignore-paused to override)');
}

function threadsOf(process: string): string[] {
  try {
    return listDirectory(`${process}/task`).map((thread) => `${process}/task/${thread}`);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return [];
    throw error;
  }
}

/**
 * Where the kernel shows what the container's process has. The number of a process is that of its first thread, which may have
 * ended before the others; it has no namespaces and cgroups any more.
 */
function folderOf({ pid }: ContainerRecord): string {
  const process = `/proc/${pid}`;
  const hasNamespaces = (folder: string): boolean => statIfExists(`${folder}/ns/mnt`) !== undefined;
  if (hasNamespaces(process)) return process;
  return threadsOf(process).find(hasNamespaces) ?? refuse('stopped container');
}

/** Made for the container alone; to join one again that the caller is in already does no harm, but for a user namespace (EINVAL). */
const isItsOwn = (type: string, list: readonly NamespaceRecord[]): boolean =>
  type !== 'user' && list.some((namespace) => namespace.type === type && namespace.path === undefined);

/**
 * In which namespaces the container's process is that we are not in, and in which ones with us. Each look at one makes the kernel
 * set up an inode, so it is only taken where the record leaves it open.
 */
function compareNamespaces(
  folder: string,
  list: readonly NamespaceRecord[],
): { joins: NamespaceType[]; shared: NamespaceType[] } {
  const joins: NamespaceType[] = [];
  const shared: NamespaceType[] = [];
  for (const [type, { file }] of namespaces) {
    if (isItsOwn(type, list)) {
      joins.push(type as NamespaceType);
      continue;
    }
    const here = statIfExists(`/proc/self/ns/${file}`);
    if (!here) continue;
    // One that the kernel has must be the container's, or the process would stay in the host's.
    const there = statIfExists(`${folder}/ns/${file}`) ?? refuse('stopped container');
    (there.ino !== here.ino || there.dev !== here.dev ? joins : shared).push(type as NamespaceType);
  }
  return { joins, shared };
}

interface Place {
  readonly folder: string;
  readonly joins: NamespaceType[];
  readonly shared: NamespaceType[];
}

function placeOf(record: ContainerRecord): Place {
  try {
    const folder = folderOf(record);
    return { folder, ...compareNamespaces(folder, record.namespaces) };
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === '') throw error;
    return fail('TSR_EXEC_NAMESPACES', `cannot look at the namespaces of the container's process ${record.pid}`, {
      errno,
    });
  }
}

const hasMountNamespace = ({ namespaces: list }: ContainerRecord): boolean => list.some(({ type }) => type === 'mount');

/** What is asked for explicitly is never replaced by something near it (R37). */
function cgroupOf(record: ContainerRecord, folder: string, options: readonly string[]): CurrentPlaces {
  if (options.length === 0) return currentPlaces(record.cgroup, `${folder}/cgroup`);
  return { record: placeSubCgroups(record.cgroup, options), files: [] };
}

/** All that there is to know, read once, before anything is decided. */
interface Known {
  readonly container: Container;
  /** Of a process file. */
  readonly document: ProcessDocument | undefined;
  readonly facts: HostFacts;
  /** The container's config, where the record does not say enough. */
  readonly config: Snapshot<ProfileText> | undefined;
  readonly place: Place;
  readonly cgroup: CurrentPlaces;
}

interface Labels {
  readonly apparmorProfile?: string | undefined;
  readonly selinuxLabel?: string | undefined;
}

/** Whether the host's security modules are to be looked at. */
const namesLabel = (...sources: readonly Labels[]): boolean =>
  sources.some(({ apparmorProfile, selinuxLabel }) => apparmorProfile || selinuxLabel);

function learn(request: ExecRequest, isFrozen: (cgroup: CgroupRecord) => boolean): Known {
  const container = openContainer(request.root, request.id);
  const { record, directory } = container;
  tell('container', { container });
  checkStatus(container, request.ignorePaused ? () => false : isFrozen);
  const { confinement } = record;
  const { processFile, flags } = request;
  const document = processFile === undefined ? undefined : parseProcess(processFile);
  const labels = { apparmorProfile: flags.apparmor, selinuxLabel: flags.processLabel };
  const facts = gatherIdentity({ lsm: namesLabel(document?.process ?? labels, confinement) });
  const needsConfig = document === undefined || confinement.seccomp || facts.uid !== 0;
  const config = needsConfig ? readSnapshot(directory, (bytes) => findProfile(bytes, request.root)) : undefined;
  const place = placeOf(record);
  return { container, document, facts, config, place, cgroup: cgroupOf(record, place.folder, request.cgroups) };
}

/** The config as far as an exec needs it. Most of it is in the record, which is read anyway and much smaller. */
function specOf({ container: { record }, facts, config }: Known): ExecSpec {
  const { confinement, annotations } = record;
  if (config !== undefined && (confinement.seccomp || facts.uid !== 0)) return config.spec;
  const { personality, memoryPolicy } = confinement;
  const linux: Linux = { ...(personality ? { personality } : {}), ...(memoryPolicy ? { memoryPolicy } : {}) };
  return { annotations, linux };
}

function processOf({ container, document, config }: Known, flags: ExecFlags): ExecProcess {
  if (document !== undefined) return completeProcess(document, container.record.confinement);
  if (config === undefined) throw new Error('without a process file the config is read');
  return processFromFlags(config.spec, flags);
}

/** For a seccomp agent: the container's state, whole. */
function stateOf({ ociVersion, id, pid, bundle, annotations }: ContainerRecord): { before: string; after: string } {
  return { before: JSON.stringify({ ociVersion, id, status: 'running', pid, bundle, annotations }), after: '' };
}

function decide(request: ExecRequest, known: Known, spec: ExecSpec): ExecOptions {
  const { container, place, cgroup, config } = known;
  const { record, directory } = container;
  return {
    ...request.switches,
    id: request.id,
    mode: request.mode,
    target: record,
    joins: place.joins,
    root: hasMountNamespace(record) ? '/' : record.rootfs,
    cgroup: cgroup.record,
    cgroupOptional: record.rootless && request.cgroups.length === 0,
    noNewKeyring: record.confinement.noNewKeyring,
    resctrlGroups: record.intelRdtGroups,
    seccomp: record.confinement.recordsSeccomp
      ? recordedSeccomp(directory, '')
      : seccompPart(spec.linux?.seccomp, request.root, record.ociVersion, () => stateOf(record), config?.profile),
  };
}

/** Reads, checks and compiles; touches nothing. @throws TsrunError */
export function prepareExec(request: ExecRequest, isFrozen: (cgroup: CgroupRecord) => boolean): PreparedExec {
  const known = learn(request, isFrozen);
  const { container, facts, place, cgroup } = known;
  const { process, warnings, text } = processOf(known, request.flags);
  const spec = specOf(known);
  const options = decide(request, known, spec);
  tell('exec', { options, process, processFile: request.processFile });
  const plan = compileExec(spec, process, facts, options);
  tell('plan', plan);
  const { shared } = place;
  const trace = { container, plan, options, facts, shared, cgroupFiles: cgroup.files, processText: text };
  const bytes = encodePlan(plan);
  tell('done', 'encoded');
  return { bytes, warnings, trace };
}
