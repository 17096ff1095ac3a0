// npm run conformance -- --check-reasons: each failure of the suite has one reason, and none is left over.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ensureDirSync, writeJsonSync } from 'fs-extra/esm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withFolder } from '../test-fixtures.js';

type Cases = Record<string, string>;

/** The lines that the tool prints about these results (by runtime and cgroup version) and reasons. */
function problems(results: Record<string, Cases>, reasons: readonly object[]): string[] {
  return withFolder('reasons', (folder) => {
    ensureDirSync(join(folder, 'conformance/results'));
    for (const [name, cases] of Object.entries(results)) {
      const [runtime, cgroup] = name.split(' ');
      writeFileSync(join(folder, `conformance/results/${name}.json`), JSON.stringify({ runtime, cgroup, cases }));
    }
    writeJsonSync(join(folder, 'conformance/reasons.json'), reasons);
    const tool = [resolve('src/build/run-ts.mjs'), resolve('conformance/run.ts'), '--check-reasons'];
    const { status, stdout } = spawnSync(process.execPath, tool, { cwd: folder, encoding: 'utf8' });
    const lines = stdout.split('\n').filter((line) => line !== '');
    assert.is(status, lines.length === 0 ? 0 : 1);
    return lines;
  });
}

const failing = { 'runc v1': { 'a/one': 'not ok: x', 'a/two': 'ok' }, 'runc v2': { 'a/two': 'not ok: y' } };
const reason = (runtime: string, ...cases: string[]) => ({ runtime, cause: 'because', cases });

test('a failure on either cgroup version wants a reason, which another runtime’s is not', () => {
  assert.equal(problems(failing, [reason('runc', 'a/one', 'a/two')]), []);
  const [line, ...more] = problems(failing, [reason('runc', 'a/one')]);
  assert.equal([line, more], ["no reason why runc fails 'a/two' on cgroup v2: y", []]);
  assert.is(problems(failing, [reason('crun', 'a/one', 'a/two')]).length, 4);
});

test('two reasons for one failure, and a reason for none, are named', () => {
  assert.equal(problems(failing, [reason('runc', 'a/one', 'a/two'), reason('runc', 'a/two', 'a/three')]), [
    "more than one reason for 'runc a/two'",
    "a reason for 'runc a/three', which does not fail",
  ]);
  assert.equal(problems(failing, [reason('runc', 'a/one', 'a/two'), { ...reason('runc', 'a/three'), race: true }]), []);
});

test('nothing excuses a failure of tsrun', () => {
  const own = { 'tsrun v2': { 'a/one': 'not ok: z' } };
  assert.equal(problems(own, [reason('tsrun', 'a/one')]), ["tsrun fails 'a/one' on cgroup v2: z"]);
});

test.run();
