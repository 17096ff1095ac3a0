// Builds all TypeScript into dist/test and runs uvu over it.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import fs from 'fs-extra';
import { commandLine } from './command-line.mjs';

const { paths } = commandLine({
  name: 'test',
  call: 'npm test --',
  about: 'Builds and runs the tests.',
  positionals: { paths: { array: true, description: 'only the tests whose path begins so' } },
});

function* walk(dir) {
  for (const name of fs.readdirSync(dir)) {
    if (name === 'node_modules' || name === 'rootfs') continue;
    const path = join(dir, name);
    if (fs.statSync(path).isDirectory()) yield* walk(path);
    else if (path.endsWith('.ts') && !path.endsWith('.d.ts')) yield path;
  }
}
const out = 'dist/test';
const files = [...walk('src'), ...walk('bundles')];
if (paths.length === 0) fs.emptyDirSync(out);
buildSync({
  entryPoints: files,
  outdir: out,
  outbase: '.',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const tests = files
  .filter((f) => f.endsWith('.test.ts'))
  .filter((f) => paths.length === 0 || paths.some((p) => f.startsWith(p.replace(/^\.\//, ''))))
  .map((f) => join(out, f.replace(/\.ts$/, '.js')));
const escapeRegExp = (s) => s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const pattern = tests.map((t) => `^${escapeRegExp(t.slice(out.length + 1))}$`).join('|');
const result = spawnSync('node', ['node_modules/uvu/bin.js', out, pattern || '^$'], { stdio: 'inherit' });
process.exit(result.status ?? 1);
