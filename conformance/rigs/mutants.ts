// T-MUTANT: for each invariant that a published attack rests on, the line of the executor that keeps it is taken out, and the
// test that carries the attack's name must fail. A test that passes on a broken executor proves nothing.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Mutant, mutants, mutate } from './mutant-table.js';
import { finish, report } from './report.js';

/** @returns the path of the executor with the edits; undefined when it does not compile. @throws Error when an edit does not apply. */
function build(folder: string, mutant: Mutant): string | undefined {
  const sources = join(folder, 'source');
  rmSync(sources, { recursive: true, force: true });
  for (const part of ['src/executor', 'src/generated', 'src/build'])
    cpSync(part, join(sources, part), { recursive: true });
  const executor = join(sources, 'src/executor');
  for (const [file, text] of mutate(mutant, (name) => readFileSync(join(executor, name), 'utf8')))
    writeFileSync(join(executor, file), text);
  const program = join(folder, 'tsrun');
  rmSync(program, { force: true });
  const args = ['src/build/prepare.mjs', '--executor-only', program, '--cc', join(folder, 'cc')];
  // A mutant may well leave something unused.
  const { status } = spawnSync(process.execPath, args, { cwd: sources, encoding: 'utf8' });
  return status === 0 ? program : undefined;
}

/** The names of the tests that fail. */
function failing(program: string, test: string): string[] {
  const { stdout } = spawnSync(process.execPath, ['src/build/test.mjs', `src/executor/${test}.ts`], {
    encoding: 'utf8',
    env: { ...process.env, TSRUN_SELF: program, NO_COLOR: '1' },
    timeout: 120_000,
  });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: uvu colours what it says
  const plainText = stdout.replace(/\x1b\[[0-9;]*m/g, '');
  return [...plainText.matchAll(/^\s*FAIL\s+.*?"(.*)"$/gm)].map(([, name]) => name ?? '');
}

/** @param long all of them, otherwise three. */
export function mutantRig(long: boolean): void {
  const began = Date.now();
  const folder = mkdtempSync(join(tmpdir(), 'tsrun-mutants-'));
  mkdirSync(folder, { recursive: true });
  symlinkSync(join(process.cwd(), 'dist/tsrun-engine'), join(folder, 'tsrun-engine'));
  writeFileSync(join(folder, 'cc'), `#!/bin/sh\nexec cc "$@" -Wno-error\n`, { mode: 0o755 });
  const wanted = process.env.RIG_MUTANTS; // a part of the names
  const chosen = wanted === undefined ? mutants : mutants.filter(({ row }) => row.includes(wanted));
  const some = long || wanted !== undefined ? chosen : [mutants[0]!, mutants[2]!, mutants[11]!];
  for (const mutant of some) {
    const name = `${mutant.row}: ${mutant.what}`;
    const program = build(folder, mutant);
    const failed = program === undefined ? [] : failing(program, mutant.test);
    if (program === undefined) report(name, 'the mutant does not compile');
    else if (failed.some((title) => title.includes(mutant.row))) report(name, '');
    else report(name, `no test of that name fails in ${mutant.test}; failing: ${failed.join('; ') || 'none'}`);
  }
  rmSync(folder, { recursive: true });
  finish('T-MUTANT', began, some.length);
}
