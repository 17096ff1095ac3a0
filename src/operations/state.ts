import type { State } from '../generated/config-types.js';
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

type Shown = Pick<ContainerRecord, 'ociVersion' | 'id' | 'pid' | 'bundle' | 'rootfs' | 'created' | 'annotations'>;

/** A container as engines and hooks see it. The pid is 0 where there is no process, or none yet. */
export function describeContainer(record: Shown, status: Status, owner = ''): ContainerState {
  const { ociVersion, id, bundle, rootfs, annotations } = record;
  const pid = status === 'stopped' ? 0 : record.pid;
  const { created } = record;
  for (const _ in annotations) return { ociVersion, id, pid, status, bundle, rootfs, created, annotations, owner };
  return { ociVersion, id, pid, status, bundle, rootfs, created, owner };
}

/** The state a hook of `create` gets, around the pid that only the executor knows: its operation `hook.run`. */
export function encodeHookState(draft: RecordDraft, status: Status): HookText {
  const { ociVersion, id, bundle, annotations } = draft;
  const head = JSON.stringify({ ociVersion, id, status });
  return {
    before: `${head.slice(0, -1)},"pid":`,
    after: joined([`,"bundle":${JSON.stringify(bundle)},"annotations":`, stringifyTexts(annotations), '}']),
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
