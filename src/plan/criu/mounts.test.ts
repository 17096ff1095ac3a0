import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Mount } from '../../bundle/types.js';
import type { CgroupRecord } from '../../tables/cgroup.js';
import { namespaces, refusal, testSpec } from '../test-inputs.js';
import { checkReadonly, dumpedMounts, lostFlags, readonlyMounts, restoredMounts } from './mounts.js';
import type { MountFact } from './options.js';

const bind = (destination: string, source = '/srv', options: string[] = []): Mount => ({
  destination,
  type: 'bind',
  source,
  options: ['bind', ...options],
});
const seen = (mountPoint: string, root = '/srv', ...options: string[]): MountFact => ({
  mountPoint,
  root,
  type: 'ext4',
  options: ['rw', ...options],
});

test('binds go by their destination, masked files and devices by what the container shows', () => {
  const spec = testSpec({
    mounts: [bind('/data/'), { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' }],
    linux: { maskedPaths: ['/proc/kcore', '/proc/acpi', '/proc/gone'] },
  });
  const mounts = [
    seen('/'),
    seen('/data'),
    seen('/dev/null', '/null'),
    seen('/proc/kcore', '/null'),
    seen('/proc/acpi', '/'),
    seen('/run/notify'),
  ];
  assert.equal(dumpedMounts(spec, mounts), [
    { key: '/data', val: '/data' },
    { key: '/dev/null', val: '/dev/null' },
    { key: '/run/notify', val: '/run/notify' },
    { key: '/proc/kcore', val: '/dev/null' },
  ]);
});

test('a restore offers what the config lists, and the null device and the devices of every container', () => {
  const spec = testSpec({
    mounts: [bind('/data', 'data'), { destination: '/data', type: 'bind', options: ['remount', 'ro'] }],
  });
  const offered = restoredMounts(spec, '/bundle', '/run/tsrun/web/notify');
  assert.equal(offered[0], { key: '/data', val: '/bundle/data' });
  assert.ok(offered.some(({ key, val }) => key === '/dev/null' && val === '/dev/null'));
  assert.ok(offered.some(({ key, val }) => key === '/run/notify' && val === '/run/tsrun/web/notify'));
  assert.ok(offered.every(({ key, val }) => key === val || ['/data', '/run/notify'].includes(key)));
});

// security.md S52; CVE-2026-115520, CVE-2026-119101, CVE-2026-119614: a key must mean the same when it is written and when it is read.
test('S52: a destination that could be taken for another key is refused on both ways', () => {
  for (const mounts of [
    [bind('/a]:/etc')],
    [bind('/a[0]')],
    [bind('/a\nb')],
    [bind('/a\\134')],
    [bind('/a'), bind('/b/../a')],
  ]) {
    const spec = testSpec({ mounts });
    const all = mounts.map(({ destination }) => seen(destination));
    const last = `/mounts/${mounts.length - 1}`;
    for (const make of [() => dumpedMounts(spec, all), () => restoredMounts(spec, '/b', '/n')]) {
      const { code, pointer } = refusal(make);
      assert.equal([code, pointer], ['TSR_CRIU_MOUNT', last]);
    }
  }
});

test('S52: a destination behind a symbolic link is not found again, so it is refused', () => {
  const { code, pointer } = refusal(() =>
    dumpedMounts(testSpec({ mounts: [bind('/conf')] }), [seen('/'), seen('/real/conf')]),
  );
  assert.equal([code, pointer], ['TSR_CRIU_MOUNT', '/mounts/0']);
});

test('id-mapped mounts are refused: CRIU would restore them without their map', () => {
  const map = [{ containerID: 0, hostID: 100000, size: 1 }];
  const mapped = { ...bind('/m'), uidMappings: map, gidMappings: map };
  assert.is(refusal(() => dumpedMounts(testSpec({ mounts: [mapped] }), [seen('/m')])).code, 'TSR_CRIU_MOUNT');
  assert.is(
    refusal(() => dumpedMounts(testSpec({ mounts: [bind('/m', '/s', ['idmap'])] }), [seen('/m')])).code,
    'TSR_CRIU_MOUNT',
  );
});

test('without a cgroup namespace the v1 hierarchies are the container’s cgroups, where it is dumped and where it is restored', () => {
  const mounts: Mount[] = [{ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro'] }];
  const fact = (name: string, type: string): MountFact => ({
    mountPoint: `/sys/fs/cgroup/${name}`,
    root: '/web',
    type,
    options: ['ro'],
  });
  const place = (version: 1 | 2, mountPoint: string, path: string) => ({ version, controllers: [], mountPoint, path });
  const record = (path: string): CgroupRecord => ({
    driver: 'cgroupfs',
    places: [place(2, '/sys/fs/cgroup/unified', path), place(1, '/sys/fs/cgroup/pids', path)],
  });
  const spec = testSpec({ mounts });
  // One that the container has mounted itself has no key.
  const seen = [fact('pids', 'cgroup'), fact('other', 'cgroup')];
  const key = '/sys/fs/cgroup/pids';
  assert.equal(dumpedMounts(spec, seen, record('old')), [{ key, val: key }]);
  const offered = restoredMounts(spec, '/b', '/n', record('new')).filter((one) => one.key.startsWith('/sys'));
  assert.equal(offered, [{ key, val: '/sys/fs/cgroup/pids/new' }]);
  assert.equal(dumpedMounts(spec, [fact('pids', 'cgroup2')], record('old')), []);
  const apart = testSpec({ mounts, linux: { namespaces: namespaces('mount', 'cgroup') } });
  assert.equal(dumpedMounts(apart, seen, record('old')), []);
});

test('S52: what is read-only in the config must be read-only where it is seen', () => {
  const spec = testSpec({
    root: { path: 'rootfs', readonly: true },
    mounts: [bind('/a', '/srv', ['ro']), bind('/b', '/srv', ['ro']), bind('/b/', '/srv')],
  });
  const wanted = readonlyMounts(spec);
  assert.equal(wanted, [
    { pointer: '/root/readonly', mountPoint: '/' },
    { pointer: '/mounts/0', mountPoint: '/a' },
  ]);
  const ro = (mountPoint: string): MountFact => ({ ...seen(mountPoint), options: ['ro', 'nosuid'] });
  checkReadonly(wanted, [ro('/'), ro('/a'), seen('/b')]);
  for (const mounts of [[ro('/'), seen('/a', '/srv', 'relatime')], [ro('/'), ro('/a'), seen('/a')], [ro('/')]]) {
    const { code, pointer } = refusal(() => checkReadonly(wanted, mounts));
    assert.equal([code, pointer], ['TSR_CRIU_WRITABLE', '/mounts/0']);
  }
});

// runc leaves the tmpfs writable that holds the hierarchies of v1, so an image of its has it so.
test('S52: of cgroups on v1 the hierarchies are compared, and the tmpfs above them is made read-only', () => {
  const cgroups = (options: string[]): Mount => ({
    destination: '/sys/fs/cgroup',
    type: 'cgroup',
    source: 'cgroup',
    options,
  });
  const spec = testSpec({ mounts: [cgroups(['nosuid', 'ro']), bind('/sys/fs/cgroup/systemd')] });
  const fact = (mountPoint: string, type: string, flag: 'ro' | 'rw'): MountFact => ({
    ...seen(mountPoint),
    type,
    options: [flag],
  });
  const above = fact('/sys/fs/cgroup', 'tmpfs', 'rw');
  const [pids, systemd] = [fact('/sys/fs/cgroup/pids', 'cgroup', 'ro'), fact('/sys/fs/cgroup/systemd', 'cgroup', 'rw')];
  checkReadonly(readonlyMounts(spec), [above, pids, systemd]);
  for (const mounts of [
    [above, fact('/sys/fs/cgroup/pids', 'cgroup', 'rw')],
    [above, pids, fact('/sys/fs/cgroup/pids', 'cgroup', 'rw')],
    [above, fact('/sys/fs/cgroup/unified', 'cgroup2', 'rw')],
    [fact('/sys/fs/cgroup', 'cgroup2', 'rw')],
    [],
  ]) {
    const { code, pointer } = refusal(() => checkReadonly(readonlyMounts(spec), mounts));
    assert.equal([code, pointer], ['TSR_CRIU_WRITABLE', '/mounts/0']);
  }
  const set = { pointer: '/mounts/0', attributes: 1, null: 0, paths: ['/sys/fs/cgroup'] };
  assert.equal(lostFlags(spec), [set]);
  assert.equal(lostFlags(testSpec({ mounts: [cgroups(['nosuid', 'rw'])] })), []);
});

test.run();
