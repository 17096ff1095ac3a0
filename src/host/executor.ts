/**
 * Handing a plan over. As the engine (dist/tsrun-engine, started by the executor) the plan goes into descriptor 3
 * and this process ends; elsewhere (library, tests) the executor is spawned and waited for.
 */
import { fs } from './fs.js';

const planFd = 3;
const goFd = 4;
const outcomeFd = 5;
const oldPlanFd = 6;

/** True when the executor started us and waits for a plan. */
export const isEngine = (): boolean => process.env.TSRUN_SELF !== undefined && process.env.TSRUN_ROUND !== undefined;

/** The engine's own file, as the executor that started us sees it; undefined under Node. */
export function engineFile(): { readonly inode: bigint; readonly modifiedNs: bigint } | undefined {
  if (!isEngine()) return undefined;
  const { ino, mtimeNs } = fs.statSync(`${process.env.TSRUN_SELF}-engine`, { bigint: true });
  return { inode: ino, modifiedNs: mtimeNs };
}

/** How many of the caller's descriptors from 3 on are open without a gap; undefined when nobody counted. */
export function inheritedDescriptors(): number | undefined {
  const count = process.env.TSRUN_FDS;
  return count === undefined ? undefined : Number(count);
}

/** The first of the descriptors that the executor lets through because the command line names them (launch.c). */
const firstNamedFd = 7;

/** Where a descriptor of the caller's is in this process; undefined when it was not open. */
export function callerDescriptor(number: number): number | undefined {
  if (!isEngine() || number < 3) return number;
  const at = (process.env.TSRUN_NAMED_FDS ?? '').split(',').indexOf(String(number));
  return at < 0 ? undefined : firstNamedFd + at;
}

/** Gives the plan to the executor, which carries it out from here on. */
function give(plan: Uint8Array): void {
  let done = 0;
  while (done < plan.length) done += fs.writeSync(planFd, plan, done);
  fs.writeSync(goFd, new Uint8Array(1));
}

/** The quickest end there is: the kernel tears us down on one core while the container starts on the other. */
function end(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
}

/** Gives the plan to the executor and ends this process; the executor starts us again only to explain a failure. */
export function handOver(plan: Uint8Array): never {
  give(plan);
  return end();
}

/** The same, with something to do while the plan is being carried out. Nobody is left to tell what it throws. */
export async function handOverAnd(plan: Uint8Array, meanwhile: () => Promise<void>): Promise<never> {
  give(plan);
  await meanwhile().catch(() => undefined);
  return end();
}

/** The failed round's outcome and plan, when the executor started us to explain it. */
export function failedRound(): { outcome: Uint8Array; plan: Uint8Array } | undefined {
  if (!isLaterRound()) return undefined;
  return { outcome: readWhole(outcomeFd), plan: readWhole(oldPlanFd) };
}

/** Whether we were started again, for a plan that another engine has made. */
export const isLaterRound = (): boolean => isEngine() && process.env.TSRUN_ROUND !== '0';

function readWhole(fd: number): Uint8Array {
  const size = fs.fstatSync(fd).size;
  const bytes = new Uint8Array(size);
  let done = 0;
  while (done < size) {
    const got = fs.readSync(fd, bytes, done, size - done, done);
    if (got === 0) break;
    done += got;
  }
  return bytes.subarray(0, done);
}

/** Where the executor lies: it started us, or lies beside the engine, or in the dist/ that this module is from. */
export function executorPath(): string {
  const self = process.env.TSRUN_SELF;
  if (self) return self;
  const { dirname, join } = process.getBuiltinModule('node:path');
  const { fileURLToPath } = process.getBuiltinModule('node:url');
  // The standalone's modules are in the engine itself.
  let directory = dirname(process.versions.bun === undefined ? fileURLToPath(import.meta.url) : process.execPath);
  while (directory !== '/') {
    for (const candidate of [join(directory, 'tsrun'), join(directory, 'dist/tsrun')]) {
      if (fs.existsSync(candidate) && fs.statSync(candidate).isFile()) return candidate;
    }
    directory = dirname(directory);
  }
  return '/usr/local/bin/tsrun';
}

/**
 * Spawns the executor with the plan and waits. `stdio` is what the container gets as 0, 1, 2, then preserved ones.
 * Returns the outcome record's bytes.
 */
export function carryOut(plan: Uint8Array, stdio: readonly (number | 'ignore')[] = [0, 1, 2]): Uint8Array {
  // 'ignore' behind the third stream would leave the descriptor closed
  const nothing = stdio.includes('ignore') ? fs.openSync('/dev/null', 'r+') : -1;
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const result = spawnSync(executorPath(), [], {
    argv0: 'tsrun:carry-out',
    env: {},
    input: plan,
    stdio: ['pipe', 'pipe', 'inherit', ...stdio.map((fd) => (fd === 'ignore' ? nothing : fd))],
    maxBuffer: 1 << 20,
  });
  if (nothing >= 0) fs.closeSync(nothing);
  if (result.error) throw result.error;
  return result.stdout;
}
