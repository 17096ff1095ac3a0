import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TsrunError } from '../../errors/error.js';
import { hostFacts } from './cgroup-test-facts.js';
import { placeCgroup } from './cgroup-placement.js';

const v2 = hostFacts('v2', { own: '/user.slice/session-1.scope' });
const v1 = hostFacts('v1', { own: '/engine/abc' });
const hybrid = hostFacts('hybrid', { own: '/engine' });

const paths = (cgroupsPath: string | undefined, facts = v2): string[] =>
  placeCgroup(cgroupsPath, 'web', facts, 'cgroupfs').places.map(({ path }) => path);

test('takes an absolute cgroupsPath from the mount point', () => {
  assert.equal(paths('/docker/abc'), ['docker/abc']);
  assert.equal(new Set(paths('/docker/abc', v1)), new Set(['docker/abc']));
});

test('takes a relative cgroupsPath beside its own cgroup on v2, below it on v1', () => {
  assert.equal(paths('pod/a'), ['user.slice/pod/a']);
  assert.equal(new Set(paths('pod/a', v1)), new Set(['engine/abc/pod/a']));
});

test('takes the id where cgroupsPath is absent or empty', () => {
  assert.equal(paths(undefined), ['user.slice/web']);
  assert.equal(paths(''), ['user.slice/web']);
  assert.equal(paths('.'), ['user.slice/web']);
  assert.equal(new Set(paths(undefined, v1)), new Set(['engine/abc/web']));
});

test('stays at the top when its own cgroup is the root', () => {
  assert.equal(paths(undefined, hostFacts('v2', { own: '/' })), ['web']);
});

test('hybrid: first the v2 hierarchy, where root leaves its own cgroup, as with runc and crun', () => {
  for (const [cgroupsPath, below] of [
    [undefined, 'web'],
    ['pod_x/y', 'pod_x/y'],
  ] as const) {
    const [unified, ...legacy] = placeCgroup(cgroupsPath, 'web', hybrid, 'cgroupfs').places;
    assert.equal([unified?.version, unified?.path], [2, below]);
    assert.ok(legacy.length > 0 && legacy.every(({ path }) => path === `engine/${below}`));
  }
  for (const host of [{ uid: 1000 }, { uid: 0, inUserNamespace: true }]) {
    const { places } = placeCgroup('a', 'web', hostFacts('hybrid', { own: '/engine', ...host }), 'cgroupfs');
    assert.ok(places.every(({ path }) => path === 'engine/a'));
  }
});

test('cleans double slashes and dots', () => {
  assert.equal(paths('//a/./b//'), ['a/b']);
});

for (const bad of [
  '../../../evil',
  '/a/../b',
  '/..',
  'a/..',
  '/',
  '//',
  '/.',
  `/${'x'.repeat(256)}`,
  '/x'.repeat(2000),
  '/a\nb',
]) {
  test(`S33: refuses cgroupsPath ${JSON.stringify(bad.length > 40 ? `${bad.slice(0, 40)}…` : bad)}`, () => {
    try {
      paths(bad);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, TsrunError);
      assert.is((error as TsrunError).failure.code, 'TSR_CGROUP_PATH');
      assert.is((error as TsrunError).failure.pointer, '/linux/cgroupsPath');
    }
  });
}

test('has no place when cgroups are disabled', () => {
  assert.equal(placeCgroup('/x', 'web', v2, 'disabled'), { driver: 'disabled', places: [] });
});

test('gives the same place for the same cgroupsPath', () => {
  assert.equal(paths('/a/b', hybrid), paths('/a//b/', hybrid));
});

test.run();
