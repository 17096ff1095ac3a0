import { readFileSync, readlinkSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { BundleSuite, isRunc, report } from '../harness.js';

const kinds = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'].filter(
  (kind) => !isRunc || kind !== 'time',
);
const namespaces = new BundleSuite('namespaces');
const uptime = () => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);

namespaces.test('all eight namespaces are new, and pid 1 inside has another pid outside', async (sandbox) => {
  const id = sandbox.id('namespaces');
  const bundle = sandbox.copy('namespaces', (config) => {
    if (!isRunc) return;
    config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'time');
    delete config.linux.timeOffsets;
  });
  const output = sandbox.create(id, bundle);
  const { pid } = sandbox.state(id);
  const outside = new Map(kinds.map((kind) => [kind, readlinkSync(`/proc/${pid}/ns/${kind}`)]));
  for (const kind of kinds) assert.is.not(outside.get(kind), readlinkSync(`/proc/self/ns/${kind}`), kind);
  assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), new RegExp(`^NSpid:.*\\b${pid}\\t1$`, 'm'));
  assert.is.not(pid, 1);

  sandbox.start(id);
  await sandbox.until('the container has reported', 10, () => output().includes('uptime: '));
  const inside = report(output());
  assert.is(inside.get('own pid'), '1');
  for (const kind of kinds) assert.is(inside.get(kind), outside.get(kind), kind);
  assert.is(inside.get('hostname'), 'namespaces');
  assert.is(inside.get('interfaces'), 'lo');
  assert.is(inside.get('cgroup path'), '/');
  assert.is(inside.get('uid map'), '0 100000 65536');
  assert.ok(Number(inside.get('processes')) < 10, 'only its own processes are visible');
  if (kinds.includes('time')) {
    const ahead = Number(inside.get('uptime')) - uptime();
    assert.ok(Math.abs(ahead - 604_800) < 60, `its clock runs a week ahead, not ${ahead} s`);
  }
});

namespaces.run();
