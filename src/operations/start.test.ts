import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Failure, TsrunError } from '../errors/error.js';
import { encodeProvisional } from '../state/record.js';
import { startTimeOf, statusOf } from '../state/status.js';
import { openContainer } from '../state/store.js';
import { cleanUp, createContainer, draftOf, makeRoot, publish, startProcess, until } from '../state/test-container.js';
import { explainReply } from './explain-reply.js';
import { type StartTools, startContainer } from './start.js';
import { FakeCgroups } from './test-tools.js';
import { needsRoot, unless } from '../test-fixtures.js';

test.after(cleanUp);

const tools: StartTools = {
  cgroups: new FakeCgroups(),
  explainReply,
  runHooks: () => undefined,
  warn: () => undefined,
};
const messageOf = async (call: Promise<void>): Promise<string> =>
  call.then(
    () => '',
    (error: Error) => error.message,
  );
const statusNow = (root: string) => {
  const { record, directory } = openContainer(root, 'web');
  return statusOf(record, directory);
};

test('a created container runs its program, once', async () => {
  const root = makeRoot();
  createContainer(root, draftOf('web'), `echo ran >>${root}/ran; exec sleep 60`);
  await startContainer(root, 'web', tools);
  assert.is(statusNow(root), 'running');
  await until(() => existsSync(`${root}/ran`), 'it ran');
  assert.is(await messageOf(startContainer(root, 'web', tools)), 'cannot start an already running container');
  assert.is(readFileSync(`${root}/ran`, 'utf8'), 'ran\n');
  assert.equal(readdirSync(`${root}/web`).sort(), ['provisional.json', 'state.json'], 'no FIFO is left');
});

test('a program that ends at once has been started all the same', async () => {
  const root = makeRoot();
  const init = createContainer(root, draftOf('web'), 'exit 0');
  await startContainer(root, 'web', tools);
  await until(() => startTimeOf(init.pid) === undefined, 'it ended');
  assert.is(await messageOf(startContainer(root, 'web', tools)), 'cannot start a container that has stopped');
});

test('a container without a process stays as it was', async () => {
  const root = makeRoot();
  createContainer(root, { ...draftOf('web'), withoutProcess: true }, `echo ran >>${root}/ran`);
  assert.is(await messageOf(startContainer(root, 'web', tools)), 'process property must not be empty');
  assert.is(statusNow(root), 'created');
  assert.not(existsSync(`${root}/ran`));
});

test('R05: each state that cannot be started says so', async () => {
  const root = makeRoot();
  assert.is(await messageOf(startContainer(root, 'web', tools)), 'container does not exist');
  const init = createContainer(root, draftOf('web'));
  const paused = new FakeCgroups();
  paused.frozen = true;
  assert.is(
    await messageOf(startContainer(root, 'web', { ...tools, cgroups: paused })),
    'cannot start a container in the paused state',
  );
  assert.is(statusNow(root), 'created');
  init.child.kill('SIGKILL');
  await until(() => statusNow(root) === 'stopped', 'init dies before start');
  assert.is(await messageOf(startContainer(root, 'web', tools)), 'cannot start a container that has stopped');
  mkdirSync(`${root}/new`);
  writeFileSync(`${root}/new/provisional.json`, encodeProvisional(draftOf('new')));
  assert.is(
    await messageOf(startContainer(root, 'new', tools)),
    'cannot start a container that is still being created',
  );
});

test('of eight starts at once, one starts it', () => {
  const root = makeRoot();
  createContainer(root, draftOf('web'), `echo ran >>${root}/ran; exec sleep 60`);
  const module = new URL('./start.js', import.meta.url).href;
  const script = `import { startContainer } from '${module}';
    const tools = { cgroups: { isFrozen: () => false }, explainReply: () => { throw 0; }, runHooks() {} };
    startContainer('${root}', 'web', tools).then(() => console.log('started'), (error) => console.log(error.message));`;
  const shell = `for i in $(seq 8); do "$0" --input-type=module -e "$1" & done; wait`;
  const { stdout } = spawnSync('sh', ['-c', shell, process.execPath, script], { encoding: 'utf8' });
  const lines = stdout.trim().split('\n').sort();
  assert.equal(lines, [...Array(7).fill('cannot start an already running container'), 'started']);
  assert.is(readFileSync(`${root}/ran`, 'utf8'), 'ran\n');
});

test('a start that was killed after its claim is taken over', async () => {
  const root = makeRoot();
  createContainer(root, draftOf('web'));
  renameSync(`${root}/web/exec.fifo`, `${root}/web/started.fifo`);
  assert.is(statusNow(root), 'created');
  await startContainer(root, 'web', tools);
  assert.is(statusNow(root), 'running');
});

/** `struct record` of the executor: kind, step, errno, call, wait status, which of a list, length of the text. */
function reply(step: number, errno: number, text = ''): Uint8Array {
  const bytes = new Uint8Array(28 + 1024);
  const view = new DataView(bytes.buffer);
  [3, step, errno, 0, 0, 0, text.length].forEach((word, index) => {
    view.setUint32(index * 4, word, true);
  });
  bytes.set(new TextEncoder().encode(text), 28);
  return bytes;
}

const failureOf = async (call: Promise<void>): Promise<Failure> => {
  try {
    await call;
  } catch (error) {
    if (error instanceof TsrunError) return error.failure;
    throw error;
  }
  throw new Error('it must fail');
};

test('what init says is explained with the key of the config', async () => {
  const root = makeRoot();
  createContainer(root, draftOf('web'), '', reply(41, 13));
  writeFileSync(
    `${root}/web/start.json`,
    JSON.stringify({
      first: 40,
      notes: [
        ['', 'wait'],
        ['/process/args/0', 'execute /bin/app'],
      ],
    }),
  );
  const failure = await failureOf(startContainer(root, 'web', tools));
  assert.is(failure.pointer, '/process/args/0');
  assert.is(failure.errno, 'EACCES');
});

test('S39: an answer that lies or makes no sense is bounded and refused', async () => {
  const answers: [Uint8Array, string][] = [
    [new TextEncoder().encode('x'), 'TSR_START_REPLY'],
    [new Uint8Array(100_000), 'TSR_START_REPLY'],
    [reply(0xffffffff, 0xffffffff), 'TSR_STEP_FAILED'],
  ];
  for (const [answer, code] of answers) {
    const root = makeRoot();
    createContainer(root, draftOf('web'), '', answer);
    assert.is((await failureOf(startContainer(root, 'web', tools))).code, code);
  }
});

test('poststart hooks run after the program, with the running state', async () => {
  const root = makeRoot();
  const hooks = { poststart: [{ path: '/bin/true' }] };
  createContainer(root, draftOf('web', { hooks, annotations: { a: 'b' } }));
  const seen: unknown[] = [];
  await startContainer(root, 'web', { ...tools, runHooks: (...args) => void seen.push(args, statusNow(root)) });
  const { pid } = openContainer(root, 'web').record;
  const state = { ociVersion: '1.2.0', id: 'web', pid, status: 'running', bundle: '/bundles/web' };
  const more = {
    rootfs: '/bundles/web/rootfs',
    created: '2026-11-22T00:42:08.123Z',
    annotations: { a: 'b' },
    owner: '',
  };
  assert.equal(seen, [[hooks.poststart, { ...state, ...more }, '/hooks/poststart', 0], 'running']);
});

test('a failed poststart hook stops the container', async () => {
  const root = makeRoot();
  const hooks = { poststart: [{ path: '/bin/false' }] };
  const init = createContainer(root, draftOf('web', { hooks, ociVersion: '1.3.0' }));
  const runHooks = () => {
    throw new TsrunError({ code: 'TSR_TEST', message: 'hook failed' });
  };
  assert.is(await messageOf(startContainer(root, 'web', { ...tools, runHooks })), 'hook failed');
  await until(() => startTimeOf(init.pid) === undefined, 'init is killed');
});

test('before 1.3 a failed poststart hook was a warning, and the next one ran', async () => {
  const root = makeRoot();
  const hooks = { poststart: [{ path: '/bin/false' }, { path: '/bin/true' }] };
  const init = createContainer(root, draftOf('web', { hooks, ociVersion: '1.2.1' }));
  const warned: string[] = [];
  const ran: string[] = [];
  const runHooks: StartTools['runHooks'] = ([hook]) => {
    ran.push(hook?.path ?? '');
    if (ran.length === 1) throw new TsrunError({ code: 'TSR_TEST', message: 'hook failed' });
  };
  await startContainer(root, 'web', { ...tools, runHooks, warn: ({ message }) => void warned.push(message) });
  assert.equal(ran, ['/bin/false', '/bin/true']);
  assert.equal(warned, ['hook failed']);
  assert.ok(startTimeOf(init.pid) !== undefined);
});

unless(test, needsRoot)('R24: a read-only state root releases nothing, and a later start works', async () => {
  const root = makeRoot();
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', root]);
  try {
    createContainer(root, draftOf('web'));
    execFileSync('mount', ['-o', 'remount,ro', root]);
    assert.is((await failureOf(startContainer(root, 'web', tools))).errno, 'EROFS');
    assert.is(statusNow(root), 'created');
    execFileSync('mount', ['-o', 'remount,rw', root]);
    await startContainer(root, 'web', tools);
    assert.is(statusNow(root), 'running');
  } finally {
    execFileSync('umount', ['-l', root]);
  }
});

test('a record that points at somebody else is not started', async () => {
  const root = makeRoot();
  const other = startProcess('sleep', ['60']);
  publish(root, draftOf('web'), { pid: other.pid, startTime: other.startTime + 1 });
  assert.is(await messageOf(startContainer(root, 'web', tools)), 'cannot start a container that has stopped');
});

test.run();
