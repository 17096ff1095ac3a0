/** The state of many containers at once, for `list`: each question is asked about all of them, and the head of each record is all that is read. */
import { closeFile, openFile, openFlags } from '../host/files.js';
import { firstLines, haveReaders, lookAtAll, startTimesOf } from '../host/many.js';
import { effectiveUid } from '../host/process.js';
import { isThawed } from '../tables/cgroup.js';
import { stateFiles } from '../tables/state-files.js';
import { parseHead, type RecordHead } from './record.js';
import { isFromHere, type Status } from './status.js';

export interface Seen {
  readonly record: RecordHead;
  readonly status: Status;
}

/** In the list of ids that was asked about. */
interface Found {
  readonly at: number;
  readonly record: RecordHead;
}

/** So many at a time: what was read of them goes before the next ones come. */
const most = 64;

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

/** Whether each is a state directory of ours: `findDirectory`, for ids that are in the root. */
function areDirectories(root: number, ids: readonly string[]): boolean[] {
  const own = effectiveUid();
  return lookAtAll(root, ids).map((look) => look?.kind === 'directory' && (look.uid === own || look.uid === 0));
}

/** Those of the ids that have a record to all appearance; whether it is one is not looked at. */
export const surveyIds = (root: string, ids: readonly string[]): (string | undefined)[] =>
  inParts(root, ids, (directory, some) => {
    const good = areDirectories(directory, some);
    const records = lookAtAll(
      directory,
      some.map((id) => `${id}/${stateFiles.record}`),
    );
    return some.map((id, at) => (good[at] && records[at] ? id : undefined));
  });

/** Records that are complete and plain. */
function findHeads(root: number, ids: readonly string[]): Found[] {
  const good = areDirectories(root, ids);
  const lines = firstLines(
    root,
    ids.map((id) => `${id}/${stateFiles.record}`),
  );
  const found: Found[] = [];
  for (let at = 0; at < ids.length; at++) {
    const line = lines[at];
    const record = good[at] && line !== undefined ? parseHead(line, ids[at]!) : undefined;
    if (record !== undefined) found.push({ at, record });
  }
  return found;
}

/** Of those that are alive; the others are noted. */
function findAlive(found: readonly Found[], seen: (Seen | undefined)[]): Found[] {
  const times = startTimesOf(found.map(({ record }) => record.pid));
  const alive: Found[] = [];
  for (let index = 0; index < found.length; index++) {
    const one = found[index]!;
    const time = times[index];
    if (time === undefined) continue;
    if (time === one.record.startTime && isFromHere(one.record)) alive.push(one);
    else seen[one.at] = { record: one.record, status: 'stopped' };
  }
  return alive;
}

/** Those without a freezer, and those that it says are thawed: what is frozen, or about to be, is looked at more closely. */
function findThawed(root: number, alive: readonly Found[]): Found[] {
  const lines = firstLines(
    root,
    alive.map(({ record }) => record.freezer || '/'),
  );
  return alive.filter(({ record }, index) => record.freezer === '' || isThawed(lines[index] ?? ''));
}

function surveySome(root: number, ids: readonly string[]): (Seen | undefined)[] {
  const seen: (Seen | undefined)[] = Array(ids.length).fill(undefined);
  const thawed = findThawed(root, findAlive(findHeads(root, ids), seen));
  const fifos: string[] = [];
  for (const { record } of thawed)
    fifos.push(`${record.id}/${stateFiles.execFifo}`, `${record.id}/${stateFiles.startedFifo}`);
  const readers = haveReaders(root, fifos);
  for (let index = 0; index < thawed.length; index++) {
    const { at, record } = thawed[index]!;
    const unclaimed = readers[index * 2];
    const claimed = readers[index * 2 + 1];
    if (unclaimed === undefined || claimed === undefined) continue;
    seen[at] = { record, status: unclaimed || claimed ? 'created' : 'running' };
  }
  return seen;
}

/** The containers as `openContainer` and `statusOf` have them; undefined in the place of one that is to be looked at alone. */
export const survey = (root: string, ids: readonly string[]): (Seen | undefined)[] => inParts(root, ids, surveySome);
