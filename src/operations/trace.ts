/**
 * What goes on, for who wants to know: `--debug`. Operations hand over what they have found out, as it is; cli/debug.ts, which is
 * loaded only then, makes sentences of it. Without a listener a call is one comparison.
 */
import type { Source } from '../bundle/read.js';
import type { Failure } from '../errors/error.js';
import type { HostFacts } from '../linux/facts.js';
import type { ExecOptions } from '../plan/compile-exec.js';
import type { CompileOptions, CompiledPlan } from '../plan/options.js';
import type { Process, Spec } from '../bundle/types.js';
import type { StateRoot } from '../state/layout.js';
import type { Container } from '../state/store.js';
import type { CgroupRecord } from '../tables/cgroup.js';

/** What is told, by topic. */
export interface Topics {
  readonly root: StateRoot;
  readonly config: {
    readonly path: string;
    readonly source: Source;
    readonly spec: Spec;
    readonly warnings: readonly Failure[];
  };
  readonly facts: HostFacts;
  readonly rootfs: string;
  readonly cgroup: { readonly record: CgroupRecord; readonly cgroupsPath: string | undefined; readonly id: string };
  readonly options: Pick<CompileOptions, 'seccomp' | 'alreadyIn' | 'idMappers' | 'keeper' | 'resctrl'>;
  readonly plan: CompiledPlan;
  readonly claimed: string;
  readonly container: { readonly container: Container; readonly status?: string };
  readonly exec: {
    readonly options: ExecOptions;
    readonly process: Process;
    readonly processFile: string | undefined;
  };
  /** Parts of the work that have nothing to say but that they are over. */
  readonly done: 'encoded' | 'written';
  /** Something that was done, or is about to be. */
  readonly step: { readonly text: string; readonly pointer?: string; readonly errno?: string };
}

export type Listener = <Topic extends keyof Topics>(topic: Topic, data: Topics[Topic]) => void;

let listener: Listener | undefined;

/** Besides who listens already. */
export function listen(to: Listener): void {
  const before = listener;
  listener = before
    ? (topic, data) => {
        before(topic, data);
        to(topic, data);
      }
    : to;
}

export const isTraced = (): boolean => listener !== undefined;

export function trace<Topic extends keyof Topics>(topic: Topic, data: Topics[Topic]): void {
  if (listener !== undefined) listener(topic, data);
}

/** For what takes work to say. */
export function traceStep(text: () => string, rest: Omit<Topics['step'], 'text'> = {}): void {
  if (listener !== undefined) listener('step', { text: text(), ...rest });
}
