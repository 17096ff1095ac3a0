import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { BundleSuite, report } from '../harness.js';

const exec = new BundleSuite('exec');
const kinds = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'];

exec.test('a second process joins the namespaces, the root and the rights of the first', (sandbox) => {
  const id = sandbox.id('exec');
  sandbox.create(id, sandbox.copy('exec'));
  sandbox.start(id);
  const { status, output } = sandbox.command('exec', id, 'sh', '/look.sh');
  assert.is(status, 0);
  const inside = report(output);
  assert.is(inside.get('parent'), '0', 'who started it is not in there');
  assert.ok(Number(inside.get('process')) > 1);
  for (const kind of kinds) assert.is(inside.get(kind), 'the same', kind);
  assert.is(inside.get('hostname'), 'exec');
  assert.is(inside.get('capabilities of self'), inside.get('capabilities of 1'));
});

exec.test('it is in the cgroup of the first', (sandbox) => {
  const id = sandbox.id('exec');
  sandbox.create(id, sandbox.copy('exec'));
  sandbox.start(id);
  const { output } = sandbox.command('exec', id, 'cat', '/proc/self/cgroup');
  const first = readFileSync(`/proc/${sandbox.state(id).pid}/cgroup`, 'utf8');
  assert.is(output, first);
});

exec.run();
