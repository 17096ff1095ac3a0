/** `--record-seccomp FILE` and the annotation of that name: what is asked for, and what stands against it. */
import type { Spec } from '../bundle/types.js';
import { fail } from '../errors/error.js';
import {
  hasReader,
  closeFile,
  errnoOf,
  lstatIfExists,
  openFile,
  openFlags,
  readAt,
  statIfExists,
} from '../host/files.js';
import { effectiveUid, monotonicMs, sleepMs } from '../host/process.js';
import type { HostFacts } from '../linux/facts.js';
import { openLibseccomp } from '../linux/seccomp/libseccomp.js';
import { recordingFilter } from '../linux/seccomp/record.js';
import { parseRecorded } from '../linux/seccomp/recorded.js';
import type { CompileOptions } from '../plan/options.js';
import { absolutePath } from '../state/layout.js';
import { readStateFile } from '../state/store.js';
import { capabilityNumber } from '../tables/capabilities.js';
import { stateFiles } from '../tables/state-files.js';
import type { Warn } from './tools.js';

/** From the command line: absolute paths. */
export interface RecordRequest {
  readonly file: string | undefined;
  readonly merge: string | undefined;
}

const annotation = 'io.tsrun.record-seccomp';
const mergeAnnotation = 'io.tsrun.record-seccomp.merge';
const code = 'TSR_RECORD_SECCOMP';

/** Far above any list of names. */
const longestProfile = 1 << 20;

/** The text of an earlier profile. */
function readProfile(path: string, pointer: string): string {
  const at = pointer === '' ? {} : { pointer };
  let text: string;
  try {
    const fd = openFile(path, openFlags.read | openFlags.nonBlock);
    text = new TextDecoder().decode(readAt(fd, 0, longestProfile));
    closeFile(fd);
  } catch (error) {
    return fail(code, `cannot read the seccomp profile '${path}' to add to`, { errno: errnoOf(error), ...at });
  }
  if (parseRecorded(text)) return text;
  return fail(code, `'${path}' is no seccomp profile that can be added to`, {
    ...at,
    hint: 'one that was recorded: it allows calls by name, without conditions, and has an errno for the others',
  });
}

/** Without no_new_privs the kernel takes a filter only of who has CAP_SYS_ADMIN in its user namespace (seccomp(2)). */
function refuseUnprivileged(spec: Spec, facts: HostFacts): void {
  if (spec.process?.noNewPrivileges || facts.capabilities === undefined) return;
  if ((spec.linux?.namespaces ?? []).some(({ type }) => type === 'user')) return;
  if ((facts.capabilities >> BigInt(capabilityNumber('CAP_SYS_ADMIN')!)) & 1n) return;
  fail(code, 'without CAP_SYS_ADMIN system calls are recorded under no_new_privs only', {
    pointer: '/process/noNewPrivileges',
    hint: 'set it to true',
  });
}

/** One that lets everything through hides nothing. */
function refuseProfile({ linux }: Spec): void {
  if (linux?.seccomp === undefined) return;
  const { defaultAction, syscalls = [] } = linux.seccomp;
  if ([defaultAction, ...syscalls.map(({ action }) => action)].every((action) => action === 'SCMP_ACT_ALLOW')) return;
  fail(code, 'system calls cannot be recorded under a seccomp profile: what it forbids would not be seen', {
    pointer: '/linux/seccomp',
    hint: 'leave it out for the recording; podman, docker: --security-opt seccomp=unconfined',
  });
}

interface Asked {
  readonly file: string;
  readonly merge: string | undefined;
  readonly pointer: string;
}

/**
 * Annotations come from whoever made an image or wrote a pod as well, and tsrun writes as root: only below a folder that whoever owns
 * the host has made for it, and that nobody else can write to (S48).
 */
function refuseElsewhere(path: string, root: string, pointer: string): void {
  const allowed = `${root}-recorded`;
  const plain = absolutePath(path, '/');
  const hint = `'mkdir -m 700 ${allowed}' allows it to annotations; --record-seccomp may name any file`;
  if (plain.slice(0, plain.lastIndexOf('/')) !== allowed)
    fail(code, `an annotation may name a file in '${allowed}' only, not '${path}'`, { pointer, hint });
  const facts = lstatIfExists(allowed);
  if (facts === undefined)
    fail(code, `there is no '${allowed}', without which annotations record nothing`, { pointer, hint });
  if (facts.kind !== 'directory' || (facts.uid !== 0 && facts.uid !== effectiveUid()) || (facts.mode & 0o22) !== 0)
    fail(code, `'${allowed}' has to be a directory of ours that nobody else can write to`, { pointer });
}

/** The command line goes before the annotations. */
function askedOf(request: RecordRequest | undefined, { annotations = {} }: Spec, root: string): Asked | undefined {
  if (request?.file !== undefined) return { file: request.file, merge: request.merge, pointer: '' };
  if (request?.merge !== undefined) return fail(code, "'--merge' goes with '--record-seccomp'");
  const [file, merge] = [annotations[annotation], annotations[mergeAnnotation]];
  for (const [name, path] of [
    [annotation, file],
    [mergeAnnotation, merge],
  ] as const) {
    const pointer = `/annotations/${name}`;
    if (path !== undefined && !path.startsWith('/')) fail(code, `'${path}' is no absolute path`, { pointer });
    if (path !== undefined && file === undefined) fail(code, `it goes with '${annotation}'`, { pointer });
    if (path !== undefined) refuseElsewhere(path, root, pointer);
  }
  return file === undefined ? undefined : { file, merge, pointer: `/annotations/${annotation}` };
}

function placeOf({ file, pointer }: Asked, bundle: string): { directory: string; name: string } {
  const at = pointer === '' ? {} : { pointer };
  const path = absolutePath(file, bundle);
  const slash = path.lastIndexOf('/');
  const [directory, name] = [path.slice(0, slash) || '/', path.slice(slash + 1)];
  if (name === '' || statIfExists(path)?.kind === 'directory')
    return fail(code, `'${path}' is a directory, and no file for a seccomp profile`, at);
  if (statIfExists(directory)?.kind !== 'directory')
    return fail(code, `there is no directory '${directory}' for a seccomp profile`, at);
  return { directory, name };
}

/** @throws TsrunError where something stands against it, before anything is made. */
export function recorderPart(
  request: RecordRequest | undefined,
  spec: Spec,
  facts: HostFacts,
  { bundle, root }: { readonly bundle: string; readonly root: string },
): CompileOptions['recorder'] {
  const asked = askedOf(request, spec, root);
  if (asked === undefined) return undefined;
  refuseProfile(spec);
  refuseUnprivileged(spec, facts);
  // Who will find the names in the end; a host without it is told now.
  openLibseccomp();
  const { merge, pointer } = asked;
  const earlier =
    merge === undefined ? '' : readProfile(absolutePath(merge, bundle), pointer && `/annotations/${mergeAnnotation}`);
  return { ...placeOf(asked, bundle), merge: earlier, pointer };
}

/** The filter in place of a profile, and who gets its listener. */
export function recordedSeccomp(stateDir: string, pointer: string): CompileOptions['seccomp'] {
  const agent = { path: `${stateDir}/${stateFiles.recorder}`, before: '', between: '', after: '', records: pointer };
  return { ...recordingFilter(), agent };
}

/** It has as much to write as a list of names. */
const limitMs = 10_000;

/** For `delete`, when the container's processes have ended: the profile is there, or it is said why it is not. */
export function awaitRecorder(directory: string, warn: Warn): void {
  const fifo = `${directory}/${stateFiles.recorderFifo}`;
  const deadline = monotonicMs() + limitMs;
  while (hasReader(fifo) && monotonicMs() < deadline) sleepMs(2);
  const late = hasReader(fifo);
  const said = (readStateFile(directory, stateFiles.recorderLog) ?? '').trim();
  const lost = statIfExists(fifo) !== undefined;
  const why = late
    ? `the seccomp profile is not there yet: the recorder has not ended within ${limitMs / 1000} s`
    : 'no seccomp profile was written: the recorder was killed';
  if (said !== '') warn({ code: 'TSR_RECORD_FAILED', message: said });
  else if (lost) warn({ code: 'TSR_RECORD_FAILED', message: why });
}
