/** Steps that go through a list: as one step, one by one, and when one of it fails. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeNotes } from '../executor/outcome.js';
import { encodePlan } from './encode.js';
import { compileLegacyDevices } from './phases/cgroup-resources.js';
import { orderDeviceRules } from './phases/cgroup-devices.js';
import { noteOfAll, noteOfItem } from '../tables/step-notes.js';
import { runsOf, singly } from './step-items.js';
import { step } from './step.js';

test('a list is as few runs as what comes twice allows', () => {
  assert.equal(runsOf([]), []);
  assert.equal(runsOf(['a', 'b']), [{ first: 0, items: ['a', 'b'] }]);
  assert.equal(runsOf(['a', 'a', 'b', 'c', 'b', 'd']), [
    { first: 0, items: ['a'] },
    { first: 2, items: ['b', 'c'] },
    { first: 5, items: ['d'] },
  ]);
});

test('one of a list has its own pointer and text, whatever is in it', () => {
  assert.equal(noteOfItem('/linux/maskedPaths/7', 'mask {}', 3, '/$&{}'), ['/linux/maskedPaths/10', 'mask /$&{}']);
  assert.equal(noteOfItem('', 'make {}', 3, 'x'), ['', 'make x']);
  assert.equal(noteOfItem('/a', 'make {}', 3, 'x'), ['/a', 'make x']);
  assert.equal(noteOfAll('/a/0', 'mask {}', ['/x']), ['/a/0', 'mask /x']);
  assert.equal(noteOfAll('/a/0', 'mask {}', ['/x', '/y', '/z']), ['/a/0', 'mask /x and 2 more']);
});

test('the answer of the executor names one of the list, whether it is short or long', () => {
  for (const count of [3, 100]) {
    const paths = Array.from({ length: count }, (_, i) => `/proc/é${i}`);
    const plan = encodePlan({
      steps: [
        step('host', 'self.subreaper', {}, '', 'a {} of somebody else'),
        step('init', 'path.mask', { paths }, '/linux/maskedPaths/5', 'mask {}'),
        step('host', 'cgroup.write-each', { slot: 9, file: 'f', values: ['a', 'b'] }, '/l/0', 'set f to {}'),
      ],
      preserveFds: 0,
    });
    const others = [
      ['', 'a {} of somebody else'],
      ['/l/0', 'set f to a and 1 more'],
    ];
    assert.equal(decodeNotes(plan, { step: 1, item: 2 }), [
      others[0],
      ['/linux/maskedPaths/7', 'mask /proc/é2'],
      others[1],
    ]);
    const all = ['/linux/maskedPaths/5', `mask /proc/é0 and ${count - 1} more`];
    assert.equal(decodeNotes(plan), [others[0], all, others[1]]);
    // It comes from inside (S39): an index out of range is nobody's.
    assert.equal(decodeNotes(plan, { step: 1, item: 4_000_000_000 }), [others[0], all, others[1]]);
  }
});

test('people see each of a list', () => {
  const many = step('init', 'path.mask', { paths: ['/a', '/b'] }, '/linux/maskedPaths/1', 'mask {}');
  const [one, two] = singly(many);
  assert.equal([one!.pointer, one!.summary, one!.args], ['/linux/maskedPaths/1', 'mask /a', { paths: ['/a'] }]);
  assert.equal([two!.pointer, two!.summary], ['/linux/maskedPaths/2', 'mask /b']);
  assert.equal(singly(two!), [two]);
});

test('device rules are written in their order, those that follow each other as one step', () => {
  const devices = [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', major: 300, minor: 1, access: 'r' },
    { allow: true, type: 'b', major: 300, access: 'rw' },
    { allow: true, access: 'm' },
    { allow: true, type: 'c', major: 300, minor: 1, access: 'w' },
    { allow: true, type: 'c', major: 7, minor: 7, access: 'wmr' },
  ] as const;
  const writes = compileLegacyDevices(orderDeviceRules(devices, '/d')).map(({ pointer, file, values }) => [
    pointer,
    file.slice(8),
    ...values.slice(0, 3),
  ]);
  assert.equal(writes, [
    ['/d', 'deny', 'a'],
    ['/d/4', 'allow', 'c 300:1 rw'],
    ['/d/2', 'allow', 'b 300:* rw'],
    // What a default says as well is the default's.
    ['/d', 'allow', 'c *:* m', 'b *:* m'],
    ['/d/5', 'allow', 'c 7:7 rwm'],
    ['/d', 'allow', 'c 1:3 rwm', 'c 1:8 rwm', 'c 1:7 rwm'],
  ]);
});

test.run();
