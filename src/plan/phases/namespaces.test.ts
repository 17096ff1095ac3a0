import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { noSlot } from '../step.js';
import { compile, namespaces, only, pick, places, refusal, testSpec } from '../test-inputs.js';
import { isApart, namespacesOf } from './namespaces.js';

const CLONE = { mount: 0x20000, uts: 0x4000000, user: 0x10000000, pid: 0x20000000, network: 0x40000000, time: 0x80 };
const map = [{ containerID: 0, hostID: 100000, size: 65536 }];
const joined = (...types: string[]) => types.map((type) => ({ type, path: `/proc/7/ns/${type}` })) as never;

test('new namespaces are flags of one clone', () => {
  const plan = compile({ linux: { namespaces: namespaces('mount', 'uts', 'pid', 'network') } });
  const { args, summary } = only(plan, 'child.create');
  assert.is(args.namespaces, CLONE.mount + CLONE.uts + CLONE.pid + CLONE.network);
  assert.is(args.asJoiner, 0);
  assert.is(args.cgroupSlot, noSlot);
  assert.is(summary, 'start init in new mount, uts, pid, network namespaces');
  assert.equal(pick(plan, 'ns.'), []);
});

test('a cgroup namespace is unshared by init, when it is in its cgroup', () => {
  const plan = compile({ linux: { namespaces: namespaces('mount', 'cgroup') } });
  assert.is(only(plan, 'child.create').args.namespaces, CLONE.mount);
  const unshare = only(plan, 'ns.unshare');
  assert.is(unshare.role, 'init');
  assert.is(unshare.args.types, 0x2000000);
  const [before, after] = places(plan, 'ns.unshare', 'root.prepare');
  assert.ok(before! < after!);
});

test('a time namespace is made by the host before the first child, with its offsets', () => {
  const timeOffsets = { monotonic: { secs: 86400 }, boottime: { secs: -5n, nanosecs: 7 } };
  const plan = compile({ linux: { namespaces: namespaces('mount', 'time'), timeOffsets } });
  const { args, pointer, role } = only(plan, 'self.time-offsets');
  assert.equal([args.value, pointer, role], ['monotonic 86400 0\nboottime -5 7\n', '/linux/timeOffsets', 'host']);
  const [offsets, child] = places(plan, 'self.time-offsets', 'child.create');
  assert.ok(offsets! < child!);
  const bare = compile({ linux: { namespaces: namespaces('mount', 'time') } });
  assert.is(only(bare, 'self.time-offsets').args.value, '');
});

test('existing namespaces are joined by a process in between, user late for root', () => {
  const list = [...namespaces('pid', 'uts'), ...joined('mount', 'user', 'network', 'ipc')];
  const plan = compile({ linux: { namespaces: list } });
  const made = plan.steps.filter(({ op }) => op === 'child.create');
  assert.equal(
    made.map(({ role, args }) => [role, (args as { namespaces: number }).namespaces]),
    [
      ['host', 0],
      ['joiner', CLONE.pid + CLONE.uts],
    ],
  );
  assert.equal(
    pick(plan, 'ns.join').map(({ pointer, summary, role }) => [pointer, summary, role]),
    [
      ['/linux/namespaces/4', 'join network namespace /proc/7/ns/network', 'joiner'],
      ['/linux/namespaces/5', 'join ipc namespace /proc/7/ns/ipc', 'joiner'],
      ['/linux/namespaces/3', 'join user namespace /proc/7/ns/user', 'joiner'],
      ['/linux/namespaces/2', 'join mount namespace /proc/7/ns/mount', 'joiner'],
    ],
  );
  assert.is(pick(plan, 'ns.become-root').length, 1);
  assert.equal(pick(plan, 'child.write-proc'), []);
});

test('without privileges the user namespace is joined first', () => {
  const list = [...joined('network', 'user'), ...namespaces('mount')];
  const plan = compile({ linux: { namespaces: list } }, {}, { uid: 1000, gid: 1000 });
  const order = pick(plan, 'ns.join').map(({ args }) => (args as { type: number }).type);
  assert.equal(order, [CLONE.user, CLONE.network]);
});

test("the runtime's own namespace needs no joining, and is still not the container's", () => {
  const list = [...namespaces('mount'), ...joined('uts', 'network')];
  const options = { alreadyIn: new Set(['uts', 'network'] as const) };
  assert.is(only(compile({ linux: { namespaces: list } }, options), 'child.create').args.asJoiner, 0);
  assert.is(
    refusal(() => compile({ hostname: 'web', linux: { namespaces: list } }, options)).code,
    'TSR_NAMESPACE_NEEDED',
  );
  const set = namespacesOf(testSpec({ linux: { namespaces: list } }), options as never);
  assert.equal([isApart(set, 'mount'), isApart(set, 'uts'), isApart(set, 'pid')], [true, false, false]);
});

test('names of the host are set in a uts namespace only', () => {
  const plan = compile({ hostname: 'web', domainname: 'example' });
  assert.equal(
    pick(plan, 'host.').map(({ args, pointer }) => [(args as { name: string }).name, pointer]),
    [
      ['web', '/hostname'],
      ['example', '/domainname'],
    ],
  );
  for (const key of ['hostname', 'domainname']) {
    const refused = refusal(() => compile({ [key]: 'web', linux: { namespaces: namespaces('mount') } }));
    assert.equal([refused.code, refused.pointer], ['TSR_NAMESPACE_NEEDED', `/${key}`]);
  }
  assert.equal(pick(compile({ hostname: '' }), 'host.'), []);
});

const userNamespace = { namespaces: namespaces('mount', 'user'), uidMappings: map, gidMappings: map };

test('root writes the id maps itself', () => {
  const plan = compile({ linux: userNamespace });
  assert.equal(
    pick(plan, 'child.write-proc').map(({ args, pointer, role }) => [args, pointer, role]),
    [
      [{ file: 'uid_map', value: '0 100000 65536\n' }, '/linux/uidMappings', 'host'],
      [{ file: 'gid_map', value: '0 100000 65536\n' }, '/linux/gidMappings', 'host'],
    ],
  );
  const [maps, root] = places(plan, 'child.write-proc', 'ns.become-root');
  assert.ok(maps! < root!);
});

test('a user may map the own id, after setgroups is off', () => {
  const own = [{ containerID: 0, hostID: 1000, size: 1 }];
  const linux = { namespaces: namespaces('mount', 'user'), uidMappings: own, gidMappings: own };
  const plan = compile({ linux }, {}, { uid: 1000, gid: 1000 });
  assert.equal(
    pick(plan, 'child.write-proc').map(({ args }) => Object.values(args)),
    [
      ['uid_map', '0 1000 1\n'],
      ['setgroups', 'deny'],
      ['gid_map', '0 1000 1\n'],
    ],
  );
  assert.equal(pick(plan, 'process.groups'), []);
  const user = { uid: 0, gid: 0, additionalGids: [5] };
  const refused = refusal(() => compile({ linux, process: { user } }, {}, { uid: 1000, gid: 1000 }));
  assert.equal([refused.code, refused.pointer], ['TSR_GROUPS_ROOTLESS', '/process/user/additionalGids']);
});

test('a user maps ranges through newuidmap and newgidmap', () => {
  const ranges = [
    { containerID: 0, hostID: 1000, size: 1 },
    { containerID: 1, hostID: 100000, size: 65536 },
  ];
  const linux = { namespaces: namespaces('mount', 'user'), uidMappings: ranges, gidMappings: ranges };
  const idMappers = { uid: '/usr/bin/newuidmap', gid: '/usr/bin/newgidmap' };
  const user = { uid: 1000, gid: 1000 };
  const plan = compile({ linux }, { idMappers }, user);
  const args = ['{pid}', '0', '1000', '1', '1', '100000', '65536'];
  assert.equal(
    pick(plan, 'child.run-helper').map((step) => step.args),
    [
      { path: '/usr/bin/newuidmap', args: ['newuidmap', ...args] },
      { path: '/usr/bin/newgidmap', args: ['newgidmap', ...args] },
    ],
  );
  assert.is(pick(plan, 'process.groups').length, 1);
  const refused = refusal(() => compile({ linux }, {}, user));
  assert.equal([refused.code, refused.pointer], ['TSR_USERNS_NO_MAPPER', '/linux/uidMappings']);
});

test('the OOM score is written when it is there, also when it is 0', () => {
  assert.equal(pick(compile(), 'child.write-proc'), []);
  const plan = compile({ process: { oomScoreAdj: 0 } });
  assert.equal(only(plan, 'child.write-proc').args, { file: 'oom_score_adj', value: '0' });
});

test('limits are exact, and set by the host before init changes its ids', () => {
  const rlimits = [
    { type: 'RLIMIT_NOFILE', soft: 1024, hard: 4096 },
    { type: 'RLIMIT_CORE', soft: 0, hard: 18446744073709551615n },
  ] as const;
  const plan = compile({ process: { rlimits } });
  assert.equal(
    pick(plan, 'child.rlimit').map(({ args, pointer }) => [args, pointer]),
    [
      [{ resource: 7, raise: 0, soft: 1024n, hard: 4096n }, '/process/rlimits/0'],
      [{ resource: 4, raise: 0, soft: 0n, hard: 18446744073709551615n }, '/process/rlimits/1'],
    ],
  );
  const [mounts, limit, user] = places(plan, 'root.pivot', 'child.rlimit', 'process.user');
  assert.ok(mounts! < limit! && limit! < user!);
});

test.run();
