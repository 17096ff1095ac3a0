/** The containers of one state root: reading, listing, writing and removing their records. */
import { fail } from '../errors/error.js';
import * as files from '../host/files.js';
import { effectiveUid, sleepMs } from '../host/process.js';
import { criuRootDirectory } from '../tables/criu.js';
import { notifyDirectory } from '../tables/notify.js';
import { checkContainerId, isContainerId } from './ids.js';
import { isKeptPlan, isTemporary, type StateRoot, stateDirectories } from './layout.js';
import { stateFiles } from '../tables/state-files.js';
import { carriedText, carry } from '../tables/carried-text.js';
import { type ContainerRecord, type EncodedRecord, parseRecord, withoutProcess } from './record.js';

export interface Container {
  readonly id: string;
  /** `<root>/<id>` */
  readonly directory: string;
  readonly record: ContainerRecord;
  /** The record as it stands in its file. */
  readonly text: string;
}

/** Far above any record; keeps a planted or damaged file from being swallowed whole. */
const longestFile = 32 << 20;

const missing = (): never => fail('TSR_STATE_MISSING', 'container does not exist');

/** Makes the root if need be, 0700, and refuses one that others could tamper with (S48). */
const rootHint = ({ explicit, sticky }: StateRoot): { hint?: string } =>
  explicit || sticky || effectiveUid() === 0
    ? {}
    : { hint: 'set XDG_RUNTIME_DIR to a directory of your own (a login session has /run/user/UID), or use --root' };

export function prepareRoot(root: StateRoot): void {
  try {
    if (files.lstatIfExists(root.path) === undefined) {
      files.makeDirectories(root.path, 0o700);
      if (root.sticky) files.changeMode(root.path, 0o1700);
    }
  } catch (error) {
    fail('TSR_STATE_ROOT', `cannot make state root '${root.path}'`, { errno: files.errnoOf(error), ...rootHint(root) });
  }
  const facts = files.statIfExists(root.path);
  if (facts?.kind !== 'directory') fail('TSR_STATE_ROOT', `state root '${root.path}' is not a directory`);
  // It is there, and root's: nothing could be made in it.
  if (facts.uid !== effectiveUid() && !files.isWritable(root.path))
    fail('TSR_STATE_ROOT', `cannot write to state root '${root.path}'`, { errno: 'EACCES', ...rootHint(root) });
  if (facts.uid !== effectiveUid() && facts.uid !== 0)
    fail('TSR_STATE_ROOT', `state root '${root.path}' belongs to another user`);
  // With a sticky bit, too: others could be the first to make what is expected in it.
  if ((facts.mode & 0o022) !== 0) {
    fail('TSR_STATE_ROOT', `state root '${root.path}' is writable by others`, { hint: `chmod 700 '${root.path}'` });
  }
}

/** The container's directory, if it is one and is ours: never a symlink. */
export function findDirectory(root: string, id: string): string | undefined {
  checkContainerId(id);
  const directory = `${root}/${id}`;
  let facts: files.FileFacts | undefined;
  try {
    facts = files.lstatIfExists(directory);
  } catch (error) {
    fail('TSR_STATE_READ', `cannot look at '${directory}'`, { errno: files.errnoOf(error) });
  }
  if (facts === undefined) return undefined;
  if (facts.kind !== 'directory')
    fail('TSR_STATE_FOREIGN', `'${directory}' is not a state directory`, { detail: `it is a ${facts.kind}` });
  if (facts.uid !== effectiveUid() && facts.uid !== 0)
    fail('TSR_STATE_FOREIGN', `'${directory}' belongs to another user`);
  return directory;
}

/** Text of a state file; undefined where there is none. Only a regular file of sane size is read. */
export function readStateFile(directory: string, name: string): string | undefined {
  const path = `${directory}/${name}`;
  let fd: number;
  try {
    fd = files.openFile(path, files.openFlags.read | files.openFlags.noFollow | files.openFlags.nonBlock);
  } catch (error) {
    const errno = files.errnoOf(error);
    if (errno === 'ENOENT') return undefined;
    return fail('TSR_STATE_READ', `cannot read '${path}'`, { errno });
  }
  try {
    const facts = files.fileFacts(fd);
    if (facts.kind !== 'file') fail('TSR_STATE_CORRUPT', `'${path}' is not a regular file`);
    if (facts.size > longestFile) fail('TSR_STATE_CORRUPT', `'${path}' is too large to be a record`);
    return new TextDecoder().decode(files.readAt(fd, 0, facts.size));
  } finally {
    files.closeFile(fd);
  }
}

/** The record of a directory, published or provisional; undefined where there is neither. */
export const readRecord = (directory: string, id: string): ContainerRecord | undefined =>
  findRecord(directory, id)?.record;

/** Where a record may be: one of them twice, for the moment between seeing nothing and the executor's rename. */
const recordPlaces = [stateFiles.record, stateFiles.provisional, stateFiles.record];

function findRecord(directory: string, id: string): Pick<Container, 'record' | 'text'> | undefined {
  for (const name of recordPlaces) {
    const text = readStateFile(directory, name);
    if (text !== undefined) return { record: withAnnotations(directory, id, parseRecord(text, id, name)), text };
  }
  return undefined;
}

/** Those of a large config lie in a file of their own, which is read when somebody looks at one. */
function withAnnotations(directory: string, id: string, record: ContainerRecord): ContainerRecord {
  if ((record.annotations as unknown) !== stateFiles.annotations) return record;
  return { ...record, annotations: carry(() => readAnnotations(directory, id)) };
}

function readAnnotations(directory: string, id: string): string {
  return (
    readStateFile(directory, stateFiles.annotations) ??
    fail('TSR_STATE_CORRUPT', `'${directory}/${stateFiles.annotations}' is missing`, {
      hint: `'tsrun delete --force ${id}' removes the container`,
    })
  );
}

/** Opens a container. @throws TSR_STATE_MISSING and what `parseRecord` throws. */
export function openContainer(root: string, id: string): Container {
  const directory = findDirectory(root, id) ?? missing();
  return { id, directory, ...(findRecord(directory, id) ?? missing()) };
}

/** Whether there is a container, without a look into its record. @throws as openContainer, but for a damaged record. */
export function findContainer(root: string, id: string): string {
  const directory = findDirectory(root, id) ?? missing();
  const isThere = (name: string): boolean => files.lstatIfExists(`${directory}/${name}`) !== undefined;
  return recordPlaces.some(isThere) ? id : missing();
}

/** Ids in the root, sorted; dot files and what cannot be an id are not containers. */
export function listIds(root: StateRoot): string[] {
  try {
    return files.listDirectory(root.path).filter(isContainerId).sort();
  } catch (error) {
    const errno = files.errnoOf(error);
    if (errno === 'ENOENT' && !root.explicit) return [];
    return fail('TSR_STATE_ROOT', `cannot list state root '${root.path}'`, { errno, ...rootHint(root) });
  }
}

function writeFile(path: string, data: string | Uint8Array): void {
  try {
    files.writeAtomically(path, data);
  } catch (error) {
    fail('TSR_STATE_WRITE', `cannot write '${path}'`, { errno: files.errnoOf(error) });
  }
}

/** Writes the record without a process, before the first side effect: `delete --force` can then always clean up (R06). */
export function writeProvisional(directory: string, creating: EncodedRecord): void {
  writeFile(`${directory}/${stateFiles.provisional}`, withoutProcess(creating));
}

/** The folder that a container sees with its notify socket in it: for any user of it. */
export const makeNotifyDirectory = (directory: string): void => makeSubdirectory(directory, notifyDirectory);

/** Where CRIU sees the root it restores into. */
export const makeCriuRoot = (directory: string): void => makeSubdirectory(directory, criuRootDirectory);

function makeSubdirectory(directory: string, name: string): void {
  const path = `${directory}/${name}`;
  try {
    files.makeDirectory(path, 0o755);
    files.changeMode(path, 0o755); // whatever the umask
  } catch (error) {
    fail('TSR_STATE_WRITE', `cannot make '${path}'`, { errno: files.errnoOf(error) });
  }
}

/** Keeps the bundle's config.json, byte for byte. */
export function writeConfigSnapshot(directory: string, config: string | Uint8Array): void {
  writeFile(`${directory}/${stateFiles.config}`, config);
}

/** Keeps annotations that are carried unread, as they were written; others are in the record. */
export function writeAnnotations(directory: string, annotations: ContainerRecord['annotations']): void {
  const json = carriedText(annotations);
  if (json !== undefined) writeFile(`${directory}/${stateFiles.annotations}`, json);
}

/** Keeps pointer and summary of the steps behind `start`, so that its errors can name them. */
export function writeStartNotes(directory: string, notes: string): void {
  writeFile(`${directory}/${stateFiles.startNotes}`, notes);
}

/** Keeps a plan for a later call (plan/kept.ts), and the list of execs that says which. */
export const writeKept = (directory: string, name: string, data: string | Uint8Array): void =>
  writeFile(`${directory}/${name}`, data);

/** Keeps the limits that an update has set; undefined: there has been none. */
export function writeResources(directory: string, resources: string | undefined): void {
  const path = `${directory}/${stateFiles.resources}`;
  if (resources !== undefined) writeFile(path, resources);
  else unlessGone(() => files.removeFile(path));
}

/** Runs `call`; false if the name was gone already. */
function unlessGone(call: () => void): boolean {
  try {
    call();
    return true;
  } catch (error) {
    if (files.errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** False: there is something in it. */
function removeEmpty(directory: string): boolean {
  try {
    unlessGone(() => files.removeDirectory(directory));
    return true;
  } catch (error) {
    if (files.errnoOf(error) === 'ENOTEMPTY') return false;
    throw error;
  }
}

const recordFiles: readonly string[] = [stateFiles.provisional, stateFiles.record];

/**
 * Removes the known names; the records last, so that whoever is interrupted can start over. Whether this call removed the
 * record: of several at once that is one, and the directory may then be taken away by any of them.
 */
function removeFiles(base: string, id: string, withRecords: boolean): boolean {
  const names = files.listDirectory(base);
  // A creation goes on: what it has said by now is not for us to take away unread.
  if (!withRecords && names.some((name) => recordFiles.includes(name))) return false;
  const known: readonly string[] = Object.values(stateFiles);
  const strange = names.find(
    (name) => !(known.includes(name) || isTemporary(name) || isKeptPlan(name) || stateDirectories.has(name)),
  );
  if (strange !== undefined) {
    fail('TSR_STATE_FOREIGN', `state directory of '${id}' holds '${strange}', which is not tsrun's`, {
      hint: 'remove it and try again',
    });
  }
  for (const name of names) {
    if (recordFiles.includes(name)) continue;
    const inside = stateDirectories.get(name);
    if (inside && files.lstatIfExists(`${base}/${name}`)?.kind === 'directory') {
      for (const file of inside) unlessGone(() => files.removeFile(`${base}/${name}/${file}`));
      unlessGone(() => files.removeDirectory(`${base}/${name}`));
    } else unlessGone(() => files.removeFile(`${base}/${name}`));
  }
  let removed = false;
  for (const name of recordFiles)
    if (withRecords && names.includes(name)) removed = unlessGone(() => files.removeFile(`${base}/${name}`)) || removed;
  return removed;
}

/** How often a directory is emptied again: an exec that has come just before the end may be writing down that it was there. */
const mostTries = 20;

/**
 * Removes a container's state directory. Works on the directory's descriptor (through /proc/self/fd), so that
 * nothing outside it can be hit, whatever happens to the name meanwhile. True for the one call of several
 * concurrent ones that took the record away (R03).
 */
export const removeState = (root: string, id: string): boolean => removeDirectoryOf(root, id, true) === 'record';

/** The same for a directory in which no record was found. False: there is one by now, for its creation has gone on (R40). */
export const removeUnrecorded = (root: string, id: string): boolean => removeDirectoryOf(root, id, false) !== 'kept';

const findRecordName = (directory: string): boolean =>
  recordFiles.some((name) => files.lstatIfExists(`${directory}/${name}`) !== undefined);

/** What went by this call: the record, or nothing that counts; or nothing, since there is a record. */
function removeDirectoryOf(root: string, id: string, withRecords: boolean): 'record' | 'rest' | 'kept' {
  const directory = findDirectory(root, id);
  if (directory === undefined) return 'rest';
  const { read, directory: onlyDirectory, noFollow } = files.openFlags;
  let fd: number | undefined;
  let ours = false;
  const answer = (): 'record' | 'rest' => (ours ? 'record' : 'rest');
  try {
    fd = files.openFile(directory, read | onlyDirectory | noFollow);
    for (let tries = 1; ; tries++) {
      ours = removeFiles(`/proc/self/fd/${fd}`, id, withRecords) || ours;
      const [opened, named] = [files.fileFacts(fd), files.lstatIfExists(directory)];
      // The name may by now belong to a container made after another delete finished.
      if (named?.ino !== opened.ino || named.dev !== opened.dev || removeEmpty(directory)) return answer();
      if (!withRecords && findRecordName(directory)) return 'kept';
      if (tries === mostTries)
        fail('TSR_STATE_WRITE', `cannot remove state directory '${directory}'`, { errno: 'ENOTEMPTY' });
      sleepMs(1);
    }
  } catch (error) {
    const errno = files.errnoOf(error);
    if (errno === '') throw error;
    if (errno === 'ENOENT') return answer();
    return fail('TSR_STATE_WRITE', `cannot remove state directory '${directory}'`, { errno });
  } finally {
    if (fd !== undefined) files.closeFile(fd);
  }
}

/** Takes away what a create left that was killed right after claiming the id; anything in it stays. */
export function removeIfEmpty(directory: string): void {
  try {
    files.removeDirectory(directory);
  } catch (error) {
    if (files.errnoOf(error) === '') throw error;
  }
}
