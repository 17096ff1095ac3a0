// Kept plans (docs/decisions/0007) on the real kernel, through a copy of the program whose engine can be taken away: what then
// works was carried out without it, and what fails had to ask it. Needs root and dist/tsrun.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Changes, noKernel, type Ran, TestContainer } from '../executor/test-container.js';
import { executorPath } from '../host/executor.js';

const kept = suite('kept plans');
const folder = mkdtempSync(join(tmpdir(), 'tsrun-kept-'));
const engine = join(folder, 'tsrun-engine');

kept.before(() => {
  const from = executorPath();
  copyFileSync(from, join(folder, 'tsrun'));
  copyFileSync(`${from}-engine`, engine);
  process.env.TSRUN_SELF = join(folder, 'tsrun');
});
kept.after(() => {
  delete process.env.TSRUN_SELF;
  rmSync(folder, { recursive: true, force: true });
});

const test = (name: string, body: (container: TestContainer) => void): void => {
  const run = (): void => {
    const container = new TestContainer();
    try {
      body(container);
    } finally {
      chmodSync(engine, 0o755);
      container.remove();
    }
  };
  if (noKernel === undefined) kept(name, run);
  else kept.skip(`${name} (${noKernel})`, run);
};

/** Nobody can start it, and it is the same file that plans were kept for. */
function withoutEngine<T>(call: () => T): T {
  chmodSync(engine, 0o644);
  try {
    return call();
  } finally {
    chmodSync(engine, 0o755);
  }
}

const noEngine = /the engine could not be started/;
const directory = ({ folder, id }: TestContainer): string => join(folder, 'state', id);
const plans = (container: TestContainer): string[] =>
  readdirSync(directory(container))
    .filter((name) => name.endsWith('.plan'))
    .sort();

function start(container: TestContainer, script = 'sleep 60', changes: Changes = {}): void {
  assert.is(container.create(script, changes).status, 0);
  const { status, errors } = container.tsrun(['start', container.id]);
  assert.is(errors, '');
  assert.is(status, 0);
}

/** Until the container has ended. */
function ended(container: TestContainer): void {
  for (let i = 0; i < 200; i++) {
    if (container.tsrun(['state', container.id]).output.includes('"stopped"')) return;
    spawnSync('sleep', ['0.02']);
  }
  throw new Error('the container does not end');
}

/** What an exec says that needs no engine; undefined when it needs one. */
function execWithout(container: TestContainer, ...words: string[]): string | undefined {
  const { errors, output, status } = withoutEngine(() => container.tsrun(['exec', ...words]));
  if (noEngine.test(errors)) return undefined;
  assert.is(`${status} ${errors}`, '0 ');
  return output;
}

function execTwice(container: TestContainer, ...words: string[]): void {
  for (let i = 0; i < 2; i++) assert.is(container.tsrun(['exec', ...words]).status, 0);
}

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

test('an exec that came twice needs no engine, with these words and no others', (container) => {
  start(container);
  const words = ['--env', 'A=b', container.id, 'sh', '-c', 'echo $A'];
  assert.is(container.tsrun(['exec', ...words]).status, 0);
  assert.equal(plans(container), ['delete-0.plan', 'start-0.plan'], 'nothing but a hash of an exec seen once (S53)');
  assert.not.match(readFileSync(join(directory(container), 'execs'), 'utf8'), 'A=b');
  assert.is(execWithout(container, ...words), undefined);
  assert.is(container.tsrun(['exec', ...words]).status, 0);
  assert.is(execWithout(container, ...words), 'b');
  assert.is(execWithout(container, ...words, 'more'), undefined);
  assert.is(execWithout(container, ...words.slice(0, -1)), undefined);
  assert.is(execWithout(container, '--env', 'A=c', ...words.slice(2)), undefined);
});

test('the status and the failure of a kept exec are those of the first', (container) => {
  start(container);
  const three = [container.id, 'sh', '-c', 'exit 3'];
  for (let i = 0; i < 3; i++) assert.is(container.tsrun(['exec', ...three]).status, 3);
  assert.is(withoutEngine(() => container.tsrun(['exec', ...three])).status, 3);
  const gone = [container.id, '/bin/sh', '-c', 'kill -9 $$'];
  for (let i = 0; i < 3; i++) assert.is(container.tsrun(['exec', ...gone]).status, 137);
  const nowhere = ['--cwd', '/later', container.id, 'true'];
  for (let i = 0; i < 3; i++) {
    const { status, errors } = container.tsrun(['exec', ...nowhere]);
    assert.is(status, 255);
    assert.match(errors, '/later');
  }
});

test('a process file is compared by what it says, a pid file is written where the call wants it', (container) => {
  start(container);
  const file = (name: string): string => join(container.folder, name);
  const write = (name: string, text: string): void =>
    writeFileSync(file(name), JSON.stringify({ args: ['/bin/echo', text], cwd: '/', user: { uid: 0, gid: 0 } }));
  for (const name of ['one', 'two', 'three']) write(name, 'same');
  write('other', 'other');
  const words = (name: string): string[] => ['--process', file(name), '--pid-file', file(`${name}.pid`), container.id];
  for (const name of ['one', 'two']) assert.is(container.tsrun(['exec', ...words(name)]).output, 'same');
  assert.is(execWithout(container, ...words('three')), 'same');
  assert.match(readFileSync(file('three.pid'), 'utf8'), /^[0-9]+$/);
  assert.is(execWithout(container, ...words('other')), undefined);
  assert.not.ok(existsSync(file('other.pid')));
  assert.is(execWithout(container, '--process', file('one'), container.id), undefined, 'other options');
  const long = file(`${'p'.repeat(240)}.pid`);
  assert.is(execWithout(container, '--process', file('one'), '--pid-file', long, container.id), undefined, 'no room');
});

test('a paused container is refused, a resumed one is not', (container) => {
  start(container);
  execTwice(container, container.id, 'true');
  assert.is(container.tsrun(['pause', container.id]).status, 0);
  assert.is(execWithout(container, container.id, 'true'), undefined);
  assert.match(container.tsrun(['exec', container.id, 'true']).errors, 'cannot exec in a paused container');
  assert.is(container.tsrun(['resume', container.id]).status, 0);
  assert.is(execWithout(container, container.id, 'true'), '');
});

test('another record, other namespaces of the caller, fewer rights, another user or another engine: the engine is asked', (container) => {
  start(container);
  const words = ['exec', container.id, 'true'];
  execTwice(container, ...words.slice(1));
  const asks = (wrapper: readonly string[]): boolean =>
    noEngine.test(withoutEngine(() => container.tsrun(words, wrapper)).errors);
  assert.not.ok(asks([]));
  // Of the caller's namespaces those count in which the container's process is with us, and the user's and pids' always.
  assert.not.ok(asks(['unshare', '--net']), 'still another network than the container has');
  assert.ok(asks(['unshare', '--pid', '--fork', '--mount-proc']), 'pids mean something else');
  assert.ok(asks(['setpriv', '--bounding-set=-net_raw']), 'fewer rights');
  const record = join(directory(container), 'state.json');
  const text = readFileSync(record);
  writeFileSync(record, `${text} `);
  assert.ok(asks([]), 'another record');
  writeFileSync(record, text);
  assert.not.ok(asks([]));
  utimesSync(engine, new Date(), new Date());
  assert.ok(asks([]), 'another engine');
});

test('a kept plan that others could have written is not taken (S48)', (container) => {
  start(container);
  execTwice(container, container.id, 'true');
  const file = join(directory(container), 'exec-0.plan');
  const asks = (): boolean => execWithout(container, container.id, 'true') === undefined;
  assert.not.ok(asks());
  chmodSync(file, 0o660);
  assert.ok(asks(), 'writable for a group');
  chmodSync(file, 0o600);
  chownSync(file, 1000, 0);
  assert.ok(asks(), "somebody else's");
  chownSync(file, 0, 0);
  assert.not.ok(asks());
  chmodSync(directory(container), 0o777);
  assert.ok(asks(), 'in a directory for everybody');
  chmodSync(directory(container), 0o700);
});

test('a damaged kept plan is not taken, wherever the damage is', (container) => {
  start(container);
  execTwice(container, container.id, 'true');
  const file = join(directory(container), 'exec-0.plan');
  const whole = readFileSync(file);
  for (const size of [0, 4, 40, 48, whole.length - 1]) {
    writeFileSync(file, whole.subarray(0, size));
    assert.is(execWithout(container, container.id, 'true'), undefined, `${size} bytes`);
  }
  writeFileSync(file, whole);
  assert.is(execWithout(container, container.id, 'true'), '');
});

test('a probe among other execs is still kept, and no more than four are', (container) => {
  start(container);
  execTwice(container, container.id, 'true');
  for (let i = 0; i < 20; i++) {
    assert.is(container.tsrun(['exec', container.id, 'echo', `${i}`]).status, 0);
    if (i % 4 === 0) execTwice(container, container.id, 'echo', `often ${i}`);
  }
  assert.is(plans(container).filter((name) => name.startsWith('exec-')).length, 4);
  const lines = readFileSync(join(directory(container), 'execs'), 'utf8')
    .trim()
    .split('\n');
  assert.ok(lines.length <= 11, `${lines.length} lines`);
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
  const [file = '', ...rest] = [...wrapper, join(folder, 'tsrun'), ...args];
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

kept.run();
