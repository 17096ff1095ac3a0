import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseMountInfo, readMountInfo } from './mountinfo.js';

test('mount point, root and flags of the mount, whatever optional fields there are', () => {
  const text = [
    '23 28 0:22 / /sys ro,nosuid,nodev,noexec shared:7 master:2 - sysfs sysfs rw',
    '36 35 98:0 /mnt1 /mnt\\0402\\134 rw,noatime - ext3 /dev/root rw,errors=continue',
    'nonsense',
    '',
  ].join('\n');
  assert.equal(parseMountInfo(text), [
    { mountPoint: '/sys', root: '/', type: 'sysfs', options: ['ro', 'nosuid', 'nodev', 'noexec'] },
    { mountPoint: '/mnt 2\\', root: '/mnt1', type: 'ext3', options: ['rw', 'noatime'] },
  ]);
});

test('our own mounts have a root; a process that is gone has none', () => {
  assert.ok(readMountInfo(process.pid).some(({ mountPoint }) => mountPoint === '/'));
  assert.equal(readMountInfo(2 ** 22 + 1), []);
});

test.run();
