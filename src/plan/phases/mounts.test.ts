import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mountFlags } from '../../generated/ops.js';
import type { Mount } from '../../bundle/types.js';
import { MOUNT_ATTR as A, MS } from '../../tables/mount-options.js';
import { compile, namespaces, only, pick, type SpecChanges } from '../test-inputs.js';

const map = [{ containerID: 0, hostID: 100000, size: 65536 }];
const inUser: SpecChanges = { linux: { namespaces: namespaces('mount', 'user'), uidMappings: map, gidMappings: map } };
const one = (mount: Mount, changes: SpecChanges = {}) => compile({ ...changes, mounts: [mount] });
const filesystem = (mount: Mount, changes: SpecChanges = {}) => only(one(mount, changes), 'mount.filesystem').args;
const bind = (mount: Mount, changes: SpecChanges = {}) => only(one(mount, changes), 'mount.bind').args;

test('a filesystem gets attributes, superblock flags and data', () => {
  const options = ['nosuid', 'noexec', 'ro', 'strictatime', 'sync', 'size=1k', 'nr_inodes=4'];
  const plan = one({ destination: '/data', type: 'tmpfs', source: 'shm', options });
  const { args, pointer, summary, role } = only(plan, 'mount.filesystem');
  assert.equal([pointer, summary, role], ['/mounts/0', 'mount tmpfs on /data', 'init']);
  assert.equal(args, {
    attributes: A.NOSUID | A.NOEXEC | A.RDONLY | A.STRICTATIME,
    flags: mountFlags.copyMode,
    type: 'tmpfs',
    source: 'shm',
    target: '/data',
    options: ['sync', 'size=1k', 'nr_inodes=4'],
    softOptions: [],
  });
});

test('a tmpfs takes the mode of what it hides, unless one is given', () => {
  assert.is(filesystem({ destination: '/a', type: 'tmpfs' }).flags, mountFlags.copyMode);
  assert.is(filesystem({ destination: '/a', type: 'tmpfs', options: ['mode=1777'] }).flags, 0);
  assert.is(
    filesystem({ destination: '/a', type: 'tmpfs', options: ['tmpcopyup'] }).flags,
    mountFlags.copyUp | mountFlags.copyMode,
  );
  assert.is(filesystem({ destination: '/a', type: 'ramfs' }).flags, 0);
});

test('read-only reaches the superblock of a filesystem with a device', () => {
  const options = ['ro'];
  assert.equal(filesystem({ destination: '/a', type: 'ext4', source: '/dev/sda', options }).options, ['ro']);
  assert.equal(filesystem({ destination: '/a', type: 'sysfs', options }).options, []);
  assert.equal(filesystem({ destination: '/a', type: 'ext4', source: '/dev/sda', options: ['ro', 'rw'] }).options, []);
});

test('/proc and /sys are reached without symlinks', () => {
  assert.is(
    filesystem({ destination: '/proc', type: 'proc', source: 'proc' }).flags,
    mountFlags.strict | mountFlags.proc,
  );
  assert.is(filesystem({ destination: '/sys', type: 'sysfs', source: 'sysfs' }).flags, mountFlags.strict);
  assert.is(filesystem({ destination: '/other', type: 'proc' }).flags, mountFlags.strict);
  assert.is(filesystem({ destination: '/x/../sys/', type: 'tmpfs', options: ['mode=755'] }).flags, mountFlags.strict);
});

test('a relative destination starts at the root, a relative source at the bundle', () => {
  const args = bind({ destination: 'data', source: 'files/', options: ['bind'] });
  assert.equal([args.target, args.source], ['/data', '/bundle/files']);
});

test('a bind is decided by the option, never by the type', () => {
  const args = bind({ destination: '/a', type: 'ext4', source: '/src', options: ['rbind', 'ro', 'exec', 'rnosuid'] });
  assert.equal(args, {
    recursive: 1,
    set: A.RDONLY,
    clear: A.NOEXEC,
    recursiveSet: A.NOSUID,
    recursiveClear: 0,
    flags: 0,
    idmapSlot: 0xffffffff,
    source: '/src',
    target: '/a',
  });
  assert.is(bind({ destination: '/a', source: '/src', options: ['bind'] }).recursive, 0);
  assert.is(filesystem({ destination: '/a', type: 'bind', source: '/src' }).type, 'bind');
});

test('a bind looks its ends up as it is told', () => {
  assert.is(
    bind({ destination: '/a', source: '/s', options: ['bind', 'src-nofollow', 'dest-nofollow'] }).flags,
    mountFlags.noSourceLink | mountFlags.noTargetLink,
  );
});

test('root of the host opens sources for a user namespace, a user has the same rights inside', () => {
  const mount: Mount = { destination: '/a', source: '/src', options: ['rbind', 'src-nofollow'] };
  const plan = one(mount, inUser);
  const at = plan.steps.findIndex(({ op }) => op === 'source.open');
  const open = plan.steps[at]!;
  assert.equal(
    [open.role, open.args, open.pointer],
    ['host', { recursive: 1, flags: mountFlags.noSourceLink, idmapSlot: 0xffffffff, path: '/src' }, '/mounts/0'],
  );
  const next = plan.steps[at + 1]!;
  assert.equal(
    [next.op, next.role, (next.args as { flags: number }).flags],
    ['mount.bind', 'init', mountFlags.noSourceLink | mountFlags.passed],
  );
  const own = [{ containerID: 0, hostID: 7, size: 1 }];
  const linux = { namespaces: namespaces('mount', 'user'), uidMappings: own, gidMappings: own };
  assert.equal(pick(compile({ linux, mounts: [mount] }, {}, { uid: 7, gid: 7 }), 'source.open'), []);
});

test('propagation is applied after the mount, one change each, in order', () => {
  const plan = one({ destination: '/a', source: '/s', options: ['rbind', 'rslave', 'shared'] });
  assert.equal(
    pick(plan, 'mount.').map(({ op, args, pointer }) => [op, (args as { propagation: number }).propagation, pointer]),
    [
      ['mount.bind', undefined, '/mounts/0'],
      ['mount.propagation', MS.SLAVE, '/mounts/0/options/1'],
      ['mount.propagation', MS.SHARED, '/mounts/0/options/2'],
    ],
  );
  const recursive = pick(plan, 'mount.propagation').map(({ args }) => (args as { recursive: number }).recursive);
  assert.equal(recursive, [1, 0]);
});

test('a remount changes what is there', () => {
  const options = ['remount', 'ro', 'exec', 'size=2k', 'sync'];
  const { args } = only(one({ destination: '/a', type: 'tmpfs', options }), 'mount.remount');
  assert.equal(args, {
    set: A.RDONLY,
    clear: A.NOEXEC,
    recursiveSet: 0,
    recursiveClear: 0,
    flags: 0,
    target: '/a',
    options: ['sync', 'size=2k'],
  });
  const bound = only(one({ destination: '/a', options: ['remount', 'bind', 'ro'] }), 'mount.remount');
  assert.equal(bound.args.options, []);
});

test('recursive options of a fresh mount are set on its tree', () => {
  const plan = one({ destination: '/a', type: 'tmpfs', options: ['rro'] });
  assert.is(only(plan, 'mount.filesystem').args.attributes, 0);
  assert.is(only(plan, 'mount.remount').args.recursiveSet, A.RDONLY);
});

test('on a procfs the executor lets in a procfs and the files of lxcfs only', () => {
  for (const destination of ['/proc/cpuinfo', '/proc/sys/kernel/ns_last_pid']) {
    assert.is(bind({ destination, source: '/lxcfs', options: ['bind'] }).flags, mountFlags.proc);
  }
  for (const destination of ['/proc/net/dev', '/x/../proc/self', 'proc/1']) {
    assert.is(filesystem({ destination, type: 'tmpfs', options: ['mode=755'] }).flags, 0);
  }
  assert.is(filesystem({ destination: '/proc', type: 'tmpfs', options: ['mode=755'] }).flags, mountFlags.strict);
  // Whether the source is a procfs is for the executor to say.
  assert.is(
    bind({ destination: '/proc', source: '/proc', options: ['rbind'] }).flags,
    mountFlags.strict | mountFlags.sourceIsProc,
  );
});

test('sysfs in a user namespace has the host as an alternative, as it stands', () => {
  const mount: Mount = { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'ro'] };
  assert.is(pick(one(mount), 'mount.').length, 1);
  const steps = pick(one(mount, inUser), 'mount.filesystem', 'mount.bind');
  assert.equal(steps[0]!.tolerate, ['EPERM']);
  assert.is(steps[0]!.orElseNext, true);
  const { args } = steps[1] as Extract<(typeof steps)[1], { op: 'mount.bind' }>;
  assert.equal([args.source, args.recursive, args.set, args.recursiveSet], ['/sys', 1, A.NOSUID, A.RDONLY]);
  assert.is(pick(compile({ mounts: [mount] }, {}, { inUserNamespace: true }), 'mount.bind')[0]!.pointer, '/mounts/0');
});

test('the group of terminals is optional where it may not be mapped', () => {
  const mount: Mount = { destination: '/dev/pts', type: 'devpts', options: ['mode=0620', 'gid=5'] };
  assert.equal(filesystem(mount).options, ['mode=0620', 'gid=5']);
  const steps = pick(one(mount, inUser), 'mount.filesystem');
  const { args } = steps[0] as Extract<(typeof steps)[0], { op: 'mount.filesystem' }>;
  assert.equal([args.options, args.softOptions], [['mode=0620'], ['gid=5']]);
});

test('the mount label goes to filesystems that take one', () => {
  const linux = { namespaces: namespaces('mount'), mountLabel: 'system_u:object_r:tmp_t:s0:c1,c2' };
  const tmpfs = filesystem({ destination: '/a', type: 'tmpfs' }, { linux });
  assert.equal(tmpfs.options, ['context=system_u:object_r:tmp_t:s0:c1,c2']);
  assert.equal(filesystem({ destination: '/proc', type: 'proc' }, { linux }).options, []);
  const facts = { lsm: { selinux: false, apparmor: false } };
  const two = ['/a', '/b'].map((destination) => ({ destination, type: 'tmpfs' }));
  const off = compile({ linux, mounts: two }, {}, facts);
  assert.equal((pick(off, 'mount.filesystem')[0]!.args as { options: string[] }).options, []);
  assert.equal(
    off.warnings.map(({ code, pointer }) => [code, pointer]),
    [['TSR_SELINUX_OFF', '/linux/mountLabel']],
  );
});

test('in a user namespace access times are asked for where they are not locked, and no reason to fail', () => {
  const mount: Mount = { destination: '/a', source: '/s', options: ['rbind', 'ro', 'strictatime', 'rnodiratime'] };
  const plan = compile({ mounts: [mount] }, {}, { inUserNamespace: true });
  const made = pick(plan, 'mount.bind').find(({ pointer }) => pointer === '/mounts/0')!;
  const { set, clear, recursiveSet } = made.args as { set: number; clear: number; recursiveSet: number };
  assert.equal([set, clear, recursiveSet], [A.RDONLY, 0, 0]);
  const [late] = pick(plan, 'mount.remount');
  assert.equal(late?.tolerate, ['EPERM']);
  const args = late?.args as { set: number; clear: number; recursiveSet: number };
  assert.equal([args.set, args.clear, args.recursiveSet], [A.STRICTATIME, A.ATIME, A.NODIRATIME]);
});

test('copy-symlink is for the executor, which looks at the source', () => {
  assert.is(bind({ destination: '/a', source: '/s', options: ['bind', 'copy-symlink'] }).flags, mountFlags.copySymlink);
  const options = ['rbind', 'copy-symlink', 'rprivate'];
  const [made] = pick(one({ destination: '/a', source: '/s', options }), 'mount.propagation');
  assert.equal(
    [made?.tolerate, made?.args],
    [['EINVAL'], { propagation: MS.PRIVATE, recursive: 1, flags: mountFlags.noTargetLink, target: '/a' }],
  );
});

test('options without effect are named', () => {
  const warned = (mount: Mount) => one(mount).warnings.map(({ code, pointer }) => [code, pointer]);
  const idle = [['TSR_MOUNT_OPTION_IDLE', '/mounts/0/options']];
  assert.equal(warned({ destination: '/a', source: '/s', options: ['bind', 'sync'] }), idle);
  assert.equal(warned({ destination: '/a', type: 'tmpfs', options: ['tmpcopyup', 'sync'] }), []);
});

test.run();
