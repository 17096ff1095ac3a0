/** What a container's record holds; record.ts has its text. */
import type {
  Capabilities,
  CpuAffinity,
  Hook,
  IoPriority,
  MemoryPolicy,
  Personality,
  Scheduler,
} from '../generated/config-types.js';
import type { CgroupRecord } from '../tables/cgroup.js';

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
  readonly version: number;
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
  /** In the file: the name of the one they lie in, where they are long. */
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
