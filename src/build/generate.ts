// Writes every generated file; with --check it only compares and fails on a difference (the gate).
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { generateConfigDocs } from './generate-config-docs.js';
import { generateConfigTypes } from './generate-config-types.js';
import { generateConfigShapes } from './generate-config-shapes.js';
import { generateErrorDocs } from './generate-error-docs.js';
import { generateMan } from './generate-man.js';
import { generateValidators } from './generate-validators.js';
import { generateWire } from './generate-wire.js';

const generators: (() => { path: string; text: string }[])[] = [
  generateWire,
  generateConfigTypes,
  generateConfigShapes,
  generateValidators,
  generateErrorDocs,
  generateMan,
  generateConfigDocs,
];

const check = process.argv.includes('--check');
let stale = 0;
for (const generator of generators) {
  for (const { path, text } of generator()) {
    const now = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
    if (now === text) continue;
    stale += 1;
    if (check) console.error(`${path} is stale: run npm run generate`);
    else writeFileSync(path, text);
  }
}
if (check && stale > 0) process.exit(1);
