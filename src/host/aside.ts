/** An executor beside this process, for what goes on while it works. */
import { spawn } from 'node:child_process';
import { executorPath } from './executor.js';

/** The longest that an executor may take to begin. */
const longestStartMs = 5000;

export interface Aside {
  /** Resolves when it has ended, however. */
  readonly done: () => Promise<void>;
  readonly stop: () => void;
}

/** Spawns the executor with the plan and returns when it has begun, as `hasBegun` sees it, or has ended early. */
export async function startAside(plan: Uint8Array, hasBegun: () => boolean): Promise<Aside> {
  const child = spawn(executorPath(), [], {
    argv0: 'tsrun:carry-out',
    env: {},
    stdio: ['pipe', 'ignore', 'inherit', 0, 1, 2],
  });
  let ended = false;
  const end = new Promise<void>((resolve) => {
    const finish = (): void => {
      ended = true;
      resolve();
    };
    child.once('exit', finish);
    child.once('error', finish);
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(plan);
  for (let waited = 0; waited < longestStartMs && !ended && !hasBegun(); waited++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return { done: () => end, stop: () => void child.kill('SIGKILL') };
}
