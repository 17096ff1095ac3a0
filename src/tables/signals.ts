/** Signal names and numbers of Linux on x86-64 and arm64 (they agree). One table for `kill`, images and docs. */

const numbers = new Map<string, number>([
  ['HUP', 1],
  ['INT', 2],
  ['QUIT', 3],
  ['ILL', 4],
  ['TRAP', 5],
  ['ABRT', 6],
  ['BUS', 7],
  ['FPE', 8],
  ['KILL', 9],
  ['USR1', 10],
  ['SEGV', 11],
  ['USR2', 12],
  ['PIPE', 13],
  ['ALRM', 14],
  ['TERM', 15],
  ['STKFLT', 16],
  ['CHLD', 17],
  ['CONT', 18],
  ['STOP', 19],
  ['TSTP', 20],
  ['TTIN', 21],
  ['TTOU', 22],
  ['URG', 23],
  ['XCPU', 24],
  ['XFSZ', 25],
  ['VTALRM', 26],
  ['PROF', 27],
  ['WINCH', 28],
  ['IO', 29],
  ['PWR', 30],
  ['SYS', 31],
]);

/** Second names of the same numbers. */
const aliases = new Map<string, number>([
  ['IOT', 6],
  ['CLD', 17],
  ['POLL', 29],
]);

/** The C library keeps 32 and 33 for itself, so its SIGRTMIN is 34; every tool counts from there. */
const realtimeFirst = 34;
export const lastSignal = 64;

/**
 * What ends a container that waits for `start`: signals that end a program which has made nothing else of them, and that
 * somebody may send. The kernel would keep them from process 1 of a pid namespace.
 */
export const endsWaiting: readonly number[] = [
  ...['HUP', 'INT', 'QUIT', 'ABRT', 'USR1', 'USR2', 'ALRM', 'TERM', 'PWR'].map((name) => numbers.get(name)!),
  // RTMIN+3 is the stop signal of every image with systemd in it.
  ...Array.from({ length: lastSignal - realtimeFirst + 1 }, (_, i) => realtimeFirst + i),
];

export const SIGKILL = 9;
export const SIGPIPE = 13;
export const SIGTERM = 15;

/** Names without `SIG`, in the order of their numbers. */
export const signalNames = (): string[] => [...numbers.keys()];

/**
 * The number of a signal given as `15`, `TERM`, `SIGTERM`, `sigterm`, `RTMIN+3` or `RTMAX-1`; undefined for
 * anything else. 0 is the liveness probe.
 */
export function signalNumber(text: string): number | undefined {
  if (/^[0-9]{1,3}$/.test(text)) {
    const number = Number(text);
    return number <= lastSignal ? number : undefined;
  }
  const upper = text.toUpperCase();
  const name = upper.startsWith('SIG') ? upper.slice(3) : upper;
  const plain = numbers.get(name) ?? aliases.get(name);
  if (plain !== undefined) return plain;
  const realtime = /^RT(MIN|MAX)(?:([+-])([0-9]{1,2}))?$/.exec(name);
  if (!realtime) return undefined;
  const [, base, sign, digits] = realtime;
  if ((base === 'MIN' && sign === '-') || (base === 'MAX' && sign === '+')) return undefined;
  const offset = Number(digits ?? 0);
  const number = base === 'MIN' ? realtimeFirst + offset : lastSignal - offset;
  return number >= realtimeFirst && number <= lastSignal ? number : undefined;
}

/** `SIGTERM` for 15, `SIGRTMIN+3` for 37, the number as text where there is no name. */
export function signalName(number: number): string {
  for (const [name, value] of numbers) if (value === number) return `SIG${name}`;
  if (number === realtimeFirst) return 'SIGRTMIN';
  if (number > realtimeFirst && number <= lastSignal) return `SIGRTMIN+${number - realtimeFirst}`;
  return String(number);
}
