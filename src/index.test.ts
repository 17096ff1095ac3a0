// The library, used as a Node program would. Needs root and dist/tsrun.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  create,
  defaultRoot,
  events,
  exec,
  kill,
  list,
  pause,
  plan,
  printPlan,
  ps,
  remove,
  resume,
  run,
  start,
  state,
  stats,
  TsrunError,
  update,
} from './index.js';
import { isRoot, needsRoot, unless } from './test-fixtures.js';

const library = suite('library');
const test = unless(library, needsRoot);

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

test('paths are relative to the directory of the program', async () => {
  const { done, directory, root } = bundle(['sh', '-c', 'exit 4']);
  const before = process.cwd();
  try {
    process.chdir(directory);
    assert.is((await run({ id: 'library-relative', bundle: '.', root: 'state', config: 'config.json' })).status, 4);
    assert.is(plan({ id: 'x', bundle: 'nothing/..', root }).steps.length > 10, true);
    create({ id: 'library-relative', bundle: '.', root: 'state', pidFile: 'pid' });
    assert.match(readFileSync(join(directory, 'pid'), 'utf8'), /^[0-9]+$/);
    assert.is(state('library-relative', { root }).bundle, directory);
  } finally {
    process.chdir(before);
    await remove('library-relative', { root, force: true });
    done();
  }
});

test('the root is that of the command', () => {
  assert.is(defaultRoot, isRoot ? '/run/tsrun' : defaultRoot);
  const script = `import { defaultRoot } from ${JSON.stringify(new URL('./index.js', import.meta.url).href)}; console.log(defaultRoot)`;
  const node = [process.execPath, '--input-type=module', '-e', script];
  const user = ['--reuid', '65534', '--regid', '65534', '--clear-groups', 'env', 'XDG_RUNTIME_DIR=/run/user/65534'];
  const { stdout, stderr } = spawnSync('setpriv', [...user, ...node], { encoding: 'utf8' });
  assert.equal([stdout.trim(), stderr], ['/run/user/65534/tsrun', '']);
});

test('a run and an exec end by a signal or when their time is up, also when they do not listen', async () => {
  const { done, directory, ...where } = bundle(['sh', '-c', 'trap "" TERM; echo up >/out/said; sleep 100']);
  const id = 'library-limits';
  const reason = async (promise: Promise<unknown>): Promise<unknown> => {
    try {
      return await promise;
    } catch (error) {
      return error instanceof TsrunError ? error.code : error;
    }
  };
  try {
    assert.is(await reason(run({ id, ...where, timeoutMs: 300 })), 'TSR_TIMEOUT');
    assert.equal(list(where), []);
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 300);
    assert.is(await reason(run({ id, ...where, signal: abort.signal })), 'TSR_ABORTED');
    assert.equal(list(where), []);
    assert.is(await reason(run({ id, ...where, signal: abort.signal })), 'TSR_ABORTED', 'before it has begun');
    assert.is(await reason(run({ id, ...where, timeoutMs: 0 })), 'TSR_TIMEOUT', 'while it is being made');
    assert.equal(list(where), []);
    create({ id, ...where });
    await start(id, where);
    const stubborn = ['sh', '-c', 'trap "" TERM; sleep 101'];
    assert.is(await reason(exec(id, stubborn, { ...where, timeoutMs: 300 })), 'TSR_TIMEOUT');
    assert.is(state(id, where).status, 'running');
    assert.is((await exec(id, ['sh', '-c', 'exit 5'], { ...where, timeoutMs: 5000 })).status, 5);
  } finally {
    await remove(id, { ...where, force: true });
    done();
  }
});

test('signals have names, limits are changed, a container stands still and goes on, and events end with it', async () => {
  const { done, directory, ...where } = bundle([
    'sh',
    '-c',
    'trap "exit 9" USR1; echo up >/out/said; while :; do sleep 0.05; done',
  ]);
  const id = 'library-control';
  try {
    create({ id, ...where });
    await start(id, where);
    for (let i = 0; i < 200 && !existsSync(join(directory, 'said')); i++) await new Promise((r) => setTimeout(r, 10));
    pause(id, where);
    assert.is(state(id, where).status, 'paused');
    resume(id, where);
    assert.ok(ps(id, where).includes(state(id, where).pid));
    await update(id, { pids: { limit: 77 } }, where);
    assert.is(stats(id, where).pids.limit, 77);
    const seen: string[] = [];
    for await (const { type } of events(id, { ...where, intervalMs: 30 })) {
      if (seen.push(type) === 3) kill(id, 'SIGUSR1', where);
    }
    assert.ok(seen.length >= 3 && seen.every((type) => type === 'stats'), seen.join(' '));
    assert.is(state(id, where).status, 'stopped');
    assert.throws(
      () => kill(id, 'SIGNOTHING', where),
      (error: TsrunError) => error.code === 'TSR_KILL_SIGNAL',
    );
    assert.throws(
      () => pause(id, where),
      (error: TsrunError) => error.code === 'TSR_PAUSE_STATE',
    );
  } finally {
    await remove(id, { ...where, force: true });
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
    const { code, pointer, errno, hint } = error as TsrunError;
    assert.equal([code, pointer, errno, hint], ['TSR_PROCESS_NOT_FOUND', '/process/args/0', 'ENOENT', undefined]);
    assert.equal(list(where), []);
  } finally {
    done();
  }
});

test('prints the plan without doing anything', () => {
  const { done, directory, ...where } = bundle(['true']);
  try {
    const made = plan({ id: 'library-plan', ...where });
    assert.match(printPlan(made), '/mounts/0');
    assert.not(
      made.steps.some(({ op }) => op === 'child.supervise'),
      'that of create, which waits for nobody',
    );
    assert.not(existsSync(where.root));
  } finally {
    done();
  }
});

library.run();
