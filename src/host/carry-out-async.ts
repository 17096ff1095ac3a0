/** The executor as a child that a Node program does not stop for, with streams that it may read. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { executorPath } from './executor.js';
import { fs } from './fs.js';

/** `collect` is for output: all of it is kept and handed back. A number is a descriptor of this process. */
export type Stream = 'inherit' | 'ignore' | 'collect' | number;

export interface Carried {
  /** The outcome record's bytes. */
  readonly outcome: Uint8Array;
  readonly stdout: string;
  readonly stderr: string;
}

/** The executor that was started. */
export interface Executor {
  readonly pid: number;
  /** Sends it TERM. */
  readonly stop: () => void;
}

function gather(stream: Readable | null | undefined): Uint8Array[] {
  const parts: Uint8Array[] = [];
  stream?.on('data', (part: Uint8Array) => parts.push(part));
  return parts;
}

/** `own` is ours of the same number; behind the third place Node takes 'ignore' for a closed descriptor. */
function kindOf(stream: Stream, own: number, nothing: number): 'pipe' | number {
  if (stream === 'collect') return 'pipe';
  if (stream === 'ignore') return nothing;
  return stream === 'inherit' ? own : stream;
}

/** Resolves when the executor has ended and every collected stream is closed, which is when nobody in the container has it open. */
export function carryOutAsync(
  plan: Uint8Array,
  streams: readonly [Stream, Stream, Stream],
  began: (executor: Executor) => void = () => undefined,
): Promise<Carried> {
  const nothing = fs.openSync('/dev/null', 'r+');
  return new Promise((resolve, reject) => {
    const child = spawn(executorPath(), [], {
      argv0: 'tsrun:carry-out',
      stdio: ['pipe', 'pipe', 'inherit', ...streams.map((stream, own) => kindOf(stream, own, nothing))],
    });
    const [outcome, stdout, stderr] = [1, 4, 5].map((fd) => gather(child.stdio[fd as 1] as Readable | null));
    const textOf = (parts: Uint8Array[] | undefined): string => Buffer.concat(parts ?? []).toString();
    fs.closeSync(nothing);
    if (child.pid !== undefined) began({ pid: child.pid, stop: () => void child.kill('SIGTERM') });
    child.once('error', reject);
    child.once('close', () => {
      resolve({ outcome: Buffer.concat(outcome ?? []), stdout: textOf(stdout), stderr: textOf(stderr) });
    });
    // The executor may end before it has read the plan; its outcome, or the lack of one, says so.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(plan);
  });
}
