/** The process around us: environment, arguments, time, exit. The rest of the code sees no `process` global. */
import { decodeLossless } from '../tables/lossless-text.js';
import { expectRawPaths } from './files.js';
import { fs } from './fs.js';

export const environment = (name: string): string | undefined => process.env[name] || undefined;
/** The engine's name of the machine: `x64`, `arm64`. */
export const architecture = (): string => process.arch;
export const ownPid = (): number => process.pid;
/** The executor, where it has started us as its engine. */
export const parentPid = (): number => process.ppid;
export const effectiveUid = (): number => process.geteuid?.() ?? 0;
export const effectiveGid = (): number => process.getegid?.() ?? 0;
/** The permitted set, bit by bit: root usually has it in full, a container manager's or a sandbox's root may not. undefined where procfs does not tell. */
export function permittedCapabilities(): bigint | undefined {
  let status: string;
  try {
    status = fs.readFileSync('/proc/self/status', 'latin1');
  } catch {
    return undefined;
  }
  const at = status.indexOf('\nCapPrm:\t');
  return at < 0 ? undefined : BigInt(`0x${status.slice(at + 9, at + 25)}`);
}
/** The working directory, byte-exact (tables/lossless-text.ts). */
export function currentDirectory(): string {
  const path = process.cwd();
  if (!path.includes('\ufffd')) return path;
  expectRawPaths();
  return decodeLossless(fs.readlinkSync('/proc/self/cwd', { encoding: 'buffer' }));
}
export const changeDirectory = (path: string): void => process.chdir(path);

/** Milliseconds since this process began. */
export const elapsedMs = (): number => performance.now();

/** Milliseconds of CLOCK_MONOTONIC. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Sleeps without an event loop. */
export function sleepMs(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/**
 * Sends a signal to the process that `isStill` finds at this number; false when it is another one or gone. Under Node by number, right after looking; the
 * program holds a pidfd meanwhile, so that a number that changes hands cannot be hit.
 */
export function signalKnown(pid: number, signal: number, isStill: () => boolean): boolean {
  if (!isStill()) return false;
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ESRCH') return false;
    throw error;
  }
}

/** Sends a signal; errors carry `code`. Only for pids whose identity was just checked. */
export const sendSignal = (pid: number, signal: number): void => {
  process.kill(pid, signal);
};

/** Ends the process at once with this status. Output was written synchronously before. */
export function exit(code: number): never {
  process.exit(code);
}
