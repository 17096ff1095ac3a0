import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Resources } from '../../bundle/types.js';
import type { TsrunError } from '../../errors/error.js';
import type { HostFacts } from '../../linux/facts.js';
import type { Step } from '../step.js';
import { type CgroupSpec, compileCgroup } from './cgroup.js';
import { cgroupOpenFlags } from '../../generated/ops.js';
import { placeCgroup } from './cgroup-placement.js';
import { hostFacts, type TestHost } from './cgroup-test-facts.js';
import { placeInSystemd } from './systemd-placement.js';
import { compileUnitPart } from './systemd-unit.js';

function compile(
  mode: HostFacts['cgroupMode'],
  linux: CgroupSpec['linux'],
  host: TestHost = {},
  rest: Partial<CgroupSpec> = {},
) {
  const facts = hostFacts(mode, host);
  const spec: CgroupSpec = { ...rest, ...(linux ? { linux } : {}) };
  return compileCgroup(spec, placeCgroup(linux?.cgroupsPath, 'web', facts, 'cgroupfs'), facts);
}

/** `op slot rest [tolerated]` */
function render(steps: readonly Step[]): string[] {
  return steps.map(({ op, args, tolerate }) => {
    const values = Object.values(args).map((value) =>
      value instanceof Uint8Array ? `<${value.length} bytes>` : String(value),
    );
    return `${op} ${values.join(' ')}${tolerate ? ` ?${tolerate}` : ''}`;
  });
}

test('pids.limit 0 is no limit in a config before 1.3, and 1 in a newer one, by itself and in a unit', () => {
  for (const mode of ['v1', 'v2'] as const) {
    for (const [ociVersion, line] of [
      ['1.0.2', undefined],
      ['1.2.1', undefined],
      ['1.3.0', 'pids.max 1'],
    ] as const) {
      const linux = { cgroupsPath: '/a', resources: { pids: { limit: 0 } } };
      const written = render(compile(mode, linux, {}, { ociVersion }).open).filter((text) => text.includes('pids.max'));
      assert.equal([written.length, written[0]?.endsWith(line ?? '')], line ? [1, true] : [0, undefined]);
      const facts = hostFacts(mode);
      const record = placeInSystemd('system.slice:x:y', 'web', facts);
      const part = compileUnitPart({ ociVersion, linux }, 'web', record, facts, [], { path: '/t', args: [] });
      assert.is(JSON.stringify(part.start.args).includes('TasksMax'), line !== undefined, ociVersion);
    }
  }
});

test('pids.max 0 in unified is 1 for a new container, whose process is born there', () => {
  const linux = { cgroupsPath: '/a', resources: { unified: { 'pids.max': '0', 'memory.high': '0' } } };
  const written = render(compile('v2', linux, {}, { ociVersion: '1.3.0' }).open).join('|');
  assert.match(written, /pids\.max 1(\||$)/);
  assert.match(written, /memory\.high 0(\||$)/);
});

test('v2: one cgroup in slot 8 with all controllers, limits, a device filter; nothing to join', () => {
  const { open, enter, remove } = compile('v2', {
    cgroupsPath: '/a/b',
    resources: { memory: { limit: 5 }, pids: { limit: 9 } },
  });
  assert.equal(render(open), [
    'cgroup.open 8 2 10 /sys/fs/cgroup a/b +cpuset,+cpu,+io,+memory,+hugetlb,+pids,+rdma,+misc',
    'cgroup.devices 8 <496 bytes>',
    'cgroup.write 8 memory.max 5',
    'cgroup.write 8 pids.max 9',
  ]);
  assert.equal(enter, []);
  assert.equal(render(remove), ['cgroup.remove /sys/fs/cgroup a/b']);
  assert.equal(
    open.map(({ pointer }) => pointer),
    ['/linux/cgroupsPath', '/linux/resources/devices', '/linux/resources/memory/limit', '/linux/resources/pids/limit'],
  );
  assert.ok(open.every(({ role }) => role === 'host'));
});

test('v2: may become threaded where no limit needs a domain', () => {
  const flags = (resources: Resources): number =>
    Number(render(compile('v2', { cgroupsPath: '/a', resources }).open)[0]?.split(' ')[3]);
  assert.is(flags({ pids: { limit: 5 }, cpu: { shares: 512, cpus: '0' } }), 26);
  assert.is(flags({ memory: { limit: 5 } }), 10);
  assert.is(flags({ unified: { 'io.max': '8:0 rbps=5' } }), 10);
});

test('v1: a cgroup in each hierarchy from slot 9 on, cpuset lists copied down, all joined', () => {
  const { open, enter, remove } = compile('v1', { cgroupsPath: '/a' }, { controllers: ['cpuset', 'devices', 'pids'] });
  assert.equal(render(open).slice(0, 5), [
    'cgroup.open 9 1 3 /sys/fs/cgroup/cpuset a ',
    'cgroup.open 10 1 2 /sys/fs/cgroup/devices a ',
    'cgroup.open 11 1 2 /sys/fs/cgroup/pids a ',
    'cgroup.write-each 10 devices.deny a',
    'cgroup.write-each 10 devices.allow c *:* m,b *:* m,c 1:3 rwm,c 1:8 rwm,c 1:7 rwm,c 5:0 rwm,c 1:5 rwm,c 1:9 rwm,c 136:* rwm,c 5:2 rwm,c 10:200 rwm',
  ]);
  assert.equal(render(enter), ['cgroup.enter 9 tasks', 'cgroup.enter 10 tasks', 'cgroup.enter 11 tasks']);
  assert.is(remove.length, 3);
});

test('hybrid: the v2 cgroup is slot 8 and is not joined again; its controllers are left alone unless used', () => {
  const host = { controllers: ['devices', 'pids'] };
  const plain = compile('hybrid', { cgroupsPath: '/a' }, host);
  assert.is(render(plain.open)[0], 'cgroup.open 8 2 26 /sys/fs/cgroup/unified a ');
  assert.is(render(plain.open)[1], 'cgroup.open 9 1 2 /sys/fs/cgroup/devices a ');
  assert.equal(render(plain.enter), ['cgroup.enter 9 tasks', 'cgroup.enter 10 tasks']);
  const hugepages = { cgroupsPath: '/a', resources: { hugepageLimits: [{ pageSize: '2MB', limit: 1 }] } };
  assert.is(render(compile('hybrid', hugepages, host).open)[0], 'cgroup.open 8 2 10 /sys/fs/cgroup/unified a +hugetlb');
});

test('S33, R19: refuses a cgroup with processes; a frozen one where there is a freezer', () => {
  const { refuseFrozen, refusePopulated, threaded } = cgroupOpenFlags;
  const flags = (mode: 'v1' | 'v2') =>
    compile(mode, {}, { controllers: ['devices', 'freezer'] }).open.flatMap((step) =>
      step.op === 'cgroup.open' ? [step.args.flags] : [],
    );
  assert.equal(flags('v1'), [refusePopulated, refusePopulated | refuseFrozen]);
  assert.equal(flags('v2'), [refusePopulated | refuseFrozen | threaded]);
});

test('fits into the slots of a host with every controller', () => {
  const facts = hostFacts('hybrid');
  const everything = { ...facts, hierarchies: [facts.hierarchies[0]!, ...hostFacts('v1').hierarchies] };
  const { open } = compileCgroup({}, placeCgroup('/a', 'web', everything, 'cgroupfs'), everything);
  const slots = open.flatMap((step) => (step.op === 'cgroup.open' ? [step.args.slot] : []));
  assert.is(Math.min(...slots), 8);
  assert.is(Math.max(...slots), 23);
  assert.is(new Set(slots).size, slots.length);
});

test('S34: attaches the device filter also when the config has no resources', () => {
  assert.ok(compile('v2', undefined).open.some(({ op }) => op === 'cgroup.devices'));
  assert.ok(render(compile('v1', {}).open).some((line) => line.endsWith('devices.deny a')));
});

test('attaches no filter where everything is allowed', () => {
  const { open } = compile('v2', { resources: { devices: [{ allow: true, access: 'rwm' }] } });
  assert.not(open.some(({ op }) => op === 'cgroup.devices'));
});

test('uses a filter on the v2 hierarchy of a hybrid host without the v1 devices controller', () => {
  const { open } = compile('hybrid', {}, { controllers: ['memory'] });
  assert.ok(open.some((step) => step.op === 'cgroup.devices' && step.args.slot === 8));
});

test('S34: refuses to start without any device control', () => {
  try {
    compile('v1', {}, { controllers: ['memory'] });
    assert.unreachable();
  } catch (error) {
    assert.is((error as TsrunError).failure.code, 'TSR_CGROUP_CONTROLLER');
    assert.is((error as TsrunError).failure.pointer, '/linux/resources/devices');
  }
});

for (const host of [{ uid: 1000 }, { inUserNamespace: true }]) {
  test(`without rights (${JSON.stringify(host)}) and without limits goes on without cgroups`, () => {
    const { open, enter } = compile('v1', {}, { ...host, controllers: ['memory', 'pids'] });
    assert.equal(
      open.map(({ op, tolerate }) => `${op} ${tolerate}`),
      ['cgroup.open EACCES,EPERM,EROFS', 'cgroup.open EACCES,EPERM,EROFS'],
    );
    assert.ok(enter.every(({ tolerate }) => tolerate?.includes('EBADF')));
  });

  test(`without rights (${JSON.stringify(host)}) fails where a limit or a path is asked for`, () => {
    const limited = compile(
      'v1',
      { resources: { memory: { limit: 5 } } },
      { ...host, controllers: ['memory', 'pids'] },
    );
    assert.equal(
      limited.open.slice(0, 2).map(({ pointer, tolerate }) => `${pointer} ${tolerate}`),
      ['/linux/resources/memory/limit undefined', ' EACCES,EPERM,EROFS'],
    );
    assert.ok(compile('v2', { cgroupsPath: '/a' }, host).open.every(({ tolerate }) => tolerate === undefined));
  });
}

test('root gets no excuse for a cgroup that cannot be made', () => {
  assert.ok(compile('v2', {}).open.every(({ tolerate }) => tolerate === undefined));
});

test('gives the v2 cgroup to the container user behind a cgroup namespace and a writable mount', () => {
  const namespaces = [{ type: 'cgroup' as const }];
  const mount = { source: 'cgroup2', destination: '/sys/fs/cgroup', type: 'cgroup' };
  const process = { user: { uid: 1000, gid: 1000 }, cwd: '/' } as CgroupSpec['process'] & object;
  const owned = (linux: CgroupSpec['linux'], options: string[], mode: 'v1' | 'v2' = 'v2'): string[] =>
    render(compile(mode, linux, {}, { process, mounts: [{ ...mount, options }] }).open).filter((line) =>
      line.startsWith('cgroup.own'),
    );
  const files = 'cgroup.procs,cgroup.subtree_control,cgroup.threads';
  assert.equal(owned({ namespaces }, ['rw']), [`cgroup.own 8 1000 ${files}`]);
  assert.equal(owned({ namespaces }, ['ro']), []);
  assert.equal(owned({ namespaces }, ['ro', 'rw']).length, 1);
  assert.equal(owned({ namespaces }, ['rw', 'ro']), []);
  assert.equal(owned({}, ['rw']), []);
  assert.equal(owned({ namespaces }, ['rw'], 'v1'), []);
  const mapped = {
    namespaces: [...namespaces, { type: 'user' as const }],
    uidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
  };
  assert.equal(owned(mapped, []), [`cgroup.own 8 101000 ${files}`]);
});

test('systemd: a helper makes the scope around the first process, then the rest follows', () => {
  const facts = hostFacts('v2');
  const record = placeInSystemd('machine.slice:libpod:web', 'web', facts);
  const helper = { path: '/engine', args: ['tsrun', 'systemd'] };
  const buses = [{ address: 'unix:path=/b', isBus: true }];
  const spec = { linux: { cgroupsPath: 'machine.slice:libpod:web', resources: { cpu: { quota: 4567 } } } };
  const unit = compileUnitPart(spec, 'web', record, facts, buses, helper);
  const { open, join, remove } = compileCgroup(spec, record, facts, unit);
  assert.equal(open, []);
  assert.equal(
    join.map(({ op }) => op),
    ['child.run-helper', 'cgroup.open', 'cgroup.devices', 'cgroup.write'],
  );
  const [start, make, , write] = join;
  assert.ok(start?.op === 'child.run-helper' && make?.op === 'cgroup.open' && write?.op === 'cgroup.write');
  assert.equal(
    [start.args.path, ...start.args.args.slice(0, 3), start.args.args.at(-1)],
    ['/engine', 'tsrun', 'systemd', 'start', '{pid}'],
  );
  assert.is(JSON.parse(start.args.args[3]!).name, 'libpod-web.scope');
  assert.is(make.args.flags, cgroupOpenFlags.refuseFrozen);
  assert.is(make.args.path, 'machine.slice/libpod-web.scope');
  assert.is(write.args.value, '5000 100000', 'as systemd rounds it');
  assert.equal(
    remove.map(({ op }) => op),
    ['child.run-helper', 'cgroup.remove'],
  );
});

test('systemd on v1: everything is joined but its own hierarchy', () => {
  const facts = hostFacts('v1', { controllers: ['devices', 'pids', 'name=systemd'] });
  const record = placeInSystemd(undefined, 'web', facts);
  const unit = compileUnitPart({}, 'web', record, facts, [], { path: '/engine', args: [] });
  const { join } = compileCgroup({}, record, facts, unit);
  const joined = join.flatMap((step) => (step.op === 'cgroup.join' ? [step.args.slot] : []));
  assert.equal(joined, [9, 10]);
});

test('does nothing, and says so, when cgroups are disabled', () => {
  const facts = hostFacts('v2');
  const record = placeCgroup(undefined, 'web', facts, 'disabled');
  const devices = [{ allow: false, access: 'rwm' }];
  assert.equal(compileCgroup({ linux: { resources: { devices } } }, record, facts).warnings, []);
  const { open, warnings } = compileCgroup({ linux: { resources: { pids: { limit: 5 } } } }, record, facts);
  assert.equal(open, []);
  assert.is(warnings[0]?.code, 'TSR_CGROUP_IGNORED');
});

test.run();
