// The conversation with CRIU, on the real kernel: a shell plays CRIU's part, also where it answers with nonsense. Needs root.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Step } from '../plan/step.js';
import { errnoName } from '../tables/errnos.js';
import type { Outcome } from './outcome.js';
import { create, execute, host, init, none, rootSuite } from './test-plans.js';

const { tests, test } = rootSuite('criu');

const goOn = Uint8Array.of(8, 6, 24, 1);
const until = (...events: string[]): Step => host('criu.until', { slot: none, notification: 6, answer: goOn, events });
/** One message of the other side, in hexadecimal; the shell's printf writes it at once. */
const say = (hex: string): string =>
  `printf '${hex.replace(/../g, (byte) => `\\${Number.parseInt(byte, 16).toString(8).padStart(3, '0')}`)}' >&3`;
/** Waits for one message and keeps it. */
const hear = (file: string): string => `dd bs=4096 count=1 status=none <&3 >${file}`;

const bytesOf = (text: string): string => Buffer.from(text).toString('hex');
const message = (tag: string, hex: string): string => tag + (hex.length / 2).toString(16).padStart(2, '0') + hex;
const notify = (script: string, pid = ''): string => `08061001${message('2a', message('0a', bytesOf(script)) + pid)}`;
const done = '08011001';

function converse(script: string[], steps: readonly Step[], descriptors: readonly string[] = []): Outcome {
  const open = descriptors.map((path, index) => init('file.open', { slot: 64 + index, path }));
  const args = {
    firstSlot: 64,
    count: descriptors.length,
    withoutStdio: 1,
    path: '/bin/sh',
    args: ['sh', '-c', script.join('\n')],
    env: ['PATH=/usr/bin:/bin'],
  };
  return execute([
    create(0),
    ...open,
    init('criu.exec', args),
    host('criu.request', { request: Uint8Array.of(1, 2, 3) }),
    ...steps,
  ]);
}

test('the request arrives, notifications are answered, the end is the end', ({ directory }) => {
  const asked = join(directory, 'asked');
  const answered = join(directory, 'answered');
  const script = [hear(asked), say(notify('pre-dump')), hear(answered), say(done)];
  const outcome = converse(script, [until()]);
  assert.is(outcome.status, 'ok', outcome.text);
  assert.equal([...readFileSync(asked)], [1, 2, 3]);
  assert.equal([...readFileSync(answered)], [...goOn]);
});

test('at a wanted event the plan goes on, and the answer waits until it comes back', ({ directory }) => {
  const file = join(directory, 'published');
  const script = [
    hear('/dev/null'),
    say(notify('post-restore')),
    hear('/dev/null'),
    `cat ${file} >${file}.seen`,
    say(done),
  ];
  const publish = host('file.publish', {
    mode: 0o600,
    descriptor: 0xffffffff,
    path: file,
    before: 'yes ',
    between: '',
    after: '',
  });
  const outcome = converse(script, [
    until('setup-namespaces', 'post-restore'),
    until('post-restore'),
    publish,
    until(),
  ]);
  assert.is(outcome.status, 'ok', outcome.text);
  assert.match(readFileSync(`${file}.seen`, 'utf8'), /^yes /);
});

test('the process that a notification names takes the place of the first one', ({ directory }) => {
  const file = join(directory, 'pid');
  // 10 b9 60: pid 12345, which is nobody's child here
  const script = [hear('/dev/null'), say(notify('post-restore', '10b960')), hear('/dev/null'), say(done)];
  const publish = host('file.publish', {
    mode: 0o600,
    descriptor: 0xffffffff,
    path: file,
    before: '',
    between: '',
    after: '',
  });
  assert.is(converse(script, [until('post-restore'), publish, until()]).status, 'ok');
  assert.is(readFileSync(file, 'utf8'), '12345');
});

test('a failure brings the text along', () => {
  const script = [hear('/dev/null'), say(`08011000${message('4a', bytesOf('Error: no'))}`)];
  const outcome = converse(script, [until()]);
  assert.equal([outcome.status, outcome.text, errnoName(outcome.errno)], ['step-failed', 'Error: no', 'ECHILD']);
});

test('when a step in between fails, the other side sees the end of the socket and may tidy up', ({ directory }) => {
  const tidy = join(directory, 'tidy');
  const script = [hear('/dev/null'), say(notify('post-restore')), hear('/dev/null'), `echo yes >${tidy}`];
  const failing = host('file.publish', {
    mode: 0o600,
    descriptor: 0xffffffff,
    path: '/nowhere/at/all',
    before: '',
    between: '',
    after: '',
  });
  const outcome = converse(script, [until('post-restore'), failing, until()]);
  assert.equal([outcome.status, errnoName(outcome.errno)], ['step-failed', 'ENOENT']);
  assert.ok(existsSync(tidy));
});

test('a program that dies, or is none, is a failure and no wait', () => {
  assert.is(errnoName(converse([hear('/dev/null'), 'exit 3'], [until()]).errno), 'EPIPE');
  const args = { firstSlot: 64, count: 0, withoutStdio: 1, path: '/no/criu', args: ['criu'], env: [] };
  const outcome = execute([
    create(0),
    init('criu.exec', args),
    host('criu.request', { request: Uint8Array.of(1) }),
    until(),
  ]);
  assert.equal([outcome.step, errnoName(outcome.errno)], [1, 'ENOENT']);
});

// security.md S52, S39: CRIU reads images, which are not to be trusted, so what it says is bounded, too.
test('S52: nonsense is refused: cut numbers, lengths beyond the message, endless names', () => {
  for (const nonsense of [
    '08',
    '08ffffffffffffffffffff',
    '2aff01',
    '0b',
    `08061001${message('2a', message('0a', '61'.repeat(100)))}`,
  ]) {
    const outcome = converse(
      [hear('/dev/null'), say(nonsense), hear('/dev/null'), 'exit 0'],
      [until('post-restore'), until()],
    );
    assert.equal([outcome.status, errnoName(outcome.errno)], ['step-failed', 'EBADMSG'], nonsense);
  }
});

test('descriptors have the numbers that the request counts on, and no others are open', ({ directory }) => {
  const list = join(directory, 'list');
  const one = join(directory, 'one');
  writeFileSync(one, '');
  const script = [hear('/dev/null'), `(exec ls -l /proc/self/fd) >${list}`, say(done)];
  assert.is(converse(script, [until()], [directory, one]).status, 'ok');
  const found = readFileSync(list, 'utf8')
    .split('\n')
    .flatMap(
      (line) =>
        line
          .match(/(\d+) -> (.*)$/)
          ?.slice(1)
          .join(' ') ?? [],
    );
  const expected = ['0 /dev/null', '2 /dev/null', `4 ${directory}`, `5 ${one}`];
  assert.equal(
    expected.filter((line) => !found.includes(line)),
    [],
  );
  // 6: the directory that ls reads
  assert.equal(
    found.filter((line) => /^[7-9]|^\d\d/.test(line)),
    [],
  );
});

tests.run();
