import { existsSync } from 'node:fs';
import { type Changes, namespaces } from '../config.js';
import { type Add, type Box, type Case, expect, same, skip, topic, unified } from '../harness.js';
import { addFiles, needs } from './cgroup-files.js';
import { addFitness } from './cgroup-fitness.js';
import { addOwners } from './cgroup-owner.js';

const mega = 1024 * 1024;

const self = (text: string, controller: string) => {
  const line = text
    .split('\n')
    .find((item) => (unified ? item.startsWith('0::') : item.split(':')[1]!.split(',').includes(controller)));
  return line?.split(':')[2];
};

function addPlace(test: Add): void {
  for (const controller of ['memory', 'pids', 'freezer', 'devices', 'cpu', 'cpuset', 'blkio']) {
    test(`path-absolute-${controller}`, ['linux.cgroups.path-absolute', 'linux.cgroups.path-form'], async (box) => {
      await box.created('true');
      const { pid } = await box.state();
      same(self(box.read(`/proc/${pid}/cgroup`), controller), box.cgroup, 'cgroup');
    });
  }
  test('path-nested', ['linux.cgroups.path-absolute'], async (box) => {
    await box.created('true', { '/linux/cgroupsPath': `${box.cgroup}/a/b` });
    const { pid } = await box.state();
    const found = self(box.read(`/proc/${pid}/cgroup`), 'memory');
    await box.ok('delete', '--force', box.id);
    for (const folder of box.cgroupFolders())
      await box.spawned('find', [folder, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+']);
    same(found, `${box.cgroup}/a/b`, 'cgroup');
  });
  test('v2-unified-nested', ['linux.unified.controllers'], async (box) => {
    // Nobody has handed the controllers down in the folders between.
    needs(2);
    const cgroup = `${box.cgroup}/a/b`;
    await box.created('true', { '/linux/cgroupsPath': cgroup, '/linux/resources/unified': { 'pids.max': '44' } });
    const found = box.cgroupFile('', 'pids.max', cgroup);
    await box.ok('delete', '--force', box.id);
    for (const folder of box.cgroupFolders())
      await box.spawned('find', [folder, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+']);
    same(found, '44', 'pids.max');
  });
  test('path-relative-twice-the-same', ['linux.cgroups.path-stable', 'linux.cgroups.path-form'], async (box) => {
    const found: Array<string | undefined> = [];
    for (let round = 0; round < 2; round++) {
      await box.created('true', { '/linux/cgroupsPath': `${box.id}-relative` });
      found.push(self(box.read(`/proc/${(await box.state()).pid}/cgroup`), 'memory'));
      await box.ok('delete', '--force', box.id);
    }
    expect(found[0]?.endsWith(`${box.id}-relative`) === true && found[0] === found[1], found.join(' and '));
  });
  test('path-stays-inside', ['linux.cgroups.path-invalid'], async (box) => {
    await box.works();
    box.configure('true', { '/linux/cgroupsPath': `/../../../..${box.cgroup}` });
    const result = await box.create();
    if (result.code === 0)
      same(self(box.read(`/proc/${(await box.state()).pid}/cgroup`), 'memory'), box.cgroup, 'cgroup');
  });
  test('path-too-long', ['linux.cgroups.path-invalid'], (box) =>
    box.refused({ '/linux/cgroupsPath': `/${'a'.repeat(5000)}` }),
  );
  test('occupied-is-refused', ['linux.cgroups.fit-check'], async (box) => {
    await box.created('true');
    const second = await box.create(`${box.id}-2`);
    expect(second.code !== 0, 'a second container shares the cgroup of the first');
    expect(second.stderr.trim() !== '', 'create fails without a word');
    same(await box.status(), 'created', 'status of the first');
    expect(box.cgroupFolders().length > 0, "the first one's cgroup is gone");
  });
  test('namespace-hides-the-path', ['linux.namespaces.new'], async (box) => {
    same(
      self(await box.sh('cat /proc/self/cgroup', { '/linux/namespaces': namespaces('cgroup') }), 'memory'),
      '/',
      'cgroup',
    );
  });
  test('removed-by-delete', ['runtime.delete.resources'], async (box) => {
    await box.created('true');
    expect(box.cgroupFolders().length > 0, 'no cgroup was made');
    await box.ok('delete', '--force', box.id);
    same(box.cgroupFolders(), [], 'left');
  });
  test('removed-after-run', ['runtime.lifecycle.destroyed'], async (box) => {
    await box.sh('true');
    same(box.cgroupFolders(), [], 'left');
  });
  test('processes-of-the-container-are-in-it', ['linux.cgroups.path-absolute'], async (box) => {
    await box.started('sleep 30 & sleep 30 & echo up; wait');
    await box.untilOutput('up');
    await box.until('three processes', () => box.cgroupFile('memory', 'cgroup.procs').split('\n').length === 3);
  });
}

function addLimits(test: Add): void {
  test('pids-limit-works', ['linux.resources.pids'], async (box) => {
    const out = await box.run('echo began; for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done; echo all', {
      '/linux/resources/pids': { limit: 5 },
    });
    expect(out.stdout.startsWith('began\n'), `the container never began: ${out.stderr.trim()}`);
    expect(!out.stdout.includes('all') || out.stderr.includes('fork'), 'ten processes in spite of the limit of 5');
  });
  test('pids-limit-zero', ['linux.pids.zero'], async (box) => {
    await box.works();
    const result = await box.run('echo began; /bin/true & wait; echo all', {
      '/ociVersion': '1.3.0',
      '/linux/resources/pids': { limit: 0 },
    });
    await box.ranOrRefused(result);
    expect(!result.stdout.includes('all') || result.stderr.includes('fork'), 'a second process in spite of the limit');
  });
  // podman 4.3 to 5.4 writes it for --pids-limit=-1; both peers set no limit.
  test('pids-limit-zero-before-1.3', ['linux.resources.pids'], async (box) => {
    same(await box.sh('/bin/true & wait; echo all', { '/linux/resources/pids': { limit: 0 } }), 'all', 'output');
  });
  test('memory-limit-works', ['linux.resources.memory'], async (box) => {
    const limits = unified ? { limit: 16 * mega, swap: 16 * mega } : { limit: 16 * mega };
    const result = await box.run('echo began; head -c 100000000 /dev/zero | tail -c 90000000 | wc -c', {
      '/linux/resources/memory': limits,
    });
    expect(result.stdout.startsWith('began\n'), `the container never began: ${result.stderr.trim()}`);
    expect(!result.stdout.includes('90000000'), '90 MB in spite of the limit of 16 MB');
  });
  test('cpus-work', ['linux.resources.cpu'], async (box) => {
    same(
      (await box.sh('grep Cpus_allowed_list /proc/self/status', { '/linux/resources/cpu': { cpus: '0' } })).split(
        /\s+/,
      )[1],
      '0',
      'CPUs',
    );
  });
  const bad: ReadonlyArray<readonly [string, string, Changes]> = [
    ['unknown-cpu', 'runtime.create.cannot-apply', { '/linux/resources/cpu': { cpus: '4000' } }],
    ['cpus-nonsense', 'config.valid-values', { '/linux/resources/cpu': { cpus: 'a-b' } }],
    ['memory-string', 'config.valid-values', { '/linux/resources/memory': { limit: '64m' } }],
    ['memory-fraction', 'config.valid-values', { '/linux/resources/memory': { limit: 1.5 } }],
    [
      'swap-below-limit',
      'runtime.create.cannot-apply',
      { '/linux/resources/memory': { limit: 64 * mega, swap: 32 * mega } },
    ],
    ['swappiness-900', 'config.valid-values', { '/linux/resources/memory': { swappiness: 900 } }],
    ['quota-too-small', 'runtime.create.cannot-apply', { '/linux/resources/cpu': { quota: 1, period: 100000 } }],
    ['burst-above-quota', 'linux.cpu.burst', { '/linux/resources/cpu': { quota: 10000, burst: 20000 } }],
    [
      'quota-below-burst',
      'linux.cpu.quota-burst',
      { '/linux/resources/cpu': { quota: 5000, period: 100000, burst: 6000 } },
    ],
    [
      'weight-device-without-weight',
      'linux.blockio.weight',
      { '/linux/resources/blockIO': { weightDevice: [{ major: 8, minor: 0 }] } },
    ],
    [
      'throttle-without-rate',
      'config.valid-values',
      { '/linux/resources/blockIO': { throttleReadBpsDevice: [{ major: 8, minor: 0 }] } },
    ],
    ['rdma-without-value', 'linux.rdma.one-of', { '/linux/resources/rdma': { mlx5_0: {} } }],
    [
      'huge-page-size-climbs',
      'config.valid-values',
      { '/linux/resources/hugepageLimits': [{ pageSize: '../../x', limit: 5 }] },
    ],
    [
      'huge-page-size-unknown',
      'runtime.create.cannot-apply',
      { '/linux/resources/hugepageLimits': [{ pageSize: '3MB', limit: 5 }] },
    ],
    ['unified-missing-controller', 'linux.unified.missing', { '/linux/resources/unified': { 'nosuch.max': '5' } }],
    ['unified-climbs', 'config.valid-values', { '/linux/resources/unified': { '../cgroup.procs': '5' } }],
    ['unified-number', 'config.valid-values', { '/linux/resources/unified': { 'pids.max': 5 } }],
    ['pids-string', 'config.valid-values', { '/linux/resources/pids': { limit: '5' } }],
    ['pids-null-key', 'config.valid-values', { '/linux/resources/pids': [] }],
    [
      'block-device-missing',
      'runtime.create.cannot-apply',
      { '/linux/resources/blockIO': { throttleReadBpsDevice: [{ major: 250, minor: 250, rate: 5 }] } },
    ],
  ];
  for (const [slug, proof, changes] of bad) test(`refused-${slug}`, [proof], (box) => box.refused(changes));
  test('v2-refused-realtime', ['linux.resources.no-conversion'], async (box) => {
    needs(2);
    await box.refused({ '/linux/resources/cpu': { realtimeRuntime: 5000, realtimePeriod: 100000 } });
  });
  test('v2-refused-swappiness', ['linux.resources.no-conversion'], async (box) => {
    needs(2);
    await box.refused({ '/linux/resources/memory': { swappiness: 20 } });
  });
  test('v2-refused-class-of-packets', ['linux.resources.no-conversion'], async (box) => {
    needs(2);
    await box.refused({ '/linux/resources/network': { classID: 5 } });
  });
  test('v2-shares-are-converted', ['linux.resources.cpu'], async (box) => {
    needs(2);
    await box.created('true', { '/linux/resources/cpu': { shares: 2048 } });
    const weight = Number(box.cgroupFile('cpu', 'cpu.weight'));
    expect(weight > 30 && weight < 200, `cpu.weight ${weight}`);
  });
}

async function update(box: Box, args: string[], controller: string, file: string, wanted: string): Promise<void> {
  await box.created('true', {
    '/linux/resources/pids': { limit: 33 },
    '/linux/resources/memory': { limit: 64 * mega },
  });
  await box.ok('update', ...args, box.id);
  same(box.cgroupFile(controller, file), wanted, file);
}

function addCommands(test: Add): void {
  test('update-pids', ['runtime.scope'], (box) => update(box, ['--pids-limit', '55'], 'pids', 'pids.max', '55'));
  test('update-memory', ['runtime.scope'], (box) =>
    update(
      box,
      ['--memory', String(128 * mega)],
      'memory',
      unified ? 'memory.max' : 'memory.limit_in_bytes',
      String(128 * mega),
    ),
  );
  test('update-cpus', ['runtime.scope'], (box) => update(box, ['--cpuset-cpus', '0'], 'cpuset', 'cpuset.cpus', '0'));
  test('update-too-low', ['linux.memory.check-before-update'], async (box) => {
    await box.started('head -c 20000000 /dev/zero | (sleep 0.2; tail -c 19000000 >/dev/null & sleep 30)', {
      '/linux/resources/memory': { limit: 64 * mega, checkBeforeUpdate: true },
    });
    const file = unified ? 'memory.max' : 'memory.limit_in_bytes';
    await box.error('update', '--memory', '4096', box.id);
    same(box.cgroupFile('memory', file), String(64 * mega), `${file} after the refusal`);
    same(await box.status(), 'running', 'status');
  });
  test('pause-and-resume', [], async (box) => {
    await box.started('sleep 30');
    await box.ok('pause', box.id);
    same(await box.status(), 'paused', 'status');
    await box.ok('resume', box.id);
    same(await box.status(), 'running', 'status');
  });
  // What containerd does when the shim of a paused container dies.
  test('delete-force-of-a-paused', ['runtime.delete.resources'], async (box) => {
    await box.started('sleep 30');
    await box.ok('pause', box.id);
    await box.ok('delete', '--force', box.id);
    await box.error('state', box.id);
  });
  test('no-resctrl', ['linux.rdt.no-resctrl'], async (box) => {
    if (existsSync('/sys/fs/resctrl/schemata')) skip('there is one here');
    await box.refused({ '/linux/intelRdt': { closID: 'one', l3CacheSchema: 'L3:0=f' } });
  });
  for (const [slug, value, proof] of [
    ['l3-form', { l3CacheSchema: 'MB:0=10' }, 'linux.rdt.l3-form'],
    ['mb-form', { memBwSchema: 'L3:0=f' }, 'linux.rdt.mb-form'],
    ['mb-lines', { memBwSchema: 'MB:0=10\nL3:0=f' }, 'linux.rdt.mb-form'],
    ['schemata-lines', { schemata: ['L3:0=f\nMB:0=10'] }, 'linux.rdt.schemata-form'],
    ['clos-climbs', { closID: '../x' }, 'config.valid-values'],
  ] as const) {
    test(`rdt-refused-${slug}`, [proof], (box) => box.refused({ '/linux/intelRdt': value }));
  }
}

export function cgroupCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('cgroups', cases);
  addPlace(test);
  addFiles(test);
  addLimits(test);
  addOwners(test);
  addCommands(test);
  addFitness(test);
  return cases;
}
