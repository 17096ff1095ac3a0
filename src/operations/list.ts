import { TsrunError } from '../errors/error.js';
import { lstatIfExists, readTextIfExists } from '../host/files.js';
import type { StateRoot } from '../state/layout.js';
import { type Status, statusOf } from '../state/status.js';
import { type Seen, survey, surveyIds } from '../state/survey.js';
import { findContainer, listIds, openContainer } from '../state/store.js';
import { type ContainerState, describeContainer, type Shown } from './state.js';
import type { CgroupControl, Warn } from './tools.js';

/** User names by uid, from the host's passwd; `#uid` where there is none, as runc prints it. */
function ownerNames(): (uid: number) => string {
  const names = new Map<number, string>();
  for (const line of (readTextIfExists('/etc/passwd') ?? '').split('\n')) {
    const [name, , uid] = line.split(':');
    if (name && uid && !names.has(Number(uid))) names.set(Number(uid), name);
  }
  return (uid) => names.get(uid) ?? `#${uid}`;
}

/**
 * Every container of a root: what was seen of all at once, where that was plain, else what `of` makes of it alone. A damaged one is
 * reported and skipped, one deleted meanwhile is just not there (R25).
 */
function eachContainer<T>(
  root: StateRoot,
  warn: Warn,
  seen: (root: string, ids: readonly string[]) => readonly (T | undefined)[],
  of: (root: string, id: string) => T,
): T[] {
  const containers: T[] = [];
  const ids = listIds(root);
  const plain = seen(root.path, ids);
  for (let at = 0; at < ids.length; at++) {
    const id = ids[at]!;
    try {
      containers.push(plain[at] ?? of(root.path, id));
    } catch (error) {
      if (!(error instanceof TsrunError)) throw error;
      const gone = error.failure.code === 'TSR_STATE_MISSING' && !lstatIfExists(`${root.path}/${id}`);
      if (!gone) warn({ ...error.failure, message: `load container ${id}: ${error.failure.message}` });
    }
  }
  return containers;
}

/** Every container with its status and the name of its owner, as `of` shows it. */
export function listContainersAs<T>(
  root: StateRoot,
  cgroups: Pick<CgroupControl, 'isFrozen'>,
  warn: Warn,
  of: (record: Shown, status: Status, owner: string) => T,
): T[] {
  const nameOf = ownerNames();
  const describe = ({ record, status }: Seen): T => of(record, status, nameOf(record.owner));
  return eachContainer(
    root,
    warn,
    (path, ids) => survey(path, ids).map((seen) => seen && describe(seen)),
    (path, id) => {
      const { record, directory } = openContainer(path, id);
      const status = statusOf(record, directory, () => cgroups.isFrozen(record.cgroup));
      return of(record, status, nameOf(record.owner));
    },
  );
}

/** Every container with its status. */
export const listContainers = (
  root: StateRoot,
  cgroups: Pick<CgroupControl, 'isFrozen'>,
  warn: Warn,
): ContainerState[] => listContainersAs(root, cgroups, warn, describeContainer);

/** The ids alone: neither processes nor cgroups are asked, and no record is read. A damaged one has an id, which `delete --force` takes. */
export const listContainerIds = (root: StateRoot, warn: Warn): string[] =>
  eachContainer(root, warn, surveyIds, findContainer);
