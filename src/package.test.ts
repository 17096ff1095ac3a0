// The package as others get it: its types, and the program in docs/library.md. Needs root and a build for Node (npm run build).
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsRoot, unless } from './test-fixtures.js';

const library = suite('package');
const built = existsSync('dist/types/index.d.ts') ? undefined : 'needs npm run build';
const test = unless(library, needsRoot ?? built);

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

test('the packages of npm: the command, its manual page and the library, in an empty prefix without a compiler', () => {
  const packed = spawnSync(process.execPath, ['src/build/pack.mjs', '--only', process.arch], { encoding: 'utf8' });
  assert.is(packed.status, 0, packed.stderr);
  const files = packed.stdout
    .trim()
    .split('\n')
    .map((path) => resolve(path));
  for (const file of files) assert.ok(statSync(file).size < 4 << 20, `${file} is larger than 4 MB`);
  const prefix = mkdtempSync(join(tmpdir(), 'tsrun-prefix-'));
  const bundle = mkdtempSync(join(tmpdir(), 'tsrun-packed-'));
  try {
    const flags = ['--global', '--prefix', prefix, '--no-audit', '--no-fund', '--ignore-scripts', '--omit', 'optional'];
    // The program's package by its file, since it is not published.
    const npm = spawnSync('npm', ['install', ...flags, ...files], { encoding: 'utf8' });
    assert.is(npm.status, 0, npm.stderr);
    const command = join(prefix, 'bin/tsrun');
    const env = { PATH: '/usr/bin:/bin' };
    assert.match(spawnSync(command, ['--version'], { encoding: 'utf8', env }).stdout, /^tsrun version /);
    assert.ok(existsSync(join(prefix, 'share/man/man1/tsrun.1')));
    mkdirSync(join(bundle, 'rootfs/bin'), { recursive: true });
    copyFileSync('/bin/busybox', join(bundle, 'rootfs/bin/busybox'));
    spawnSync(command, ['spec', '--bundle', bundle], { env });
    const config = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'));
    config.process = { ...config.process, terminal: false, args: ['/bin/busybox', 'echo', 'packed'] };
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
    const words = ['--root', join(bundle, 'state'), 'run', '--bundle', bundle, `packed-${process.pid}`];
    const ran = spawnSync(command, words, { encoding: 'utf8', env });
    assert.equal([ran.status, ran.stdout, ran.stderr], [0, 'packed\n', '']);
    const main = JSON.stringify(join(prefix, 'lib/node_modules/tsrun/dist/index.js'));
    const script = `const t = await import(${main}); console.log(Object.keys(t).includes('run'));`;
    const imported = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env });
    assert.is(imported.stdout, 'true\n', imported.stderr);
  } finally {
    rmSync(prefix, { recursive: true });
    rmSync(bundle, { recursive: true });
  }
});

library.run();
