/**
 * Compiled filters on disk, so that only the first start of a profile loads libseccomp: compiling podman's default
 * profile takes some 30 ms, a hit a fraction of one. `<state root>/.cache/seccomp/<key>`, root's own, 0700.
 *
 * Two profiles must never share an entry (crun's key once could), so the key is the SHA-256 of one text that determines
 * its parts: a JSON array is self-delimiting, and JSON.stringify gives different values different texts. It covers all
 * that the program depends on: the profile without its listener, libseccomp's file, the kernel (which flags and
 * actions it takes), the architecture, and the version of our own compiler. An entry that is not exactly as it was written
 * (torn, edited, renamed) counts as absent, and so does a folder that others could have written to.
 *
 * A profile that a config holds as text is known by its bytes, and then not even read (bundle/known-part.ts).
 */
import { headOf, type Known, plainHead } from '../../bundle/known-part.js';
import type { Seccomp } from '../../bundle/types.js';
import {
  closeFile,
  listDirectory,
  lstatIfExists,
  makeDirectory,
  openFile,
  openFlags,
  readSome,
  readText,
  removeFile,
  touchFile,
  writeAtomically,
} from '../../host/files.js';
import { sha256 } from '../../host/hash.js';
import { architecture, effectiveUid } from '../../host/process.js';
import { seccompArchOfHost } from '../../tables/seccomp.js';
import { commit, version } from '../../tables/versions.js';
import { instructionSize, longestFilter } from './bpf.js';
import { joinersCalls } from './allowed-calls.js';
import { type CompiledSeccomp, compileSeccomp } from './compile.js';
import { findLibseccomp } from './library.js';

/**
 * Raise it with any change to the entry's layout. What the compiler makes, and what the rules and the schema let pass, may change with
 * each commit, so that is part of the key; who changes it between two commits empties the folder.
 */
const formatVersion = 2;

/**
 * magic, flags, listener, bytes of the filter (u32 little-endian each), then the hexadecimal digest of all and the key; behind the
 * filter the rest as JSON.
 */
const magic = 0x32435354;
const wordBytes = 16;
const headerBytes = wordBytes + 64;
const longestNotes = 4096;
const longestEntry = headerBytes + longestFilter * instructionSize + longestNotes;
/** A host runs a handful of profiles; beyond this the longest unused ones go. */
const mostEntries = 64;

/** What an entry holds; a profile that is known by its bytes with what its config is read with instead. */
export type Entry = CompiledSeccomp & Partial<Known>;

/** A profile as the text of a config, and its entry if there is one. */
export interface ProfileText {
  readonly bytes: Uint8Array;
  readonly known: (CompiledSeccomp & Known) | undefined;
  /** As `Found` has it: the profile is that of a config without anything to say about. */
  plain?: boolean;
}

/** Looks a profile up by its bytes. */
export function findProfile(bytes: Uint8Array, stateRoot: string): ProfileText {
  const known = readEntry(folderOf(stateRoot), textKey(bytes));
  return { bytes, known: known?.head === undefined ? undefined : { ...known, head: known.head } };
}

/**
 * The filter for a container, from the cache or compiled. The profile has passed bundle/rules/seccomp.ts.
 * @param text where the profile was found in; looked up already. @throws TsrunError
 */
export function loadSeccomp(seccomp: Seccomp, stateRoot: string, text?: ProfileText): CompiledSeccomp {
  if (text?.known) return text.known;
  const head = text && (text.plain ? plainHead(seccomp) : headOf(text.bytes));
  const keyNow = (): string => (text && head !== undefined ? textKey(text.bytes) : cacheKey(seccomp));
  const folder = folderOf(stateRoot);
  const key = keyNow();
  const hit = head === undefined ? readEntry(folder, key) : undefined;
  if (hit) return hit;
  const compiled = compileSeccomp(seccomp, hostArch());
  // Not stored if the library was replaced meanwhile: nobody knows which of the two compiled.
  if (keyNow() === key) store(folder, key, head === undefined ? compiled : { ...compiled, head });
  return compiled;
}

const folderOf = (stateRoot: string): string => `${stateRoot}/.cache/seccomp`;

const hostArch = (): string => seccompArchOfHost(architecture()) ?? architecture();

const kernelRelease = (): string => readText('/proc/sys/kernel/osrelease');

const hostKey = (kernel = kernelRelease()): unknown[] => [
  formatVersion,
  version,
  commit,
  hostArch(),
  kernel,
  findLibseccomp().identity,
  joinersCalls,
];

export function cacheKey(seccomp: Seccomp, kernel?: string): string {
  const { defaultAction, defaultErrnoRet = null, architectures = null, flags = null, syscalls = null } = seccomp;
  return sha256(canonical([hostKey(kernel), defaultAction, defaultErrnoRet, architectures, flags, syscalls]));
}

/** An array that begins with another kind of value than the one above. */
export const textKey = (profile: Uint8Array, kernel?: string): string =>
  sha256(JSON.stringify(['text', hostKey(kernel)]), profile);

/** JSON has no bigint; few profiles do, and only those pay for the slower way. */
function canonical(parts: unknown): string {
  try {
    return JSON.stringify(parts);
  } catch {
    return JSON.stringify(parts, (_, value) => (typeof value === 'bigint' ? { integer: `${value}` } : value));
  }
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/**
 * Ours alone; anything else is as good as no cache. So is the one above it, or its owner could exchange the folder after the look; and
 * the state root is nobody's to write to but ours and root's.
 */
function isPrivate(folder: string): boolean {
  const cache = parentOf(folder);
  return isOurs(folder, 0o077) && isOurs(cache, 0o077) && isOurs(parentOf(cache), 0o022);
}

function isOurs(folder: string, forbidden: number): boolean {
  const facts = lstatIfExists(folder);
  const owned = facts?.uid === effectiveUid() || (facts?.uid === 0 && forbidden === 0o022);
  return facts?.kind === 'directory' && owned && (facts.mode & forbidden) === 0;
}

function readEntry(folder: string, key: string): Entry | undefined {
  const path = `${folder}/${key}`;
  try {
    if (!isPrivate(folder)) return undefined;
    const fd = openFile(path, openFlags.read | openFlags.noFollow | openFlags.nonBlock);
    let bytes: Uint8Array;
    try {
      bytes = readSome(fd, longestEntry + 1);
    } finally {
      closeFile(fd);
    }
    const entry = decodeEntry(bytes, key);
    if (entry) touchFile(path);
    return entry;
  } catch {
    // Absent in most cases; whatever it is, compiling is the answer.
    return undefined;
  }
}

export function encodeEntry({ filter, flags, listener, ...notes }: Entry, key: string): Uint8Array {
  const tail = new TextEncoder().encode(JSON.stringify(notes));
  const bytes = new Uint8Array(headerBytes + filter.length + tail.length);
  const view = new DataView(bytes.buffer);
  [magic, flags, listener ? 1 : 0, filter.length].forEach((word, index) => {
    view.setUint32(index * 4, word, true);
  });
  bytes.set(filter, headerBytes);
  bytes.set(tail, headerBytes + filter.length);
  const digest = digestOf(bytes, key);
  for (let index = 0; index < digest.length; index++) bytes[wordBytes + index] = digest.charCodeAt(index);
  return bytes;
}

/** undefined for anything but an entry that was written whole under this key. */
export function decodeEntry(bytes: Uint8Array, key: string): Entry | undefined {
  if (bytes.length <= headerBytes || bytes.length > longestEntry) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = headerBytes + view.getUint32(12, true);
  if (view.getUint32(0, true) !== magic || end > bytes.length) return undefined;
  const digest = digestOf(bytes, key);
  for (let index = 0; index < digest.length; index++) {
    if (bytes[wordBytes + index] !== digest.charCodeAt(index)) return undefined;
  }
  const notes = JSON.parse(new TextDecoder().decode(bytes.subarray(end))) as Pick<Entry, 'rules' | 'allowed' | 'head'>;
  return {
    filter: bytes.subarray(headerBytes, end),
    flags: view.getUint32(4, true),
    listener: view.getUint32(8, true) === 1,
    ...notes,
  };
}

const digestOf = (bytes: Uint8Array, key: string): string =>
  sha256(key, bytes.subarray(0, wordBytes), bytes.subarray(headerBytes));

/** A cache that cannot be written (full disk, read-only state root) is no reason to fail. */
function store(folder: string, key: string, entry: Entry): void {
  try {
    const bytes = encodeEntry(entry, key);
    if (bytes.length > longestEntry) return;
    for (const path of [parentOf(folder), folder]) ensureDirectory(path);
    if (!isPrivate(folder)) return;
    evict(folder);
    writeAtomically(`${folder}/${key}`, bytes);
  } catch {}
}

/** Not mkdir -p: the state root is there, and Node's loops for ever under /proc. */
function ensureDirectory(path: string): void {
  if (!lstatIfExists(path)) makeDirectory(path, 0o700);
}

/** Makes room for one more; also for what a killed writer left behind. */
function evict(folder: string): void {
  const names = listDirectory(folder);
  if (names.length < mostEntries) return;
  const dated = names.map((name) => ({ name, time: lstatIfExists(`${folder}/${name}`)?.mtimeMs ?? 0 }));
  dated.sort((a, b) => a.time - b.time);
  for (const { name } of dated.slice(0, names.length - mostEntries + 1)) {
    try {
      removeFile(`${folder}/${name}`);
    } catch {
      // Another start was faster.
    }
  }
}
