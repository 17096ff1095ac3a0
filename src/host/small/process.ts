/** src/host/process.ts for the small engine. */
import { calls, door, expect, scratch, scratchWords, whole } from './door.js';
import { losslessText } from './text.js';

export function environment(name: string): string | undefined {
  const length = door.variable(name, scratch.at, scratch.bytes.length);
  return length <= 0 ? undefined : losslessText(scratch, Math.min(length, scratch.bytes.length));
}
/** Every entry, also what is kept for hooks under other names: for an executor that we start. */
export function wholeEnvironment(): string[] {
  const entries: string[] = [];
  for (let index = 0; ; index++) {
    const length = door.entry(index, scratch.at, scratch.bytes.length);
    if (length < 0) return entries;
    // What is longer than 64 KiB no hook will miss more than the whole command.
    if (length <= scratch.bytes.length) entries.push(losslessText(scratch, length));
  }
}
export const architecture = (): string => door.architecture();
export const ownPid = (): number => door.call(calls.getpid);
export const parentPid = (): number => door.call(calls.getppid);
export const effectiveUid = (): number => door.call(calls.geteuid);
export const effectiveGid = (): number => door.call(calls.getegid);
const capabilityVersion = 0x20080522; // _LINUX_CAPABILITY_VERSION_3
export function permittedCapabilities(): bigint | undefined {
  scratchWords.set([capabilityVersion, 0]);
  if (door.call(calls.capget, scratch.at, scratch.at + 8) < 0) return undefined;
  // Twice effective, permitted, inheritable: the lower half and the upper.
  return (BigInt(scratchWords[6]!) << 32n) | BigInt(scratchWords[3]!);
}
export function currentDirectory(): string {
  // A working directory that was deleted, or lies outside our root, has no path.
  const length = expect(door.call(calls.getcwd, scratch.at, 4096), 'getcwd');
  return losslessText(scratch, length - 1);
}
export const changeDirectory = (path: string): void => void expect(door.call(calls.chdir, whole(path)), 'chdir', path);

/** clock_gettime(2) into the scratch room; CLOCK_MONOTONIC is 1. */
export function monotonicMs(): number {
  expect(door.call(calls.clock_gettime, 1, scratch.at), 'clock_gettime');
  return ((scratchWords[1] ?? 0) * 2 ** 32 + (scratchWords[0] ?? 0)) * 1000 + (scratchWords[2] ?? 0) / 1e6;
}

let began: number | undefined;
/** The modules were evaluated at build time: the first who asks, which is `main`, begins. */
export function elapsedMs(): number {
  began ??= monotonicMs();
  return monotonicMs() - began;
}

export function sleepMs(milliseconds: number): void {
  const until = monotonicMs() + milliseconds;
  for (let left = milliseconds; left > 0; left = until - monotonicMs()) {
    const seconds = Math.floor(left / 1000);
    scratchWords.set([seconds, 0, Math.floor((left % 1000) * 1e6), 0]);
    door.call(calls.ppoll, 0, 0, scratch.at, 0, 0);
  }
}

export function signalKnown(pid: number, signal: number, isStill: () => boolean): boolean {
  const process = door.call(calls.pidfd_open, pid, 0);
  if (process === -3) return false; // ESRCH
  expect(process, 'pidfd_open');
  const result = isStill() ? door.call(calls.pidfd_send_signal, process, signal, 0, 0) : -3;
  door.call(calls.close, process);
  return result === -3 ? false : expect(result, 'pidfd_send_signal') === 0;
}
export const sendSignal = (pid: number, signal: number): void =>
  void expect(door.call(calls.kill, pid, signal), 'kill');

export function exit(code: number): never {
  door.call(calls.exit_group, code);
  throw new Error('unreachable');
}
