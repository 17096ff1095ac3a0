import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Resources } from '../../bundle/types.js';
import type { TsrunError } from '../../errors/error.js';
import { annotatedProperties, propertyRows, refusedProperties, type UnitProperty } from '../../tables/systemd.js';
import { hostFacts, type TestHost } from './cgroup-test-facts.js';
import { annotationProperties, parseVariant } from './systemd-annotations.js';
import { expandSlice, placeInSystemd } from './systemd-placement.js';
import { bitsOfList, deviceProperties, resourceProperties, roundQuota } from './systemd-properties.js';
import { orderDeviceRules } from './cgroup-devices.js';
import { compileUnit } from './systemd-unit.js';

const infinity = '18446744073709551615';
const render = (properties: readonly UnitProperty[]): string[] =>
  properties.map(
    ({ name, signature, value, since }) => `${name} ${signature} ${JSON.stringify(value)}${since ? ` ${since}` : ''}`,
  );
const v2 = (resources: Resources): string[] => render(resourceProperties(resources, true, '/r'));
const v1 = (resources: Resources): string[] => render(resourceProperties(resources, false, '/r'));

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as TsrunError).failure?.code ?? String(error);
  }
  return 'accepted';
}

const place = (cgroupsPath?: string, host: TestHost = {}, mode: 'v1' | 'v2' | 'hybrid' = 'v2') =>
  placeInSystemd(cgroupsPath, 'web', hostFacts(mode, host));

test('a slice lies in the slices of its name', () => {
  assert.is(expandSlice('a.slice'), '/a.slice');
  assert.is(expandSlice('a-b-c.slice'), '/a.slice/a-b.slice/a-b-c.slice');
  assert.is(expandSlice('-.slice'), '');
  for (const slice of ['', '.slice', 'a', 'a--b.slice', '-a.slice', 'a-.slice', 'a/b.slice']) {
    assert.is(
      codeOf(() => expandSlice(slice)),
      'TSR_SYSTEMD_PATH',
      slice,
    );
  }
});

test('slice:prefix:name is a scope in a slice', () => {
  const { places, unit, driver } = place('machine.slice:libpod:abc');
  assert.is(driver, 'systemd');
  assert.equal(unit, { name: 'libpod-abc.scope', slice: 'machine.slice', user: false });
  assert.equal(
    places.map(({ path }) => path),
    ['machine.slice/libpod-abc.scope'],
  );
});

test('an empty slice is the system, an empty path the id', () => {
  assert.is(place(':docker:abc').places[0]?.path, 'system.slice/docker-abc.scope');
  assert.is(place().places[0]?.path, 'system.slice/tsrun-web.scope');
  assert.is(place('-.slice:a:b').places[0]?.path, 'a-b.scope');
  assert.is(place('a-b.slice:c:d').places[0]?.path, 'a.slice/a-b.slice/c-d.scope');
});

test('without root it is a unit of the user, in the cgroup of the user manager', () => {
  const home = '/user.slice/user-1000.slice';
  const path = (own: string, host: TestHost = { uid: 1000 }): string | undefined =>
    place('user.slice:libpod:abc', { ...host, own }).places[0]?.path;
  const expected = 'user.slice/user-1000.slice/user@1000.service/user.slice/libpod-abc.scope';
  assert.is(path(`${home}/session-3.scope`), expected);
  assert.is(path(`${home}/user@1000.service/app.slice/x.scope`), expected);
  assert.is(path('/'), expected);
  assert.is(path(`${home}/session-3.scope`, { inUserNamespace: true }), expected, 'root of a user namespace');
  assert.is(place(undefined, { uid: 1000 }).unit?.user, true);
  assert.is(place(undefined, { uid: 1000 }).unit?.slice, 'user.slice');
  assert.is(
    codeOf(() => place(undefined, { uid: 1000 }, 'hybrid')),
    'TSR_SYSTEMD_PATH',
  );
});

test('escapes what a unit name cannot have', () => {
  assert.is(placeInSystemd(undefined, 'a+b', hostFacts('v2')).unit?.name, 'tsrun-a\\x2bb.scope');
});

test('refuses what is no slice:prefix:name', () => {
  for (const path of [
    '/a/b',
    'a:b',
    'a:b:c:d',
    'a.slice',
    'x:y:z',
    'a.slice:b:c.slice',
    `a.slice:b:${'c'.repeat(255)}`,
  ]) {
    assert.is(
      codeOf(() => place(path)),
      'TSR_SYSTEMD_PATH',
      path,
    );
  }
});

test('limits of v2', () => {
  assert.equal(
    v2({
      memory: { limit: 100, swap: 300, reservation: 50 },
      cpu: { shares: 1024, quota: 20_000, period: 50_000, cpus: '0-1,8', mems: '0' },
      pids: { limit: 0 },
    }),
    [
      'MemoryMax t "100"',
      'MemoryLow t "50"',
      'MemorySwapMax t "200"',
      'CPUQuotaPeriodUSec t "50000" 242',
      'CPUQuotaPerSecUSec t "400000"',
      'CPUWeight t "100"',
      'AllowedCPUs ay [3,1] 244',
      'AllowedMemoryNodes ay [1] 244',
      'TasksMax t "1"',
    ],
  );
});

test('no limit is infinity', () => {
  const resources = { memory: { limit: -1 }, cpu: { quota: -1 }, pids: { limit: -1 } };
  const lines = [
    `MemoryMax t "${infinity}"`,
    `MemorySwapMax t "${infinity}"`,
    `CPUQuotaPerSecUSec t "${infinity}"`,
    `TasksMax t "${infinity}"`,
  ];
  assert.equal(v2(resources), lines);
  assert.equal(v2({ memory: { limit: 0 }, cpu: { quota: 0, shares: 0 }, pids: {} }), []);
});

test('limits of v1', () => {
  assert.equal(
    v1({ memory: { limit: 100, swap: 200 }, cpu: { shares: 512 }, blockIO: { weight: 500 }, pids: { limit: 5 } }),
    ['MemoryLimit t "100"', 'CPUShares t "512"', 'TasksMax t "5"', 'BlockIOWeight t "500"'],
  );
});

test('a weight for I/O is a property, or a reload would set the default', () => {
  assert.equal(v2({ blockIO: { weight: 500 } }), ['IOWeight t "4950"']);
});

test('idle is a weight of 0', () => {
  assert.equal(v2({ cpu: { idle: 1, shares: 512 } }), ['CPUWeight t "0" 252']);
  assert.equal(v2({ cpu: { idle: 0 } }), [`CPUWeight t "${infinity}" 252`]);
});

test('systemd rounds the quota to whole percents, and cgroupfs gets the same', () => {
  const cpu = { quota: 4567, period: 100_000 };
  assert.equal(v2({ cpu }), ['CPUQuotaPeriodUSec t "100000" 242', 'CPUQuotaPerSecUSec t "50000"']);
  assert.equal(roundQuota({ cpu }).cpu?.quota, 5000n);
  const exact = { cpu: { quota: 20_000 } };
  assert.is(roundQuota(exact), exact);
});

test('unified by the names of systemd, as far as it has them', () => {
  assert.equal(
    v2({
      unified: {
        'cpu.max': '20000 50000',
        'cpu.weight': '5',
        'cpuset.cpus': '0',
        'memory.high': 'max',
        'memory.swap.max': '7',
        'pids.max': '0',
        'io.max': '8:0 rbps=1',
      },
    }),
    [
      'CPUQuotaPeriodUSec t "50000" 242',
      'CPUQuotaPerSecUSec t "400000"',
      'CPUWeight t "5"',
      'AllowedCPUs ay [1] 244',
      `MemoryHigh t "${infinity}"`,
      'MemorySwapMax t "7"',
      'TasksMax t "1"',
    ],
  );
});

test('lists of CPUs as bits', () => {
  assert.equal(bitsOfList('0-3,9', ''), [15, 2]);
  assert.equal(bitsOfList('16', ''), [0, 0, 1]);
  for (const list of ['a', '3-1', '1-', '-1', '1-2-3', '999999'])
    assert.is(
      codeOf(() => bitsOfList(list, '')),
      'TSR_CGROUP_VALUE',
    );
});

test('S34: devices are denied but for a list', () => {
  const policy = orderDeviceRules([{ allow: true, type: 'b', major: 8, access: 'r' }], '/d');
  const [clear, strict, list] = deviceProperties(policy, true);
  assert.equal(clear, { name: 'DeviceAllow', signature: 'a(ss)', value: [] });
  assert.is(strict?.value, 'strict');
  const rows = list?.value as [string, string][];
  assert.ok(rows.some(([name, access]) => name === 'char-*' && access === 'm'));
  assert.ok(rows.some(([name, access]) => name === '/dev/char/1:3' && access === 'rwm'));
  assert.ok(rows.some(([name]) => name === 'char-136'));
  assert.ok(rows.some(([name, access]) => name === 'block-8' && access === 'r'));
});

test('devices that systemd cannot say are left to the filter on v2, and denied at first on v1', () => {
  const unsayable = orderDeviceRules([{ allow: true, type: 'c', minor: 8, access: 'r' }], '/d');
  const policyOf = (unified: boolean): unknown => deviceProperties(unsayable, unified)[1]?.value;
  assert.is(policyOf(true), 'auto');
  assert.is(policyOf(false), 'strict');
  assert.is(deviceProperties(orderDeviceRules([{ allow: true, access: 'rwm' }], '/d'), true)[1]?.value, 'auto');
});

test('annotations: values as GVariant text', () => {
  const pairs = [
    ["'text'", 's', 'text'],
    ['"it\'s"', 's', "it's"],
    ["'a\\'b'", 's', "a'b"],
    ['true', 'b', true],
    ['5', 'i', 5],
    ['-5', 'i', -5],
    ['0x10', 'i', 16],
    ['1.5', 'd', 1.5],
    ['uint64 18446744073709551615', 't', infinity],
    ['int64 -1', 'x', '-1'],
    ['byte 255', 'y', 255],
    ["['a', 'b']", 'as', ['a', 'b']],
    ["string 'x'", 's', 'x'],
  ] as const;
  for (const [text, signature, value] of pairs) assert.equal(parseVariant(text), { signature, value }, text);
  for (const text of [
    '',
    'text',
    "'a",
    "'a' 'b'",
    'byte 256',
    'uint32 -1',
    '5000000000',
    '[1, 2]',
    '[]',
    "['a' x]",
    'nonsense 5',
    "{'a': 1}",
  ]) {
    assert.is(parseVariant(text), undefined, text);
  }
});

const annotated = (name: string, value: string): string =>
  render(annotationProperties({ [`org.systemd.property.${name}`]: value, other: 'x' })).join();

test('annotations: both spellings of seconds', () => {
  for (const [name, value, expected] of [
    ['TimeoutStopSec', '1.5', 'TimeoutStopUSec t "1500000"'],
    ['TimeoutStopSec', '5', 'TimeoutStopUSec t "5000000"'],
    ['TimeoutStopUSec', 'uint64 30000000', 'TimeoutStopUSec t "30000000"'],
    ['TimeoutStopUSec', '5', 'TimeoutStopUSec t "5"'],
    ['RuntimeMaxSec', 'uint64 5', 'RuntimeMaxUSec t "5000000"'],
    ['RuntimeMaxSec', "'infinity'", `RuntimeMaxUSec t "${infinity}"`],
    ['RuntimeMaxSec', `uint64 ${infinity}`, `RuntimeMaxUSec t "${infinity}"`],
    ['JobTimeoutSec', '1', 'JobTimeoutUSec t "1000000"'],
  ] as const)
    assert.is(annotated(name, value), expected, name);
});

test('annotations: those of CRI-O and of users, in the type that systemd wants', () => {
  for (const [name, value, expected] of [
    ['After', "['crio.service']", 'After as ["crio.service"]'],
    ['Before', "['x.service', 'y.target']", 'Before as ["x.service","y.target"]'],
    ['DefaultDependencies', 'true', 'DefaultDependencies b true'],
    ['MemoryHigh', 'uint64 1000000', 'MemoryHigh t "1000000"'],
    ['CPUWeight', '50', 'CPUWeight t "50"'],
    ['TasksMax', "'infinity'", `TasksMax t "${infinity}"`],
    ['KillSignal', 'uint32 15', 'KillSignal i 15'],
  ] as const)
    assert.is(annotated(name, value), expected, name);
  for (const [name, value] of [
    ['After', "'crio.service'"],
    ['DefaultDependencies', "'true'"],
    ['CPUWeight', '-1'],
    ['CPUWeight', '1.5'],
    ['TimeoutStopSec', '-1'],
    ['TimeoutStopSec', 'uint64 18446744073709551614'],
    ['KillSignal', "'TERM'"],
    ['Description', '5'],
    ['RuntimeMaxSec', "'5min'"],
  ] as const)
    assert.is(
      codeOf(() => annotated(name, value)),
      'TSR_SYSTEMD_PROPERTY',
      `${name} ${value}`,
    );
});

test('annotations: what the config limits wins', () => {
  const spec = {
    annotations: { 'org.systemd.property.MemoryMax': 'uint64 18446744073709551615' },
    linux: { resources: { memory: { limit: 7 } } },
  };
  const { properties } = compileUnit(spec, 'web', place('machine.slice:libpod:web'), hostFacts('v2'), []);
  assert.equal(
    properties.filter(({ name }) => name === 'MemoryMax').map(({ value }) => value),
    [infinity, '7'],
  );
});

for (const name of [
  ...refusedProperties.keys(),
  'ExecStartPreSec',
  'SomethingElse',
  'constructor',
  'after',
  'Sec',
  '',
]) {
  test(`CVE-2024-3154, S36: annotation ${name || '(empty)'} cannot be set`, () => {
    for (const value of ["'reboot'", "['x.service']", 'true', '5'])
      assert.is(
        codeOf(() => annotated(name, value)),
        'TSR_SYSTEMD_PROPERTY',
      );
  });
}

test('CVE-2024-3154: what is refused says why, and each name has one answer', () => {
  for (const name of [
    'SuccessAction',
    'FailureAction',
    'ExecStartPre',
    'ExecStop',
    'OnFailure',
    'Wants',
    'User',
    'PIDs',
    'Slice',
    'DeviceAllow',
  ])
    assert.ok(refusedProperties.has(name) && !annotatedProperties.has(name), name);
  try {
    annotated('OnFailure', "['x.service']");
    assert.unreachable();
  } catch (error) {
    assert.is((error as TsrunError).failure.detail, 'it reaches another unit');
    assert.is((error as TsrunError).failure.pointer, '/annotations/org.systemd.property.OnFailure');
  }
  const names = propertyRows.flatMap(({ allowed = {}, refused = [] }) => [...Object.keys(allowed), ...refused]);
  assert.is(new Set(names).size, names.length);
});

test('docs/config/annotations.md names every property that can be set, and no other', () => {
  const page = readFileSync('docs/config/annotations.md', 'utf8');
  const rows = propertyRows
    .filter(({ allowed }) => allowed)
    .map(
      ({ reason, allowed }) =>
        `| ${Object.keys(allowed!)
          .map((name) => `\`${name}\``)
          .join(', ')} | ${reason} |`,
    );
  const table = ['| property | |', '|---|---|', ...rows].join('\n');
  assert.ok(page.includes(`\n\n${table}\n\n`), table);
});

test('the whole unit of a container', () => {
  const spec = {
    annotations: { 'org.systemd.property.CollectMode': "'inactive-or-failed'" },
    linux: {
      resources: {
        pids: { limit: 7 },
        devices: [{ allow: true, access: 'rwm' }],
        unified: { 'memory.oom.group': '1' },
      },
    },
  };
  const { name, path, properties } = compileUnit(spec, 'web', place('machine.slice:libpod:web'), hostFacts('v2'), []);
  assert.equal([name, path], ['libpod-web.scope', '/machine.slice/libpod-web.scope']);
  assert.equal(render(properties), [
    'Description s "tsrun container web"',
    'Slice s "machine.slice"',
    'Delegate b true',
    'MemoryAccounting b true',
    'CPUAccounting b true',
    'IOAccounting b true',
    'TasksAccounting b true',
    'DefaultDependencies b false',
    'CollectMode s "inactive-or-failed"',
    'OOMPolicy s "kill" 253',
    'DeviceAllow a(ss) []',
    'DevicePolicy s "auto"',
    'TasksMax t "7"',
  ]);
});

test('survives JSON', () => {
  const record = place('a.slice:b:c');
  const request = compileUnit(
    { linux: { resources: { memory: { limit: 2n ** 62n } } } },
    'web',
    record,
    hostFacts('v2'),
    [],
  );
  assert.equal(JSON.parse(JSON.stringify(request)), request);
});

test.run();
