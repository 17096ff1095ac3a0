// R21: which system call a signal is sent with, seen from outside. Needs root, strace and dist/tsrun.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { containerSuite, type TestContainer } from '../executor/test-container.js';

const { tests, test } = containerSuite('kill-trace');

/** The signals that `tsrun kill` sends, as strace writes them; what it sends itself is no business of ours. */
function signalsOf(container: TestContainer, ...args: string[]): string[] {
  const log = join(container.folder, 'trace');
  const wrapper = ['strace', '-f', '-o', log, '-e', 'trace=kill,tkill,tgkill,pidfd_send_signal'];
  const { status, errors } = container.tsrun(['kill', ...args], wrapper);
  assert.is(status, 0, errors);
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => {
      const [, caller, target] = /^(\d+) +kill\((\d+),/.exec(line) ?? [];
      return /kill\(|pidfd_send_signal\(/.test(line) && (caller === undefined || caller !== target);
    })
    .map((line) => line.replace(/^\d+ +/, ''));
}

test('R21: a signal to init goes through a pidfd, never to a number', (container) => {
  assert.is(container.create('sleep 60').status, 0);
  const sent = signalsOf(container, container.id, 'TERM');
  assert.is(sent.length, 1, sent.join('\n'));
  assert.match(sent[0]!, /^pidfd_send_signal\(\d+, SIGTERM, NULL, 0\) += 0/);
});

test('R21: so do the signals of kill --all', (container) => {
  const script = "trap '' USR1; sleep 60 & sleep 60 & echo up; wait";
  assert.is(container.create(script).status, 0);
  assert.is(container.tsrun(['start', container.id]).status, 0);
  const count = (): number =>
    container.tsrun(['ps', '--format', 'json', container.id]).output.split(',').filter(Boolean).length;
  for (let i = 0; i < 200 && count() < 3; i++) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  const sent = signalsOf(container, '--all', container.id, 'USR1');
  assert.is(sent.length, 3, sent.join('\n'));
  for (const line of sent) assert.match(line, /^pidfd_send_signal\(\d+, SIGUSR1, NULL, 0\) += 0/);
});

test('R21: and that of delete --force', (container) => {
  assert.is(container.create('sleep 60').status, 0);
  const log = join(container.folder, 'trace');
  const wrapper = ['strace', '-f', '-o', log, '-e', 'trace=kill,tkill,tgkill,pidfd_send_signal'];
  assert.is(container.tsrun(['delete', '--force', container.id], wrapper).status, 0);
  const sent = readFileSync(log, 'utf8').match(/(?:kill|pidfd_send_signal)\(.*SIGKILL.*= 0/g) ?? [];
  assert.ok(
    sent.some((line) => line.startsWith('pidfd_send_signal(')),
    sent.join('\n'),
  );
  const own = /^(\d+) +kill\(\1, SIGKILL/;
  const lines = readFileSync(log, 'utf8').split('\n');
  assert.equal(
    lines.filter((line) => / kill\(\d+, SIGKILL/.test(line) && !own.test(line)),
    [],
  );
});

tests.run();
