import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { IntelRdt } from '../../bundle/types.js';
import { needsRoot, removeTree, unless } from '../../test-fixtures.js';
import { create, execute, payload, prepareRoot, supervise, temporaryRoot } from '../../executor/test-plans.js';
import { findResctrl, removeResctrlGroup, schemataOf } from '../../linux/resctrl.js';
import type { Step } from '../step.js';
import { compile, only, refusal } from '../test-inputs.js';
import { compileResctrl, type ResctrlPart } from './resctrl.js';

const part = (rdt: IntelRdt, existing: Record<string, string> = {}): ResctrlPart =>
  compileResctrl(rdt, 'web', { mountPoint: '/r', schemataOf: (group) => existing[group] });
const shown = (steps: readonly Step[]) =>
  steps.map(({ op, args }) =>
    op === 'resctrl.write'
      ? `${args.path}=${args.pid ? 'PID' : args.value.trim()}`
      : `${op} ${Object.values(args).join(' ')}`,
  );

test('a group of its own, or a new class, is made, set in the order of the specification, joined and removed', () => {
  const { open, join, remove, made, groups } = part({
    schemata: ['L2:0=f', 'MB:1=10'],
    memBwSchema: 'MB:0=20',
    l3CacheSchema: 'L3:0=f',
  });
  assert.equal(shown(open), [
    'resctrl.make /r/web',
    '/r/web/schemata=L3:0=f',
    '/r/web/schemata=MB:0=20',
    '/r/web/schemata=L2:0=f',
    '/r/web/schemata=MB:1=10',
  ]);
  assert.equal(
    open.map(({ pointer }) => pointer.slice('/linux/intelRdt/'.length)),
    ['', 'l3CacheSchema', 'memBwSchema', 'schemata/0', 'schemata/1'],
  );
  assert.equal(
    [shown(join), shown(remove), made, groups],
    [['/r/web/tasks=PID'], ['cgroup.remove /r web'], '/r/web', ['/r/web']],
  );
  assert.is(part({ closID: 'gold', l3CacheSchema: 'L3:0=f' }).made, '/r/gold');
});

test('a class that exists is joined and never changed or removed', () => {
  const existing = { '/r/gold': '    L3:0=000ff;1=0F\n    MB:0=100;1=100\n', '/r': '' };
  const same = part({ closID: 'gold', l3CacheSchema: 'L3:1=f;0=ff', memBwSchema: 'MB:0=100' }, existing);
  assert.equal([same.open, same.remove, same.made, shown(same.join)], [[], [], undefined, ['/r/gold/tasks=PID']]);
  assert.equal(part({ closID: 'gold' }, existing).open, []);
  assert.equal(shown(part({ closID: '/' }, existing).join), ['/r/tasks=PID']);
  const other = refusal(() => part({ closID: 'gold', l3CacheSchema: 'L3:0=f' }, existing));
  assert.equal([other.code, other.pointer], ['TSR_RDT_MISMATCH', '/linux/intelRdt/l3CacheSchema']);
  const foreign = refusal(() => part({ closID: 'gold', schemata: ['L2:0=f'] }, existing));
  assert.equal([foreign.code, foreign.pointer], ['TSR_RDT_MISMATCH', '/linux/intelRdt/schemata/0']);
});

test('a class without a schema must be there', () => {
  const { code, pointer } = refusal(() => part({ closID: 'gold' }));
  assert.equal([code, pointer], ['TSR_RDT_NO_GROUP', '/linux/intelRdt/closID']);
  assert.is(part({}).made, '/r/web');
});

test('monitoring has a group below, which goes with the container even where the class stays', () => {
  const both = part({ enableMonitoring: true });
  assert.equal([both.made, both.groups], ['/r/web', ['/r/web', '/r/web/mon_groups/web']]);
  const { open, remove, made, join } = part({ closID: 'gold', enableMonitoring: true }, { '/r/gold': '' });
  assert.equal(shown(open), ['resctrl.make /r/gold/mon_groups/web']);
  assert.equal(shown(join), ['/r/gold/tasks=PID', '/r/gold/mon_groups/web/tasks=PID']);
  assert.equal([made, shown(remove)], ['/r/gold/mon_groups/web', ['cgroup.remove /r gold/mon_groups/web']]);
});

test('the plan makes the group before init and joins before init goes on', () => {
  const plan = compile({ linux: { intelRdt: {} } }, { resctrl: part({}), mode: 'run' });
  const ops = plan.steps.map(({ op }) => op);
  const [make, born, write] = [ops.indexOf('resctrl.make'), ops.indexOf('child.create'), ops.indexOf('resctrl.write')];
  assert.ok(make < born && write === born + 1, `${make} ${born} ${write}`);
  assert.equal((only(plan, 'cgroup.remove').args as { path: string }).path, 'web');
});

test('the mount point is found where it is', () => {
  const line = '30 29 0:27 / /sys/fs/resctrl rw,relatime shared:9 - resctrl resctrl rw';
  assert.is(findResctrl(`29 1 0:1 / / rw - ext4 /dev/x rw\n${line}\n`), '/sys/fs/resctrl');
  assert.is(findResctrl('29 1 0:1 / / rw - ext4 resctrl rw\n'), undefined);
});

unless(test, needsRoot)('the executor carries it out', () => {
  const { directory, root } = temporaryRoot();
  try {
    const mountPoint = join(directory, 'resctrl');
    const group = join(mountPoint, 'web');
    mkdirSync(mountPoint);
    const made = compileResctrl({ l3CacheSchema: 'L3:0=f' }, 'web', { mountPoint, schemataOf });
    assert.is(execute(made.open.slice(0, 1)).status, 'ok');
    assert.is(execute(made.open.slice(0, 1)).syscall, 'mkdirat', 'a group that is there by now is not ours');
    for (const name of ['schemata', 'tasks']) writeFileSync(join(group, name), '');
    const outcome = execute([
      ...made.open.slice(1),
      create(),
      ...made.join,
      ...prepareRoot(root),
      ...payload('true'),
      supervise,
    ]);
    assert.is(outcome.status, 'ok');
    assert.is(readFileSync(join(group, 'schemata'), 'utf8'), 'L3:0=f\n');
    assert.is(readFileSync(join(group, 'tasks'), 'utf8'), `${outcome.pid}`);
    assert.is(schemataOf(group), 'L3:0=f\n');
    mkdirSync(join(mountPoint, 'empty'));
    removeResctrlGroup(join(mountPoint, 'empty'));
    removeResctrlGroup(join(mountPoint, 'empty'));
    assert.equal(readdirSync(mountPoint), ['web']);
  } finally {
    removeTree(directory);
  }
});

test.run();
