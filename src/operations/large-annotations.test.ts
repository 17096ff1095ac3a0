/** Annotations that are carried along unread (tables/carried-text.ts) come out as they went in. Needs root. */
import { existsSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { containerSuite, type TestContainer } from '../executor/test-container.js';
import { until } from '../state/test-container.js';

const { tests, test } = containerSuite('large annotations');

type Texts = Record<string, string>;
const many = (): Texts =>
  Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`org.example.${i}`, `value ${i} é😀 "\\/\n\u0001`]));

/** What hooks have been told, by their kind. */
const told = (container: TestContainer, kind: string) =>
  JSON.parse(readFileSync(join(container.folder, kind), 'utf8')) as { annotations: Texts; pid: number };

function prepare(container: TestContainer, annotations: Texts): void {
  const hook = (kind: string) => [{ path: '/bin/sh', args: ['sh', '-c', `cat >${container.folder}/${kind}`] }];
  const hooks = Object.fromEntries(
    ['createRuntime', 'poststart', 'poststop'].map((kind) => [kind, hook(kind)] as const),
  );
  container.prepare('trap : TERM; trap "exit 7" HUP; touch /up; while :; do sleep 0.05; done', {
    spec: { annotations, hooks },
  });
}

/** The container keeps its streams: nobody is to wait for them. */
const quietly = ['sh', '-c', 'exec "$@" </dev/null >/dev/null 2>&1', 'sh'];

const stateOf = (container: TestContainer) =>
  JSON.parse(container.tsrun(['state', container.id]).output) as { annotations: Texts; status: string };

test('state, list and all hooks have them, and an exec goes in', async (container) => {
  const annotations = many();
  prepare(container, annotations);
  assert.is(container.tsrun(['create', '--bundle', container.folder, container.id], quietly).status, 0);
  assert.equal(stateOf(container).annotations, annotations);
  assert.equal(told(container, 'createRuntime').annotations, annotations);
  // As they were written, in a file of their own: whoever does not ask reads neither them nor a large record.
  const state = join(container.folder, 'state', container.id);
  const written = JSON.stringify(annotations);
  assert.is(readFileSync(join(state, 'annotations.json'), 'utf8'), written);
  assert.is(statSync(join(state, 'annotations.json')).mode & 0o777, 0o600);
  for (const name of ['state.json', 'provisional.json']) assert.ok(statSync(join(state, name)).size < written.length);
  assert.is(container.tsrun(['start', container.id]).status, 0);
  await until(() => existsSync(join(container.folder, 'rootfs/up')), 'the program runs');
  assert.equal(told(container, 'poststart').annotations, annotations);
  const [listed] = JSON.parse(container.tsrun(['list', '--format', 'json']).output) as { annotations: Texts }[];
  assert.equal(listed!.annotations, annotations);
  assert.is(container.tsrun(['exec', container.id, '/bin/true']).status, 0);
  assert.is(container.tsrun(['delete', '--force', container.id]).status, 0);
  assert.equal(told(container, 'poststop').annotations, annotations);
});

test('they are in the plan once, however many hooks there are', (container) => {
  // Six times this is more than a plan may have.
  const annotations = Object.fromEntries(
    Array.from({ length: 25 }, (_, i) => [`org.example.${i}`, 'x'.repeat(1 << 20)]),
  );
  const hook = [{ path: '/bin/sh', args: ['sh', '-c', 'cat >/dev/null'] }];
  const last = [{ path: '/bin/sh', args: ['sh', '-c', `cat >${container.folder}/last`] }];
  const early = { prestart: hook, createRuntime: hook, createContainer: hook, startContainer: hook };
  container.prepare('true', { spec: { annotations, hooks: { ...early, poststart: hook, poststop: last } } });
  const { status, errors } = container.tsrun(['run', '--bundle', container.folder, container.id]);
  assert.is(status, 0, errors);
  assert.is(Object.keys(told(container, 'last').annotations).length, 25);
});

test('one that somebody asks for is found among them', async (container) => {
  prepare(container, { ...many(), 'org.opencontainers.image.stopSignal': 'SIGHUP' });
  assert.is(container.tsrun(['run', '-d', '--bundle', container.folder, container.id], quietly).status, 0);
  await until(() => existsSync(join(container.folder, 'rootfs/up')), 'the program runs');
  assert.is(container.tsrun(['kill', container.id]).status, 0);
  await until(() => stateOf(container).status === 'stopped', 'it has ended by HUP');
  assert.is(Object.keys(stateOf(container).annotations).length, 401);
});

test('R42: what is no longer there is said, and the container can be deleted', (container) => {
  prepare(container, many());
  assert.is(container.tsrun(['create', '--bundle', container.folder, container.id], quietly).status, 0);
  unlinkSync(join(container.folder, 'state', container.id, 'annotations.json'));
  const { status, errors } = container.tsrun(['state', container.id]);
  assert.is(status, 1);
  assert.match(errors, /annotations\.json' is missing; 'tsrun delete --force .*' removes the container/);
  const gone = container.tsrun(['delete', '--force', container.id]);
  assert.equal([gone.status, gone.errors.includes('annotations.json')], [0, true], gone.errors);
});

test('a fault among them is named', (container) => {
  prepare(container, { ...many(), '': 'x' });
  const { status, errors } = container.tsrun(['create', '--bundle', container.folder, container.id]);
  assert.is(status, 1);
  assert.match(errors, /\(\/annotations\/\): an annotation must have a name/);
});

tests.run();
