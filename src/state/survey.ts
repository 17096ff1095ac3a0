/** The state of many containers at once, for `list`: each question is asked about all of them, and the head of each record is all that is read. */
import { closeFile, openFile, openFlags } from '../host/files.js';
import { areOwnDirectories, areThere, firstLines, haveReaders, most, reader, startTimesOf } from '../host/many.js';
import { effectiveUid } from '../host/process.js';
import { isThawed } from '../tables/cgroup.js';
import { stateFiles } from '../tables/state-files.js';
import { parseHead, type RecordHead } from './record-head.js';
import { isFromHere, type Status } from './status.js';

export interface Seen {
  readonly record: RecordHead;
  readonly status: Status;
}

/** A root may be a symlink. Undefined: who looks at each container alone says what there is to say about it. */
function openRoot(root: string): number | undefined {
  try {
    return openFile(root, openFlags.read | openFlags.directory);
  } catch {
    return undefined;
  }
}

/** What `look` sees of some of the ids; undefined in the place of one that is to be looked at alone. */
function inParts<T>(
  root: string,
  ids: readonly string[],
  look: (root: number, ids: readonly string[]) => (T | undefined)[],
): (T | undefined)[] {
  const seen: (T | undefined)[] = [];
  if (ids.length === 0) return seen;
  const fd = openRoot(root);
  if (fd === undefined) return ids.map(() => undefined);
  try {
    while (seen.length < ids.length) seen.push(...look(fd, ids.slice(seen.length, seen.length + most)));
  } finally {
    closeFile(fd);
  }
  return seen;
}

/** Those of the ids that have a record to all appearance; whether it is one is not looked at. */
export const surveyIds = (root: string, ids: readonly string[]): (string | undefined)[] =>
  inParts(root, ids, (directory, some) => {
    const good = areOwnDirectories(directory, some, effectiveUid());
    const records = areThere(directory, some, `/${stateFiles.record}`);
    return some.map((id, at) => (good[at] && records[at] ? id : undefined));
  });

/** By the place of its id. A list is walked by its indexes here: an interpreter feels a function for each. */
type Heads = (RecordHead | undefined)[];

/** Records that are complete and plain, in directories as `findDirectory` wants them. */
function findHeads(root: number, ids: readonly string[]): Heads {
  const good = areOwnDirectories(root, ids, effectiveUid());
  const lines = firstLines(root, ids, `/${stateFiles.record}`);
  const heads: Heads = [];
  for (let at = 0; at < ids.length; at++) {
    const line = lines[at];
    heads.push(good[at] && line !== undefined ? parseHead(line, ids[at]!) : undefined);
  }
  return heads;
}

/** Takes out whom nothing is known of, and those that have ended, which it notes. */
function sortOutEnded(heads: Heads, seen: (Seen | undefined)[]): void {
  const pids: number[] = [];
  for (let at = 0; at < heads.length; at++) pids.push(heads[at]?.pid ?? 0);
  const times = startTimesOf(pids);
  for (let at = 0; at < heads.length; at++) {
    const record = heads[at];
    if (record === undefined || (times[at] === record.startTime && isFromHere(record))) continue;
    if (times[at]! >= 0) seen[at] = { record, status: 'stopped' };
    heads[at] = undefined;
  }
}

/** Takes out those of which a freezer does not say that they are thawed: what is frozen, or about to be, is looked at more closely. */
function sortOutFrozen(root: number, heads: Heads): void {
  const paths: string[] = [];
  for (let at = 0; at < heads.length; at++) paths.push(heads[at]?.freezer || '/');
  const lines = firstLines(root, paths, '');
  for (let at = 0; at < heads.length; at++) if (heads[at]?.freezer && !isThawed(lines[at] ?? '')) heads[at] = undefined;
}

/** Those that are left wait for `start`, or run. */
function tellWaiting(root: number, heads: Heads, seen: (Seen | undefined)[]): void {
  const places: number[] = [];
  const ids: string[] = [];
  for (let at = 0; at < heads.length; at++) {
    const record = heads[at];
    if (record === undefined) continue;
    places.push(at);
    ids.push(record.id);
  }
  const unclaimed = haveReaders(root, ids, `/${stateFiles.execFifo}`);
  const claimed = haveReaders(root, ids, `/${stateFiles.startedFifo}`); // asked later: what is claimed meanwhile is not missed
  for (let index = 0; index < ids.length; index++) {
    const at = places[index]!;
    if (unclaimed[index] === reader.ask || claimed[index] === reader.ask) continue;
    seen[at] = { record: heads[at]!, status: unclaimed[index]! + claimed[index]! > 0 ? 'created' : 'running' };
  }
}

function surveySome(root: number, ids: readonly string[]): (Seen | undefined)[] {
  const seen: (Seen | undefined)[] = Array(ids.length).fill(undefined);
  const heads = findHeads(root, ids);
  sortOutEnded(heads, seen);
  sortOutFrozen(root, heads);
  tellWaiting(root, heads, seen);
  return seen;
}

/** The containers as `openContainer` and `statusOf` have them; undefined in the place of one that is to be looked at alone. */
export const survey = (root: string, ids: readonly string[]): (Seen | undefined)[] => inParts(root, ids, surveySome);
