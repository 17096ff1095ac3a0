// exec into a user namespace that owns its cgroup, on v2 (containerd's cgroup_writable with user namespaces). Needs root.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { containerSuite } from '../executor/test-container.js';

const { tests, test } = containerSuite('exec into a cgroup that the container owns');

/** A mount namespace with nothing but v2, where this host has v1 as well: a hierarchy without controllers does. */
const unified = existsSync('/sys/fs/cgroup/cgroup.controllers')
  ? []
  : ['unshare', '-m', '--propagation', 'private', 'sh', '-c']
      .concat('umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"')
      .concat('sh');

const types = ['user', 'cgroup', 'mount', 'pid', 'uts', 'ipc', 'network'] as const;
const mapping = [{ containerID: 0, hostID: 100_000, size: 65_536 }];

test('as root and as somebody else, the joiner being in the cgroup before it enters', (container) => {
  const cgroup = { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['rw'] };
  container.prepare('exec sleep 60', {
    linux: { namespaces: types.map((type) => ({ type })), uidMappings: mapping, gidMappings: mapping },
    mounts: [{ destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] }, cgroup],
  });
  const log = join(container.folder, 'log');
  const quiet = [...unified, 'sh', '-c', `exec "$@" >${log} 2>&1 </dev/null`, 'sh'];
  const ran = container.tsrun(['run', '-d', '--bundle', container.folder, container.id], quiet);
  assert.equal([ran.status, readFileSync(log, 'utf8')], [0, '']);
  for (const user of ['0:0', '5:5', '5:5', '5:5']) {
    const script = 'id -u; cat /proc/self/cgroup; test -w /sys/fs/cgroup/cgroup.procs && echo owner';
    const { status, output, errors } = container.tsrun(['exec', '-u', user, container.id, 'sh', '-c', script], unified);
    const [uid, place, owner] = output
      .split('\n')
      .filter((line) => !/^[1-9]/.test(line) || line === user.split(':')[0]);
    assert.equal([errors, uid, place], ['', user.split(':')[0], '0::/'], user);
    assert.is(owner, user === '0:0' ? 'owner' : undefined);
    assert.is(status, user === '0:0' ? 0 : 1);
  }
  container.tsrun(['delete', '--force', container.id], unified);
});

tests.run();
