import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Resources } from '../../bundle/types.js';
import { placeCgroup } from './cgroup-placement.js';
import { hostFacts } from './cgroup-test-facts.js';
import { compileUpdate, mergeResources } from './cgroup-update.js';

const record = (mode: 'v1' | 'v2') => placeCgroup('/c', 'web', hostFacts(mode), 'cgroupfs');
const update = (mode: 'v1' | 'v2', asked: unknown, current: Resources = {}): string[] =>
  compileUpdate(asked as Resources, current, record(mode)).settings.map(({ file, value }) => `${file}=${value}`);

test('writes only what was named', () => {
  const current: Resources = {
    memory: { limit: 100, reservation: 5 },
    cpu: { shares: 512, cpus: '0' },
    pids: { limit: 9 },
  };
  assert.equal(update('v2', { pids: { limit: 10 } }, current), ['pids.max=10']);
  assert.equal(update('v2', { memory: { reservation: 7 } }, current), ['memory.low=7']);
});

test('leaves everything for nulls, empty strings and empty objects', () => {
  const asked = {
    memory: { limit: null, swap: null },
    cpu: { cpus: '', mems: null, shares: null },
    pids: {},
    blockIO: null,
    devices: null,
  };
  const current: Resources = { memory: { limit: 100 }, cpu: { quota: 5000, cpus: '1' } };
  for (const mode of ['v1', 'v2'] as const) assert.equal(update(mode, asked, current), []);
  assert.equal(mergeResources(current, asked as unknown as Resources), { ...current, pids: {} });
});

test('leaves limits of 0 as they are, as Docker writes them', () => {
  const asked = {
    memory: { limit: 0, reservation: 0, kernel: 0 },
    cpu: { shares: 0, cpus: '0' },
    blockIO: { weight: 0 },
    pids: { limit: 0 },
  };
  const current: Resources = {
    memory: { limit: 100, swap: 100 },
    cpu: { shares: 512 },
    blockIO: { weight: 300 },
    pids: { limit: 33 },
  };
  for (const mode of ['v1', 'v2'] as const) assert.equal(update(mode, asked, current), ['cpuset.cpus=0']);
  const { resources } = compileUpdate(asked, current, record('v1'));
  assert.equal(resources, { ...current, cpu: { shares: 512, cpus: '0' } });
});

test('ignores devices', () => {
  assert.equal(update('v1', { devices: [{ allow: true, access: 'rwm' }] }), []);
});

test('keeps the other half of quota and period', () => {
  const current: Resources = { cpu: { quota: 20_000, period: 50_000 } };
  assert.equal(update('v2', { cpu: { quota: 30_000 } }, current), ['cpu.max=30000 50000']);
  assert.equal(update('v2', { cpu: { period: 100_000 } }, current), ['cpu.max=20000 100000']);
  assert.equal(update('v2', { cpu: { quota: -1 } }, current), ['cpu.max=max 50000']);
  assert.equal(update('v2', { cpu: { quota: 0, period: 0 } }, current), []);
});

test('recomputes the swap of v2 when memory alone changes', () => {
  const current: Resources = { memory: { limit: 100, swap: 300 } };
  assert.equal(update('v2', { memory: { limit: 200 } }, current), ['memory.swap.max=100', 'memory.max=200']);
  assert.throws(() => update('v2', { memory: { limit: 400 } }, current), /below the memory limit/);
});

test('lifts the sum together with the memory limit', () => {
  const current: Resources = { memory: { limit: 100, swap: 300 } };
  assert.equal(update('v2', { memory: { limit: -1 } }, current), ['memory.swap.max=max', 'memory.max=max']);
  assert.equal(update('v1', { memory: { limit: -1 } }, current), [
    'memory.memsw.limit_in_bytes=-1',
    'memory.limit_in_bytes=-1',
  ]);
});

test('writes zeros that reset a value', () => {
  assert.equal(update('v2', { cpu: { idle: 0 } }, { cpu: { idle: 1 } }), ['cpu.idle=0']);
  assert.equal(update('v2', { cpu: { burst: 0 } }, { cpu: { quota: 9000, burst: 5 } }).at(-1), 'cpu.max.burst=0');
});

test('an idle group takes no weight', () => {
  const { settings, warnings } = compileUpdate({ cpu: { shares: 512 } }, { cpu: { idle: 1 } }, record('v2'));
  assert.equal(
    settings.map(({ file, value }) => `${file}=${value}`),
    ['cpu.idle=1'],
  );
  assert.is(warnings[0]?.pointer, '/cpu/shares');
  assert.is(mergeResources({ cpu: { shares: 512 } }, { cpu: { idle: 1 } }).cpu?.shares, 0);
});

test('replaces the row of a device and adds others', () => {
  const row = (minor: number, rate: number) => ({ major: 8, minor, rate });
  const current: Resources = {
    blockIO: {
      throttleReadBpsDevice: [row(0, 1), row(16, 2)],
      weightDevice: [{ major: 8, minor: 0, weight: 100, leafWeight: 50 }],
    },
  };
  const asked: Resources = {
    blockIO: { throttleReadBpsDevice: [row(16, 3), row(32, 4)], weightDevice: [{ major: 8, minor: 0, weight: 200 }] },
  };
  const { blockIO } = mergeResources(current, asked);
  assert.equal(blockIO?.throttleReadBpsDevice, [row(0, 1), row(16, 3), row(32, 4)]);
  assert.equal(blockIO?.weightDevice, [{ major: 8, minor: 0, weight: 200, leafWeight: 50 }]);
  const lines = update('v1', { blockIO: { throttleReadBpsDevice: [row(16, 3)] } }, current);
  assert.equal(lines, ['blkio.throttle.read_bps_device=8:16 3']);
});

test('unified keeps the files that are not named', () => {
  const { resources, settings } = compileUpdate(
    { unified: { 'memory.high': '5' } },
    { unified: { 'memory.low': '1' } },
    record('v2'),
  );
  assert.equal(resources.unified, { 'memory.low': '1', 'memory.high': '5' });
  assert.is(settings.length, 1);
});

test('a unit is told of what was asked and what goes with it, with a quota that systemd can hold', () => {
  const unit = { ...record('v2'), unit: { name: 'a-b.scope', slice: 'a.slice', user: false } };
  const current: Resources = { unified: { 'memory.max': '100' }, cpu: { period: 100_000 }, memory: { limit: 100 } };
  const { changes } = compileUpdate({ memory: { limit: 200 } }, current, unit);
  assert.equal(changes, { memory: { limit: 200 } });
  const { settings } = compileUpdate({ cpu: { quota: 33_333 } }, current, unit);
  assert.equal(
    settings.map(({ value }) => value),
    ['34000 100000'],
  );
  assert.equal(update('v2', { cpu: { quota: 33_333 } }, current), ['cpu.max=33333 100000']);
});

test('checks the usage before it limits memory, if asked to', () => {
  const { checks } = compileUpdate({ memory: { limit: 5, swap: 7, checkBeforeUpdate: true } }, {}, record('v2'));
  assert.equal(
    checks.map(({ limit, pointer }) => `${limit} ${pointer}`),
    ['7 /memory/swap', '5 /memory/limit'],
  );
  assert.equal(compileUpdate({ memory: { limit: 5 } }, {}, record('v2')).checks, []);
});

test('points into what was asked', () => {
  try {
    update('v2', { memory: { swappiness: 5 } });
    assert.unreachable();
  } catch (error) {
    assert.is((error as { failure: { pointer: string } }).failure.pointer, '/memory/swappiness');
  }
});

test('does not change its arguments', () => {
  const current: Resources = Object.freeze({
    memory: Object.freeze({ limit: 1 }),
    blockIO: Object.freeze({ throttleReadBpsDevice: Object.freeze([]) }),
  });
  mergeResources(current, {
    memory: { limit: 2 },
    blockIO: { throttleReadBpsDevice: [{ major: 1, minor: 1, rate: 1 }] },
  });
  assert.is(current.memory?.limit, 1);
});

test.run();
