// The compiler's steps, the executor and the manager on this machine's cgroups. Needs root and dist/tsrun.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import type { Cpu, Memory, Resources } from '../../bundle/types.js';
import type { TsrunError } from '../../errors/error.js';
import { compileUpdate } from '../../plan/phases/cgroup-update.js';
import { errnoName } from '../../tables/errnos.js';
import { gatherFacts } from '../facts.js';
import { apply } from './apply.js';
import { cgroupManager as manager } from './manager.js';
import { stats } from './stats.js';
import { cgroupSuite, type TestCgroup } from './test-cgroups.js';

const facts = gatherFacts();
const has = (controller: string): boolean =>
  facts.hierarchies.some(({ controllers }) => controllers.includes(controller));
const diskName =
  readdirSync('/sys/block').map((name) => readFileSync(`/sys/block/${name}/dev`, 'utf8').trim())[0] ?? '0:0';
const disk = { major: Number(diskName.split(':')[0]), minor: Number(diskName.split(':')[1]) };
const isV1 = facts.cgroupMode === 'v1' || facts.cgroupMode === 'hybrid';

const { tests, test: withCgroup } = cgroupSuite('cgroups', isV1 ? undefined : 'needs cgroup v1');
function test(name: string, needed: readonly string[], body: (cgroup: TestCgroup) => void | Promise<void>): void {
  const missing = needed.find((controller) => !has(controller));
  withCgroup(name, body, missing && `needs ${missing}`);
}

function failureOf(work: () => void): TsrunError['failure'] {
  try {
    work();
  } catch (error) {
    return (error as TsrunError).failure;
  }
  assert.unreachable('did not fail');
  throw new Error();
}

test('limits are in the files', ['memory', 'cpu', 'cpuset', 'pids', 'blkio'], (cgroup) => {
  const outcome = cgroup.create({
    memory: { limit: 64 << 20, swap: 128 << 20, reservation: 32 << 20, swappiness: 10, disableOOMKiller: true },
    cpu: { shares: 512, quota: 20_000, period: 50_000, burst: 5000, cpus: '0', mems: '0' },
    pids: { limit: 33 },
    blockIO: { throttleReadBpsDevice: [{ ...disk, rate: 1_000_000 }] },
  });
  assert.is(outcome.status, 'ok', JSON.stringify(outcome));
  const values = {
    'memory.limit_in_bytes': String(64 << 20),
    'memory.memsw.limit_in_bytes': String(128 << 20),
    'memory.soft_limit_in_bytes': String(32 << 20),
    'memory.swappiness': '10',
    'cpu.shares': '512',
    'cpu.cfs_quota_us': '20000',
    'cpu.cfs_period_us': '50000',
    'cpu.cfs_burst_us': '5000',
    'cpuset.cpus': '0',
    'cpuset.mems': '0',
    'pids.max': '33',
  };
  for (const [file, value] of Object.entries(values)) {
    assert.is(cgroup.read(file.slice(0, file.indexOf('.')), file), value, file);
  }
  assert.match(cgroup.read('memory', 'memory.oom_control'), /oom_kill_disable 1/);
});

test('memory for TCP buffers is limited, and limited anew by an update', ['memory'], (cgroup) => {
  const outcome = cgroup.create({ memory: { kernelTCP: 8 << 20 } });
  assert.is(outcome.status, 'ok', JSON.stringify(outcome));
  assert.is(cgroup.read('memory', 'memory.kmem.tcp.limit_in_bytes'), String(8 << 20));
  const asked = { memory: { kernelTCP: 16 << 20 } };
  apply(cgroup.record, compileUpdate(asked, { memory: { kernelTCP: 8 << 20 } }, cgroup.record).settings);
  assert.is(cgroup.read('memory', 'memory.kmem.tcp.limit_in_bytes'), String(16 << 20));
});

test('huge pages are limited in the hierarchy that has them', ['hugetlb'], (cgroup) => {
  const outcome = cgroup.create({ hugepageLimits: [{ pageSize: '2MB', limit: 4 << 20 }] });
  assert.is(outcome.status, 'ok', JSON.stringify(outcome));
  const suffix = cgroup.place('hugetlb').version === 2 ? 'max' : 'limit_in_bytes';
  assert.is(cgroup.read('hugetlb', `hugetlb.2MB.${suffix}`), String(4 << 20));
  assert.is(cgroup.read('hugetlb', `hugetlb.2MB.rsvd.${suffix}`), String(4 << 20));
});

test('S34: the device list is the defaults and the rules, and nothing else', ['devices'], (cgroup) => {
  const devices = [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', major: 10, minor: 229, access: 'rwm' },
    { allow: true, type: 'b', major: 8, minor: 20, access: 'rw' },
    { allow: false, type: 'c', major: 10, minor: 200, access: 'rwm' },
  ] as const;
  assert.is(cgroup.create({ devices }).status, 'ok');
  const list = cgroup.read('devices', 'devices.list').split('\n');
  assert.ok(list.includes('c 10:229 rwm') && list.includes('b 8:20 rw') && list.includes('c 1:3 rwm'));
  assert.not(list.some((line) => line.startsWith('a ') || line.startsWith('c 10:200')));
});

test('S33: refuses a cgroup that holds processes', ['pids', 'freezer'], (cgroup) => {
  assert.is(cgroup.create().status, 'ok');
  cgroup.start('/bin/sleep', ['60']);
  const again = cgroup.create();
  assert.is(again.status, 'step-failed');
  assert.is(errnoName(again.errno), 'EBUSY');
});

test('R19: refuses a frozen cgroup, and one below a frozen one', ['freezer'], (cgroup) => {
  assert.is(cgroup.create().status, 'ok');
  manager.freeze(cgroup.record);
  const places = cgroup.record.places.map((place) => ({ ...place, path: `${place.path}/child` }));
  const below = { ...cgroup.record, places };
  for (const record of [cgroup.record, below]) {
    const outcome = cgroup.create({}, {}, record);
    assert.is(errnoName(outcome.errno), 'EDEADLK');
  }
  manager.remove(below);
  manager.thaw(cgroup.record);
  // not 'ok': v1 takes a device rule again only when the last of the removed child is gone
  assert.is.not(errnoName(cgroup.create().errno), 'EDEADLK');
});

test('S33: refuses a cgroup that has processes only further down', ['pids', 'freezer'], (cgroup) => {
  assert.is(cgroup.create().status, 'ok');
  mkdirSync(`${cgroup.directory('pids')}/a/b`, { recursive: true });
  cgroup.start('/bin/sleep', ['60'], '/a/b');
  assert.is(errnoName(cgroup.create().errno), 'EBUSY');
});

test('lists processes of the cgroup and those below', ['pids', 'freezer'], (cgroup) => {
  assert.equal(manager.processes(cgroup.record), []);
  assert.not(manager.exists(cgroup.record));
  cgroup.create();
  assert.ok(manager.exists(cgroup.record));
  for (const { mountPoint, path } of cgroup.record.places) mkdirSync(`${mountPoint}/${path}/sub`);
  const cpuset = `${cgroup.directory('pids')}/sub`;
  assert.ok(cpuset);
  const first = cgroup.start('/bin/sleep', ['60']);
  assert.equal(manager.processes(cgroup.record), [first]);
});

test('freezes and thaws', ['freezer'], (cgroup) => {
  cgroup.create();
  const pid = cgroup.start('/bin/sleep', ['60']);
  assert.not(manager.isFrozen(cgroup.record));
  manager.freeze(cgroup.record);
  assert.ok(manager.isFrozen(cgroup.record));
  assert.is(cgroup.read('freezer', 'freezer.state'), 'FROZEN');
  manager.freeze(cgroup.record);
  manager.thaw(cgroup.record);
  assert.not(manager.isFrozen(cgroup.record));
  assert.ok(pid);
});

test('a cgroup that is gone is neither frozen nor an error', ['freezer'], (cgroup) => {
  assert.not(manager.isFrozen(cgroup.record));
  manager.thaw(cgroup.record);
  manager.freeze(cgroup.record);
  manager.killAll(cgroup.record);
  manager.signalAll(cgroup.record, 15);
  manager.remove(cgroup.record);
  assert.is(manager.oomKillCount(cgroup.record), undefined);
});

test('a cgroup frozen from above does not count as paused', ['freezer'], (cgroup) => {
  cgroup.create();
  const above = { ...cgroup.record, places: cgroup.record.places.map((place) => ({ ...place, path: cgroup.name })) };
  manager.freeze(above);
  assert.ok(manager.isFrozen(above));
  assert.not(manager.isFrozen(cgroup.record));
  manager.thaw(above);
});

test('R18: kills everybody, also a frozen cgroup, and thaws it', ['freezer'], async (cgroup) => {
  cgroup.create();
  const pids = [1, 2, 3].map(() => cgroup.start('/bin/sleep', ['60']));
  manager.freeze(cgroup.record);
  manager.killAll(cgroup.record);
  assert.equal(manager.processes(cgroup.record), []);
  assert.not(manager.isFrozen(cgroup.record));
  for (const pid of pids) assert.is(await cgroup.ended(pid), 'SIGKILL');
});

test('R20: kills a storm of forks in bounded time', ['pids', 'freezer'], (cgroup) => {
  cgroup.create({ pids: { limit: 60 } });
  cgroup.start('/bin/sh', ['-c', 'f() { f | f & }; while :; do f; done']);
  const start = performance.now();
  manager.killAll(cgroup.record);
  assert.equal(manager.processes(cgroup.record), []);
  assert.ok(performance.now() - start < 5000);
});

test('sends a signal to everybody, and leaves nobody frozen', ['freezer'], async (cgroup) => {
  cgroup.create();
  const pids = [1, 2].map(() => cgroup.start('/bin/sleep', ['60']));
  manager.signalAll(cgroup.record, 10);
  for (const pid of pids) assert.is(await cgroup.ended(pid), 'SIGUSR1');
  assert.is(cgroup.read('freezer', 'freezer.state'), 'THAWED');
});

test('a paused container gets the signal when it is resumed', ['freezer'], async (cgroup) => {
  cgroup.create();
  const pid = cgroup.start('/bin/sleep', ['60']);
  manager.freeze(cgroup.record);
  manager.signalAll(cgroup.record, 15);
  assert.ok(manager.isFrozen(cgroup.record));
  manager.thaw(cgroup.record);
  assert.is(await cgroup.ended(pid), 'SIGTERM');
});

test('R17: removes nested cgroups, deepest first, and may be repeated', ['pids'], (cgroup) => {
  cgroup.create();
  mkdirSync(`${cgroup.directory('pids')}/a/b`, { recursive: true });
  mkdirSync(`${cgroup.directory('pids')}/c`);
  manager.remove(cgroup.record);
  assert.equal(cgroup.leftovers, []);
  manager.remove(cgroup.record);
});

for (const [depth, name] of [
  [300, 'd'],
  [100, 'n'.repeat(240)],
] as const) {
  const what = `R17, R20: what is ${depth} cgroups below, by names of ${name.length} characters, is found, killed and removed`;
  test(what, ['pids', 'freezer'], (cgroup) => {
    cgroup.create();
    const { mountPoint, path } = cgroup.record.places.find(({ version }) => version === 2) ?? cgroup.place('freezer');
    const script = `import os,sys
os.chdir(sys.argv[1])
for i in range(${depth}): os.mkdir("${name}"); os.chdir("${name}")
pid=os.fork()
if pid==0: os.execvp("sleep", ["sleep", "300"])
open("cgroup.procs","w").write(str(pid)); print(pid)`;
    const made = spawnSync('python3', ['-c', script, `${mountPoint}/${path}`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 20_000,
    });
    const pid = Number(made.stdout);
    assert.equal(manager.processes(cgroup.record), [pid]);
    manager.killAll(cgroup.record);
    manager.remove(cgroup.record);
    assert.equal(cgroup.leftovers, []);
  });
}

test('R17: waits for a process on its way out', ['pids', 'freezer'], (cgroup) => {
  cgroup.create();
  const pid = cgroup.start('/bin/sleep', ['60']);
  process.kill(pid, 'SIGKILL');
  manager.remove(cgroup.record);
  assert.equal(cgroup.leftovers, []);
});

test('R09: counts the processes killed for want of memory', ['memory', 'freezer'], async (cgroup) => {
  cgroup.create({ memory: { limit: 4 << 20, swap: 4 << 20 } });
  assert.is(manager.oomKillCount(cgroup.record), 0);
  const pid = cgroup.start('/usr/bin/tail', ['/dev/zero']);
  assert.is(await cgroup.ended(pid), 'SIGKILL');
  assert.is(manager.oomKillCount(cgroup.record), 1);
});

test('update: writes all', ['memory', 'pids'], (cgroup) => {
  cgroup.create({ pids: { limit: 33 } });
  const pids = cgroup.record.places.indexOf(cgroup.place('pids'));
  apply(cgroup.record, [{ place: pids, file: 'pids.max', value: '44', pointer: '/pids/limit' }]);
  assert.is(cgroup.read('pids', 'pids.max'), '44');
});

test('update: one refused value takes all back', ['memory', 'pids', 'cpu', 'blkio'], (cgroup) => {
  cgroup.create({
    pids: { limit: 33 },
    cpu: { quota: 20_000, period: 100_000 },
    memory: { limit: 64 << 20, swap: 128 << 20 },
    blockIO: { throttleReadBpsDevice: [{ ...disk, rate: 1000 }] },
  });
  const at = (controller: string): number => cgroup.record.places.indexOf(cgroup.place(controller));
  const failure = failureOf(() =>
    apply(cgroup.record, [
      { place: at('pids'), file: 'pids.max', value: '44', pointer: '/a' },
      { place: at('memory'), file: 'memory.limit_in_bytes', value: String(32 << 20), pointer: '/b' },
      { place: at('memory'), file: 'memory.memsw.limit_in_bytes', value: String(32 << 20), pointer: '/b' },
      { place: at('blkio'), file: 'blkio.throttle.read_bps_device', value: `${diskName} 5`, pointer: '/c' },
      { place: at('blkio'), file: 'blkio.throttle.write_bps_device', value: `${diskName} 5`, pointer: '/c' },
      { place: at('cpu'), file: 'cpu.cfs_quota_us', value: '1', pointer: '/cpu/quota' },
    ]),
  );
  assert.equal(failure, {
    code: 'TSR_CGROUP_UPDATE',
    message: 'cannot set cpu.cfs_quota_us to 1',
    pointer: '/cpu/quota',
    syscall: 'write',
    errno: 'EINVAL',
  });
  assert.is(cgroup.read('pids', 'pids.max'), '33');
  assert.is(cgroup.read('memory', 'memory.limit_in_bytes'), String(64 << 20));
  assert.is(cgroup.read('memory', 'memory.memsw.limit_in_bytes'), String(128 << 20));
  assert.is(cgroup.read('blkio', 'blkio.throttle.read_bps_device'), `${diskName} 1000`);
  assert.is(cgroup.read('blkio', 'blkio.throttle.write_bps_device'), '');
});

test('update: a memory limit below the usage is explained by numbers', ['memory', 'freezer'], async (cgroup) => {
  cgroup.create();
  const pid = cgroup.start('/usr/bin/perl', ['-e', 'my $x = "x" x (1 << 25); sleep 60']);
  for (let i = 0; i < 200 && Number(cgroup.read('memory', 'memory.usage_in_bytes')) < 1 << 25; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const place = cgroup.record.places.indexOf(cgroup.place('memory'));
  const setting = { place, file: 'memory.limit_in_bytes', value: '4096', pointer: '/memory/limit' };
  const failure = failureOf(() => apply(cgroup.record, [setting]));
  assert.is(failure.errno, 'EBUSY');
  assert.match(failure.detail ?? '', /unable to set memory limit to 4096 \(current usage: \d+, peak usage: \d+\)/);
  assert.ok(pid);
});

test('update: memory and swap go up and down in any order', ['memory'], (cgroup) => {
  cgroup.create({ memory: { limit: 64 << 20, swap: 128 << 20 } });
  let current: Resources = { memory: { limit: 64 << 20, swap: 128 << 20 } };
  const change = (memory: Memory): void => {
    const { settings, checks, resources } = compileUpdate({ memory }, current, cgroup.record);
    apply(cgroup.record, settings, checks);
    current = resources;
  };
  const values = (): string =>
    ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes']
      .map((file) => Number(cgroup.read('memory', file)) >> 20)
      .join(' ');
  change({ limit: 256 << 20, swap: 512 << 20 });
  assert.is(values(), '256 512');
  change({ limit: 32 << 20, swap: 48 << 20 });
  assert.is(values(), '32 48');
  change({ limit: 40 << 20 });
  assert.is(values(), '40 48');
  change({ limit: -1 });
  assert.is(cgroup.read('memory', 'memory.limit_in_bytes').length > 15, true);
  change({ limit: 16 << 20, swap: 16 << 20 });
  assert.is(values(), '16 16');
});

test('update: quota, period and burst go up and down in any order', ['cpu'], (cgroup) => {
  cgroup.create({ cpu: { quota: 20_000, period: 100_000, burst: 10_000 } });
  let current: Resources = { cpu: { quota: 20_000, period: 100_000, burst: 10_000 } };
  const change = (cpu: Cpu): string => {
    const { settings, resources } = compileUpdate({ cpu }, current, cgroup.record);
    apply(cgroup.record, settings);
    current = resources;
    return ['quota', 'period', 'burst'].map((name) => cgroup.read('cpu', `cpu.cfs_${name}_us`)).join(' ');
  };
  assert.is(change({ quota: 50_000, period: 50_000, burst: 40_000 }), '50000 50000 40000');
  assert.is(change({ quota: 5000, period: 200_000, burst: 2000 }), '5000 200000 2000');
  assert.is(change({ quota: 7000 }), '7000 200000 2000');
  assert.is(change({ quota: -1 }), '-1 200000 2000');
});

test('stats: what the files say', ['memory', 'cpu', 'cpuacct', 'cpuset', 'pids', 'freezer'], async (cgroup) => {
  cgroup.create({
    memory: { limit: 64 << 20, swap: 128 << 20 },
    pids: { limit: 33 },
    cpu: { quota: 50_000, cpus: '0' },
  });
  cgroup.start('/bin/sh', ['-c', 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 60']);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const found = stats(cgroup.record);
  assert.is(found.pids.limit, 33);
  assert.ok(Number(found.pids.current) >= 1);
  assert.is(found.memory.usage?.limit, 64 << 20);
  assert.is(found.memory.swap?.limit, 128 << 20);
  assert.ok(Number(found.memory.usage?.usage) > 0);
  assert.ok(Number(found.memory.raw?.pgfault) > 0);
  assert.ok(Number(found.cpu.usage?.total) > 0);
  assert.ok((found.cpu.usage?.percpu?.length ?? 0) >= 1);
  assert.equal(found.cpuset.cpus, [0]);
  assert.is(found.cpuset.sched_load_balance, 1);
  assert.is(found.network_interfaces, null);
});

test('S31: does not touch a mount point that is no cgroup file system', ['pids'], (cgroup) => {
  const places = [{ version: 1 as const, controllers: ['pids'], mountPoint: '/tmp', path: 'x' }];
  assert.is(failureOf(() => manager.remove({ ...cgroup.record, places })).code, 'TSR_CGROUP_PATH');
});

for (const path of ['', '..', 'a/../../b', '/a', 'a//b', '.']) {
  test(`S33: does not follow path ${JSON.stringify(path)} of a damaged record`, ['freezer'], (cgroup) => {
    const places = [{ ...cgroup.place('freezer'), path }];
    for (const work of [manager.remove, manager.killAll, manager.freeze, manager.processes]) {
      assert.is(failureOf(() => work({ ...cgroup.record, places })).code, 'TSR_CGROUP_PATH');
    }
  });
}

test('leaves the controllers of the v2 hierarchy as they were', [], (cgroup) => {
  const unified = facts.hierarchies.find(({ version }) => version === 2);
  if (!unified) return;
  const read = (): string => readFileSync(`${unified.mountPoint}/cgroup.subtree_control`, 'utf8');
  const before = read();
  cgroup.create({ pids: { limit: 5 } });
  assert.is(read(), before);
});

tests.run();
