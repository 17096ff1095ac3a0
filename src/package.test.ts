// The package as others get it: its types, and the program in docs/library.md. Needs root and a build for Node (npm run build).
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const library = suite('package');
const test = process.getuid?.() === 0 && existsSync('dist/types/index.d.ts') ? library : library.skip;

/** A program of somebody else's beside a node_modules with our package in it. */
function project(): { directory: string; source: string } {
  const directory = mkdtempSync(join(tmpdir(), 'tsrun-package-'));
  mkdirSync(join(directory, 'node_modules/@types'), { recursive: true });
  symlinkSync(resolve('.'), join(directory, 'node_modules/tsrun'));
  symlinkSync(resolve('node_modules/@types/node'), join(directory, 'node_modules/@types/node'));
  const source = /```ts\n([\s\S]*?)```/.exec(readFileSync('docs/library.md', 'utf8'))?.[1] ?? '';
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(directory, 'program.ts'), source);
  return { directory, source };
}

test('the types are found, and the example in docs/library.md is right by them', () => {
  const { directory } = project();
  try {
    // Pasted JavaScript: its functions have no types of their own.
    const options = [
      '--noEmit',
      '--strict',
      '--noImplicitAny',
      'false',
      '--useUnknownInCatchVariables',
      'false',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--types',
      'node',
    ];
    const tsc = resolve('node_modules/.bin/tsc');
    const { status, stdout } = spawnSync(tsc, [...options, 'program.ts'], { cwd: directory, encoding: 'utf8' });
    assert.equal([status, stdout], [0, '']);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the example runs as it is pasted, and prints what it should', () => {
  const { directory, source } = project();
  try {
    writeFileSync(join(directory, 'example.mjs'), source);
    const { stdout, stderr } = spawnSync(process.execPath, ['example.mjs'], {
      cwd: directory,
      encoding: 'utf8',
      env: {},
    });
    const said = [
      ...['true', '7 hello', 'running 1', '3 from exec', 'paused', 'stats'],
      ...['TSR_PROCESS_NOT_FOUND /process/args/0 ENOENT', 'TSR_TIMEOUT'],
    ];
    assert.equal([stdout.trim().split('\n'), stderr], [said, '']);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

library.run();
