/**
 * The only place where an error becomes text. One line, the cause last, said once:
 * `tsrun create web: mounts[3] (/mounts/3): mount tmpfs on /run: EPERM (operation not permitted)`
 */
import { errnoText } from '../tables/errnos.js';
import type { Failure } from './error.js';

/**
 * conmon takes the message with one read of at most 8191 bytes, and a write to a pipe is atomic only up to
 * PIPE_BUF (4096), also where nobody reads and the pipe was made tiny. So a line stays below that.
 */
const longestLineBytes = 4000;

/** `mounts[3].options[1]` for `/mounts/3/options/1`. */
function renderKey(pointer: string): string {
  let key = '';
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (/^[0-9]+$/.test(name)) key += `[${name}]`;
    else key += key === '' ? name : `.${name}`;
  }
  return key;
}

/** `EPERM (operation not permitted)`. */
export function renderErrno(errno: string): string {
  const text = errnoText(errno);
  return text === '' ? errno : `${errno} (${text})`;
}

/** The letters, digits and signs of ASCII: safe, and a column each. */
export const isPlain = (text: string): boolean => plain.test(text);
const plain = /^[ -~]*$/;

/**
 * Makes text safe for one line of a terminal or a log: control characters, line separators and characters
 * that reorder text are escaped, bytes that were no UTF-8 (kept as lone surrogates U+DC80..U+DCFF) show as \xNN.
 */
export function sanitise(text: string): string {
  if (isPlain(text)) return text;
  return text.replace(unsafe(), (character) => {
    const code = character.charCodeAt(0);
    if (code === 0x0a) return '\\n';
    if (code === 0x09) return '\\t';
    if (code === 0x0d) return '\\r';
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
    if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Built when something is rendered, which most commands never do. */
const unsafe = (): RegExp =>
  new RegExp(
    '[\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff]' +
      '|[\\ud800-\\udbff](?![\\udc00-\\udfff])|(?<![\\ud800-\\udbff])[\\udc00-\\udfff]',
    'g',
  );

/** UTF-8 bytes of one character (code point). */
function sizeOf(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/** As many characters from the front as fit. */
function fitting(characters: readonly string[], limitBytes: number): string[] {
  let bytes = 0;
  const count = characters.findIndex((character) => {
    bytes += sizeOf(character);
    return bytes > limitBytes;
  });
  return count < 0 ? [...characters] : characters.slice(0, count);
}

/** Sanitises and cuts out the middle of what is too long: the head says what failed, the tail says why. */
function oneLine(text: string): string {
  const limit = longestLineBytes;
  const line = sanitise(text.length <= 2 * limit ? text : text.slice(0, limit) + text.slice(-limit));
  if (line.length * 3 <= limit) return line;
  const characters = Array.from(line);
  if (fitting(characters, limit).length === characters.length) return line;
  const half = limit / 2 - 4;
  const head = fitting(characters, half).join('');
  const tail = fitting(characters.reverse(), half).reverse().join('');
  return `${head} … ${tail}`;
}

/** The failure without program and command: where, what, why. */
export function renderFailure(failure: Failure): string {
  const parts: string[] = [];
  if (failure.pointer) parts.push(`${renderKey(failure.pointer)} (${failure.pointer})`);
  if (failure.step && !failure.message.includes(failure.step)) parts.push(failure.step);
  if (failure.message !== '') parts.push(failure.message);
  if (failure.detail) parts.push(failure.detail);
  if (failure.errno) parts.push(renderErrno(failure.errno));
  const text = parts.join(': ');
  return failure.hint ? `${text}; ${failure.hint}` : text;
}

/** The whole line. `head` is `tsrun create web`: program, command and container as far as they are known. */
export function renderLine(head: string, failure: Failure): string {
  return oneLine(`${head}: ${renderFailure(failure)}`);
}

/** Any other text for one line of a log. */
export const renderPlain = oneLine;
