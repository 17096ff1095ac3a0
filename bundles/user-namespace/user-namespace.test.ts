import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { BundleSuite, report } from '../harness.js';

const users = new BundleSuite('user-namespace');

users.test('root inside is uid 100000 outside and has no power over the files of root', async (sandbox) => {
  const id = sandbox.id('user');
  const bundle = sandbox.copy('user-namespace');
  const output = sandbox.create(id, bundle);
  const { pid } = sandbox.state(id);
  sandbox.start(id);
  await sandbox.until('the container stops', 10, () => sandbox.state(id).status === 'stopped');

  const inside = report(output());
  assert.is(inside.get('uid'), '0');
  assert.is(inside.get('uid map'), '0 100000 65536');
  assert.is(inside.get('owner of /usr'), '65534');
  assert.is(inside.get('owner of its own file'), '0');
  assert.is(inside.get("write to the host's file"), 'refused');
  assert.is(statSync(join(bundle, 'rootfs/of-the-host')).uid, 0);
  assert.is.not(pid, 0);
});

users.test('the kernel shows its process as an unprivileged uid', async (sandbox) => {
  const id = sandbox.id('user');
  const bundle = sandbox.copy('user-namespace', (config) => {
    config.process.args = ['/bin/sh', '-c', 'echo up; exec sleep 60'];
  });
  const output = sandbox.create(id, bundle);
  sandbox.start(id);
  await sandbox.until('the container runs', 10, () => output() === 'up\n');
  const { pid } = sandbox.state(id);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  assert.match(status, /^Uid:\t100000\t100000\t100000\t100000$/m);
  assert.match(status, /^Gid:\t100000\t100000\t100000\t100000$/m);
  assert.match(readFileSync(`/proc/${pid}/uid_map`, 'utf8'), /^\s+0\s+100000\s+65536\n$/);
  assert.match(readFileSync(`/proc/${pid}/gid_map`, 'utf8'), /^\s+0\s+100000\s+65536\n$/);
});

users.test('without the user namespace the same write succeeds', (sandbox) => {
  const bundle = sandbox.copy('user-namespace', (config) => {
    config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'user');
    delete config.linux.uidMappings;
    delete config.linux.gidMappings;
  });
  const { output } = sandbox.run(sandbox.id('user'), bundle);
  assert.is(report(output).get("write to the host's file"), 'done');
});

users.run();
