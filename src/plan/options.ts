import type { Process, Spec } from '../bundle/types.js';
import type { Failure } from '../errors/error.js';
import type { HostFacts } from '../linux/facts.js';
import type { CompiledSeccomp } from '../linux/seccomp/compile.js';
import type { CgroupRecord } from '../tables/cgroup.js';
import type { NamespaceType } from '../tables/namespaces.js';
import type { HereFacts } from './compile-delete.js';
import type { Keeper } from './kept.js';
import type { ResctrlPart } from './phases/resctrl.js';
import type { Plan, Step } from './step.js';

/** Text around two numbers that only the executor knows: `before` PID `between` START-TIME `after`. */
export interface RecordText {
  readonly before: string;
  readonly between: string;
  readonly after: string;
}

/** The state a hook gets on its standard input, around the pid. */
export interface HookText {
  readonly before: string;
  readonly after: string | Uint8Array;
}

/** Who gets the listener of the filter, and the message for it: `before` PID `between`, and PID `after` if that is not empty. */
export interface AgentText extends RecordText {
  readonly path: string;
  /** It is tsrun's own recorder, for the key behind this pointer (or the command line, ''). */
  readonly records?: string;
}

/** What the cgroup phase gave: where the container is, and the steps that put it there and take it away. */
export interface CgroupPart {
  readonly record: CgroupRecord;
  /** Host, before the container's first process exists: make, limit. */
  readonly open: readonly Step[];
  /** Host, right after: what takes a process that exists, i.e. a unit of systemd's. */
  readonly join: readonly Step[];
  /** Init, before anything else: what CLONE_INTO_CGROUP cannot do, i.e. v1. */
  readonly enter?: readonly Step[];
  /** Host, after a foreground run. */
  readonly remove: readonly Step[];
}

/** Everything a plan depends on that is in neither the config nor the host's facts. Paths are absolute. */
export interface CompileOptions {
  readonly id: string;
  readonly bundle: string;
  /** This container's directory in the state root; `state.json` and the fifos are made there. */
  readonly stateDir: string;
  readonly mode: 'create' | 'run' | 'run-detached';
  /** state.json while hooks run and mounts are made, and when all is done. */
  readonly creating: RecordText;
  readonly ready: RecordText;
  readonly hookState: (status: 'creating' | 'created' | 'running' | 'stopped') => HookText;
  readonly cgroup?: CgroupPart | undefined;
  /** Of a config with `intelRdt`, where the host has a resctrl filesystem. */
  readonly resctrl?: ResctrlPart | undefined;
  /** The compiled profile; undefined when the config has none. */
  readonly seccomp?:
    | (Pick<CompiledSeccomp, 'filter' | 'flags' | 'rules' | 'allowed'> & { readonly agent?: AgentText | undefined })
    | undefined;
  /** `--record-seccomp`: where the profile goes, and an earlier one to add to. */
  readonly recorder?:
    | { readonly directory: string; readonly name: string; readonly merge: string; readonly pointer: string }
    | undefined;
  /** Types whose `path` is the runtime's own namespace: nothing to join, and still the host's for sysctl and names. */
  readonly alreadyIn?: ReadonlySet<NamespaceType> | undefined;
  /** newuidmap and newgidmap, where the host has them. */
  readonly idMappers?: { readonly uid: string; readonly gid: string } | undefined;
  readonly pidFile?: string | undefined;
  readonly consoleSocket?: string | undefined;
  readonly pidfdSocket?: string | undefined;
  readonly noPivot?: boolean | undefined;
  readonly noNewKeyring?: boolean | undefined;
  readonly noSubreaper?: boolean | undefined;
  /** Foreground run: leave cgroup and state when the process has ended (`run --keep`). */
  readonly keep?: boolean | undefined;
  /** `--preserve-fds`: descriptors from 3 on, behind the LISTEN_FDS ones. */
  readonly preserveFds?: number | undefined;
  readonly listenFds?: number | undefined;
  readonly listenFdNames?: string | undefined;
  /** NOTIFY_SOCKET of the service manager that wants to know when the container is ready. */
  readonly notifySocket?: string | undefined;
  /** For whom plans of later calls are kept, and what their pids mean; absent: nobody could find them (library). */
  readonly keeper?: Keeper | undefined;
  readonly here?: HereFacts | undefined;
}

/** Which namespaces the container gets, and how. A type in neither is the runtime's own. */
export interface NamespaceSet {
  readonly created: ReadonlySet<NamespaceType>;
  readonly joined: ReadonlyMap<NamespaceType, { readonly path: string; readonly pointer: string }>;
}

/** What the process gets, NAME=value each. */
export interface Environment {
  readonly env: readonly string[];
  readonly hasHome: boolean;
}

/** The options that are about a process, be it the container's first or another one (`exec`). */
export type ProcessOptions = Pick<
  CompileOptions,
  | 'id'
  | 'mode'
  | 'seccomp'
  | 'noNewKeyring'
  | 'noSubreaper'
  | 'preserveFds'
  | 'listenFds'
  | 'listenFdNames'
  | 'notifySocket'
  | 'pidFile'
  | 'consoleSocket'
  | 'pidfdSocket'
>;

/** What the phases need that prepare and confine a process. */
export interface ProcessContext {
  readonly spec: Pick<Spec, 'annotations' | 'hooks' | 'linux'>;
  readonly process: Process;
  readonly facts: HostFacts;
  readonly options: ProcessOptions;
  readonly environment: Environment;
  readonly namespaces: NamespaceSet;
  readonly inUserNamespace: boolean;
  readonly warnings: Failure[];
}

/** What the phases share. Made once from the inputs, never changed but for the warnings. */
export interface Context extends ProcessContext {
  readonly spec: Spec;
  readonly options: CompileOptions;
  /** A user namespace of its own, or the runtime is inside one: no device nodes, no privileged filesystems. */
  readonly inUserNamespace: boolean;
  /** Whether /dev is ours to fill: not when the bundle binds a whole /dev. */
  readonly fillsDev: boolean;
  readonly warnings: Failure[];
}

export interface CompiledPlan extends Plan {
  /** What has no effect; to be logged. */
  readonly warnings: readonly Failure[];
}
