import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceCgroup } from '../../bundle/types.js';
import type { TsrunError } from '../../errors/error.js';
import { processorClock } from '../../test-fixtures.js';
import { deviceExceptions, orderDeviceRules, renderDeviceRule } from './cgroup-devices.js';

const v1 = (devices: readonly DeviceCgroup[]): string[] =>
  deviceExceptions(orderDeviceRules(devices, '/linux/resources/devices')).map(renderDeviceRule);

const defaults = [
  'c *:* m',
  'b *:* m',
  'c 1:3 rwm',
  'c 1:8 rwm',
  'c 1:7 rwm',
  'c 5:0 rwm',
  'c 1:5 rwm',
  'c 1:9 rwm',
  'c 136:* rwm',
  'c 5:2 rwm',
  'c 10:200 rwm',
];

function pointerOf(devices: readonly DeviceCgroup[]): string | undefined {
  try {
    v1(devices);
  } catch (error) {
    assert.is((error as TsrunError).failure.code, 'TSR_CGROUP_DEVICE_RULE');
    return (error as TsrunError).failure.pointer;
  }
  return undefined;
}

test('S34: allows the defaults on v1 whether the config denies all or says nothing', () => {
  assert.equal(v1([]), defaults);
  assert.equal(v1([{ allow: false, access: 'rwm' }]), defaults);
  assert.equal(v1([{ allow: false, type: 'a', major: -1, minor: -1, access: 'rwm' }]), defaults);
});

test('takes numbers that no device has, as far as the kernel can read them', () => {
  assert.is(v1([{ allow: true, type: 'c', major: 4242, access: 'rwm' }])[0], 'c 4242:* rwm');
  assert.is(v1([{ allow: true, type: 'b', major: 2 ** 32 - 1, minor: 7, access: 'r' }])[0], 'b 4294967295:7 r');
});

test('puts the rules of the config first, and joins two for one device', () => {
  assert.equal(
    v1([
      { allow: true, type: 'b', major: 8, minor: 0, access: 'r' },
      { allow: true, type: 'b', major: 8, minor: 0, access: 'w' },
    ]),
    ['b 8:0 rw', ...defaults],
  );
});

test('takes away what a later rule denies, also with a wider rule', () => {
  assert.not(v1([{ allow: false, type: 'c', major: 10, minor: 200, access: 'rwm' }]).includes('c 10:200 rwm'));
  assert.ok(v1([{ allow: false, type: 'c', major: 1, access: 'w' }]).includes('c 1:3 rm'));
});

test('lists only exceptions when everything is allowed', () => {
  assert.equal(v1([{ allow: true, access: 'rwm' }]), []);
  assert.equal(
    v1([
      { allow: true, access: 'rwm' },
      { allow: false, type: 'b', major: 8, access: 'rwm' },
    ]),
    ['b 8:* rwm'],
  );
});

test('refuses a hole in a wildcard, which v1 would ignore in silence', () => {
  assert.is(
    pointerOf([
      { allow: true, type: 'c', major: 10, access: 'rwm' },
      { allow: false, type: 'c', major: 10, minor: 229, access: 'w' },
    ]),
    '/linux/resources/devices/1',
  );
});

test('lets the default right to make nodes stay, which opens nothing', () => {
  assert.equal(v1([{ allow: false, type: 'c', major: 99, minor: 1, access: 'rwm' }]), defaults);
});

test('lets it stay on v2, too, where a device is denied by name; denied whole it goes', () => {
  const policy = (devices: readonly DeviceCgroup[]) =>
    orderDeviceRules(devices, '/linux/resources/devices').rules.map(
      (rule) => `${rule.allow ? 'allow' : 'deny'} ${renderDeviceRule(rule)}`,
    );
  // Docker's, with --device-cgroup-rule: the last one that matches wins, so that mknod(2) works.
  const docker: DeviceCgroup[] = [
    { allow: false, access: 'rwm' },
    { allow: false, type: 'c', major: 10, minor: 229, access: 'rwm' },
    { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' },
  ];
  assert.ok(policy(docker).indexOf('allow c *:* m') > policy(docker).indexOf('deny c 10:229 rwm'));
  const whole: DeviceCgroup[] = [{ allow: false, type: 'c', access: 'm' }];
  assert.ok(policy(whole).indexOf('allow c *:* m') < policy(whole).indexOf('deny c *:* m'));
  assert.ok(policy(whole).indexOf('allow b *:* m') > policy(whole).indexOf('deny c *:* m'));
});

test('refuses rules that mean nothing, by pointer', () => {
  assert.is(pointerOf([{ allow: true, type: 'c', major: 1, minor: 3 }]), '/linux/resources/devices/0');
  assert.is(pointerOf([{ allow: true, type: 'c', access: 'rx' }]), '/linux/resources/devices/0/access');
  assert.is(pointerOf([{ allow: true, type: 'z' as 'c', access: 'r' }]), '/linux/resources/devices/0/type');
  assert.is(pointerOf([{ allow: true, type: 'c', major: -2, access: 'r' }]), '/linux/resources/devices/0/major');
  assert.is(pointerOf([{ allow: true, type: 'c', minor: 2 ** 32, access: 'r' }]), '/linux/resources/devices/0/minor');
});

test('S47: takes no type from an object prototype', () => {
  assert.is(pointerOf([{ allow: true, type: 'constructor' as 'c', access: 'r' }]), '/linux/resources/devices/0/type');
});

test('ten times the rules take ten times as long, not a hundred', () => {
  const milliseconds = (count: number): number => {
    const rules = Array.from({ length: count }, (_, i): DeviceCgroup[] => {
      const device = { type: 'c' as const, major: 300 + (i >> 8), minor: i & 255 };
      return [
        { allow: true, access: 'rwm', ...device },
        { allow: i % 3 !== 0, access: 'w', ...device },
      ];
    }).flat();
    const spent = processorClock();
    assert.is(v1(rules).length, defaults.length + count);
    return spent();
  };
  // A busy machine makes one of them long, not all.
  const least = (count: number): number => Math.min(...[1, 2, 3, 4].map(() => milliseconds(count)));
  assert.ok(least(20_000) < 40 * Math.max(least(2000), 5));
});

test.run();
