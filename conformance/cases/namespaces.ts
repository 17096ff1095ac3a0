import { readlinkSync } from 'node:fs';
import { type Changes, namespaces } from '../config.js';
import { type Box, type Case, expect, same, topic } from '../harness.js';

/** Type in config.json, name below /proc/PID/ns, flag of unshare(1). */
const types: ReadonlyArray<readonly [string, string, string]> = [
  ['pid', 'pid', '--pid'],
  ['network', 'net', '--net'],
  ['mount', 'mnt', '--mount'],
  ['ipc', 'ipc', '--ipc'],
  ['uts', 'uts', '--uts'],
  ['user', 'user', '--user'],
  ['cgroup', 'cgroup', '--cgroup'],
  ['time', 'time', '--time'],
];

const ids = [{ containerID: 0, hostID: 100000, size: 65536 }];
const mapped: Changes = { '/linux/uidMappings': ids, '/linux/gidMappings': ids };
const extra = (type: string): Changes => (type === 'user' ? mapped : {});
const own = (name: string) => readlinkSync(`/proc/self/ns/${name}`);

async function joined(box: Box, type: string, name: string, flag: string): Promise<void> {
  const flags =
    type === 'user' ? ['--user', '--map-root-user'] : type === 'pid' || type === 'time' ? [flag, '--fork'] : [flag];
  // The pid as this mount of proc shows it, whichever pid namespace the shell is in.
  const pid = await box.helper('unshare', [
    ...flags,
    'sh',
    '-c',
    'read -r pid rest </proc/self/stat; echo $pid; exec sleep 60',
  ]);
  const path = `/proc/${pid}/ns/${name}`;
  const wanted = readlinkSync(path);
  expect(wanted !== own(name), 'the helper is in no namespace of its own');
  const list = namespaces({ type, path });
  same(await box.sh(`readlink /proc/self/ns/${name}`, { '/linux/namespaces': list }), wanted, name);
}

function addType([type, name, flag]: (typeof types)[number], test: ReturnType<typeof topic>): void {
  test(`${type}-new`, ['linux.namespaces.new', 'linux.namespaces.supported'], async (box) => {
    const out = await box.sh(`readlink /proc/self/ns/${name}`, {
      '/linux/namespaces': namespaces(type),
      ...extra(type),
    });
    expect(out.startsWith(`${name}:[`) && out !== own(name), `${out}, the runtime is in ${own(name)}`);
  });
  if (type !== 'mount') {
    test(`${type}-inherited`, ['linux.namespaces.inherit'], async (box) => {
      const list = namespaces().filter((item) => (item as { type: string }).type !== type);
      same(await box.sh(`readlink /proc/self/ns/${name}`, { '/linux/namespaces': list }), own(name), name);
    });
    test(`${type}-joined`, ['linux.namespaces.join'], (box) => joined(box, type, name, flag));
  }
  test(`${type}-path-of-another-type`, ['linux.namespaces.wrong-type', 'runtime.errors.clean'], async (box) => {
    const other = type === 'uts' ? 'ipc' : 'uts';
    await box.refused({ '/linux/namespaces': namespaces({ type, path: `/proc/self/ns/${other}` }), ...extra(type) });
  });
  test(`${type}-path-missing`, ['linux.namespaces.join', 'runtime.create.cannot-apply'], async (box) => {
    await box.refused({ '/linux/namespaces': namespaces({ type, path: box.path('missing') }), ...extra(type) });
  });
  test(`${type}-path-relative`, ['linux.namespaces.path-absolute', 'config.valid-values'], async (box) => {
    // Right from the bundle, so that only its form is wrong. Not the suite's own mounts: a runtime that joins them ruins them.
    const wait = ['sh', '-c', 'read -r pid rest </proc/self/stat; echo $pid; exec sleep 60'];
    const pid = type === 'mount' ? await box.helper('unshare', ['--mount', ...wait]) : 'self';
    const path = `${'../'.repeat(20)}proc/${pid}/ns/${name}`;
    await box.refused({ '/linux/namespaces': namespaces({ type, path }), ...extra(type) });
  });
  test(`${type}-twice`, ['linux.namespaces.duplicates'], async (box) => {
    const list = [...namespaces(type), { type }];
    await box.refused({ '/linux/namespaces': list, ...extra(type) });
  });
}

export function namespaceCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('namespaces', cases);
  for (const type of types) addType(type, test);
  for (const bad of ['', 'PID', 'net', 'mnt', 'nosuch', 7]) {
    test(`unknown-type-${String(bad) || 'empty'}`, ['config.valid-values'], async (box) => {
      await box.refused({ '/linux/namespaces': [...namespaces(), { type: bad }] });
    });
  }
  test('pid-one', ['linux.namespaces.new'], async (box) => {
    same(await box.sh('echo $$'), '1', 'pid inside');
  });
  test('hostname-stays-inside', ['linux.namespaces.new', 'config.hostname'], async (box) => {
    same(await box.sh('hostname', { '/hostname': 'boxed' }), 'boxed', 'host name');
    expect((await box.spawned('hostname', [])).stdout.trim() !== 'boxed', 'the host has it, too');
  });
  test('hostname-without-uts', ['runtime.create.cannot-apply', 'config.hostname'], async (box) => {
    const list = namespaces().filter((item) => (item as { type: string }).type !== 'uts');
    await box.refused({ '/hostname': 'boxed', '/linux/namespaces': list });
  });
  test('domainname', ['config.domainname'], async (box) => {
    same(
      await box.sh('cat /proc/sys/kernel/domainname', { '/domainname': 'example.org' }),
      'example.org',
      'domain name',
    );
  });
  test('user-mappings', ['linux.idmap.mappings'], async (box) => {
    const out = await box.sh('cat /proc/self/uid_map /proc/self/gid_map', {
      '/linux/namespaces': namespaces('user'),
      ...mapped,
    });
    same(
      out
        .replace(/[ \t]+/g, ' ')
        .split('\n')
        .map((line) => line.trim()),
      ['0 100000 65536', '0 100000 65536'],
      'maps',
    );
  });
  test('user-several-mappings', ['linux.idmap.mappings'], async (box) => {
    const list = [
      { containerID: 0, hostID: 100000, size: 10 },
      { containerID: 10, hostID: 300000, size: 5 },
    ];
    const changes = { '/linux/namespaces': namespaces('user'), '/linux/uidMappings': list, '/linux/gidMappings': list };
    const out = await box.sh('cat /proc/self/uid_map', changes);
    same(
      out
        .replace(/[ \t]+/g, ' ')
        .split('\n')
        .map((line) => line.trim()),
      ['0 100000 10', '10 300000 5'],
      'map',
    );
  });
  test('user-id-of-the-process-outside', ['linux.idmap.mappings', 'config.user.ids'], async (box) => {
    await box.started('sleep 30', {
      '/linux/namespaces': namespaces('user'),
      ...mapped,
      '/process/user': { uid: 7, gid: 8 },
    });
    const { pid } = await box.state();
    const out = (await box.spawned('stat', ['-c', '%u:%g', `/proc/${pid}`])).stdout.trim();
    same(out, '100007:100008', 'owner of the process');
  });
  for (const [clock, index] of [
    ['monotonic', 0],
    ['boottime', 1],
  ] as const) {
    test(`time-offset-${clock}`, ['linux.time-offsets'], async (box) => {
      const changes = {
        '/linux/namespaces': namespaces('time'),
        [`/linux/timeOffsets/${clock}`]: { secs: 7200, nanosecs: 5 },
        '/ociVersion': '1.1.0',
      };
      const line = (await box.sh('cat /proc/self/timens_offsets', changes)).split('\n')[index]!;
      same(line.trim().split(/\s+/), [clock, '7200', '5'], 'offset');
    });
  }
  test('time-offset-without-namespace', ['runtime.create.cannot-apply', 'linux.time-offsets'], async (box) => {
    await box.refused({ '/linux/timeOffsets': { monotonic: { secs: 5 } }, '/ociVersion': '1.1.0' });
  });
  return cases;
}
