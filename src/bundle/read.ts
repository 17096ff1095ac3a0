/** From a path or bytes to text, with the bad-input table of security.md section 4 in mind: nothing here can hang. */
import { fail } from '../errors/error.js';
import { callerDescriptor } from '../host/executor.js';
import { closeFile, errnoOf, fileFacts, openFile, openFlags, readAt, readSome, statIfExists } from '../host/files.js';
import { isUtf8 } from '../host/json.js';
import { monotonicMs } from '../host/process.js';
import { waitForAny } from '../host/wait.js';
import { descriptorOf } from '../tables/descriptors.js';
import { decodeLossless, encodeLossless } from '../tables/lossless-text.js';

/** Far more than any engine writes; a config is held in memory more than once. */
const largestBytes = 64 * 1024 * 1024;

/** What messages call the text: the file's path, or a word for standard input. */
export interface Source {
  readonly name: string;
  readonly text: string;
  /** What it was read from. */
  readonly bytes?: Uint8Array;
}

/** How long a stream may take to come to its end. */
const longestMs = 10_000;

/** `stream`: also a FIFO, a socket, a terminal or one of the caller's descriptors, read to its end; what was named by hand may be one. */
export interface ReadOptions {
  readonly stream?: boolean;
  readonly patienceMs?: number;
}

/** Reads a file. @throws TsrunError TSR_CONFIG_READ, _NOT_FILE, _TOO_LARGE or _ENCODING. */
export function readTextFile(path: string, { stream = false, patienceMs = longestMs }: ReadOptions = {}): Source {
  const number = stream ? descriptorOf(path) : undefined;
  const patience = stream ? patienceMs : undefined;
  return decodeText(number === undefined ? readPath(path, patience) : readDescriptor(number, path, patienceMs), path);
}

function readPath(path: string, patienceMs: number | undefined): Uint8Array {
  let fd: number;
  try {
    // A FIFO without a writer would hold an ordinary open for ever.
    fd = openFile(path, openFlags.read | openFlags.nonBlock);
  } catch (error) {
    return failRead(path, error);
  }
  try {
    return readBounded(fd, path, patienceMs);
  } finally {
    closeFile(fd);
  }
}

function readDescriptor(number: number, path: string, patienceMs: number): Uint8Array {
  const fd = callerDescriptor(number);
  if (fd === undefined) return fail('TSR_CONFIG_READ', `cannot read '${path}'`, { errno: 'EBADF' });
  return readBounded(fd, path, patienceMs);
}

/** Without patience only a regular file will do. */
function readBounded(fd: number, path: string, patienceMs: number | undefined): Uint8Array {
  try {
    const { kind, size } = fileFacts(fd);
    if (kind === 'file') return readRegular(fd, size, path);
    if (patienceMs === undefined || kind === 'directory')
      fail('TSR_CONFIG_NOT_FILE', `'${path}' is a ${kind}, not a regular file`);
    return readStream(fd, path, patienceMs);
  } catch (error) {
    if (errnoOf(error) === '') throw error;
    return failRead(path, error);
  }
}

/** From its beginning, whatever has been read of it before. It may be larger than fstat said: it is being written, or is one of procfs. */
function readRegular(fd: number, size: number, path: string): Uint8Array {
  if (size > largestBytes) failSize(path);
  const parts = [readAt(fd, 0, size + 1)];
  let length = parts[0]!.length;
  if (length <= size) return parts[0]!;
  for (;;) {
    const part = readAt(fd, length, 1024 * 1024);
    if (part.length === 0) return joined(parts, length);
    parts.push(part);
    length += part.length;
    if (length > largestBytes) failSize(path);
  }
}

/** Waits for its writer, but not for ever. */
function readStream(fd: number, path: string, patienceMs: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const deadline = monotonicMs() + patienceMs; ; ) {
    const left = deadline - monotonicMs();
    if (left <= 0) {
      fail('TSR_CONFIG_READ', `'${path}' has not come to its end in ${patienceMs / 1000} seconds`, {
        hint: 'whoever writes to it has to close it',
      });
    }
    waitForAny([fd], left);
    if (monotonicMs() >= deadline) continue;
    const part = readSome(fd, 64 * 1024);
    if (part.length === 0) return joined(parts, length);
    parts.push(part);
    length += part.length;
    if (length > largestBytes) failSize(path);
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function failRead(path: string, error: unknown): never {
  const errno = errnoOf(error);
  if (errno === 'ENOENT' && path.endsWith('config.json')) {
    // The sentence is runc's; callers look for it (cli-contract.md, create).
    const bundle = path.slice(0, path.lastIndexOf('/'));
    const hint = statIfExists(bundle) ? {} : { hint: `there is no directory '${bundle}'` };
    fail('TSR_CONFIG_READ', 'JSON specification file config.json not found', { detail: `'${path}'`, errno, ...hint });
  }
  return fail('TSR_CONFIG_READ', `cannot read '${path}'`, errno === '' ? { detail: String(error) } : { errno });
}

const failSize = (path: string): never =>
  fail('TSR_CONFIG_TOO_LARGE', `'${path}' is larger than ${largestBytes >> 20} MiB`);

/**
 * Decodes strictly: a byte that is no UTF-8 must not become U+FFFD, which would name another path.
 * @throws TsrunError TSR_CONFIG_TOO_LARGE or TSR_CONFIG_ENCODING.
 */
export function decodeText(bytes: Uint8Array, name: string): Source {
  if (bytes.length > largestBytes) failSize(name);
  // A byte order mark, or a NUL where UTF-16 has the other half of a letter.
  const odd = (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) || bytes[0] === 0 || bytes[1] === 0;
  return odd || !isUtf8(bytes) ? failEncoding(bytes, name) : sourceOf(name, bytes);
}

/** Bytes that are UTF-8. Text is made of them for who wants it: most of a large config is looked at as bytes. */
export function sourceOf(name: string, bytes: Uint8Array): Source {
  let text: string | undefined;
  return {
    name,
    bytes,
    get text(): string {
      text ??= new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
      return text;
    },
  };
}

function failEncoding(bytes: Uint8Array, name: string): never {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) {
    fail('TSR_CONFIG_ENCODING', `'${name}' starts with a byte order mark`, { hint: 'remove its first three bytes' });
  }
  if (first === 0xfe || first === 0xff || first === 0 || second === 0) {
    fail('TSR_CONFIG_ENCODING', `'${name}' looks like UTF-16`, { hint: 'write it as UTF-8' });
  }
  const text = decodeLossless(bytes);
  const valid = encodeLossless(text.slice(0, text.search(/(?<![\ud800-\udbff])[\udc80-\udcff]/)));
  const byte = (bytes[valid.length] ?? 0).toString(16);
  return fail('TSR_CONFIG_ENCODING', `'${name}' is not UTF-8: byte 0x${byte} at offset ${valid.length}`);
}
