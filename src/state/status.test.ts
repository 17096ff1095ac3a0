import { execFileSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeProvisional, parseRecord } from './record.js';
import { identityOf, isAlive, startTimeOf, statusOf } from './status.js';
import { openContainer } from './store.js';
import { cleanUp, createContainer, draftOf, makeRoot, publish, startProcess, until } from './test-container.js';

test.after(cleanUp);

const statusNow = (root: string, id: string, frozen = false) => {
  const { record, directory } = openContainer(root, id);
  return statusOf(record, directory, () => frozen);
};

test('created while init reads from the FIFO, running when it does not, stopped when it is gone', async () => {
  const root = makeRoot();
  const init = createContainer(root, draftOf('web'));
  assert.is(statusNow(root, 'web'), 'created');
  renameSync(`${root}/web/exec.fifo`, `${root}/web/started.fifo`);
  assert.is(statusNow(root, 'web'), 'created', 'a start has claimed it and not yet released it');
  execFileSync('sh', ['-c', `printf s >${root}/web/started.fifo`]);
  await until(() => statusNow(root, 'web') === 'running', 'the payload runs');
  rmSync(`${root}/web/started.fifo`);
  assert.is(statusNow(root, 'web'), 'running');
  assert.is(statusNow(root, 'web', true), 'paused');
  init.child.kill('SIGKILL');
  await until(() => statusNow(root, 'web') === 'stopped', 'it stops');
});

test('a zombie is stopped', () => {
  const root = makeRoot();
  const init = startProcess('sleep', ['60']);
  publish(root, draftOf('web'), init);
  process.kill(init.pid, 'SIGKILL');
  // No event loop turns in this loop, so nobody reaps it.
  while (startTimeOf(init.pid) !== undefined);
  assert.is(statusNow(root, 'web'), 'stopped');
  assert.ok(execFileSync('cat', [`/proc/${init.pid}/stat`], { encoding: 'utf8' }).includes(') Z '));
});

test('a dead container is stopped even if its cgroup is still frozen', () => {
  const root = makeRoot();
  publish(root, draftOf('web'), { pid: 2 ** 22 + 1, startTime: 1 });
  assert.is(statusNow(root, 'web', true), 'stopped');
});

test('another process with the same pid is not the container', () => {
  const root = makeRoot();
  const other = startProcess('sleep', ['60']);
  publish(root, draftOf('web'), { pid: other.pid, startTime: other.startTime - 1 });
  assert.is(statusNow(root, 'web'), 'stopped');
  assert.ok(isAlive(other));
});

test('R41: pids of another boot or another pid namespace say nothing here', () => {
  const root = makeRoot();
  const living = startProcess('sleep', ['60']);
  publish(root, draftOf('boot', { bootId: 'another' }), living);
  publish(root, draftOf('nested', { pidNamespaceInode: 1 }), living);
  publish(root, draftOf('here'), living);
  assert.is(statusNow(root, 'boot'), 'stopped');
  assert.is(statusNow(root, 'nested'), 'stopped');
  assert.is(statusNow(root, 'here'), 'running');
});

test('creating as long as the creator lives, then stopped', () => {
  const creator = startProcess('sleep', ['60']);
  const text = (identity: { pid: number; startTime: number }) =>
    parseRecord(
      encodeProvisional(draftOf('web', { creator: { pid: identity.pid, startTime: identity.startTime } })),
      'web',
      '',
    );
  assert.is(statusOf(text(creator), '/nowhere'), 'creating');
  assert.is(statusOf(text({ pid: creator.pid, startTime: creator.startTime + 1 }), '/nowhere'), 'stopped');
  assert.is(
    statusOf(parseRecord(encodeProvisional(draftOf('web')), 'web', ''), '/nowhere'),
    'creating',
    'nobody to ask',
  );
});

test('the start time is read behind any process name', async () => {
  const root = makeRoot();
  execFileSync('cp', ['/bin/sleep', `${root}/a) S 1 (b`]);
  const odd = startProcess(`${root}/a) S 1 (b`, ['60']);
  await until(() => startTimeOf(odd.pid) !== undefined, 'it runs');
  const expected = startTimeOf(process.pid)!;
  assert.ok(identityOf(odd.pid)!.startTime >= expected);
  assert.is(startTimeOf(2 ** 22 + 1), undefined);
});

test.run();
