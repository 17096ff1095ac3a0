import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Failure } from '../errors/error.js';
import { cleanUp, createContainer, draftOf, makeRoot, publish, startProcess } from '../state/test-container.js';
import { listContainerIds, listContainers } from './list.js';
import { readState } from './state.js';
import { FakeCgroups, someCgroup } from './test-tools.js';

test.after(cleanUp);
const gone = { pid: 2 ** 22 + 1, startTime: 1 };
const cgroups = new FakeCgroups();

function list(path: string) {
  const warnings: Failure[] = [];
  return {
    containers: listContainers(
      { path, explicit: true, sticky: false },
      cgroups,
      (failure) => void warnings.push(failure),
    ),
    warnings,
  };
}

test('shows each container with its status and the name of its owner', () => {
  const root = makeRoot();
  const init = createContainer(root, draftOf('created'));
  const running = startProcess('sleep', ['60']);
  publish(root, draftOf('running', { owner: 4711 }), running);
  publish(root, draftOf('stopped'), gone);
  const { containers, warnings } = list(root);
  assert.equal(
    containers.map(({ id, status, pid, owner }) => [id, status, pid, owner]),
    [
      ['created', 'created', init.pid, 'root'],
      ['running', 'running', running.pid, '#4711'],
      ['stopped', 'stopped', 0, 'root'],
    ],
  );
  assert.equal(warnings, []);
});

test('reports damaged entries and goes on', () => {
  const root = makeRoot();
  for (const [id, text] of [
    ['cut', '{'],
    ['empty', ''],
    ['newer', '{"version":9}'],
    ['other', 'null'],
  ] as const) {
    publish(root, draftOf(id), gone);
    writeFileSync(`${root}/${id}/state.json`, text);
  }
  mkdirSync(`${root}/claimed`);
  writeFileSync(`${root}/file`, '');
  publish(root, draftOf('web'), gone);
  const { containers, warnings } = list(root);
  assert.equal(
    containers.map(({ id }) => id),
    ['web'],
  );
  assert.equal(
    warnings.map(({ message }) => message.replace(/:.*/, '')).sort(),
    ['claimed', 'cut', 'empty', 'file', 'newer', 'other'].map((id) => `load container ${id}`),
  );
  const quietly: Failure[] = [];
  const ids = listContainerIds({ path: root, explicit: true, sticky: false }, (failure) => void quietly.push(failure));
  assert.equal(ids, ['cut', 'empty', 'newer', 'other', 'web'], 'what delete --force can be told');
  assert.equal(
    quietly.map(({ message }) => message.replace(/:.*/, '')).sort(),
    ['claimed', 'file'].map((id) => `load container ${id}`),
  );
});

test('a container that vanishes meanwhile is no complaint', () => {
  const root = makeRoot();
  // A cgroup that is not there: each of them is looked at alone.
  for (const id of ['a', 'b', 'c']) publish(root, draftOf(id, { cgroup: someCgroup }), startProcess('sleep', ['60']));
  const vanishing = new FakeCgroups();
  vanishing.isFrozen = () => {
    rmSync(`${root}/b`, { recursive: true, force: true });
    return false;
  };
  const warnings: Failure[] = [];
  const containers = listContainers(
    { path: root, explicit: true, sticky: false },
    vanishing,
    (failure) => void warnings.push(failure),
  );
  assert.equal(
    containers.map(({ id }) => id),
    ['a', 'c'],
  );
  assert.equal(warnings, []);
});

test('R25: the time of a list grows with the number of containers and not with its square', () => {
  const root = makeRoot();
  const init = startProcess('sleep', ['60']);
  const took = (): number => {
    const times = [1, 2, 3].map(() => {
      const before = performance.now();
      list(root);
      return performance.now() - before;
    });
    return Math.min(...times);
  };
  for (let number = 0; number < 100; number++) publish(root, draftOf(`c${number}`), init);
  const few = took();
  for (let number = 100; number < 1000; number++) publish(root, draftOf(`c${number}`), init);
  assert.is(list(root).containers.length, 1000);
  const ratio = took() / few;
  assert.ok(ratio < 40, `10 times as many took ${ratio.toFixed(1)} times as long`);
});

test('the state has the keys of the specification and of runc, annotations only if there are any', () => {
  const root = makeRoot();
  const init = startProcess('sleep', ['60']);
  publish(root, draftOf('web'), init);
  const state = {
    ociVersion: '1.2.0',
    id: 'web',
    pid: init.pid,
    status: 'running',
    bundle: '/bundles/web',
    rootfs: '/bundles/web/rootfs',
    created: '2026-11-22T00:42:08.123Z',
  };
  assert.is(JSON.stringify(readState(root, 'web', cgroups)), JSON.stringify({ ...state, owner: '' }));
  publish(root, draftOf('web', { annotations: { a: 'b' } }), gone);
  assert.equal(readState(root, 'web', cgroups), {
    ...state,
    pid: 0,
    status: 'stopped',
    annotations: { a: 'b' },
    owner: '',
  });
});

test.run();
