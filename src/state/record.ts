/**
 * What a container's `state.json` holds. Engines never read it, so the format is ours; but a record outlives
 * the tsrun that wrote it, hence the version: older ones stay readable, newer ones are a clear error (R42).
 */
import { fail } from '../errors/error.js';
import type {
  Capabilities,
  CpuAffinity,
  Hook,
  IoPriority,
  MemoryPolicy,
  Personality,
  Scheduler,
} from '../generated/config-types.js';
import { isPlain } from '../host/json.js';
import { carriedText } from '../tables/carried-text.js';
import { stateFiles } from '../tables/state-files.js';
import { type CgroupPlace, type CgroupRecord, freezerFile } from '../tables/cgroup.js';

export const recordVersion = 1;
/** The same, of a container whose annotations lie in a file of their own: the name of that stands in their place. */
export const carriedVersion = 2;

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks from boot to its start. */
  readonly startTime: number;
}

export interface NamespaceRecord {
  readonly type: string;
  /** Present when the namespace was joined instead of made. */
  readonly path?: string;
}

/** Decimal text, since the numbers go up to 2^64-1. */
export interface RlimitRecord {
  readonly type: string;
  readonly soft: string;
  readonly hard: string;
}

/** What the container's process was confined to; where `exec` starts from (security.md S56). */
export interface Confinement {
  readonly capabilities?: Capabilities;
  readonly rlimits: readonly RlimitRecord[];
  readonly noNewPrivileges: boolean;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
  readonly umask?: number;
  readonly additionalGids: readonly number[];
  readonly scheduler?: Scheduler;
  readonly ioPriority?: IoPriority;
  readonly execCPUAffinity?: CpuAffinity;
  readonly oomScoreAdj?: number;
  readonly personality?: Personality;
  readonly memoryPolicy?: MemoryPolicy;
  /** `--no-new-keyring`: the process has the caller's session keyring. */
  readonly noNewKeyring?: boolean;
  /** Whether config.json of the state directory has a seccomp profile to apply. */
  readonly seccomp: boolean;
  /** `--record-seccomp`: every process of the container gets the recording filter instead. */
  readonly recordsSeccomp?: true;
}

export interface ContainerRecord {
  readonly version: typeof recordVersion | typeof carriedVersion;
  /** `creating` while `create` is at work; `ready` when init waits for `start`. */
  readonly status: 'creating' | 'ready';
  /** The first process as the runtime sees it; 0 in a provisional record, which is written before there is one. */
  readonly pid: number;
  readonly startTime: number;
  readonly id: string;
  /** The process that creates the container: when it is gone and there is no pid, creating has failed. */
  readonly creator?: ProcessIdentity;
  /** pid and start time mean nothing after a reboot or in another pid namespace (R41). */
  readonly bootId: string;
  readonly pidNamespaceInode: number;
  readonly ociVersion: string;
  /** Absolute. */
  readonly bundle: string;
  /** Absolute. */
  readonly rootfs: string;
  /** RFC 3339, UTC. */
  readonly created: string;
  readonly annotations: { readonly [name: string]: string };
  /** Effective uid of the creator. */
  readonly owner: number;
  /** The file of the cgroup that says whether it is frozen, '' for none; absent in records of an older tsrun. */
  readonly freezer?: string;
  readonly cgroup: CgroupRecord;
  readonly namespaces: readonly NamespaceRecord[];
  readonly hooks: { readonly poststart?: readonly Hook[]; readonly poststop?: readonly Hook[] };
  readonly terminal: boolean;
  /** The config has no process: `start` is refused. */
  readonly withoutProcess?: true;
  readonly confinement: Confinement;
  /** What descriptors 0, 1 and 2 of the container led to. */
  readonly stdio: readonly string[];
  readonly rootless: boolean;
  /** Intel RDT group this container made and must remove. */
  readonly intelRdtPath?: string;
  /** Intel RDT groups that each of its processes joins. */
  readonly intelRdtGroups?: readonly string[];
}

/** Everything but what the executor or this file fills in. */
export type RecordDraft = Omit<ContainerRecord, 'version' | 'status' | 'pid' | 'startTime' | 'freezer'>;

/** What `list` wants of a record: a line of its own, in front of the rest, so that of many containers no more is read. */
export type RecordHead = Omit<
  ContainerRecord,
  | 'creator'
  | 'cgroup'
  | 'namespaces'
  | 'hooks'
  | 'terminal'
  | 'withoutProcess'
  | 'confinement'
  | 'stdio'
  | 'rootless'
  | 'intelRdtPath'
  | 'intelRdtGroups'
> & { readonly freezer: string };

/** The executor writes `before`, the pid, `between`, the start time, `after`: operation `file.publish`. */
export interface EncodedRecord {
  readonly before: string;
  readonly between: string;
  readonly after: string;
}

/** From here on it takes less to look than to write. */
const long = 256;

function hasLong(texts: { readonly [name: string]: string }): boolean {
  for (const name in texts) if (texts[name]!.length >= long) return true;
  return false;
}

/** JSON of an object of texts. An interpreter writes 10 ns a character; most long texts are written as they are. */
export function stringifyTexts(texts: { readonly [name: string]: string }): string | Uint8Array {
  const carried = carriedText(texts);
  if (carried !== undefined) return carried;
  if (!hasLong(texts)) return JSON.stringify(texts);
  const write = (text: string): string => (text.length >= long && isPlain(text) ? `"${text}"` : JSON.stringify(text));
  return `{${Object.entries(texts)
    .map(([name, text]) => `${JSON.stringify(name)}:${write(text)}`)
    .join(',')}}`;
}

/** No line of JSON has another end in it: the first one is that of the head. */
export function encodeRecord(draft: RecordDraft, status: ContainerRecord['status'] = 'ready'): EncodedRecord {
  const { id, bootId, pidNamespaceInode, ociVersion, bundle, rootfs, created, owner, annotations, ...rest } = draft;
  const freezer = freezerFile(rest.cgroup);
  const head = { id, bootId, pidNamespaceInode, ociVersion, bundle, rootfs, created, owner, freezer };
  const isCarried = carriedText(annotations) !== undefined;
  const shown = isCarried ? JSON.stringify(stateFiles.annotations) : stringifyTexts(annotations);
  return {
    before: `{"version":${isCarried ? carriedVersion : recordVersion},"status":"${status}","pid":`,
    between: ',"startTime":',
    after: `,${JSON.stringify(head).slice(1, -1)},"annotations":${shown}\n,${JSON.stringify(rest).slice(1)}\n`,
  };
}

/** The text of a record, `creating`, that has no process yet. */
export const withoutProcess = ({ before, between, after }: EncodedRecord): string => `${before}0${between}0${after}`;

export const encodeProvisional = (draft: RecordDraft): string => withoutProcess(encodeRecord(draft, 'creating'));

type Fields = { readonly [key: string]: unknown };

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isText = (value: unknown): value is string => typeof value === 'string';
const isAbsolute = (value: unknown): boolean => isText(value) && value[0] === '/' && !value.includes('\0');

/**
 * Whether later commands may act on this place. It decides what gets killed and removed: an empty path would
 * mean the whole host, so a damaged record must not get through.
 */
function isPlace(value: unknown): value is CgroupPlace {
  if (!isObject(value) || !isAbsolute(value.mountPoint) || !isText(value.path)) return false;
  const parts = value.path.split('/');
  const inside = parts.every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'));
  return inside && (value.version === 1 || value.version === 2) && Array.isArray(value.controllers);
}

export function isCgroupRecord(value: unknown): value is CgroupRecord {
  if (!isObject(value) || !Array.isArray(value.places) || !value.places.every(isPlace)) return false;
  const unit = value.unit;
  if (unit !== undefined && !(isObject(unit) && isText(unit.name) && isText(unit.slice))) return false;
  return value.driver === 'cgroupfs' || value.driver === 'systemd' || value.driver === 'disabled';
}

function areHooks(value: unknown): boolean {
  if (value === undefined) return true;
  if (!Array.isArray(value)) return false;
  for (const hook of value) if (!isObject(hook) || !isAbsolute(hook.path)) return false;
  return true;
}

function areTexts(value: unknown): boolean {
  if (!isObject(value)) return false;
  for (const key in value) if (!isText(value[key])) return false;
  return true;
}

const isIdentity = (value: unknown): boolean => isObject(value) && isCount(value.pid) && isCount(value.startTime);

/** What is wrong with a parsed record, '' if nothing. Only what a command acts on is looked at. */
function defectOf(record: Fields, id: string): string {
  const { status, pid, hooks } = record;
  if (record.id !== id) return 'id';
  if (status !== 'creating' && status !== 'ready') return 'status';
  if (!isCount(pid) || (pid === 0 && status === 'ready')) return 'pid';
  if (!isCount(record.startTime)) return 'startTime';
  if (!isText(record.bootId)) return 'bootId';
  if (!isCount(record.pidNamespaceInode)) return 'pidNamespaceInode';
  if (!isAbsolute(record.bundle)) return 'bundle';
  if (!isAbsolute(record.rootfs)) return 'rootfs';
  if (!isText(record.created)) return 'created';
  if (!isText(record.ociVersion)) return 'ociVersion';
  if (!isCount(record.owner)) return 'owner';
  if (!isCgroupRecord(record.cgroup)) return 'cgroup';
  if (!Array.isArray(record.namespaces)) return 'namespaces';
  for (const namespace of record.namespaces) if (!isObject(namespace)) return 'namespaces';
  const hasAnnotations =
    record.version === carriedVersion ? record.annotations === stateFiles.annotations : areTexts(record.annotations);
  if (!hasAnnotations) return 'annotations';
  if (!isObject(hooks) || !areHooks(hooks.poststart) || !areHooks(hooks.poststop)) return 'hooks';
  if (!isObject(record.confinement)) return 'confinement';
  if (record.creator !== undefined && !isIdentity(record.creator)) return 'creator';
  return '';
}

/** The object in a record file, whatever its version. */
export function parseLoosely(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The head of a ready record, from its first line with a tab behind it, as `firstLines` gives one that others follow. Undefined where all of
 * it has to be read, for something else is to be said: a record of an older tsrun, or of a newer one, a damaged one, `creating`.
 */
export function parseHead(line: string, id: string): RecordHead | undefined {
  if (!line.endsWith('\t')) return undefined;
  const r = parseLoosely(`${line}}`);
  const isGood =
    r !== undefined &&
    r.version === recordVersion &&
    r.status === 'ready' &&
    r.id === id &&
    isCount(r.pid) &&
    r.pid > 0 &&
    typeof r.startTime === 'number' &&
    typeof r.bundle === 'string' &&
    typeof r.rootfs === 'string' &&
    typeof r.created === 'string' &&
    typeof r.ociVersion === 'string' &&
    typeof r.freezer === 'string' &&
    isCount(r.owner) &&
    areTexts(r.annotations);
  return isGood ? (r as unknown as RecordHead) : undefined;
}

/** Reads a record file's text. @throws TSR_STATE_CORRUPT or TSR_STATE_VERSION. */
export function parseRecord(text: string, id: string, file: string): ContainerRecord {
  const hint = `'tsrun delete --force ${id}' removes the container`;
  const damaged = (detail: string): never =>
    fail('TSR_STATE_CORRUPT', `'${file}' of container '${id}' is damaged`, { detail, hint });
  const record = parseLoosely(text) ?? damaged('it is no JSON object');
  const version = isCount(record.version) ? record.version : damaged("bad 'version'");
  if (version > carriedVersion) {
    fail('TSR_STATE_VERSION', `container '${id}' was created by a newer tsrun`, {
      detail: `its state has format ${version}, this one knows up to ${carriedVersion}`,
      hint,
    });
  }
  const defect = defectOf(record, id);
  if (defect !== '') damaged(`bad '${defect}'`);
  return record as unknown as ContainerRecord;
}
