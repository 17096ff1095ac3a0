// Writes the encoded plan of every sample bundle, and a kept one, into a directory: the plan fuzzer's seeds.
import { writeFileSync } from 'node:fs';
import { commandLine } from './command-line.mjs';
import { encodePlan } from '../plan/encode.js';
import { encodeKept } from '../plan/kept.js';
import { bundles, planOf } from '../plan/test-bundles.js';
import { keptExec } from '../plan/test-exec.js';
import { testKeeping } from '../plan/test-inputs.js';

const { directory } = commandLine({
  name: 'sample-plans',
  call: 'node src/build/run-ts.mjs src/build/sample-plans.ts',
  about: "Writes the encoded plan of every sample bundle, and a kept one: the plan fuzzer's seeds.",
  positionals: { directory: { type: 'string', demandOption: true, description: 'where to' } },
});
for (const name of bundles) writeFileSync(`${directory}/${name}.plan`, encodePlan(planOf(name)));
writeFileSync(`${directory}/exec.kept`, encodeKept(keptExec(), testKeeping.keeper!).bytes);
