// The library, used as a Node program would. Needs root and dist/tsrun.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { create, kill, list, plan, printPlan, remove, run, start, state, TsrunError } from './index.js';

const library = suite('library');
const test = process.getuid?.() === 0 ? library : library.skip;

function bundle(
  args: readonly string[],
  more: object = {},
): { root: string; bundle: string; directory: string; done: () => void } {
  const directory = mkdtempSync(join(tmpdir(), 'tsrun-library-'));
  const rootfs = join(directory, 'rootfs');
  for (const name of ['bin', 'usr', 'lib', 'lib64', 'proc', 'dev', 'out'])
    mkdirSync(join(rootfs, name), { recursive: true });
  const bind = (path: string) => ({ destination: path, source: path, type: 'none', options: ['rbind', 'ro'] });
  const config = {
    ociVersion: '1.3.0',
    root: { path: 'rootfs' },
    process: { cwd: '/', args, env: ['PATH=/usr/bin:/bin'], user: { uid: 0, gid: 0 } },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      ...['/usr', '/bin', '/lib', '/lib64'].map(bind),
      { destination: '/out', source: directory, type: 'none', options: ['bind'] },
    ],
    linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }] },
    ...more,
  };
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
  return {
    root: join(directory, 'state'),
    bundle: directory,
    directory,
    done: () => rmSync(directory, { recursive: true }),
  };
}

test('runs a container and returns its exit status', async () => {
  const { done, directory, ...where } = bundle(['sh', '-c', 'echo hello >/out/said; exit 7']);
  try {
    assert.is((await run({ id: 'library-run', ...where })).status, 7);
    assert.is(readFileSync(join(directory, 'said'), 'utf8'), 'hello\n');
    assert.equal(list(where), []);
  } finally {
    done();
  }
});

test('tells of hooks that failed after the end', async () => {
  const hooks = { poststop: [{ path: '/bin/false' }, { path: '/bin/true' }, { path: '/bin/false' }] };
  const { done, ...where } = bundle(['sh', '-c', 'exit 7'], { hooks });
  try {
    const warnings: string[] = [];
    const warn = ({ pointer = '' }: { pointer?: string | undefined }) => void warnings.push(pointer);
    assert.is((await run({ id: 'library-hooks', ...where, warn })).status, 7);
    assert.equal(warnings, ['/hooks/poststop/0', '/hooks/poststop/2']);
  } finally {
    done();
  }
});

test('goes through create, start, kill and remove', async () => {
  const { done, directory, ...where } = bundle(['sh', '-c', 'echo up >/out/said; sleep 100']);
  try {
    create({ id: 'library-life', ...where });
    assert.is(state('library-life', where).status, 'created');
    await start('library-life', where);
    assert.is(state('library-life', where).status, 'running');
    kill('library-life', 9, where);
    for (let i = 0; i < 200 && state('library-life', where).status !== 'stopped'; i++)
      await new Promise((r) => setTimeout(r, 10));
    await remove('library-life', where);
    assert.equal(list(where), []);
  } finally {
    await remove('library-life', { ...where, force: true });
    done();
  }
});

test('a failure is a value with the pointer to blame, and nothing is left', () => {
  const { done, directory, ...where } = bundle(['/no/such/program']);
  try {
    create({ id: 'library-fails', ...where });
    assert.unreachable();
  } catch (error) {
    assert.instance(error, TsrunError);
    const { pointer, errno } = (error as TsrunError).failure;
    assert.equal([pointer, errno], ['/process/args/0', 'ENOENT']);
    assert.equal(list(where), []);
  } finally {
    done();
  }
});

test('prints the plan without doing anything', () => {
  const { done, directory, ...where } = bundle(['true']);
  try {
    assert.match(printPlan(plan({ id: 'library-plan', ...where })), '/mounts/0');
  } finally {
    done();
  }
});

library.run();
