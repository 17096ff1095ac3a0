/** For tests and rigs: hostile helpers in C, compiled when they are needed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const built = new Map<string, string>();

/** Compiles `src/executor/fuzz/<name>.c` into a folder and answers with the program's path. */
export function buildHelper(name: 'swap' | 'refuse' | 'stop-at', folder = tmpdir()): string {
  const known = built.get(name);
  if (known !== undefined && existsSync(known)) return known;
  const program = join(folder, `tsrun-${name}-${process.pid}`);
  const source = `src/executor/fuzz/${name}.c`;
  const { status, stderr } = spawnSync('cc', ['-O2', '-Wall', source, '-o', program], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${source}: ${stderr}`);
  built.set(name, program);
  return program;
}

/** Exchanges two names in a directory again and again (renameat2 with RENAME_EXCHANGE), until it is killed. */
export const startSwapper = (program: string, directory: string, name: string, other: string): ChildProcess =>
  spawn(program, [directory, name, other], { stdio: 'ignore' });
