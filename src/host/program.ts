/** Other programs of the host. */
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';

export interface ProgramResult {
  /** Exit status; 128 and more for a signal's. */
  readonly status: number;
  readonly output: string;
  readonly errors: string;
  /** Why it could not be run at all, e.g. `ENOENT`; else ''. */
  readonly errno: string;
}

/** Runs a program of the host to its end. The system's own directories are always in its PATH: engines pass none. */
export function runProgram(name: string, args: readonly string[]): ProgramResult {
  const path = [process.env.PATH, '/usr/bin', '/bin', '/usr/sbin', '/sbin'].filter(Boolean).join(':');
  const result = spawnSync(name, args, {
    encoding: 'utf8',
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 << 20,
  });
  const errno = (result.error as { code?: string } | undefined)?.code ?? (result.error ? 'EIO' : '');
  return {
    status: result.status ?? 128 + (result.signal === null ? 0 : constants.signals[result.signal]),
    output: result.stdout ?? '',
    errors: result.stderr ?? '',
    errno,
  };
}
