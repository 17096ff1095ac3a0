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

const bind = (path: string) => ({ destination: path, source: path, type: 'none', options: ['rbind', 'ro'] });
const config = (args: readonly string[]) =>
  JSON.stringify({
    ociVersion: '1.3.0',
    root: { path: 'rootfs' },
    process: { cwd: '/', args, env: ['PATH=/usr/bin:/bin'], user: { uid: 0, gid: 0 } },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }, ...['/usr', '/bin', '/lib', '/lib64'].map(bind)],
    linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }] },
  });

function bundle(directory: string): string {
  const path = join(directory, 'bundle');
  for (const name of ['proc', 'usr', 'bin', 'lib', 'lib64']) mkdirSync(join(path, 'rootfs', name), { recursive: true });
  writeFileSync(join(path, 'config.json'), config(['sh', '-c', 'echo hello; exit 7']));
  writeFileSync(join(path, 'service.json'), config(['sleep', '100']));
  writeFileSync(join(path, 'wrong.json'), config(['/no/such/program']));
  return path;
}

test('the types are found, and the example in docs/library.md is right by them', () => {
  const { directory } = project();
  try {
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
    const tsc = resolve('node_modules/.bin/tsc');
    const { status, stdout } = spawnSync(tsc, [...options, 'program.ts'], { cwd: directory, encoding: 'utf8' });
    assert.equal([status, stdout], [0, '']);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the example prints what it should', async () => {
  const { directory, source } = project();
  try {
    const { transformSync } = await import('esbuild');
    writeFileSync(join(directory, 'program.mjs'), transformSync(source, { loader: 'ts', format: 'esm' }).code);
    const args = ['program.mjs', bundle(directory), join(directory, 'state')];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8', env: {} });
    const said = ['true', '7 hello', 'running', '3 from exec', 'TSR_PROCESS_NOT_FOUND /process/args/0 ENOENT'];
    assert.equal([stdout.trim().split('\n'), stderr], [said, '']);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

library.run();
