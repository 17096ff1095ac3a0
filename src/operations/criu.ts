/** What checkpoint and restore share: who may, the directories, CRIU's configuration file, the reason of a failure. */
import { type Failure, fail, TsrunError } from '../errors/error.js';
import { decodeNotes, decodeOutcome, outcomeErrno } from '../executor/outcome.js';
import * as files from '../host/files.js';
import { effectiveUid } from '../host/process.js';
import { findCriu } from '../linux/criu.js';
import type { CriuPlace } from '../plan/criu/options.js';
import { helperSummaries, summaries } from '../plan/criu/steps.js';
import { isUserNamespaceMap } from '../linux/cgroup/parse.js';
import { explainOutcome } from './conclude.js';

/** Directories as asked for; absolute. */
export interface CriuDirectories {
  readonly images: string;
  readonly work?: string | undefined;
}

/** CRIU needs the rights of the host's root over processes, namespaces and the network. */
export function requireRoot(): void {
  const map = files.readTextIfExists('/proc/self/uid_map');
  if (effectiveUid() === 0 && !(map !== undefined && isUserNamespaceMap(map))) return;
  fail('TSR_CRIU_ROOT', 'checkpoint and restore take root of the host', {
    hint: 'CRIU cannot save or restore containers without it',
  });
}

function makeDirectory(path: string, group?: number): void {
  try {
    if (files.statIfExists(path) !== undefined) return;
    files.makeDirectories(path, 0o700);
    if (group === undefined) return;
    files.changeOwner(path, 0, group);
    files.changeMode(path, 0o710);
  } catch (error) {
    fail('TSR_CRIU_DIRECTORY', `cannot make the directory '${path}'`, { errno: files.errnoOf(error) });
  }
}

/** As in runc: CRIU ignores one that does not exist, and an empty annotation asks for none. */
function configFileOf(annotations: { readonly [name: string]: string }): string | undefined {
  const file = annotations['org.criu.config'] ?? '/etc/criu/runc.conf';
  if (file === '') return undefined;
  if (file.startsWith('/')) return file;
  return fail('TSR_CRIU_CONFIG', `'org.criu.config' must be an absolute path, not '${file}'`, {
    pointer: '/annotations/org.criu.config',
  });
}

/**
 * Looks for CRIU and makes the directories it works in. Nothing else has been touched before. `group`: restored
 * processes open images before and after they become root of their user namespace, as the host's root without its
 * capabilities (timens-0.img) and as that one. So a new directory is the host's, and lets the other's group pass.
 */
export function preparePlace(
  { images, work }: CriuDirectories,
  annotations: { readonly [name: string]: string },
  group?: number,
): CriuPlace {
  requireRoot();
  const program = findCriu();
  const configFile = configFileOf(annotations);
  makeDirectory(images, group);
  if (work !== undefined) makeDirectory(work);
  return { program, images, work, configFile };
}

/** A log of an earlier attempt would be quoted for one that got not so far as to write its own. */
export function removeOldLog(log: string): void {
  try {
    if (files.lstatIfExists(log) !== undefined) files.removeFile(log);
  } catch (error) {
    fail('TSR_CRIU_DIRECTORY', `cannot remove the old log '${log}'`, { errno: files.errnoOf(error) });
  }
}

/** How much of the end of a log is looked at, and how many of its errors are shown. */
const longestTail = 256 << 10;
const mostErrors = 3;

/** `(00.038411) Error (criu/files-reg.c:1031): Can't lookup mount=23 for fd=1 path=/data/log` without the time. */
const withoutTime = (line: string): string => line.replace(/^\([\d.]+\)\s*/, '').replace(/^Error \([^)]*\): /, '');

function tailOf(path: string): string {
  try {
    const fd = files.openFile(path, files.openFlags.read | files.openFlags.noFollow | files.openFlags.nonBlock);
    try {
      const { kind, size } = files.fileFacts(fd);
      if (kind !== 'file') return '';
      const from = Math.max(0, size - longestTail);
      return new TextDecoder().decode(files.readAt(fd, from, size - from));
    } finally {
      files.closeFile(fd);
    }
  } catch (error) {
    if (files.errnoOf(error) === '') throw error;
    return '';
  }
}

/** The errors in a log of CRIU's, or its last line; '' when there is no log. */
export function quoteLog(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const errors = lines.filter((line) => /\bError \(/.test(line));
  const shown = errors.length > 0 ? errors.slice(0, mostErrors) : lines.slice(-1);
  return shown.map(withoutTime).join(' | ');
}

/** What tsrun itself said as a step of the plan, without the head of its line. */
function explainHelper(summary: string, text: string): Failure | undefined {
  const said = text
    .trim()
    .replace(/^tsrun [^:]*: /, '')
    .replace(/\n+/g, ' | ');
  if (summary === helperSummaries.check) return { code: 'TSR_CRIU_WRITABLE', message: said };
  if (summary !== helperSummaries.remove) return undefined;
  return {
    code: 'TSR_CHECKPOINT_DELETE',
    message: 'the image is complete, but the container could not be deleted',
    detail: said,
  };
}

const isCriu = (summary: string): boolean => Object.values(summaries).some((one) => one === summary);

/** What a failed plan of ours means; `log` is the path of CRIU's log. */
export function explainCriu(round: { readonly outcome: Uint8Array; readonly plan: Uint8Array }, log: string): Failure {
  const outcome = decodeOutcome(round.outcome);
  const notes = outcome.status === 'plan-refused' ? [] : decodeNotes(round.plan, outcome);
  const failure = explainOutcome(outcome, notes);
  const summary = notes[outcome.step]?.[1] ?? '';
  if (outcome.status !== 'step-failed' || !isCriu(summary)) return explainHelper(summary, outcome.text) ?? failure;
  const errno = outcomeErrno(outcome);
  if (errno === 'EINTR')
    return { code: 'TSR_INTERRUPTED', message: 'interrupted by a signal; criu has taken everything back' };
  const quoted = quoteLog(tailOf(log));
  const said = quoted || outcome.text.trim() || (errno === 'EPIPE' ? 'it ended without an answer' : errno);
  return {
    code: 'TSR_CRIU_FAILED',
    message: `criu failed to ${summary === summaries.start ? 'start' : summary.replace(/^CRIU: /, '')} the container`,
    ...(said === '' ? {} : { detail: said }),
    ...(quoted === '' ? {} : { hint: `the whole log is '${log}'` }),
  };
}

/** The error to throw for a failed round that nothing has to be taken back of. */
export function criuError(round: { readonly outcome: Uint8Array; readonly plan: Uint8Array }, log: string): TsrunError {
  const error = new TsrunError(explainCriu(round, log));
  const { status, value } = decodeOutcome(round.outcome);
  if (status === 'interrupted') error.exitCode = 128 + value;
  return error;
}
