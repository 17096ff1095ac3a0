// Names on the command line are the caller's, also for an engine that is started after hooks, which run in the bundle. Needs root and dist/tsrun.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Hooks } from '../bundle/types.js';
import { containerSuite, type TestContainer } from '../executor/test-container.js';
import { executorPath } from '../host/executor.js';

const { tests, test } = containerSuite('relative paths');

const points = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const;
type HookPoint = (typeof points)[number];

/** A hook that works at each point, and one that fails at `failing`. */
function hooks(failing?: HookPoint): Hooks {
  const hook = (point: HookPoint) => [{ path: '/bin/sh', args: ['sh', '-c', point === failing ? 'exit 3' : 'exit 0'] }];
  return Object.fromEntries(points.map((point) => [point, hook(point)]));
}

interface Place {
  readonly container: TestContainer;
  /** Where the caller is: not the bundle, which has only this folder more. */
  readonly here: string;
  readonly before: string[];
}

function place(container: TestContainer, script: string, failing?: HookPoint): Place {
  const here = join(container.folder, 'caller');
  mkdirSync(here, { recursive: true });
  container.prepare(script, { spec: { ociVersion: '1.3.0', hooks: hooks(failing) } });
  return { container, here, before: readdirSync(container.folder).sort() };
}

/** All the options that take a name, each relative. */
function call({ here, container }: Place, command: readonly string[], ...options: string[]) {
  const globals = ['--root', 'state', '--log', 'log.json', '--log-format', 'json', '--debug'];
  const words = [...globals, command[0]!, ...options, ...command.slice(1), container.id];
  const shell = 'exec "$@" >out 2>err </dev/null';
  const { status } = spawnSync('sh', ['-c', shell, 'sh', executorPath(), ...words], { cwd: here, timeout: 30_000 });
  return { status, errors: readFileSync(join(here, 'err'), 'utf8') };
}

/** What the bundle has that it had not, and what is left of the container in the caller's directory. */
function strays({ container, here, before }: Place): string[] {
  const inBundle = readdirSync(container.folder).filter((name) => !before.includes(name));
  const state = join(here, 'state');
  return [...inBundle, ...(existsSync(state) ? readdirSync(state).filter((name) => name === container.id) : [])];
}

for (const failing of [undefined, ...points])
  test(`create, start and delete, or run, with ${failing === undefined ? 'hooks' : `a ${failing} hook that fails`}`, (container) => {
    const at = place(container, 'true', failing);
    const making = ['--bundle', '..', '--pid-file', 'pid', '--trace', 'trace-%c.json'];
    const ran = call(at, ['run'], ...making);
    assert.is(ran.status === 0, failing === undefined || failing === 'poststop', ran.errors);
    assert.equal(strays(at), [], 'run');
    if (ran.status === 0) assert.ok(existsSync(join(at.here, 'pid')));
    assert.ok(existsSync(join(at.here, 'trace-run.json')));
    const log = readFileSync(join(at.here, 'log.json'), 'utf8');
    if (failing !== undefined) assert.match(log, new RegExp(`"level":"(error|warning)".*/hooks/${failing}/0`));

    const made = call(at, ['create'], ...making);
    assert.ok(existsSync(join(at.here, 'trace-create.json')));
    if (made.status === 0) {
      call(at, ['start']);
      call(at, ['delete', '--force']);
    }
    assert.equal(strays(at), [], 'create');
  });

test('--console-socket, too', async (container) => {
  const at = place(container, 'true');
  const pts = { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666'] };
  container.prepare('true', { mounts: [pts], process: { terminal: true }, spec: { hooks: hooks('poststart') } });
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(join(at.here, 'console'), resolve));
  // It may or may not be taken while this process waits for the command; what counts is that it was found.
  const made = call(at, ['create'], '--bundle', '..', '--console-socket', 'console');
  server.close();
  assert.is(made.status, 0, made.errors);
  call(at, ['start']);
  call(at, ['delete', '--force']);
  assert.equal(strays(at), []);
});

tests.run();
