import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { consoleFlags, mountFlags } from '../../generated/ops.js';
import { MOUNT_ATTR as A } from '../../tables/mount-options.js';
import { compile, namespaces, only, pick, places } from '../test-inputs.js';

const map = [{ containerID: 0, hostID: 100000, size: 65536 }];
const user = { namespaces: namespaces('mount', 'user'), uidMappings: map, gidMappings: map };
const nodes = (plan: ReturnType<typeof compile>) =>
  pick(plan, 'device.make').flatMap(({ args }) => (args as { nodes: readonly string[] }).nodes);

test('the default devices and links are there', () => {
  const plan = compile();
  assert.equal(only(plan, 'device.make').args.nodes, [
    'c 1:3 0666 0:0 /dev/null',
    'c 1:5 0666 0:0 /dev/zero',
    'c 1:7 0666 0:0 /dev/full',
    'c 1:8 0666 0:0 /dev/random',
    'c 1:9 0666 0:0 /dev/urandom',
    'c 5:0 0666 0:0 /dev/tty',
  ]);
  assert.equal(
    pick(plan, 'path.symlink').map(({ args }) => Object.values(args)),
    [
      ['/proc/self/fd', '/dev/fd'],
      ['/proc/self/fd/0', '/dev/stdin'],
      ['/proc/self/fd/1', '/dev/stdout'],
      ['/proc/self/fd/2', '/dev/stderr'],
      ['/proc/kcore', '/dev/core'],
      ['pts/ptmx', '/dev/ptmx'],
    ],
  );
});

test('devices of the config replace defaults and may be of any kind', () => {
  const devices = [
    { path: '/dev/null', type: 'c', major: 1, minor: 3, fileMode: 0o600, uid: 5, gid: 6 },
    { path: '/x/disk', type: 'b', major: 8, minor: 1 },
    { path: '/x/raw', type: 'u', major: 9, minor: 2 },
    { path: '/x/pipe', type: 'p', fileMode: 0o4644 },
    { path: '/dev/ptmx', type: 'c', major: 5, minor: 2 },
    { path: '/behind', type: 'c', major: 1, minor: 3 },
  ] as const;
  const plan = compile({ linux: { devices } });
  const made = pick(plan, 'device.make').slice(5);
  assert.equal(
    made.map(({ summary, pointer }) => [summary, pointer]),
    [
      ['make c 1:3 0600 5:6 /dev/null', '/linux/devices/0'],
      ['make b 8:1 0666 0:0 /x/disk', '/linux/devices/1'],
      ['make c 9:2 0666 0:0 /x/raw', '/linux/devices/2'],
      ['make p 0:0 04644 0:0 /x/pipe', '/linux/devices/3'],
      ['make c 1:3 0666 0:0 /behind', '/linux/devices/5'],
    ],
  );
});

test("in a user namespace the host's nodes are bound", () => {
  const devices = [
    { path: '/dev/fuse', type: 'c', major: 10, minor: 229 },
    { path: '/dev/pipe', type: 'p' },
  ] as const;
  const plan = compile({ linux: { ...user, devices } });
  // That of what is bound looks at its numbers.
  assert.equal(nodes(plan), ['c 10:229 0666 0:0 /dev/fuse', 'p 0:0 0666 0:0 /dev/pipe']);
  const uidMappings = [{ containerID: 0, hostID: 1000, size: 10 }];
  const zero = { path: '/dev/foo', type: 'c', major: 1, minor: 5, uid: 3, gid: 3, fileMode: 0o640 } as const;
  const made = compile({ linux: { ...user, uidMappings, devices: [zero] } });
  const { args, tolerate, orElseNext } = only(made, 'device.open');
  assert.equal(
    [args, tolerate, orElseNext],
    [{ mode: 0o20640, major: 1, minor: 5, uid: 1003, gid: 100_003 }, ['EPERM'], true],
  );
  assert.is((only(made, 'source.open').args as { path: string }).path, '/dev/zero');
  const without = compile({ linux: { devices: [zero] } }, {}, { inUserNamespace: true, uid: 1000 });
  assert.is((pick(without, 'mount.bind').at(-1)!.args as { source: string }).source, '/dev/zero');
  const binds = pick(plan, 'mount.bind');
  assert.equal(
    binds.map(({ args }) => (args as { flags: number }).flags),
    [0, 0, 0, 0, 0, 0, mountFlags.passed],
  );
  assert.is((only(plan, 'source.open').args as { path: string }).path, '/dev/fuse');
  const rootless = compile({}, {}, { inUserNamespace: true });
  assert.is(pick(rootless, 'mount.bind').length, 6);
});

test("a bundle's own /dev is left alone", () => {
  for (const option of ['bind', 'rbind']) {
    const plan = compile({ mounts: [{ destination: '/dev/', source: '/dev', options: [option] }] });
    assert.equal(pick(plan, 'device.make', 'path.symlink'), []);
  }
  const below = compile({ mounts: [{ destination: '/dev/shm', source: '/s', options: ['bind'] }] });
  assert.is(pick(below, 'device.make').length, 6);
});

test('a read-only /dev becomes so when everything is in it', () => {
  const mounts = [
    { destination: '/dev', type: 'tmpfs', options: ['ro', 'nosuid'] },
    { destination: '/dev/pts', type: 'devpts' },
  ];
  const plan = compile({ mounts, process: { terminal: true } }, { consoleSocket: '/s' });
  assert.is((pick(plan, 'mount.filesystem')[0]!.args as { attributes: number }).attributes, A.NOSUID);
  const { args, pointer } = only(plan, 'mount.remount');
  assert.equal([args.target, args.set, pointer], ['/dev', A.RDONLY, '/mounts/0']);
  const [link, console, late] = places(plan, 'path.symlink', 'console.open', 'mount.remount');
  assert.ok(link! < console! && console! < late!);
});

test('the standard streams go to the process, but a foreground root has them already', () => {
  assert.is(only(compile(), 'stdio.own').args.uid, 0);
  assert.equal(pick(compile({}, { mode: 'run' }), 'stdio.own'), []);
  const plan = compile({ process: { user: { uid: 7, gid: 7 } } }, { mode: 'run' });
  assert.is(only(plan, 'stdio.own').args.uid, 7);
});

test('a terminal goes through the console socket, or stays with a foreground run', () => {
  const process = { terminal: true, consoleSize: { height: 24, width: 80 } };
  const detached = compile({ process }, { consoleSocket: '/run/console.sock' });
  assert.equal(only(detached, 'socket.connect').args, { slot: 2, path: '/run/console.sock' });
  assert.equal(only(detached, 'console.open').args, {
    slot: 2,
    rows: 24,
    columns: 80,
    uid: 0,
    flags: consoleFlags.bind,
  });
  const foreground = compile({ process: { terminal: true, user: { uid: 7, gid: 7 } } }, { mode: 'run' });
  // Without a size of its own it gets that of the caller's terminal, which the executor asks.
  assert.equal(only(foreground, 'console.open').args, {
    slot: 0xffffffff,
    rows: 0,
    columns: 0,
    uid: 7,
    flags: consoleFlags.bind,
  });
  assert.is(only(foreground, 'child.supervise').args.terminal, 1);
  assert.equal(pick(compile({ process: { consoleSize: { height: 1, width: 1 } } }), 'console.'), []);
});

test.run();
