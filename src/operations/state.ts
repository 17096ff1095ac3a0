import type { State } from '../generated/config-types.js';
import { type Failure, TsrunError } from '../errors/error.js';
import type { HookText } from '../plan/options.js';
import { type ContainerRecord, type RecordDraft, stringifyTexts } from '../state/record.js';
import { joined } from '../tables/carried-text.js';
import { type Status, statusOf } from '../state/status.js';
import { openContainer } from '../state/store.js';
import type { CgroupControl } from './tools.js';
import { trace } from './trace.js';

/** What `state` prints: the specification's keys and runc's. */
export interface ContainerState extends State {
  readonly pid: number;
  readonly rootfs: string;
  readonly created: string;
  readonly owner: string;
}

export type Shown = Pick<
  ContainerRecord,
  'ociVersion' | 'id' | 'pid' | 'bundle' | 'rootfs' | 'created' | 'annotations'
>;

/** 0 where there is no process, or none yet. */
export const shownPid = ({ pid }: Pick<Shown, 'pid'>, status: Status): number => (status === 'stopped' ? 0 : pid);

/** A container as engines and hooks see it. */
export function describeContainer(record: Shown, status: Status, owner = ''): ContainerState {
  const { ociVersion, id, bundle, rootfs, annotations } = record;
  const pid = shownPid(record, status);
  const { created } = record;
  for (const _ in annotations) return { ociVersion, id, pid, status, bundle, rootfs, created, annotations, owner };
  return { ociVersion, id, pid, status, bundle, rootfs, created, owner };
}

/**
 * What poststop hooks are told, asked for before the state directory goes; undefined where there are none. Annotations that cannot be read any
 * more are a warning.
 */
export function lastStateOf(record: ContainerRecord, warn: (failure: Failure) => void): ContainerState | undefined {
  if ((record.hooks.poststop ?? []).length === 0) return undefined;
  try {
    return describeContainer(record, 'stopped');
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    warn(error.failure);
    return describeContainer({ ...record, annotations: {} }, 'stopped');
  }
}

/**
 * The state a hook of `create` gets, around the pid that only the executor knows: its operation `hook.run`. What is long in it is the same
 * for all of them, and so in the plan once.
 */
export function hookStatesOf({ ociVersion, id, bundle, annotations }: RecordDraft): (status: Status) => HookText {
  let after: HookText['after'] | undefined;
  return (status) => {
    const head = JSON.stringify({ ociVersion, id, status });
    after ??= joined([`,"bundle":${JSON.stringify(bundle)},"annotations":`, stringifyTexts(annotations), '}']);
    return { before: `${head.slice(0, -1)},"pid":`, after };
  };
}

/** The state of one container. */
export function readState(root: string, id: string, cgroups: Pick<CgroupControl, 'isFrozen'>): ContainerState {
  const container = openContainer(root, id);
  const { record, directory } = container;
  const status = statusOf(record, directory, () => cgroups.isFrozen(record.cgroup));
  trace('container', { container, status });
  return describeContainer(record, status);
}
