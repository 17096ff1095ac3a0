/** src/host/aside.ts for the small engine. */
import type { Aside } from '../aside.js';
import { calls, door } from './door.js';
import { executorPath } from './executor.js';
import { sleepMs, wholeEnvironment } from './process.js';
import { launch, reap } from './spawn.js';
import { isReady, openProcess, waitForAny } from './wait.js';

export type { Aside };

/** The longest that an executor may take to begin. */
const longestStartMs = 5000;
const forEver = 0x7fffffff;

export async function startAside(plan: Uint8Array, hasBegun: () => boolean): Promise<Aside> {
  const { pid } = launch({
    path: executorPath(),
    words: ['tsrun:carry-out'],
    environment: wholeEnvironment(),
    input: plan,
    streams: ['ignore', 2, 0, 1, 2],
  });
  const process = openProcess(pid);
  const hasEnded = (): boolean => {
    if (process === undefined) return true;
    waitForAny([process], 0);
    return isReady(0);
  };
  for (let waited = 0; waited < longestStartMs && !hasEnded() && !hasBegun(); waited++) sleepMs(1);
  return {
    done: async () => {
      if (process !== undefined) waitForAny([process], forEver);
      reap(pid);
    },
    stop: () => void door.call(calls.kill, pid, 9),
  };
}
