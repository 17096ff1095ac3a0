// Where hooks start and what environment they have, of the whole program. Needs root and dist/tsrun.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Hook, Hooks } from '../bundle/types.js';
import { containerSuite, type TestContainer } from '../executor/test-container.js';
import { needsRoot, needsProgram } from '../test-fixtures.js';

const outside = ['prestart', 'createRuntime', 'createContainer', 'poststart', 'poststop'] as const;
// What would steer a JavaScript engine is in it, too: it reaches the hooks, and the engine never (S46).
const caller = [
  'env',
  '-i',
  'PATH=/usr/bin:/bin',
  'MARK=se en',
  'NODE_OPTIONS=--no-such',
  'BUN_OPTIONS=--no-such',
  'TSRUN_SELF=x',
];
const own = ['MARK=se en', 'NODE_OPTIONS=--no-such', 'PATH=/usr/bin:/bin', 'TSRUN_SELF=x'];

const { tests, test } = containerSuite('surroundings of hooks', needsRoot ?? needsProgram);

interface Seen {
  readonly directory: string;
  readonly environment: string[];
}

/** Each kind three times: without `env`, with an empty one, with one entry. */
function hooksInto(folder: string): Hooks {
  const script = (name: string): string => `{ /bin/pwd; /usr/bin/env; } >${folder}/${name}`;
  const three = (kind: string): Hook[] =>
    [undefined, [], ['A=1']].map((env, index) => ({
      path: '/bin/sh',
      args: ['sh', '-c', script(`${kind}-${index}`)],
      ...(env === undefined ? {} : { env }),
    }));
  return Object.fromEntries([...outside, 'startContainer'].map((kind) => [kind, three(kind)]));
}

function seen(folder: string, name: string): Seen {
  const [directory = '', ...rest] = readFileSync(join(folder, name), 'utf8').trim().split('\n');
  return { directory, environment: rest.filter((line) => !/^(PWD|OLDPWD|_|SHLVL|BUN_OPTIONS)=/.test(line)).sort() };
}

function prepare(container: TestContainer): string {
  const out = join(container.folder, 'out');
  mkdirSync(out);
  const mounts = [{ destination: out, source: out, options: ['bind'] }];
  container.prepare('true', { mounts, spec: { hooks: hooksInto(out) }, process: { cwd: '/usr' } });
  return out;
}

function check(container: TestContainer, out: string): void {
  for (const kind of outside) {
    const [absent, empty, one] = [0, 1, 2].map((index) => seen(out, `${kind}-${index}`));
    assert.equal(absent, { directory: container.folder, environment: own }, kind);
    assert.equal(empty, { directory: container.folder, environment: [] }, kind);
    assert.equal(one, { directory: container.folder, environment: ['A=1'] }, kind);
  }
  const inside = seen(out, 'startContainer-0');
  assert.is(inside.directory, '/usr');
  assert.ok(inside.environment.includes('PATH=/usr/bin:/bin:/usr/sbin:/sbin'));
  assert.not.ok(inside.environment.some((line) => line.startsWith('MARK')));
  assert.equal(seen(out, 'startContainer-1').environment, []);
}

test('run: hooks start in the bundle with the environment of the caller; an env of their own is all there is', (container) => {
  const out = prepare(container);
  const ran = container.tsrun(['run', '--bundle', container.folder, container.id], caller);
  assert.equal([ran.status, ran.errors], [0, '']);
  check(container, out);
});

test('S46, S53: create, start and delete do, too, and nothing of that environment is in the container or in the engine', (container) => {
  const out = prepare(container);
  const call = (...args: string[]): void => {
    const ran = container.tsrun(args, ['sh', '-c', 'exec "$@" >/dev/null 2>&1', 'sh', ...caller]);
    assert.is(ran.status, 0, args[0]);
  };
  call('create', '--bundle', container.folder, container.id);
  const state = JSON.parse(container.tsrun(['state', container.id]).output) as { pid: number };
  assert.not.match(readFileSync(`/proc/${state.pid}/environ`, 'latin1'), 'MARK');
  call('start', container.id);
  call('delete', '--force', container.id);
  check(container, out);
});

tests.run();
