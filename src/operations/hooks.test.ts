import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TsrunError } from '../errors/error.js';
import type { State } from '../generated/config-types.js';
import { startTimeOf } from '../state/status.js';
import { until } from '../state/test-container.js';
import { runHooks } from './hooks.js';
import { folderFor, needsProgram, unless } from '../test-fixtures.js';

const withExecutor = unless(test, needsProgram);
const folder = folderFor(test, 'hooks');

const state: State = {
  ociVersion: '1.2.0',
  id: 'web',
  status: 'stopped',
  pid: 0,
  bundle: '/b',
  annotations: { a: '"' },
};
const shell = (script: string, more = {}) => ({
  path: '/bin/sh',
  args: ['sh', '-c', script],
  env: ['PATH=/usr/bin:/bin', `OUT=${folder}`],
  ...more,
});
const failureOf = (call: () => unknown) => {
  try {
    call();
  } catch (error) {
    if (error instanceof TsrunError) return error.failure;
    throw error;
  }
  throw new Error('it must fail');
};

withExecutor('hooks run in order, with the whole state on standard input and their environment alone', () => {
  runHooks(
    [shell('cat >$OUT/state; env >$OUT/env'), shell('test -e $OUT/state && echo second >$OUT/second')],
    state,
    '/hooks/poststop',
  );
  assert.equal(JSON.parse(readFileSync(join(folder, 'state'), 'utf8')), state);
  assert.equal(
    readFileSync(join(folder, 'env'), 'utf8')
      .trim()
      .split('\n')
      .filter((line) => !/^(PWD|_|SHLVL)=/.test(line))
      .sort(),
    [`OUT=${folder}`, 'PATH=/usr/bin:/bin'],
  );
  assert.is(readFileSync(join(folder, 'second'), 'utf8'), 'second\n');
});

withExecutor('as a library, too, they start in the bundle and without env have our environment', () => {
  process.env.TSRUN_TEST_MARK = 'se en';
  const script = `pwd >${folder}/place; env >${folder}/all`;
  runHooks([{ path: '/bin/sh', args: ['sh', '-c', script] }], { ...state, bundle: folder }, '/hooks/poststart');
  delete process.env.TSRUN_TEST_MARK;
  assert.is(readFileSync(join(folder, 'place'), 'utf8').trim(), folder);
  assert.match(readFileSync(join(folder, 'all'), 'utf8'), 'TSRUN_TEST_MARK=se en');
});

withExecutor('a failure names the hook, its status and what it said, and stops the rest', () => {
  const hooks = [shell('true'), shell('echo out; echo err >&2; exit 3'), shell('touch $OUT/never')];
  const failure = failureOf(() => runHooks(hooks, state, '/hooks/poststart', 4));
  assert.is(failure.code, 'TSR_HOOK_FAILED');
  assert.is(failure.pointer, '/hooks/poststart/5');
  assert.match(failure.message, /running poststart hook #5.*exit status 3/);
  assert.match(failure.detail ?? '', /out.*err/);
  assert.not(existsSync(join(folder, 'never')));
});

withExecutor('a hook that is too slow is killed with its children', async () => {
  const before = performance.now();
  const hook = shell('sleep 60 & echo $! >$OUT/child; wait', { timeout: 1 });
  assert.is(failureOf(() => runHooks([hook], state, '/hooks/poststop')).code, 'TSR_HOOK_TIMEOUT');
  assert.ok(performance.now() - before < 5000);
  const child = Number(readFileSync(join(folder, 'child'), 'utf8'));
  await until(() => startTimeOf(child) === undefined, 'the child ends');
});

withExecutor('a hook that cannot be executed says so, and one that leaves its input unread is fine', () => {
  assert.is(failureOf(() => runHooks([{ path: '/none' }], state, '/hooks/poststop')).pointer, '/hooks/poststop/0');
  writeFileSync(join(folder, 'plain'), 'no program');
  failureOf(() => runHooks([{ path: join(folder, 'plain') }], state, '/hooks/poststop'));
  runHooks([{ path: '/bin/true' }], { ...state, annotations: { big: 'x'.repeat(500_000) } }, '/hooks/poststop');
});

test('no hooks, no executor', () => {
  runHooks([], state, '/hooks/poststop');
});

test.run();
