import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findHierarchies, isUserNamespaceMap, modeOf, parseCgroupMounts, parseOwnCgroups } from './parse.js';

const v2Mounts = `22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/root rw
24 22 0:22 / /proc rw,nosuid shared:5 - proc proc rw
29 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
`;
const hybridMounts = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset,clone_children
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
42 31 0:39 / /sys/fs/cgroup/openrc rw,relatime - cgroup openrc rw,name=openrc
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;
const hybridOwn = `9:name=openrc:/
8:name=systemd:/user.slice/user-0.slice
4:memory:/engine/abc
3:cpuset:/
1:cpu,cpuacct:/
0::/user.slice/user-0.slice/session-1.scope
`;

test('finds the one hierarchy of a v2 host', () => {
  const found = findHierarchies(v2Mounts, '0::/user.slice/session-1.scope\n', (mountPoint) => {
    assert.is(mountPoint, '/sys/fs/cgroup');
    return 'cpuset cpu io memory hugetlb pids rdma misc\n';
  });
  assert.equal(found, [
    {
      version: 2,
      controllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma', 'misc'],
      mountPoint: '/sys/fs/cgroup',
      ownPath: '/user.slice/session-1.scope',
    },
  ]);
  assert.is(modeOf(found), 'v2');
});

test('finds v1 and v2 hierarchies of a hybrid host, v2 first, v1 in the order of the table', () => {
  const found = findHierarchies(hybridMounts, hybridOwn, () => 'hugetlb\n');
  assert.equal(
    found.map(({ controllers }) => controllers.join(',')),
    ['hugetlb', 'cpuset', 'memory', 'cpu,cpuacct', 'name=systemd'],
  );
  assert.is(found[0]?.ownPath, '/user.slice/user-0.slice/session-1.scope');
  assert.is(found[3]?.mountPoint, '/sys/fs/cgroup/cpu,cpuacct');
  assert.is(modeOf(found), 'hybrid');
});

test('leaves out named hierarchies of other service managers', () => {
  const found = findHierarchies(hybridMounts, hybridOwn, () => '');
  assert.not(found.some(({ controllers }) => controllers.includes('name=openrc')));
});

test('knows a host without cgroups', () => {
  assert.is(modeOf(findHierarchies('22 1 254:1 / / rw - ext4 /dev/root rw\n', '0::/\n', () => '')), 'none');
});

test('knows a v1 host, and ignores a v2 hierarchy that is not mounted', () => {
  const found = findHierarchies(hybridMounts.replace(/.*cgroup2.*\n/, ''), hybridOwn, () => '');
  assert.is(modeOf(found), 'v1');
});

test('undoes octal escapes of mount points and roots', () => {
  const [mount] = parseCgroupMounts('1 0 0:1 /a\\040b /mnt/with\\040space\\134x rw - cgroup2 none rw');
  assert.is(mount?.root, '/a b');
  assert.is(mount?.mountPoint, '/mnt/with space\\x');
});

test('is not misled by optional fields or by sources named like a cgroup', () => {
  const mounts = parseCgroupMounts(
    '1 0 0:1 / /x rw shared:1 master:2 propagate_from:3 - cgroup2 cgroup2 rw\n2 0 0:2 / /y rw - tmpfs cgroup rw\n3 0 0:3 / /z rw - cgroupfs x rw\n',
  );
  assert.equal(
    mounts.map(({ mountPoint }) => mountPoint),
    ['/x'],
  );
});

test('takes the mount that covers another at the same place', () => {
  const mounts = parseCgroupMounts(
    '1 0 0:1 /old /sys/fs/cgroup rw - cgroup2 a rw\n2 1 0:1 /new /sys/fs/cgroup rw - cgroup2 b rw\n',
  );
  assert.equal(
    mounts.map(({ root }) => root),
    ['/new'],
  );
});

test('prefers the mount below /sys/fs/cgroup to copies elsewhere', () => {
  const found = findHierarchies(
    '1 0 0:1 / /var/lib/engine/sys rw - cgroup2 a rw\n2 0 0:1 / /sys/fs/cgroup rw - cgroup2 b rw\n',
    '0::/\n',
    () => '',
  );
  assert.is(found[0]?.mountPoint, '/sys/fs/cgroup');
});

test('sees its own cgroup below a mount that shows a part of the hierarchy', () => {
  const inside = (own: string): string | undefined =>
    findHierarchies('1 0 0:1 /docker/abc /sys/fs/cgroup rw - cgroup2 a rw', `0::${own}`, () => '')[0]?.ownPath;
  assert.is(inside('/docker/abc/init'), '/init');
  assert.is(inside('/docker/abc'), '/');
  assert.is(inside('/docker/abcd'), '/');
});

test('keeps colons of a cgroup path', () => {
  assert.equal(parseOwnCgroups('1:cpu,cpuacct:/a:b:c\n0::/x:y\n\n'), [
    { controllers: ['cpu', 'cpuacct'], path: '/a:b:c' },
    { controllers: [], path: '/x:y' },
  ]);
});

test('tells the initial user namespace from others', () => {
  assert.not.ok(isUserNamespaceMap('         0          0 4294967295\n'));
  assert.ok(isUserNamespaceMap('         0       1000          1\n'));
  assert.ok(isUserNamespaceMap('         0     100000      65536\n     65536 1 1\n'));
});

test.run();
