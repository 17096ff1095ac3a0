// Writes every generated file; the gate only compares.
import { commandLine, option } from './command-line.mjs';
import { generateCliDocs } from './generate-cli-docs.js';
import { generateConfigDocs } from './generate-config-docs.js';
import { generateConfigTypes } from './generate-config-types.js';
import { generateConfigShapes } from './generate-config-shapes.js';
import { generateEngineCalls } from './generate-engine-calls.js';
import { generateErrorDocs } from './generate-error-docs.js';
import { generateMan } from './generate-man.js';
import { generatePictures } from './generate-pictures.js';
import { generateValidators } from './generate-validators.js';
import { generateWire } from './generate-wire.js';
import { type GeneratedFile, isStale, writeIfStale } from './generated-file.js';

const generators: (() => GeneratedFile[])[] = [
  generateWire,
  generateEngineCalls,
  generateConfigTypes,
  generateConfigShapes,
  generateValidators,
  generateErrorDocs,
  generateCliDocs,
  generateMan,
  generateConfigDocs,
  generatePictures,
];

const { check } = commandLine({
  name: 'generate',
  call: 'node src/build/run-ts.mjs src/build/generate.ts',
  about: 'Writes every generated file that is stale.',
  options: { check: option.flag('only compare, and fail on a difference') },
});
let stale = 0;
for (const generator of generators) {
  for (const file of generator()) {
    if (!check) writeIfStale(file);
    else if (isStale(file)) {
      stale += 1;
      console.error(`${file.path} is stale: run npm run generate`);
    }
  }
}
if (check && stale > 0) process.exit(1);
