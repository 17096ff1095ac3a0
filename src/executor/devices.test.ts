// Devices in a user namespace, of the whole program. Needs root.
import { statSync } from 'node:fs';
import * as assert from 'uvu/assert';
import type { Device, Linux } from '../bundle/types.js';
import { containerSuite } from './test-container.js';

const { tests, test } = containerSuite('devices in a user namespace');
const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
const linux = (...devices: Device[]): Partial<Linux> => ({
  namespaces: [{ type: 'mount' }, { type: 'pid' }, { type: 'user' }],
  uidMappings: map,
  gidMappings: map,
  devices,
});
const zero: Device = { path: '/dev/foo', type: 'c', major: 1, minor: 5, uid: 0, gid: 6, fileMode: 0o640 };

test('S10: a device is there under any name, with mode and owner of its own, and is not the inode of the host', (container) => {
  const before = statSync('/dev/zero');
  const script =
    "stat -c '%u:%g %a %t:%T' /dev/foo; head -c 3 /dev/foo | wc -c; chmod 777 /dev/foo; chown 7 /dev/foo; true";
  const ran = container.run(script, { linux: linux(zero) });
  assert.equal([ran.status, ran.output], [0, '0:6 640 1:5\n3'], ran.errors);
  const after = statSync('/dev/zero');
  assert.equal([after.mode, after.uid, after.ino], [before.mode, before.uid, before.ino]);
});

tests.run();
