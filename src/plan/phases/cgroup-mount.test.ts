import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CgroupPlace } from '../../tables/cgroup.js';
import { MOUNT_ATTR as A } from '../../tables/mount-options.js';
import type { CgroupPart } from '../options.js';
import type { Step } from '../step.js';
import { compile, namespaces, pick, refusal, testHost } from '../test-inputs.js';

const mounts = [
  { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'ro', 'rprivate'] },
];
const place = (version: 1 | 2, mountPoint: string, ...controllers: string[]): CgroupPlace => ({
  version,
  controllers,
  mountPoint,
  path: 'pods/web',
});
const part = (...places: CgroupPlace[]): CgroupPart => ({
  record: { driver: 'cgroupfs', places },
  open: [],
  join: [],
  remove: [],
});
const shared = namespaces('mount');
const apart = namespaces('mount', 'cgroup');
const brief = (step: Step) => {
  const { type, source, target, options, set } = step.args as Record<string, unknown>;
  return [step.op, type ?? source, target, options ?? set];
};

const v2 = { cgroup: part(place(2, '/sys/fs/cgroup')) };
const v1 = {
  cgroup: part(
    place(1, '/sys/fs/cgroup/cpu,cpuacct', 'cpu', 'cpuacct'),
    place(1, '/sys/fs/cgroup/systemd', 'name=systemd'),
  ),
};
const v1Host = { ...testHost, cgroupMode: 'v1' as const };

test('v2 with a cgroup namespace is a fresh mount, or else the own cgroup bound', () => {
  const steps = pick(compile({ mounts, linux: { namespaces: apart } }, v2), 'mount.');
  assert.equal(steps.slice(0, 2).map(brief), [
    ['mount.filesystem', 'cgroup2', '/sys/fs/cgroup', []],
    ['mount.bind', '/sys/fs/cgroup/pods/web', '/sys/fs/cgroup', A.NOSUID | A.RDONLY],
  ]);
  assert.equal([steps[0]!.tolerate, steps[0]!.orElseNext], [['EPERM', 'EBUSY'], true]);
  assert.is(steps[2]!.op, 'mount.propagation');
});

test("v2 without a cgroup namespace is the host's mount: a fresh one would set the host's options", () => {
  const steps = pick(compile({ mounts, linux: { namespaces: shared } }, v2), 'mount.filesystem', 'mount.bind');
  assert.equal(steps.map(brief), [['mount.bind', '/sys/fs/cgroup', '/sys/fs/cgroup', A.NOSUID | A.RDONLY]]);
});

test("CVE-2023-25809 (S30): a user's container cannot write to others' cgroups", () => {
  const writable = [{ ...mounts[0]!, options: [] }];
  const facts = { inUserNamespace: true };
  const [step] = pick(compile({ mounts: writable, linux: { namespaces: shared } }, v2, facts), 'mount.bind');
  assert.is((step!.args as { set: number }).set, A.RDONLY);
  // v1 without cgroups of its own: it is shown the runtime's
  const hierarchies = [{ version: 1 as const, controllers: ['cpu'], mountPoint: '/cg/cpu', ownPath: '/user/me' }];
  const user = { ...v1Host, hierarchies, inUserNamespace: true };
  const [bound] = pick(compile({ mounts: writable, linux: { namespaces: shared } }, {}, user), 'mount.bind');
  assert.is((bound!.args as { set: number }).set, A.RDONLY);
});

test('v1 is a tmpfs with a bind of each own cgroup, links for shared hierarchies, then read-only', () => {
  const plan = compile({ mounts, linux: { namespaces: shared } }, v1, v1Host);
  const steps = plan.steps.filter(({ pointer }) => pointer.startsWith('/mounts/0'));
  const guarded = A.NOSUID | A.NODEV | A.NOEXEC;
  assert.is((steps[0]!.args as { attributes: number }).attributes, guarded);
  assert.equal(steps.slice(0, 3).map(brief), [
    ['mount.filesystem', 'tmpfs', '/sys/fs/cgroup', ['mode=755']],
    ['mount.bind', '/sys/fs/cgroup/cpu,cpuacct/pods/web', '/sys/fs/cgroup/cpu,cpuacct', A.NOSUID | A.RDONLY],
    ['mount.bind', '/sys/fs/cgroup/systemd/pods/web', '/sys/fs/cgroup/systemd', A.NOSUID | A.RDONLY],
  ]);
  assert.equal(
    steps.slice(3).map(({ op, summary }) => [op, summary]),
    [
      ['path.symlink', 'link /sys/fs/cgroup/cpu to cpu,cpuacct'],
      ['path.symlink', 'link /sys/fs/cgroup/cpuacct to cpu,cpuacct'],
      ['mount.remount', 'make /sys/fs/cgroup read-only'],
      ['mount.propagation', 'make /sys/fs/cgroup rprivate'],
    ],
  );
});

test('v1 with a cgroup namespace mounts each hierarchy', () => {
  const plan = compile({ mounts, linux: { namespaces: apart } }, v1, v1Host);
  assert.equal(pick(plan, 'mount.filesystem').map(brief), [
    ['mount.filesystem', 'tmpfs', '/sys/fs/cgroup', ['mode=755']],
    ['mount.filesystem', 'cgroup', '/sys/fs/cgroup/cpu,cpuacct', ['cpu', 'cpuacct']],
    ['mount.filesystem', 'cgroup', '/sys/fs/cgroup/systemd', ['name=systemd']],
  ]);
});

test("without cgroups of its own the container sees the runtime's", () => {
  const hierarchies = [{ version: 1 as const, controllers: ['cpu'], mountPoint: '/cg/cpu', ownPath: '/user/me' }];
  const plan = compile({ mounts, linux: { namespaces: shared } }, {}, { ...v1Host, hierarchies });
  assert.is((pick(plan, 'mount.bind')[0]!.args as { source: string }).source, '/cg/cpu/user/me');
  const top = { ...hierarchies[0]!, ownPath: '/' };
  const other = compile({ mounts, linux: { namespaces: shared } }, {}, { ...v1Host, hierarchies: [top] });
  assert.is((pick(other, 'mount.bind')[0]!.args as { source: string }).source, '/cg/cpu');
});

test('a host without cgroups has none to show', () => {
  const { code, pointer } = refusal(() => compile({ mounts }, {}, { cgroupMode: 'none', hierarchies: [] }));
  assert.equal([code, pointer], ['TSR_CGROUP_MOUNT', '/mounts/0']);
});

test('v1 of an ordinary user: what could not be made is replaced by the cgroup of the runtime', () => {
  const hierarchy = { version: 1 as const, controllers: ['cpu', 'cpuacct'], mountPoint: '/sys/fs/cgroup/cpu,cpuacct' };
  const host = { ...v1Host, hierarchies: [{ ...hierarchy, ownPath: '/session' }] };
  const cgroup = part(place(1, hierarchy.mountPoint, ...hierarchy.controllers));
  const binds = (inUserNamespace: boolean) =>
    pick(
      compile({ mounts, linux: { namespaces: shared } }, { cgroup }, { ...host, inUserNamespace }),
      'mount.bind',
    ).filter(({ args }) => (args as { target: string }).target.startsWith('/sys/'));
  const steps = binds(true);
  assert.equal(
    steps.map(({ args }) => (args as { source: string }).source),
    ['/sys/fs/cgroup/cpu,cpuacct/pods/web', '/sys/fs/cgroup/cpu,cpuacct/session'],
  );
  assert.equal([steps[0]!.tolerate, steps[0]!.orElseNext], [['ENOENT'], true]);
  assert.is(binds(false).length, 1, 'root makes its cgroup or fails');
});

test.run();
