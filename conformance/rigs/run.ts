// Rigs that break things on purpose and look what is left (security.md section 6).
// Needs root, busybox-static and strace. Short: a minute; long: an hour. They work on a host of their own (conformance/lib/isolate.sh).
import { spawnSync } from 'node:child_process';
import { commandLine, option } from '../../src/build/command-line.mjs';
import { agreeRig } from './agree.js';
import { differencesRig } from './differences.js';
import { fuzzRig } from './fuzz.js';
import { injectRig } from './inject.js';
import { killRig } from './kills.js';
import { liarRig } from './liars.js';
import { mutantRig } from './mutants.js';
import { nosysRig } from './nosys.js';
import { raceRig } from './race.js';
import { begin, total } from './report.js';
import { sameRig } from './same.js';
import { soakRig } from './soak.js';
import { stepRig } from './steps.js';
import { straceRig } from './strace.js';
import { swapRig } from './swap.js';

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
const { long, only } = commandLine({
  name: 'rigs',
  call: 'node src/build/run-ts.mjs conformance/rigs/run.ts',
  about: 'Breaks things on purpose and looks what is left.',
  options: {
    long: option.flag('some hours instead of minutes'),
    only: option.list(
      'these rigs only',
      rigs.map(([name]) => name),
    ),
  },
});

if (process.env.RIG !== 'inside') {
  const again = [process.execPath, 'src/build/run-ts.mjs', 'conformance/rigs/run.ts', ...process.argv.slice(2)];
  const result = spawnSync('conformance/lib/isolate.sh', ['--no-spare', '--', ...again], {
    stdio: 'inherit',
    env: { ...process.env, RIG: 'inside' },
  });
  process.exit(result.status ?? 1);
}

for (const [name, rig] of rigs) {
  if (only.length > 0 && !only.includes(name)) continue;
  begin(name);
  await rig(long);
}
process.exit(total());
