// T-MUTANT: for each invariant that a published attack rests on, the line of the executor that keeps it is taken out, and the
// test that carries the attack's name must fail. A test that passes on a broken executor proves nothing.
import { spawnSync } from 'node:child_process';
import { removeSync } from 'fs-extra/esm';
import { buildMutant, mutantFolder } from './mutant-build.js';
import { mutants } from './mutant-table.js';
import { finish, report } from './report.js';

/** The names of the tests that fail. */
function failing(program: string, test: string): string[] {
  const { stdout } = spawnSync(process.execPath, ['src/build/test.mjs', `src/executor/${test}.ts`], {
    encoding: 'utf8',
    env: { ...process.env, TSRUN_SELF: program, NO_COLOR: '1' },
    timeout: 300_000,
  });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: uvu colours what it says
  const plainText = stdout.replace(/\x1b\[[0-9;]*m/g, '');
  return [...plainText.matchAll(/^\s*FAIL\s+.*?"(.*)"$/gm)].map(([, name]) => name ?? '');
}

/** @param long all of them, otherwise three. */
export function mutantRig(long: boolean): void {
  const began = Date.now();
  const folder = mutantFolder();
  const wanted = process.env.RIG_MUTANTS; // a part of the names
  const chosen = wanted === undefined ? mutants : mutants.filter(({ row }) => row.includes(wanted));
  const some = long || wanted !== undefined ? chosen : [mutants[0]!, mutants[2]!, mutants[11]!];
  for (const mutant of some) {
    const name = `${mutant.row}: ${mutant.what}`;
    const program = buildMutant(folder, mutant.edits);
    const noticed = (titles: readonly string[]): boolean => titles.some((title) => title.includes(mutant.row));
    let failed: string[] = [];
    // Where the attack is a race, a busy machine may let it be lost a whole test long.
    for (let i = 0; program !== undefined && i < 3 && !noticed(failed); i++) failed = failing(program, mutant.test);
    if (program === undefined) report(name, 'the mutant does not compile');
    else if (noticed(failed)) report(name, '');
    else report(name, `no test of that name fails in ${mutant.test}; failing: ${failed.join('; ') || 'none'}`);
  }
  removeSync(folder);
  finish('T-MUTANT', began, some.length);
}
