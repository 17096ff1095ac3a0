/** What comes out of a foreground container with a terminal. Needs root. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { containerSuite, type TestContainer } from '../executor/test-container.js';
import { executorPath } from '../host/executor.js';

const { tests, test } = containerSuite('terminal');
const devpts = { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666'] };
const changes = { process: { terminal: true }, mounts: [devpts] };

function raw({ folder }: TestContainer, words: readonly string[], inTerminal = false): string {
  const command = [executorPath(), '--root', join(folder, 'state'), ...words];
  const [program = '', ...rest] = inTerminal ? ['script', '-qec', command.join(' '), '/dev/null'] : command;
  return spawnSync(program, rest, { encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'pipe'] }).stdout;
}

test('lines in a file or a pipe end as the program has written them, as with runc; those on a terminal as terminals have it', (container) => {
  container.prepare('test -t 1 && printf "a\\nb\\n"', changes);
  const words = ['run', '-b', container.folder, container.id];
  assert.is(raw(container, words), 'a\nb\n');
  if (spawnSync('script', ['--version']).status === 0) assert.match(raw(container, words, true), /a\r\nb\r\n/);
});

test('the same for an exec', (container) => {
  assert.is(container.create('sleep 60', { mounts: [devpts] }).status, 0);
  assert.is(container.tsrun(['start', container.id]).status, 0);
  assert.is(raw(container, ['exec', '-t', container.id, '/bin/sh', '-c', 'test -t 1 && echo a']), 'a\n');
});

tests.run();
