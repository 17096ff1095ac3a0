/**
 * Handing a plan over. Under Node (library, tests) the executor is spawned and waited for; the small engine, which the executor
 * has started, leaves the plan in a descriptor and ends (small/executor.ts).
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fs } from './fs.js';

/** True when the executor started us and waits for a plan. */
export const isEngine = (): boolean => false;

/** The program's own file, as the executor that started us sees it; undefined under Node. */
export const engineFile = (): { readonly inode: bigint; readonly modifiedNs: bigint } | undefined => undefined;

const onlyTheEngine = (): never => {
  throw new Error('only the engine hands a plan over');
};
/** Gives the plan to the executor and ends this process; the executor starts us again only to explain a failure. */
export const handOver = (_plan: Uint8Array): never => onlyTheEngine();
/** The same, with something to do while the plan is being carried out. Nobody is left to tell what it throws. */
export const handOverAnd = async (_plan: Uint8Array, _meanwhile: () => Promise<void>): Promise<never> =>
  onlyTheEngine();

/** Whether we were started again, for a plan that another engine has made. */
export const isLaterRound = (): boolean => false;

/** Where a descriptor of the caller's is in this process; undefined when it was not open. */
export const callerDescriptor = (number: number): number | undefined => number;

/** The failed round's outcome and plan, when the executor started us to explain it. */
export const failedRound = (): { outcome: Uint8Array; plan: Uint8Array } | undefined => undefined;

/** Where the executor lies: where TSRUN_SELF says, or in the dist/ that this module is from, or in the package for this machine. */
export function executorPath(): string {
  const named = process.env.TSRUN_SELF;
  if (named) return named;
  let directory = dirname(fileURLToPath(import.meta.url));
  while (directory !== '/') {
    const ofPackage = `node_modules/@tsrun/linux-${process.arch}/tsrun`; // src/build/pack.mjs
    for (const name of ['tsrun', 'dist/tsrun', ofPackage]) {
      const candidate = join(directory, name);
      if (fs.existsSync(candidate) && fs.statSync(candidate).isFile()) return candidate;
    }
    directory = dirname(directory);
  }
  return '/usr/local/bin/tsrun';
}

/**
 * Spawns the executor with the plan and waits. `stdio` is what the container gets as 0, 1, 2, then preserved ones.
 * Returns the outcome record's bytes. It has our environment, which is for hooks only (environment.c).
 */
export function carryOut(plan: Uint8Array, stdio: readonly (number | 'ignore')[] = [0, 1, 2]): Uint8Array {
  // 'ignore' behind the third stream would leave the descriptor closed
  const nothing = stdio.includes('ignore') ? fs.openSync('/dev/null', 'r+') : -1;
  const result = spawnSync(executorPath(), [], {
    argv0: 'tsrun:carry-out',
    input: plan,
    stdio: ['pipe', 'pipe', 'inherit', ...stdio.map((fd) => (fd === 'ignore' ? nothing : fd))],
    maxBuffer: 1 << 20,
  });
  if (nothing >= 0) fs.closeSync(nothing);
  if (result.error) throw result.error;
  return result.stdout;
}
