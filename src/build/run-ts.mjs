// Runs a TypeScript tool under Node: bundles it with esbuild into dist/tools and imports the result.
import { mkdirSync } from 'node:fs';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';

const [entry, ...rest] = process.argv.slice(2);
const out = `dist/tools/${basename(entry).replace(/\.ts$/, '.mjs')}`;
mkdirSync('dist/tools', { recursive: true });
buildSync({
  entryPoints: [entry],
  outfile: out,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
  logLevel: 'warning',
});
process.argv = [process.argv[0], entry, ...rest];
await import(pathToFileURL(out).href);
