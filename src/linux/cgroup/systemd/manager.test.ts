// The driver against a stand-in for systemd on a bus of its own. Needs dbus-daemon and libsystemd.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TsrunError } from '../../../errors/error.js';
import type { UnitProperty, UnitRequest } from '../../../tables/systemd.js';
import { busAddresses } from './addresses.js';
import { attachProcess, setUnitProperties, startUnit, stopUnit, versionNumber } from './manager.js';
import { unless } from '../../../test-fixtures.js';

const systemd = suite('systemd');
const test = unless(systemd, spawnSync('dbus-daemon', ['--version']).error ? 'needs dbus-daemon' : undefined);
const standIn = fileURLToPath(new URL('./test-manager.js', import.meta.url));

const untilLine = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    child.stdout!.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.split('\n')[0]!);
    });
    child.once('exit', () => reject(new Error(`ended: ${text}`)));
  });

type Call = [name: string, ...values: unknown[]];

/** Runs `body` with the address of a bus where the stand-in plays a scenario; returns the calls it got. */
async function withStandIn(scenario: string, body: (address: string) => void): Promise<Call[]> {
  const directory = mkdtempSync(join(tmpdir(), 'tsrun-bus-'));
  const children: ChildProcess[] = [];
  try {
    const socket = `unix:path=${directory}/bus`;
    const bus = spawn('dbus-daemon', ['--session', '--nofork', '--print-address', `--address=${socket}`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.push(bus);
    const address = await untilLine(bus);
    const log = join(directory, 'calls');
    const manager = spawn(
      '/bin/sh',
      ['-c', `exec "$0" "$@" | tee ${log}`, process.execPath, standIn, address, scenario],
      { stdio: ['ignore', 'pipe', 'inherit'], detached: true },
    );
    children.push(manager);
    await untilLine(manager);
    body(address);
    await new Promise((resolve) => setTimeout(resolve, 50));
    return readFileSync(log, 'utf8')
      .split('\n')
      .slice(1)
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Call);
  } finally {
    for (const child of children) {
      if (child.pid === undefined) continue;
      try {
        process.kill(child === children[1] ? -child.pid : child.pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
    rmSync(directory, { recursive: true, force: true });
  }
}

const ownPath = (): string =>
  readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n').at(-1)!.split(':').slice(2).join(':');

const properties: UnitProperty[] = [
  { name: 'Description', signature: 's', value: 'tsrun container grün' },
  { name: 'Delegate', signature: 'b', value: true },
  { name: 'IOAccounting', signature: 'b', value: true },
  { name: 'MemoryMax', signature: 't', value: '18446744073709551615' },
  { name: 'CPUQuotaPeriodUSec', signature: 't', value: '50000', since: 242 },
  { name: 'AllowedCPUs', signature: 'ay', value: [3, 128], since: 244 },
  { name: 'DeviceAllow', signature: 'a(ss)', value: [] },
  {
    name: 'DeviceAllow',
    signature: 'a(ss)',
    value: [
      ['char-*', 'm'],
      ['/dev/char/1:3', 'rwm'],
    ],
  },
  { name: 'KillSignal', signature: 'i', value: -2 },
];
const request = (address: string): UnitRequest => ({
  name: 'a-b.scope',
  buses: [
    { address: 'unix:path=/nowhere', isBus: true },
    { address, isBus: true },
  ],
  properties,
  path: ownPath(),
});

function failureOf(work: () => void): TsrunError['failure'] {
  try {
    work();
  } catch (error) {
    return (error as TsrunError).failure;
  }
  throw new Error('did not fail');
}

test('starts a scope with the process in it, and every type arrives as it was meant', async () => {
  const calls = await withStandIn('', (address) => startUnit(request(address), process.pid));
  assert.equal(
    calls.map(([name]) => name),
    ['Get', 'Subscribe', 'StartTransientUnit'],
  );
  const [, unit, mode, sent, auxiliary] = calls[2]!;
  assert.equal([unit, mode, auxiliary], ['a-b.scope', 'replace', []]);
  assert.equal(sent, [
    ['Description', ['s', 'tsrun container grün']],
    ['Delegate', ['b', true]],
    ['IOAccounting', ['b', true]],
    ['MemoryMax', ['t', '18446744073709551615']],
    ['CPUQuotaPeriodUSec', ['t', '50000']],
    ['AllowedCPUs', ['ay', [3, 128]]],
    ['DeviceAllow', ['a(ss)', []]],
    [
      'DeviceAllow',
      [
        'a(ss)',
        [
          ['char-*', 'm'],
          ['/dev/char/1:3', 'rwm'],
        ],
      ],
    ],
    ['KillSignal', ['i', -2]],
    ['PIDs', ['au', [process.pid]]],
  ]);
});

const sentNames = (call: Call | undefined): string[] =>
  ((call?.[3] ?? []) as [string, unknown][]).map(([name]) => name);

test('leaves out what an old systemd cannot have', async () => {
  const calls = await withStandIn('old', (address) => startUnit(request(address), process.pid));
  const names = sentNames(calls.at(-1));
  assert.not(names.includes('AllowedCPUs') || names.includes('CPUQuotaPeriodUSec'));
  assert.ok(names.includes('MemoryMax'));
});

test('drops a property that systemd does not know', async () => {
  const calls = await withStandIn('unknown', (address) => startUnit(request(address), process.pid));
  assert.not(sentNames(calls.at(-1)).includes('IOAccounting'));
  assert.is(sentNames(calls.at(-1)).length, properties.length);
});

test('R36: clears a failed unit of the same name and tries once more', async () => {
  const calls = await withStandIn('exists', (address) => startUnit(request(address), process.pid));
  assert.equal(
    calls.slice(2).map(([name]) => name),
    ['StartTransientUnit', 'ResetFailedUnit', 'StartTransientUnit'],
  );
});

test('a job that fails is an error, and the unit is cleared', async () => {
  const calls = await withStandIn('failed', (address) => {
    const failure = failureOf(() => startUnit(request(address), process.pid));
    assert.is(failure.code, 'TSR_SYSTEMD_UNIT');
    assert.is(failure.message, 'error creating systemd unit `a-b.scope`: got `failed`');
  });
  assert.is(calls.at(-1)?.[0], 'ResetFailedUnit');
});

test('an answer of "no" is told in its words', async () => {
  await withStandIn('denied', (address) => {
    const failure = failureOf(() => startUnit(request(address), process.pid));
    assert.is(failure.code, 'TSR_BUS_CALL');
    assert.is(failure.message, 'Interactive authentication required.');
    assert.is(failure.errno, 'EACCES');
  });
});

test('notices a process that was put elsewhere', async () => {
  await withStandIn('', (address) => {
    const failure = failureOf(() => startUnit({ ...request(address), path: '/elsewhere/a-b.scope' }, process.pid));
    assert.is(failure.code, 'TSR_SYSTEMD_UNIT');
  });
});

test('stops a unit and clears it', async () => {
  const calls = await withStandIn('', (address) => stopUnit('a-b.scope', [{ address, isBus: true }]));
  assert.equal(calls.slice(1), [
    ['StopUnit', 'a-b.scope', 'replace'],
    ['ResetFailedUnit', 'a-b.scope'],
  ]);
});

test('R36: stopping a unit that is gone is fine', async () => {
  await withStandIn('gone', (address) => stopUnit('a-b.scope', [{ address, isBus: true }]));
});

test('changes limits, and attaches processes', async () => {
  const calls = await withStandIn('', (address) => {
    const buses = [{ address, isBus: true }];
    setUnitProperties('a.scope', [{ name: 'TasksMax', signature: 't', value: '5' }], buses);
    attachProcess('a.scope', '/sub', 42, buses);
  });
  assert.equal(calls.slice(1), [
    ['SetUnitProperties', 'a.scope', true, [['TasksMax', ['t', '5']]]],
    ['AttachProcessesToUnit', 'a.scope', '/sub', [42]],
  ]);
});

test('says that there is no bus', async () => {
  const failure = failureOf(() => stopUnit('a.scope', [{ address: 'unix:path=/nowhere', isBus: true }]));
  assert.is(failure.code, 'TSR_BUS_CONNECT');
  assert.is(failure.errno, 'ENOENT');
});

systemd('reads versions as distributions write them', () => {
  const pairs = [
    ['252 (252.38-1~deb12u1)', 252],
    ['v245.4-1.fc32', 245],
    ['260~rc1', 260],
    ['', 0],
  ] as const;
  for (const [text, number] of pairs) assert.is(versionNumber(text), number);
});

systemd('finds the bus of a user by the cgroup where the environment says nothing', () => {
  const { XDG_RUNTIME_DIR: directory, DBUS_SESSION_BUS_ADDRESS: bus } = process.env;
  delete process.env.XDG_RUNTIME_DIR;
  delete process.env.DBUS_SESSION_BUS_ADDRESS;
  try {
    assert.equal(busAddresses(true, '/user.slice/user-1000.slice/user@1000.service/user.slice/a.scope'), [
      { address: 'unix:path=/run/user/1000/bus', isBus: true },
      { address: 'unix:path=/run/user/1000/systemd/private', isBus: false },
    ]);
    process.env.XDG_RUNTIME_DIR = '/run/a b';
    assert.is(busAddresses(true, '')[0]?.address, 'unix:path=/run/a%20b/bus');
  } finally {
    if (directory === undefined) delete process.env.XDG_RUNTIME_DIR;
    else process.env.XDG_RUNTIME_DIR = directory;
    if (bus !== undefined) process.env.DBUS_SESSION_BUS_ADDRESS = bus;
  }
});

systemd.run();
