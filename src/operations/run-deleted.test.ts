// A foreground run whose container is deleted from elsewhere. Needs root.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { containerSuite, type TestContainer } from '../executor/test-container.js';
import { executorPath } from '../host/executor.js';
import { until } from '../state/test-container.js';

const { tests, test } = containerSuite('run, deleted from elsewhere');

interface Ended {
  readonly code: number | null;
  readonly said: string;
}

/** Starts it, and is back when the program runs. */
async function running(container: TestContainer, script: string): Promise<{ ended: Promise<Ended> }> {
  const marker = join(container.folder, 'rootfs/up');
  container.prepare(`touch /up; ${script}`, {
    spec: {
      hooks: { poststop: [{ path: '/bin/sh', args: ['sh', '-c', `echo stopped >>${container.folder}/hooks`] }] },
    },
  });
  const args = ['--root', join(container.folder, 'state'), 'run', '--bundle', container.folder, container.id];
  const child: ChildProcess = spawn(executorPath(), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => (said += String(data)));
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, said })));
  await until(() => existsSync(marker), 'the program runs');
  return { ended };
}

const hooksRun = (container: TestContainer): string => readFileSync(join(container.folder, 'hooks'), 'utf8');

test('R03: it ends with 137 and without a word, and the poststop hooks run once', async (container) => {
  for (let i = 1; i <= 8; i++) {
    const { ended } = await running(container, 'exec sleep 60');
    assert.equal(container.tsrun(['delete', '--force', container.id]), { status: 0, output: '', errors: '' });
    assert.equal(await ended, { code: 137, said: '' }, `round ${i}`);
    assert.is(hooksRun(container), 'stopped\n'.repeat(i));
    rmSync(join(container.folder, 'rootfs/up'));
  }
});

test('R03: what has been made with the same name meanwhile stays as it is', async (container) => {
  const state = join(container.folder, 'state', container.id);
  const { ended } = await running(container, 'exec sleep 60');
  // As `delete` and another `create` would leave it: somebody else's record.
  const record = readFileSync(join(state, 'state.json'), 'utf8');
  writeFileSync(join(state, 'state.json'), record.replace(/^(.*?\["ready",\d+,)\d+/, '$11'));
  const pid = /\["ready",(\d+)/.exec(record)![1]!;
  process.kill(Number(pid), 'SIGKILL');
  assert.equal(await ended, { code: 137, said: '' });
  assert.ok(existsSync(join(state, 'state.json')));
  assert.not(existsSync(join(container.folder, 'hooks')));
  writeFileSync(join(state, 'state.json'), record);
});

tests.run();
