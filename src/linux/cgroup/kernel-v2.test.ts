// What cgroup v2 does by itself, on this machine's v2 hierarchy: device filter, freezer, kill. Needs root and dist/tsrun.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import type { Resources } from '../../bundle/types.js';
import { execute } from '../../executor/test-plans.js';
import { compileUpdate } from '../../plan/phases/cgroup-update.js';
import { errnoName } from '../../tables/errnos.js';
import { gatherFacts } from '../facts.js';
import { apply } from './apply.js';
import { currentPlaces } from './current.js';
import { cgroupManager as manager } from './manager.js';
import { stats } from './stats.js';
import { cgroupSuite, type TestCgroup } from './test-cgroups.js';

const unified = gatherFacts().hierarchies.find(({ version }) => version === 2);

const { tests, test: withCgroup } = cgroupSuite('cgroups v2', unified ? undefined : 'needs a v2 hierarchy', true);
function test(name: string, body: (cgroup: TestCgroup) => void | Promise<void>, ...needed: string[]): void {
  const missing = needed.find((controller) => !unified?.controllers.includes(controller));
  withCgroup(name, body, missing && `needs ${missing}`);
}

/** Exit status of a shell that opens a device in the cgroup. */
const open = (cgroup: TestCgroup, redirection: string): Promise<string | number | null> =>
  cgroup.ended(cgroup.start('/bin/sh', ['-c', `exec 3${redirection}`]));

test('S34 S35: the kernel takes the device filter and it filters', async (cgroup) => {
  const devices = [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', major: 1, minor: 11, access: 'r' },
    { allow: false, type: 'c', major: 1, minor: 5, access: 'w' },
  ] as const;
  const outcome = cgroup.create({ devices });
  assert.is(outcome.status, 'ok', JSON.stringify(outcome));
  assert.is(await open(cgroup, '<>/dev/null'), 0);
  assert.is(await open(cgroup, '</dev/zero'), 0);
  assert.is(await open(cgroup, '>/dev/zero'), 2, 'write was denied to /dev/zero');
  assert.is(await open(cgroup, '</dev/kmsg'), 0);
  assert.is(await open(cgroup, '>/dev/kmsg'), 2, 'only reading /dev/kmsg was allowed');
  if (existsSync('/dev/fuse')) assert.is(await open(cgroup, '</dev/fuse'), 2, '/dev/fuse was not named');
});

test('S34: the kernel takes a filter of five hundred rules', (cgroup) => {
  const devices = Array.from({ length: 500 }, (_, i) => ({
    allow: i % 3 !== 0,
    type: i % 2 ? ('c' as const) : ('b' as const),
    major: i,
    ...(i % 5 ? { minor: i } : {}),
    access: ['r', 'w', 'm', 'rw', 'rwm'][i % 5]!,
  }));
  assert.is(cgroup.create({ devices }).status, 'ok');
});

test('allows everything without a filter', async (cgroup) => {
  assert.is(cgroup.create({ devices: [{ allow: true, access: 'rwm' }] }).status, 'ok');
  assert.is(await open(cgroup, '</dev/kmsg'), 0);
});

test('freezes, and knows it', async (cgroup) => {
  cgroup.create();
  const pid = cgroup.start('/bin/sleep', ['60']);
  assert.not(manager.isFrozen(cgroup.record));
  manager.freeze(cgroup.record);
  assert.ok(manager.isFrozen(cgroup.record));
  manager.signalAll(cgroup.record, 15);
  assert.ok(manager.isFrozen(cgroup.record));
  manager.thaw(cgroup.record);
  assert.is(await cgroup.ended(pid), 'SIGTERM');
});

test('R19: refuses a place below a frozen cgroup', (cgroup) => {
  cgroup.create();
  manager.freeze(cgroup.record);
  const places = cgroup.record.places.map((place) => ({ ...place, path: `${place.path}/a/b` }));
  const below = { ...cgroup.record, places };
  assert.is(errnoName(cgroup.create({}, {}, below).errno), 'EDEADLK');
  manager.thaw(cgroup.record);
  assert.is(cgroup.create({}, {}, below).status, 'ok');
  manager.remove(below);
});

test('S33: refuses a cgroup that has processes only further down', (cgroup) => {
  cgroup.create();
  for (const { mountPoint, path } of cgroup.record.places) mkdirSync(`${mountPoint}/${path}/a`);
  cgroup.start('/bin/sleep', ['60'], '/a');
  assert.is(errnoName(cgroup.create().errno), 'EBUSY');
});

test('R18: kills everybody at once, also below and while frozen', async (cgroup) => {
  cgroup.create();
  const below = cgroup.record.places.map(({ mountPoint, path }) => `${mountPoint}/${path}/sub`);
  for (const directory of below) mkdirSync(directory);
  const pids = [cgroup.start('/bin/sleep', ['60']), cgroup.start('/bin/sleep', ['60'], '/sub')];
  assert.equal(
    manager.processes(cgroup.record),
    pids.sort((a, b) => a - b),
  );
  manager.freeze(cgroup.record);
  manager.killAll(cgroup.record);
  assert.equal(manager.processes(cgroup.record), []);
  assert.not(manager.isFrozen(cgroup.record));
  for (const pid of pids) assert.is(await cgroup.ended(pid), 'SIGKILL');
  manager.remove(cgroup.record);
});

test('R37: an exec follows the first process when the cgroup itself takes none', (cgroup) => {
  cgroup.create();
  for (const { mountPoint, path } of cgroup.record.places) mkdirSync(`${mountPoint}/${path}/init.scope`);
  const pid = cgroup.start('/bin/sleep', ['60'], '/init.scope');
  const path = cgroup.record.places[0]!.path;
  assert.equal(currentPlaces(cgroup.record, `/proc/${pid}/cgroup`).record.places[0]?.path, path);
  if (cgroup.read('', 'cgroup.controllers') === '') return;
  cgroup.write('', 'cgroup.subtree_control', '+hugetlb');
  assert.equal(currentPlaces(cgroup.record, `/proc/${pid}/cgroup`).record.places[0]?.path, `${path}/init.scope`);
  assert.equal(currentPlaces(cgroup.record, '/proc/self/cgroup').record.places[0]?.path, path);
});

test('stats: the times of the cgroup', async (cgroup) => {
  cgroup.create();
  await cgroup.ended(cgroup.start('/bin/sh', ['-c', 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done']));
  const { cpu } = stats(cgroup.record);
  assert.ok(Number(cpu.usage?.total) > 0);
  assert.ok(Number(cpu.usage?.user) + Number(cpu.usage?.kernel) > 0);
});

/** A block device of this machine that exists in any. */
const disk = readdirSync('/sys/block').map((name) => readFileSync(`/sys/block/${name}/dev`, 'utf8').trim())[0] ?? '';
const [major, minor] = disk.split(':').map(Number) as [number, number];

test(
  'limits are in the files',
  (cgroup) => {
    const outcome = cgroup.create({
      memory: { limit: 64 << 20, swap: 96 << 20, reservation: 32 << 20 },
      cpu: { shares: 512, quota: 20_000, period: 50_000, burst: 5000, cpus: '0', mems: '0' },
      pids: { limit: 33 },
      hugepageLimits: [{ pageSize: '2MB', limit: 4 << 20 }],
      unified: { 'memory.high': String(48 << 20), 'cgroup.max.depth': '3' },
      ...(disk ? { blockIO: { throttleReadBpsDevice: [{ major, minor, rate: 1_000_000 }] } } : {}),
    });
    assert.is(outcome.status, 'ok', JSON.stringify(outcome));
    const values = {
      'memory.max': String(64 << 20),
      'memory.swap.max': String(32 << 20),
      'memory.low': String(32 << 20),
      'memory.high': String(48 << 20),
      'cpu.weight': '59',
      'cpu.max': '20000 50000',
      'cpu.max.burst': '5000',
      'cpuset.cpus': '0',
      'cpuset.mems': '0',
      'pids.max': '33',
      'hugetlb.2MB.max': String(4 << 20),
      'hugetlb.2MB.rsvd.max': String(4 << 20),
      'cgroup.max.depth': '3',
    };
    for (const [file, value] of Object.entries(values)) assert.is(cgroup.read('', file), value, file);
    if (disk) assert.match(cgroup.read('', 'io.max'), `${disk} rbps=1000000`);
  },
  'memory',
  'cpu',
  'io',
  'cpuset',
  'pids',
  'hugetlb',
);

test(
  'memory without swap, idle, and no limits at all',
  (cgroup) => {
    assert.is(
      cgroup.create({ memory: { limit: 64 << 20, swap: 64 << 20 }, cpu: { idle: 1 }, pids: { limit: -1 } }).status,
      'ok',
    );
    assert.is(cgroup.read('', 'memory.swap.max'), '0');
    assert.is(cgroup.read('', 'cpu.idle'), '1');
    assert.is(cgroup.read('', 'pids.max'), 'max');
  },
  'memory',
  'cpu',
);

test(
  'update: limits go up and down in any order, and one refused value takes all back',
  (cgroup) => {
    let current: Resources = {
      memory: { limit: 64 << 20, swap: 128 << 20 },
      cpu: { quota: 20_000, period: 100_000, burst: 10_000 },
    };
    cgroup.create(current);
    const change = (asked: Resources): string => {
      const { settings, checks, resources } = compileUpdate(asked, current, cgroup.record);
      apply(cgroup.record, settings, checks);
      current = resources;
      return ['memory.max', 'memory.swap.max', 'cpu.max', 'cpu.max.burst']
        .map((file) => cgroup.read('', file))
        .join(' ');
    };
    const mega = (...sizes: number[]): string => sizes.map((size) => size << 20).join(' ');
    assert.is(change({ memory: { limit: 256 << 20, swap: 512 << 20 } }), `${mega(256, 256)} 20000 100000 10000`);
    assert.is(change({ memory: { limit: 300 << 20 } }), `${mega(300, 212)} 20000 100000 10000`);
    assert.is(change({ cpu: { quota: 5000, period: 200_000, burst: 2000 } }), `${mega(300, 212)} 5000 200000 2000`);
    assert.is(change({ cpu: { quota: 90_000, burst: 80_000 } }), `${mega(300, 212)} 90000 200000 80000`);
    const before = change({ pids: { limit: 5 } });
    assert.throws(() =>
      change({ pids: { limit: 6 }, memory: { limit: 64 << 20, swap: 64 << 20 }, unified: { 'cpu.max': 'x' } }),
    );
    assert.is(change({}), before);
    assert.is(cgroup.read('', 'pids.max'), '5');
    assert.is(change({ memory: { limit: -1 } }).startsWith('max max '), true);
  },
  'memory',
  'cpu',
  'pids',
);

test(
  'R09: counts the processes killed for want of memory; checks the usage before an update',
  async (cgroup) => {
    cgroup.create({ memory: { limit: 16 << 20, swap: 16 << 20 } });
    assert.is(manager.oomKillCount(cgroup.record), 0);
    const pid = cgroup.start('/usr/bin/tail', ['/dev/zero']);
    assert.is(await cgroup.ended(pid), 'SIGKILL');
    assert.is(manager.oomKillCount(cgroup.record), 1);
    cgroup.start('/bin/sleep', ['60']);
    const asked = { memory: { limit: 4096, swap: 4096, checkBeforeUpdate: true } };
    const { settings, checks } = compileUpdate(asked, {}, cgroup.record);
    assert.throws(() => apply(cgroup.record, settings, checks), /rejecting memory\+swap limit 4096 <= usage \d+/);
    const found = stats(cgroup.record);
    assert.is(found.memory.usage?.limit, 16 << 20);
    assert.ok(Number(found.memory.usage?.usage) > 0);
    assert.ok(Number(found.pids.current) >= 1);
  },
  'memory',
  'pids',
);

test('below a threaded cgroup a container is threaded, too, unless a limit of it needs a domain', (cgroup) => {
  const directory = cgroup.directory('');
  const parent = directory.slice(0, directory.lastIndexOf('/'));
  const mountPoint = cgroup.place('').mountPoint;
  mkdirSync(`${parent}/beside`, { recursive: true });
  writeFileSync(`${parent}/beside/cgroup.type`, 'threaded');
  assert.is(readFileSync(`${parent}/cgroup.type`, 'utf8'), 'domain threaded\n');
  const step = (flags: number) => {
    const args = { slot: 8, version: 2, flags, root: mountPoint, path: directory.slice(mountPoint.length + 1) };
    return execute([{ op: 'cgroup.open', role: 'host', args: { ...args, controllers: [] }, pointer: '', summary: '' }]);
  };
  const { status, errno } = step(0);
  assert.equal([status, errnoName(errno)], ['step-failed', 'EOPNOTSUPP']);
  assert.is(cgroup.create().status, 'ok');
  assert.is(cgroup.read('', 'cgroup.type'), 'threaded');
  const pid = cgroup.start('/bin/sleep', ['60']);
  assert.equal(manager.processes(cgroup.record), [pid]);
  manager.killAll(cgroup.record);
  assert.equal(manager.processes(cgroup.record), []);
});

tests.run();
