import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { TsrunError } from '../../errors/error.js';
import { compileExecCgroup, placeSubCgroups } from './cgroup-exec.js';
import { placeCgroup } from './cgroup-placement.js';
import { hostFacts } from './cgroup-test-facts.js';

const v2 = placeCgroup('/a/ab', 'web', hostFacts('v2'), 'cgroupfs');
const v1 = placeCgroup('/a/ab', 'web', hostFacts('v1', { controllers: ['cpuset', 'memory', 'pids'] }), 'cgroupfs');
const paths = (record: typeof v2, ...options: string[]): string[] =>
  placeSubCgroups(record, options).places.map(({ path }) => path);

function refused(record: typeof v2, ...options: string[]): void {
  try {
    paths(record, ...options);
    assert.unreachable(options.join(' '));
  } catch (error) {
    assert.is((error as TsrunError).failure?.code, 'TSR_CGROUP_SUB_PATH');
  }
}

test('S32: a sub cgroup is below the container, never beside it', () => {
  assert.equal(paths(v2, 'x/y'), ['a/ab/x/y']);
  assert.equal(paths(v2, '/x//./y/'), ['a/ab/x/y']);
  assert.equal(paths(v2, '/'), ['a/ab']);
  assert.equal(paths(v2, 'c'), ['a/ab/c'], 'a name is never glued to the base');
  for (const path of ['../abc', 'x/../../abc', '..', '/..', 'x/..']) refused(v2, path);
});

test('v1: a path for all, or for some controllers', () => {
  assert.equal(paths(v1, 'x'), ['a/ab/x', 'a/ab/x', 'a/ab/x']);
  assert.equal(paths(v1, 'memory,pids:x', 'cpuset:/'), ['a/ab', 'a/ab/x', 'a/ab/x']);
  refused(v1, 'blkio:x');
  refused(v1, 'memory:x', 'memory:y');
  refused(v1, 'memory:../x');
});

test('v2: one path, no controllers', () => {
  refused(v2, 'memory:x');
  refused(v2, 'x', 'y');
});

test('opens what exists and makes nothing', () => {
  const { open, enter, bornInto, full } = compileExecCgroup(v1, false);
  const note = open.at(-1);
  assert.is(note?.summary, 'remember what is in /sys/fs/cgroup/memory/a/ab/memory.oom_control');
  assert.ok(
    open.every(
      (step) => step === note || (step.op === 'cgroup.open' && step.args.flags === 4 && step.tolerate === undefined),
    ),
  );
  assert.equal(
    enter.map(({ role, summary }) => [role, summary.split('/')[4]]),
    [
      ['joiner', 'cpuset'],
      ['joiner', 'memory'],
      ['joiner', 'pids'],
    ],
  );
  assert.equal(bornInto, 0xffffffff);
  assert.is(full, 11, 'where there may be no room');
});

test('v2: born into the cgroup, or, where that may be refused, moved there', () => {
  const { enter, bornInto, full } = compileExecCgroup(v2, false);
  assert.equal([enter, bornInto, full], [[], 8, 0xffffffff]);
  const optional = compileExecCgroup(v2, true);
  assert.ok(optional.open[0]?.tolerate?.includes('EACCES'));
  assert.is(optional.bornInto, 0xffffffff);
  const [step] = optional.enter;
  assert.equal(step?.args, { slot: 8, file: 'cgroup.procs' });
  assert.ok(step?.tolerate?.includes('EACCES'));
});

test.run();
