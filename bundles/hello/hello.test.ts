import * as assert from 'uvu/assert';
import { BundleSuite, report } from '../harness.js';

const hello = new BundleSuite('hello');

hello.test('a container says who and where it is', (sandbox) => {
  const id = sandbox.id('hello');
  const bundle = sandbox.copy('hello');
  const { status, output, errors } = sandbox.run(id, bundle);
  assert.is(errors, '');
  assert.is(status, 0);
  const saw = report(output);
  assert.is(saw.get('pid'), '1');
  assert.is(saw.get('hostname'), 'hello');
  assert.match(saw.get('ids') ?? '', /^uid=0\b.* gid=0\b/);
  assert.ok(Number(saw.get('mounts')) >= 10, `mounts: ${saw.get('mounts')}`);
  assert.match(saw.get('cgroup') ?? '', id);
});

hello.test('the exit status of the container is the exit status of run', (sandbox) => {
  const bundle = sandbox.copy('hello', (config) => {
    config.process.args = ['/bin/sh', '-c', 'exit 42'];
  });
  assert.is(sandbox.run(sandbox.id('hello'), bundle).status, 42);
});

hello.test('a bundle goes through create, start, state, kill and delete', async (sandbox) => {
  const id = sandbox.id('hello');
  const bundle = sandbox.copy('hello', (config) => {
    config.process.args = ['/bin/sh', '-c', 'trap "exit 7" TERM; echo up; while :; do sleep 0.05; done'];
  });
  const output = sandbox.create(id, bundle);
  assert.is(sandbox.state(id).status, 'created');
  assert.is(output(), '');
  sandbox.start(id);
  await sandbox.until('the container writes', 10, () => output() === 'up\n');
  assert.is(sandbox.state(id).status, 'running');
  assert.is.not(sandbox.command('delete', id).status, 0);
  assert.is(sandbox.command('kill', id, 'TERM').status, 0);
  await sandbox.until('the container stops', 10, () => sandbox.state(id).status === 'stopped');
  assert.is(sandbox.command('delete', id).status, 0);
  assert.is.not(sandbox.command('state', id).status, 0);
});

hello.run();
