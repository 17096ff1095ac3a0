// Builds all TypeScript into dist/test and runs its test files, several at once.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import fs from 'fs-extra';
import { commandLine, option } from './command-line.mjs';
import { runFiles } from './test-queue.mjs';

const { paths, jobs } = commandLine({
  name: 'test',
  call: 'npm test --',
  about: 'Builds and runs the tests.',
  options: { jobs: option.count('so many files at once', Math.min(availableParallelism(), 3)) },
  positionals: { paths: { array: true, description: 'only the tests whose path begins so' } },
});

/** Those that take longest begin first, or the last of them would run while nothing else does. */
const early = [
  'bundles/pages.test.ts',
  'src/build/command-line.test.ts',
  'src/executor/advisories-whole.test.ts',
  'src/executor/invariants-whole.test.ts',
  'src/linux/cgroup/kernel.test.ts',
  'src/main.test.ts',
  'src/operations/checkpoint.test.ts',
  'src/package.test.ts',
];

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
  .map((name) => ({ name, file: join(out, name.replace(/\.ts$/, '.js')) }));
if (tests.length === 0) {
  console.error(`test: no test's path begins with ${paths.join(' or ')}`);
  process.exit(1);
}
tests.sort((a, b) => early.includes(b.name) - early.includes(a.name));
process.exitCode = await runFiles(tests, jobs);
