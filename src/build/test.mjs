// Builds all TypeScript into dist/test and runs uvu over it: node src/build/test.mjs [path filter ...]
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

function* walk(dir) {
  if (!existsSync(dir)) return;
  for (const name of readdirSync(dir)) {
    if (name === 'node_modules' || name === 'rootfs') continue;
    const path = join(dir, name);
    if (statSync(path).isDirectory()) yield* walk(path);
    else if (path.endsWith('.ts') && !path.endsWith('.d.ts')) yield path;
  }
}
const filters = process.argv.slice(2);
const out = 'dist/test';
const files = [...walk('src'), ...walk('bundles')];
if (filters.length === 0) rmSync(out, { recursive: true, force: true });
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
  .filter((f) => filters.length === 0 || filters.some((p) => f.startsWith(p.replace(/^\.\//, ''))))
  .map((f) => join(out, f.replace(/\.ts$/, '.js')));
const escapeRegExp = (s) => s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const pattern = tests.map((t) => `^${escapeRegExp(t.slice(out.length + 1))}$`).join('|');
const result = spawnSync('node', ['node_modules/uvu/bin.js', out, pattern || '^$'], { stdio: 'inherit' });
process.exit(result.status ?? 1);
