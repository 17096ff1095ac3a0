// Kept plans of start and delete on the real kernel.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Ran, TestContainer } from '../executor/test-container.js';
import { keptSuite, directory, ended, noEngine, plans, program, start, withoutEngine } from './test-kept.js';

const { test, run } = keptSuite('kept plans');

test('start and delete of a plain container need no engine', (container) => {
  assert.is(container.create('echo started').status, 0);
  assert.equal(plans(container), ['delete-0.plan', 'start-0.plan']);
  assert.equal(
    withoutEngine(() => container.tsrun(['start', container.id])),
    { status: 0, output: '', errors: '' },
  );
  ended(container);
  assert.is(readFileSync(join(container.folder, 'log'), 'utf8'), 'started\n');
  assert.is(withoutEngine(() => container.tsrun(['delete', container.id])).status, 0);
  assert.not.ok(existsSync(directory(container)));
  assert.match(container.tsrun(['state', container.id]).errors, 'container does not exist');
});

test('the options that engines put before and behind the command make no difference', (container) => {
  assert.is(container.create('true').status, 0);
  const log = join(container.folder, 'log.json');
  const globals = ['--log', log, '--log-format=json', '--systemd-cgroup'];
  withoutEngine(() => {
    assert.is(container.tsrun([...globals, 'start', container.id]).status, 0);
    assert.ok(existsSync(log), 'the log was opened');
    assert.match(container.tsrun(['--debug', 'start', container.id]).errors, noEngine);
    assert.match(container.tsrun(['start', '--help', container.id]).errors, noEngine);
    assert.match(container.tsrun(['--log', join(container.folder, 'no/log'), 'delete', container.id]).errors, noEngine);
  });
  ended(container);
  assert.is(withoutEngine(() => container.tsrun([...globals, 'delete', '--force', container.id])).status, 0);
});

test('a running container is not deleted by a kept plan', (container) => {
  start(container);
  for (const force of [[], ['--force']])
    assert.match(withoutEngine(() => container.tsrun(['delete', ...force, container.id])).errors, noEngine);
  assert.match(container.tsrun(['delete', container.id]).errors, 'that is not stopped: running');
  assert.is(container.tsrun(['delete', '--force', container.id]).status, 0);
});

test('cgroups that the container has made below its own go with it', (container) => {
  const resources = { pids: { limit: 100 } };
  start(container, 'true', { linux: { namespaces: ['mount', 'pid'].map((type) => ({ type })) as [], resources } });
  ended(container);
  const { cgroup } = JSON.parse(readFileSync(join(directory(container), 'state.json'), 'utf8')) as {
    cgroup: { places: { mountPoint: string; path: string }[] };
  };
  const folders = cgroup.places.map(({ mountPoint, path }) => join(mountPoint, path));
  for (const path of folders) mkdirSync(join(path, 'one/two'), { recursive: true });
  assert.is(withoutEngine(() => container.tsrun(['delete', container.id])).status, 0);
  assert.equal(folders.filter(existsSync), []);
});

test('a state directory that holds something of others is left to the engine, whole', (container) => {
  start(container, 'true');
  ended(container);
  writeFileSync(join(directory(container), 'notes'), '');
  const before = readdirSync(directory(container));
  assert.match(withoutEngine(() => container.tsrun(['delete', container.id])).errors, noEngine);
  assert.equal(readdirSync(directory(container)), before);
  assert.match(container.tsrun(['delete', container.id]).errors, "holds 'notes'");
  rmSync(join(directory(container), 'notes'));
});

test('a second start, and that of a dead container, say what they always say', (container) => {
  assert.is(container.create('sleep 60').status, 0);
  assert.is(container.tsrun(['start', container.id]).status, 0);
  assert.match(container.tsrun(['start', container.id]).errors, 'cannot start an already running container');
  assert.is(container.tsrun(['delete', '--force', container.id]).status, 0);
  assert.is(container.create('sleep 60').status, 0);
  const { pid } = JSON.parse(container.tsrun(['state', container.id]).output) as { pid: number };
  process.kill(pid, 'SIGKILL');
  ended(container);
  assert.match(container.tsrun(['start', container.id]).errors, 'cannot start a container that has stopped');
});

test('a program that cannot be executed is explained with its key', (container) => {
  const program = join(container.folder, 'rootfs/program');
  container.prepare('');
  writeFileSync(program, '#!/nowhere\n', { mode: 0o755 });
  assert.is(container.create('', { process: { args: ['/program'] } }).status, 0);
  const { status, errors } = container.tsrun(['start', container.id]);
  assert.is(status, 1);
  assert.match(errors, /process\.args \(\/process\/args\): exec.*ENOENT/);
});

test('what has hooks to run is left to the engine', (container) => {
  const hook = { path: '/bin/true' };
  assert.is(container.create('true', { spec: { hooks: { poststart: [hook], poststop: [hook] } } }).status, 0);
  assert.equal(plans(container), []);
});

test('a start that is to be refused, for want of a process, is left to the engine', (container) => {
  assert.is(container.create('', { spec: { process: undefined as never } }).status, 0);
  assert.equal(plans(container), ['delete-0.plan']);
  assert.match(container.tsrun(['start', container.id]).errors, 'process property must not be empty');
  assert.match(container.tsrun(['delete', container.id]).errors, 'that is not stopped: created');
  assert.match(container.tsrun(['state', container.id]).output, '"created"');
});

test('without a pid namespace of its own somebody may survive: delete is left to the engine', (container) => {
  assert.is(container.create('true', { linux: { namespaces: [{ type: 'mount' }] } }).status, 0);
  assert.equal(plans(container), ['start-0.plan']);
});

test('R01: the plan of a container that is gone does nothing to the next one of its name', (container) => {
  start(container, 'true');
  ended(container);
  const old = readFileSync(join(directory(container), 'delete-0.plan'));
  assert.is(container.tsrun(['delete', container.id]).status, 0);
  start(container, 'sleep 60');
  // As if it had been read before: the process of old has ended, but what is there is not what it was kept for.
  writeFileSync(join(directory(container), 'delete-0.plan'), old);
  const { status } = container.tsrun(['delete', container.id]);
  assert.is(status, 1);
  assert.match(container.tsrun(['state', container.id]).output, '"running"');
});

/** Runs the program as it is called without --root. */
function bare(variables: Readonly<Record<string, string>>, wrapper: readonly string[], ...args: string[]): Ran {
  const [file = '', ...rest] = [...wrapper, program, ...args];
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  const { status, stdout, stderr } = spawnSync(file, rest, {
    env: { PATH: '/usr/sbin:/usr/bin', ...variables },
    encoding: 'utf8',
    stdio,
  });
  return { status, output: stdout, errors: stderr };
}

const hasStrace = spawnSync('strace', ['-V']).status === 0;

test('executor and engine have the same idea of the default state root', (container) => {
  if (!hasStrace) return;
  const runtimeDir = { XDG_RUNTIME_DIR: container.folder };
  const unshare = ['unshare', '--user', '--map-root-user'];
  const where: [string, Readonly<Record<string, string>>, readonly string[], string][] = [
    ['root', {}, [], '/run/tsrun'],
    ['root, whose XDG_RUNTIME_DIR does not count', runtimeDir, [], '/run/tsrun'],
    ['root of a user namespace', runtimeDir, unshare, `${container.folder}/tsrun`],
    ['root of a user namespace who plays root', { ...runtimeDir, USER: 'root' }, unshare, '/run/tsrun'],
    ['root of a user namespace without a folder', {}, unshare, '/run/tsrun'],
  ];
  for (const [who, variables, wrapper, root] of where) {
    const state = join(root, container.id);
    // A container that has ended is all it takes: the plan of delete removes the directory that it is found in.
    assert.is(container.create('true').status, 0);
    const plan = readFileSync(join(directory(container), 'start-0.plan'));
    assert.is(container.tsrun(['delete', '--force', container.id]).status, 0);
    mkdirSync(state, { recursive: true, mode: 0o700 });
    writeFileSync(join(state, 'start-0.plan'), plan, { mode: 0o600 });
    const opened = bare(variables, ['strace', '-f', '-e', 'trace=openat', ...wrapper], 'start', container.id).errors;
    rmSync(state, { recursive: true });
    assert.match(opened, `"${state}", O_RDONLY`, who);
  }
});

/** Runs the command `count` times at once; their exit statuses and errors. */
function atOnce(container: TestContainer, count: number, args: readonly string[]): Promise<Ran[]> {
  const one = (): Promise<Ran> =>
    new Promise((resolve) => {
      const child = spawn(program, ['--root', join(container.folder, 'state'), ...args], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let errors = '';
      child.stderr.on('data', (part: Buffer) => (errors += part.toString()));
      child.on('close', (status) => resolve({ status, output: '', errors }));
    });
  return Promise.all(Array.from({ length: count }, one));
}

test('R02, R03: of starts at once one starts, of deletes at once all are done or find nothing', async (container) => {
  const script = `echo ran >>/ran/log`;
  mkdirSync(join(container.folder, 'ran'));
  const mounts = [{ destination: '/ran', source: join(container.folder, 'ran'), options: ['bind'] }];
  assert.is(container.create(script, { mounts }).status, 0);
  const starts = await atOnce(container, 8, ['start', container.id]);
  assert.is(starts.filter(({ status }) => status === 0).length, 1);
  ended(container);
  assert.is(readFileSync(join(container.folder, 'ran/log'), 'utf8'), 'ran\n');
  for (const { status, errors } of await atOnce(container, 8, ['delete', container.id]))
    assert.ok(status === 0 || errors.includes('does not exist'), errors);
  assert.not.ok(existsSync(directory(container)));
});

run();
