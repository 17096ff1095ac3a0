import { fail, type Failure } from '../errors/error.js';
import { renderFailure, renderLine, renderPlain } from '../errors/render.js';
import { errnoOf, openFile, openFlags, writeLoosely } from '../host/files.js';
import { elapsedMs } from '../host/process.js';
import type { Values } from './parse.js';

/**
 * What the runtime says besides its output. Engines read it back: containerd decodes the file as a stream of
 * JSON and takes the last entry of level `error`, podman wants exactly one object in it, conmon takes one read
 * of standard error. So: one entry for one failure, nothing at level error on success, and the plain line on
 * standard error as well when the log is a file. Values from config.json and the environment are never logged.
 */
const levels = ['error', 'warning', 'info', 'debug'] as const;
export type Level = (typeof levels)[number];

const stderr = 2;

export interface LogOptions {
  readonly file?: string | undefined;
  readonly json: boolean;
  readonly level: Level;
}

/** A logger of the host that entries are sent to, in place of a file. */
export interface Daemon {
  readonly kind: 'journald' | 'syslog';
  readonly identifier: string;
}
export type SendEntry = (level: Level, message: string) => void;

/** What `--log` names, when that is no file. */
export function daemonOf({ file }: LogOptions): Daemon | undefined {
  const [, kind, identifier = ''] = /^(journald|syslog):(.*)$/s.exec(file ?? '') ?? [];
  if (kind === undefined) return undefined;
  // One line of both protocols; an empty name would leave the entry without an owner.
  if (!/^[\w.:@+-]+$/.test(identifier)) fail('TSR_CLI_LOG', `'${identifier}' is no identifier to log with`);
  return { kind: kind as Daemon['kind'], identifier };
}

/** Reads `--log`, `--log-format`, `--log-level` and `--debug`. */
export function logOptions(options: Values): LogOptions {
  const format = options.text('log-format') ?? 'text';
  if (format !== 'text' && format !== 'json')
    fail('TSR_CLI_VALUE', `invalid log-format: ${format}`, { hint: "it is 'text' or 'json'" });
  const named = options.text('log-level') ?? 'warning';
  const level = levels.find((known) => known === named);
  if (level === undefined)
    fail('TSR_CLI_VALUE', `invalid log-level: ${named}`, { hint: `it is one of ${levels.join(', ')}` });
  return { file: options.text('log'), json: format === 'json', level: options.is('debug') ? 'debug' : level };
}

/** The keys beside level, msg and time, in the order they are written. */
const fieldsOf = ({ code, pointer, step, errno }: Omit<Failure, 'message'>): [string, string][] =>
  textFields({ code, pointer, step, errno });

const textFields = (fields: { readonly [key: string]: string | undefined }): [string, string][] =>
  Object.entries(fields).flatMap(([key, value]) => (value ? [[key, renderPlain(value)] as [string, string]] : []));

/** `2026-11-22T00:42:09Z`: what Go's RFC 3339 reader takes. */
const timestamp = (): string => `${new Date().toISOString().slice(0, 19)}Z`;

type Fields = readonly (readonly [key: string, value: string | number])[];

/** What a line of `--debug` says besides its text. */
export interface Told {
  readonly pointer?: string | undefined;
  readonly step?: string | undefined;
  readonly errno?: string | undefined;
  /** Since the command began; absent: now. */
  readonly atMs?: number | undefined;
}

/** runc's JSON object, or its text line with Go's quotes. */
export function renderEntry(json: boolean, level: Level, message: string, fields: Fields): string {
  const time = timestamp();
  if (json)
    return `${JSON.stringify(Object.fromEntries([['level', level], ['msg', message], ['time', time], ...fields]))}\n`;
  const quote = (value: string): string => (/^[A-Za-z0-9._/@^+-]+$/.test(value) ? value : JSON.stringify(value));
  const rest = fields.map(([key, value]) => ` ${key}=${quote(String(value))}`).join('');
  return `time="${time}" level=${level} msg=${JSON.stringify(message)}${rest}\n`;
}

export class Log {
  /** `tsrun create web`: program, command and container as far as they are known. */
  head = 'tsrun';
  readonly #options: LogOptions;
  readonly #fd: number;
  readonly #send: SendEntry | undefined;
  /** What this process's clock is behind that of the command: its engine may be the second one. */
  #behindMs = 0;

  /** Opens the file at once, so that a bad path fails before anything is done. `send` takes the file's place. */
  constructor(options: LogOptions, send?: SendEntry) {
    this.#options = options;
    this.#fd = options.file === undefined || send ? stderr : openLog(options.file);
    this.#send = send;
  }

  /** The one final error of a command. */
  failure(failure: Failure): void {
    const line = renderLine(this.head, failure);
    const { file, json } = this.#options;
    if (this.#send) this.#send('error', line);
    else if (file !== undefined || json) writeLoosely(this.#fd, renderEntry(json, 'error', line, fieldsOf(failure)));
    if (file !== undefined || !json) writeLoosely(stderr, `${line}\n`);
  }

  /** Something the user should know although the command goes on. */
  warn(failure: Failure): void {
    this.#write('warning', renderFailure(failure), fieldsOf(failure));
  }

  /** Whether a debug message would be written: some are work to find. */
  get isVerbose(): boolean {
    return this.#options.level === 'debug';
  }

  debug(message: string): void {
    this.tell('engine', message);
  }

  /** What `--debug` is told: when, by whom, of which key. */
  tell(part: 'engine' | 'executor', text: string, { pointer, step, errno, atMs }: Told = {}): void {
    if (!this.isVerbose) return;
    if (atMs !== undefined) this.#behindMs = atMs - elapsedMs();
    const ms = (atMs ?? elapsedMs() + this.#behindMs).toFixed(2);
    const fields: Fields = [['elapsed_ms', Number(ms)], ['part', part], ...textFields({ pointer, step, errno })];
    this.#write('debug', `${ms} ms ${part}: ${pointer ? `${pointer}: ` : ''}${text}`, fields);
  }

  #write(level: Level, message: string, fields: Fields): void {
    const { file, json } = this.#options;
    if (levels.indexOf(level) > levels.indexOf(this.#options.level)) return;
    if (this.#send) {
      this.#send(level, renderPlain(`${this.head}: ${message}`));
      return;
    }
    const line = renderPlain(file === undefined && !json ? `${this.head}: ${level}: ${message}` : message);
    writeLoosely(this.#fd, file === undefined && !json ? `${line}\n` : renderEntry(json, level, line, fields));
  }
}

function openLog(path: string): number {
  // crun's spelling
  const plain = path.startsWith('file:') ? path.slice('file:'.length) : path;
  const flags = openFlags.write | openFlags.create | openFlags.append | openFlags.synchronous | openFlags.nonBlock;
  try {
    return openFile(plain, flags, 0o644);
  } catch (error) {
    return fail('TSR_CLI_LOG', `cannot open log file '${plain}'`, { errno: errnoOf(error) });
  }
}
