/** src/host/executor.ts for the small engine: it always is the engine, started by the executor or itself. */
import { atFdCwd, calls, door, scratch, scratchView } from './door.js';
import { fileFacts, readAt, writeAll } from './files.js';
import { spawn } from './spawn.js';
import { environment, ownPid, wholeEnvironment } from './process.js';

const planFd = 3;
const goFd = 4;
const outcomeFd = 5;
const oldPlanFd = 6;
const basicStats = 0x7ff;

export const isEngine = (): boolean => true;

export function engineFile(): { readonly inode: bigint; readonly modifiedNs: bigint } | undefined {
  if (door.call(calls.statx, atFdCwd, executorPath(), 0, basicStats, scratch.at) < 0) return undefined;
  const modifiedNs = scratchView.getBigInt64(112, true) * 1_000_000_000n + BigInt(scratchView.getUint32(120, true));
  return { inode: scratchView.getBigUint64(32, true), modifiedNs };
}

function give(plan: Uint8Array): void {
  writeAll(planFd, plan);
  writeAll(goFd, new Uint8Array(1));
}

/** By a signal, as the other engines end here: whoever waits for us does not take it for an answer. */
function end(): never {
  door.call(calls.kill, ownPid(), 9);
  throw new Error('unreachable');
}

export function handOver(plan: Uint8Array): never {
  give(plan);
  return end();
}

export async function handOverAnd(plan: Uint8Array, meanwhile: () => Promise<void>): Promise<never> {
  give(plan);
  await meanwhile().catch(() => undefined);
  return end();
}

export const isLaterRound = (): boolean => (environment('TSRUN_ROUND') ?? '0') !== '0';

/** The first of the descriptors that the launcher lets through because the command line names them (descriptors.c). */
const firstNamedFd = 7;

export function callerDescriptor(number: number): number | undefined {
  if (number < 3) return number;
  const at = (environment('TSRUN_NAMED_FDS') ?? '').split(',').indexOf(String(number));
  return at < 0 ? undefined : firstNamedFd + at;
}

export function failedRound(): { outcome: Uint8Array; plan: Uint8Array } | undefined {
  if (!isLaterRound()) return undefined;
  return { outcome: readWhole(outcomeFd), plan: readWhole(oldPlanFd) };
}

const readWhole = (fd: number): Uint8Array => readAt(fd, 0, fileFacts(fd).size);

export const executorPath = (): string => environment('TSRUN_SELF') ?? '/proc/self/exe';

export function carryOut(plan: Uint8Array, stdio: readonly (number | 'ignore')[] = [0, 1, 2]): Uint8Array {
  return spawn({
    path: executorPath(),
    words: ['tsrun:carry-out'],
    environment: wholeEnvironment(),
    input: plan,
    streams: ['collect', 2, ...stdio],
  }).output;
}
