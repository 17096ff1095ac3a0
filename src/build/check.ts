// The one gate: generated files, types, lint, and who may import whom. npm run check
import { spawnSync } from 'node:child_process';
import { allCases } from '../../conformance/cases/all.js';
import { checkReasons } from '../../conformance/reasons.js';
import { checkRequirements } from '../../conformance/requirements.js';
import { lies } from '../../conformance/rigs/liars.js';
import { impossible } from '../../conformance/rigs/mutant-build.js';
import { mutants } from '../../conformance/rigs/mutant-table.js';
import { checkSpecFeatures } from '../../conformance/spec-features.js';
import { checkDuplicates } from './check-duplicates.js';
import { checkImports } from './check-imports.js';
import { checkSecurity } from './check-security.js';
import { checkRooms } from './executor-rooms.js';
import { undocumentedErrors } from './generate-config-docs.js';

let failed = 0;

function report(what: string, problems: readonly string[]): void {
  console.log(`${problems.length === 0 ? 'ok    ' : 'FAILED'} ${what}`);
  for (const problem of problems) console.log(`       ${problem}`);
  if (problems.length > 0) failed += 1;
}

function command(what: string, program: string, args: readonly string[]): void {
  const result = spawnSync(program, args, { encoding: 'utf8' });
  const text = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim();
  report(what, result.status === 0 ? [] : text.split('\n'));
}

command('generated files are up to date', 'node', ['src/build/run-ts.mjs', 'src/build/generate.ts', '--check']);
command('types', 'node_modules/.bin/tsc', ['-p', '.']);
// The wrapper package wants binaries for platforms we do not have; the one for this platform does.
const biome = `node_modules/@biomejs/cli-linux-${process.arch}/biome`;
command('format and lint', biome, ['check', '--error-on-warnings', '--diagnostic-level=warn', '.']);
report('import rules', checkImports());
report('nothing of more than eight lines stands twice', checkDuplicates());
report('rooms of the executor', checkRooms());
report('errors of a config are explained in docs/config', undocumentedErrors());
report('rows of docs/security.md', checkSecurity());
report('requirements', checkRequirements(allCases()));
report('proofs of conformance/spec-features.md', checkSpecFeatures(allCases()));
report('reasons for failures of the conformance suite', checkReasons());
// CI carries out three of them only; a repair of the executor must not silently take the others away.
const broken = mutants.map(({ row, what, edits }) => ({ name: `${row}: ${what}`, edits }));
report('mutants and liars of conformance/rigs', impossible([...broken, ...lies]));

process.exit(failed === 0 ? 0 : 1);
