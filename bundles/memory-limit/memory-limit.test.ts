import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { BundleSuite, cgroupFolder, report, statistic } from '../harness.js';

const limit = new BundleSuite('memory-limit');

limit.test('an allocation beyond the limit is killed, and the exit status says so', (sandbox) => {
  const { status, output, errors } = sandbox.run(sandbox.id('memory'), sandbox.copy('memory-limit'));
  assert.is(report(output).get('limit'), String(32 * 1024 * 1024));
  assert.is(status, 128 + 9);
  assert.not.match(errors, 'records out');
});

limit.test('it was the out-of-memory killer of its cgroup', async (sandbox) => {
  const id = sandbox.id('memory');
  sandbox.create(id, sandbox.copy('memory-limit'));
  const folder = cgroupFolder(sandbox.state(id).pid, 'memory');
  const events = ['memory.events', 'memory.oom_control']
    .map((name) => join(folder, name))
    .find((path) => existsSync(path));
  assert.is(statistic(events as string, 'oom_kill'), 0);
  sandbox.start(id);
  await sandbox.until('the container stops', 20, () => sandbox.state(id).status === 'stopped');
  assert.ok(statistic(events as string, 'oom_kill') >= 1);
});

limit.test('the same allocation under a larger limit succeeds', (sandbox) => {
  const bundle = sandbox.copy('memory-limit', (config) => {
    config.linux.resources = { memory: { limit: 512 * 1024 * 1024, swap: 512 * 1024 * 1024 } };
  });
  const { status, errors } = sandbox.run(sandbox.id('memory'), bundle);
  assert.match(errors, '1+0 records out');
  assert.is(status, 0);
});

limit.run();
