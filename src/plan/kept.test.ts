import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileDelete, endedIndex } from './compile-delete.js';
import { compileStart } from './compile-start.js';
import { deleteWords, encodeKept, pathPlace } from './kept.js';
import type { Step } from './step.js';
import { keptExec, testCgroup } from './test-exec.js';
import { compile, namespaces, pick, testKeeping } from './test-inputs.js';

const keeper = testKeeping.keeper!;
const here = testKeeping.here!;
/** Whether nothing has been done when the last of the expectations is asked. */
const asksFirst = (steps: readonly Step[]): boolean => {
  const done = steps.findIndex(({ expects }) => !expects);
  return done < 0 || steps.slice(done).every(({ expects }) => !expects);
};

test('a kept plan asks everything before it does anything', () => {
  for (const steps of [compileStart(testCgroup), compileDelete(here, '/run/tsrun/web', []), keptExec().plan.steps]) {
    assert.ok(asksFirst(steps), steps.map(({ summary }) => summary).join('; '));
    assert.ok(steps[0]?.expects);
  }
});

test('delete removes nothing before the process has ended, and its step is the one that gets the pid', () => {
  const steps = compileDelete(here, '/run/tsrun/web', [...pick(compile({}, { mode: 'run' }), 'cgroup.remove')]);
  assert.is(steps[endedIndex]?.op, 'expect.ended');
  assert.ok(steps.findIndex(({ op }) => op === 'state.remove') === steps.length - 1);
});

test('create keeps what is plain, and only where somebody can find it', () => {
  const kept = (...args: Parameters<typeof compile>): string[] =>
    pick(compile(args[0], { ...testKeeping, ...args[1] }), 'plan.keep').map(({ summary }) => summary);
  const both = ['keep the plan of start', 'keep the plan of delete'];
  assert.equal(kept(), both);
  assert.equal(kept({}, { keeper: undefined }), [], 'the library');
  assert.equal(kept({}, { mode: 'run' }), []);
  assert.equal(kept({}, { mode: 'run-detached' }), both.slice(1));
  assert.equal(kept({ hooks: { poststart: [{ path: '/bin/true' }] } }), both.slice(1));
  assert.equal(kept({ hooks: { poststop: [{ path: '/bin/true' }] } }), both.slice(0, 1));
  assert.equal(kept({ linux: { namespaces: namespaces('mount') } }), both.slice(0, 1));
  assert.equal(kept({}, { notifySocket: '/run/notify' }), []);
  const unit = { name: 'a.scope', slice: 'b.slice', user: false };
  const cgroup = { record: { ...testCgroup, unit }, open: [], join: [], remove: [] };
  assert.equal(kept({}, { cgroup }), both.slice(0, 1));
});

test('the pid and the start time go where the plan in the plan has them', () => {
  const step = pick(compile({}, testKeeping), 'plan.keep')[1];
  if (step?.op !== 'plan.keep') throw new Error('no plan of delete');
  const bytes = step.args.plan as Uint8Array;
  const { planAt, bytes: alone } = encodeKept(
    { words: deleteWords('web'), plan: { steps: compileDelete(here, '/run/tsrun/web', []), preserveFds: 0 } },
    keeper,
  );
  assert.equal(bytes, alone);
  // struct step: two words of code and errnos, then the numbers
  assert.is(step.args.pidAt, planAt + 48 + endedIndex * 76 + 8);
  assert.is(step.args.startTimeAt, step.args.pidAt + 4);
});

test('a kept exec has places for the names that are new each time', () => {
  const { words, plan } = keptExec();
  assert.equal(
    words.map((word) => (word.kind === 'path' ? plan.steps[word.step]?.op : word.text)),
    ['exec', '--process', 'expect.file', '--pid-file', 'file.publish', 'web'],
  );
  for (const word of words) {
    if (word.kind !== 'path') continue;
    const args = plan.steps[word.step]?.args as { readonly path?: unknown } | undefined;
    assert.is(args?.path, pathPlace);
  }
  assert.is(plan.steps.filter(({ summary }) => summary.includes('/run/web.pid')).length, 0);
});

test("the container's program may have options of the same name", () => {
  const { words } = keptExec({ options: ['exec'], operands: ['web', 'program', '--pid-file', '/x'] });
  assert.ok(words.every(({ kind }) => kind === 'literal'));
});

test('a kept exec looks at all that decided it', () => {
  const asked = keptExec().plan.steps.filter(({ expects }) => expects);
  const files = asked.flatMap((step) => (step.op === 'expect.file' ? [step.args.path] : []));
  assert.equal(files, [
    '/proc/sys/kernel/random/boot_id',
    '/run/tsrun/web/state.json',
    '/sys/fs/cgroup/web/cgroup.subtree_control',
    '/sys/fs/cgroup/web/cgroup.freeze',
    pathPlace,
  ]);
  const compared = asked.find((step) => step.op === 'expect.namespaces');
  assert.equal(compared?.args, { pid: 77, same: ['user', 'time'], other: ['mnt', 'pid'] });
});

test('what a kept plan is for stands in its header, exactly', () => {
  const { bytes, planAt } = encodeKept(keptExec(), { ...keeper, permitted: 0xffff_ffff_ffff_fffen });
  const view = new DataView(bytes.buffer);
  assert.is(view.getBigUint64(16, true), 0xffff_ffff_ffff_fffen);
  assert.is(view.getBigUint64(24, true), keeper.engine.inode);
  assert.is(view.getBigUint64(32, true), keeper.engine.modifiedNs);
  assert.is(view.getUint32(8, true), bytes.length);
  assert.is(view.getUint32(planAt, true), 0x50525354);
});

test.run();
