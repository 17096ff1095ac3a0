/** `--log journald:IDENTIFIER` and `syslog:IDENTIFIER`, crun's spellings: an entry is a datagram to the host's logger. */
import { fail } from '../errors/error.js';
import { connectDatagrams } from '../host/datagram.js';
import { ownPid } from '../host/process.js';
import type { Daemon, Level } from './log.js';

/** Of syslog(3). */
const severities = { error: 3, warning: 4, info: 6, debug: 7 } as const;
const facility = 3; // daemon
const sockets = { journald: '/run/systemd/journal/socket', syslog: '/dev/log' } as const;
const utf8 = new TextEncoder();

/**
 * The journal's own protocol (systemd, JOURNAL_NATIVE_PROTOCOL): NAME=VALUE lines; a value that may have line ends is
 * written as NAME, its length in 64 bits little endian, and its bytes.
 */
function journalEntry(identifier: string, level: Level, message: string): Uint8Array {
  const text = utf8.encode(message);
  const head = utf8.encode(`SYSLOG_IDENTIFIER=${identifier}\nPRIORITY=${severities[level]}\nMESSAGE\n`);
  const entry = new Uint8Array(head.length + 8 + text.length + 1);
  entry.set(head);
  new DataView(entry.buffer).setBigUint64(head.length, BigInt(text.length), true);
  entry.set(text, head.length + 8);
  entry[entry.length - 1] = 0x0a;
  return entry;
}

/** `<27>Nov  6 09:12:45 web[123]: message`, as syslog(3) of the C library writes it. */
function syslogEntry(identifier: string, level: Level, message: string): Uint8Array {
  const now = new Date();
  const [, month = '', day = '', , time = ''] = now.toString().split(' ');
  const date = `${month} ${String(Number(day)).padStart(2)} ${time}`;
  return utf8.encode(`<${facility * 8 + severities[level]}>${date} ${identifier}[${ownPid()}]: ${message}`);
}

/** @throws TSR_CLI_LOG when nobody listens, before anything is done. */
export function openDaemon({ kind, identifier }: Daemon): (level: Level, message: string) => void {
  const send = connectDatagrams(sockets[kind]);
  if (typeof send === 'string') fail('TSR_CLI_LOG', `cannot log to ${kind} at '${sockets[kind]}'`, { errno: send });
  const entry = kind === 'journald' ? journalEntry : syslogEntry;
  return (level, message) => send(entry(identifier, level, message));
}
