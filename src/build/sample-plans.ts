// What the fuzzers begin with: the encoded plan of every sample bundle, a kept one, the table that configs are looked at with, a large config.
import { writeFileSync } from 'node:fs';
import { commandLine } from './command-line.mjs';
import { tableOf } from '../bundle/shape-table.js';
import { carriedAnnotations } from '../bundle/spec-document.js';
import { specShape } from '../generated/config-shapes.js';
import { encodePlan } from '../plan/encode.js';
import { encodeKept } from '../plan/kept.js';
import { bundles, planOf } from '../plan/test-bundles.js';
import { keptExec } from '../plan/test-exec.js';
import { testKeeping } from '../plan/test-inputs.js';

const { directory } = commandLine({
  name: 'sample-plans',
  call: 'node src/build/run-ts.mjs src/build/sample-plans.ts',
  about: 'Writes what the fuzzers begin with: plans, a table, a large config.',
  positionals: { directory: { type: 'string', demandOption: true, description: 'where to' } },
});
for (const name of bundles) writeFileSync(`${directory}/${name}.plan`, encodePlan(planOf(name)));
writeFileSync(`${directory}/spec.table`, tableOf(specShape, carriedAnnotations));
const annotations = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`org.example.${i}`, `é ${i} "\n😀`]));
writeFileSync(
  `${directory}/large.json`,
  JSON.stringify({ ociVersion: '1.0.2', root: { path: 'rootfs' }, annotations }),
);
writeFileSync(`${directory}/exec.kept`, encodeKept(keptExec(), testKeeping.keeper!).bytes);
