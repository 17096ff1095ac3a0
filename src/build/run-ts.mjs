// Runs a TypeScript tool under Node: bundles it with esbuild into dist/tools and imports the result.
//   node src/build/run-ts.mjs TOOL.ts [WORD...]      the words are the tool's
import { renameSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';

const [entry, ...rest] = process.argv.slice(2);
if (entry === undefined || entry.startsWith('-')) {
  const { commandLine } = await import('./command-line.mjs');
  const about =
    'Runs a tool that is written in TypeScript. The words after its path are its own: its --help says which.';
  const positionals = { tool: { demandOption: true, description: 'its source' }, words: { array: true } };
  commandLine({ name: 'run-ts', call: 'node src/build/run-ts.mjs', about, positionals }, process.argv.slice(2));
}
// Here, whatever the current folder, for the packages are beside it; tools of one name may run at once.
const top = fileURLToPath(new URL('../..', import.meta.url));
const name = relative(top, resolve(entry)).replaceAll('/', '-').replace(/\.ts$/, '.mjs');
const out = join(top, 'dist/tools', name);
const draft = `${out}.${process.pid}`; // whoever runs the same tool now reads a whole file
buildSync({
  entryPoints: [entry],
  outfile: draft,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
  logLevel: 'warning',
});
renameSync(draft, out);
process.argv = [process.argv[0], entry, ...rest];
await import(pathToFileURL(out).href);
