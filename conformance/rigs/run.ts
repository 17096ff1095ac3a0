// Rigs that break things on purpose and look what is left (security.md section 6).
//   node src/build/run-ts.mjs conformance/rigs/run.ts [--long] [--only steps,inject,kills,soak,race,swap,strace,nosys,fuzz,differences,mutants,liars,same,agree]
// Needs root, busybox-static and strace. Short: a minute; long: an hour. They work on a host of their own (conformance/lib/isolate.sh).
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { agreeRig } from './agree.js';
import { differencesRig } from './differences.js';
import { fuzzRig } from './fuzz.js';
import { injectRig } from './inject.js';
import { killRig } from './kills.js';
import { liarRig } from './liars.js';
import { mutantRig } from './mutants.js';
import { nosysRig } from './nosys.js';
import { raceRig } from './race.js';
import { total } from './report.js';
import { sameRig } from './same.js';
import { soakRig } from './soak.js';
import { stepRig } from './steps.js';
import { straceRig } from './strace.js';
import { swapRig } from './swap.js';

const { values: options } = parseArgs({
  options: { long: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
});

if (process.env.RIG !== 'inside') {
  const again = [process.execPath, 'src/build/run-ts.mjs', 'conformance/rigs/run.ts', ...process.argv.slice(2)];
  const result = spawnSync('conformance/lib/isolate.sh', ['--no-spare', '--', ...again], {
    stdio: 'inherit',
    env: { ...process.env, RIG: 'inside' },
  });
  process.exit(result.status ?? 1);
}

const rigs: readonly (readonly [name: string, rig: (long: boolean) => void | Promise<void>])[] = [
  ['steps', stepRig],
  ['inject', injectRig],
  ['kills', killRig],
  ['soak', soakRig],
  ['race', raceRig],
  ['swap', swapRig],
  ['strace', straceRig],
  ['nosys', nosysRig],
  ['fuzz', fuzzRig],
  ['differences', differencesRig],
  ['mutants', mutantRig],
  ['liars', liarRig],
  ['same', sameRig],
  ['agree', agreeRig],
];
const wanted = options.only.split(',').filter(Boolean);
for (const [name, rig] of rigs) if (wanted.length === 0 || wanted.includes(name)) await rig(options.long);
process.exit(total());
