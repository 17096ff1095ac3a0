// Kept plans of exec on the real kernel.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { TestContainer } from '../executor/test-container.js';
import { keptEach } from '../plan/kept.js';
import { keptSuite, directory, noEngine, plans, program, start, withoutEngine } from './test-kept.js';

const { test, run } = keptSuite('kept execs');

/** What an exec says that needs no engine; undefined when it needs one. */
function execWithout(container: TestContainer, ...words: string[]): string | undefined {
  const { errors, output, status } = withoutEngine(() => container.tsrun(['exec', ...words]));
  if (noEngine.test(errors)) return undefined;
  assert.is(`${status} ${errors}`, '0 ');
  return output;
}

function execTwice(container: TestContainer, ...words: string[]): void {
  for (let i = 0; i < 2; i++) assert.is(container.tsrun(['exec', ...words]).status, 0);
}

test('an exec that came twice needs no engine, with these words and no others', (container) => {
  start(container);
  const words = ['--env', 'A=b', container.id, 'sh', '-c', 'echo $A'];
  assert.is(container.tsrun(['exec', ...words]).status, 0);
  assert.equal(plans(container), ['delete-0.plan', 'start-0.plan'], 'nothing but a hash of an exec seen once (S53)');
  assert.not.match(readFileSync(join(directory(container), 'execs'), 'utf8'), 'A=b');
  assert.is(execWithout(container, ...words), undefined);
  assert.is(container.tsrun(['exec', ...words]).status, 0);
  assert.is(execWithout(container, ...words), 'b');
  assert.is(execWithout(container, ...words, 'more'), undefined);
  assert.is(execWithout(container, ...words.slice(0, -1)), undefined);
  assert.is(execWithout(container, '--env', 'A=c', ...words.slice(2)), undefined);
});

test('ambient capabilities that could not be raised were told of by create, and keep no exec from being kept', (container) => {
  const some = ['CAP_KILL'] as const; // as `runc spec` writes it: ambient, and not inheritable
  const capabilities = { bounding: some, effective: some, permitted: some, ambient: some };
  assert.match(container.create('sleep 60', { process: { capabilities } as never }).errors, 'CAP_KILL left out');
  assert.is(container.tsrun(['start', container.id]).status, 0);
  execTwice(container, container.id, 'echo', 'in');
  assert.is(execWithout(container, container.id, 'echo', 'in'), 'in');
});

test('twenty probes of one container have their plans side by side', (container) => {
  start(container);
  const texts = Array.from({ length: 20 }, (_, i) => `probe ${i}`);
  for (const text of texts) execTwice(container, container.id, 'echo', text);
  for (const text of texts) assert.is(execWithout(container, container.id, 'echo', text), text);
});

test('a plan that is too long to be taken is not written, and not made again', (container) => {
  start(container);
  const file = join(container.folder, 'long.json');
  const env = Array.from({ length: 12 }, (_, i) => `LONG${i}=${'x'.repeat(100_000)}`);
  writeFileSync(file, JSON.stringify({ args: ['/bin/true'], cwd: '/', user: { uid: 0, gid: 0 }, env }));
  execTwice(container, '--process', file, container.id);
  const seen = join(directory(container), 'execs');
  const written = statSync(seen).ino;
  assert.match(readFileSync(seen, 'utf8'), /^[0-9a-f]{64} -\n$/);
  assert.is(container.tsrun(['exec', '--process', file, container.id]).status, 0);
  assert.is(statSync(seen).ino, written);
  assert.equal(plans(container), ['delete-0.plan', 'start-0.plan']);
});

test('the status and the failure of a kept exec are those of the first', (container) => {
  start(container);
  const three = [container.id, 'sh', '-c', 'exit 3'];
  for (let i = 0; i < 3; i++) assert.is(container.tsrun(['exec', ...three]).status, 3);
  assert.is(withoutEngine(() => container.tsrun(['exec', ...three])).status, 3);
  const gone = [container.id, '/bin/sh', '-c', 'kill -9 $$'];
  for (let i = 0; i < 3; i++) assert.is(container.tsrun(['exec', ...gone]).status, 137);
  const nowhere = ['--cwd', '/later', container.id, 'true'];
  for (let i = 0; i < 3; i++) {
    const { status, errors } = container.tsrun(['exec', ...nowhere]);
    assert.is(status, 255);
    assert.match(errors, '/later');
  }
});

test('a process file is compared by what it says, a pid file is written where the call wants it', (container) => {
  start(container);
  const file = (name: string): string => join(container.folder, name);
  const write = (name: string, text: string): void =>
    writeFileSync(file(name), JSON.stringify({ args: ['/bin/echo', text], cwd: '/', user: { uid: 0, gid: 0 } }));
  for (const name of ['one', 'two', 'three']) write(name, 'same');
  write('other', 'other');
  const words = (name: string): string[] => ['--process', file(name), '--pid-file', file(`${name}.pid`), container.id];
  for (const name of ['one', 'two']) assert.is(container.tsrun(['exec', ...words(name)]).output, 'same');
  assert.is(execWithout(container, ...words('three')), 'same');
  assert.match(readFileSync(file('three.pid'), 'utf8'), /^[0-9]+$/);
  assert.is(execWithout(container, ...words('other')), undefined);
  assert.not.ok(existsSync(file('other.pid')));
  assert.is(execWithout(container, '--process', file('one'), container.id), undefined, 'other options');
  const long = file(`${'p'.repeat(240)}.pid`);
  assert.is(execWithout(container, '--process', file('one'), '--pid-file', long, container.id), undefined, 'no room');
});

test('a process file and a pid file may be descriptors of the caller, whatever was kept', (container) => {
  start(container);
  const file = (name: string): string => join(container.folder, name);
  writeFileSync(file('p.json'), JSON.stringify({ args: ['/bin/echo', 'in'], cwd: '/', user: { uid: 0, gid: 0 } }));
  const command = `${program} --root ${file('state')}`;
  const say = (script: string): string => {
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', timeout: 20_000 });
    return `${stdout}${stderr}`.trim();
  };
  for (let i = 0; i < 3; i++) {
    const [p, id] = [file('p.json'), container.id];
    assert.is(say(`${command} exec --process ${p} --pid-file ${file('pid')} ${id}`), 'in', 'so that its plan is kept');
    assert.is(say(`${command} exec --process /dev/fd/5 ${id} 5<${p}`), 'in');
    assert.is(say(`${command} exec --process=/proc/self/fd/3 ${id} 3<${p} 4</ 6</`), 'in', 'where our own would be');
    assert.is(say(`${command} exec -p <(cat ${p}) ${id}`), 'in');
    assert.is(
      say(`${command} exec --process <(sleep 0.1; cat ${p}) --pid-file /dev/fd/9 ${id} 9>${file('nine')}`),
      'in',
    );
    assert.match(readFileSync(file('nine'), 'utf8'), /^[0-9]+$/);
    assert.is(say(`cat ${p} | ${command} exec --process /dev/stdin ${id}`), 'in');
    const fifo = file(`fifo-${i}`);
    const slow = `mkfifo ${fifo}; { cat ${p}; sleep 0.4; } >${fifo} & sleep 0.1;`;
    assert.is(say(`${slow} ${command} exec --process ${fifo} --pid-file ${file('pid')} ${id}`), 'in');
    assert.match(say(`${command} exec --process /dev/fd/5 ${id} 5<&-`), /cannot read '\/dev\/fd\/5': EBADF/);
    assert.match(say(`${command} exec --pid-file /dev/fd/8 ${id} true 8>&1`), /^[0-9]+$/);
    assert.is(say(`${command} exec --pid-file /dev/null ${id} true; stat -c %F /dev/null`), 'character special file');
    assert.match(say(`${command} exec --pid-file /dev/fd/700 ${id} true`), /--pid-file .*\/dev\/fd\/700/);
  }
});

test('a paused container is refused, a resumed one is not', (container) => {
  start(container);
  execTwice(container, container.id, 'true');
  assert.is(container.tsrun(['pause', container.id]).status, 0);
  assert.is(execWithout(container, container.id, 'true'), undefined);
  assert.match(container.tsrun(['exec', container.id, 'true']).errors, 'cannot exec in a paused container');
  assert.is(container.tsrun(['resume', container.id]).status, 0);
  assert.is(execWithout(container, container.id, 'true'), '');
});

test('another record, other namespaces of the caller, fewer rights, another user or another engine: the engine is asked', (container) => {
  start(container);
  const words = ['exec', container.id, 'true'];
  execTwice(container, ...words.slice(1));
  const asks = (wrapper: readonly string[]): boolean =>
    noEngine.test(withoutEngine(() => container.tsrun(words, wrapper)).errors);
  assert.not.ok(asks([]));
  // Of the caller's namespaces those count in which the container's process is with us, and the user's and pids' always.
  assert.not.ok(asks(['unshare', '--net']), 'still another network than the container has');
  assert.ok(asks(['unshare', '--pid', '--fork', '--mount-proc']), 'pids mean something else');
  assert.ok(asks(['setpriv', '--bounding-set=-net_raw']), 'fewer rights');
  const record = join(directory(container), 'state.json');
  const text = readFileSync(record);
  writeFileSync(record, `${text} `);
  assert.ok(asks([]), 'another record');
  writeFileSync(record, text);
  assert.not.ok(asks([]));
  utimesSync(program, new Date(), new Date());
  assert.ok(asks([]), 'another engine');
});

test('a kept plan that others could have written is not taken (S48)', (container) => {
  start(container);
  execTwice(container, container.id, 'true');
  const file = join(directory(container), 'exec-0.plan');
  const asks = (): boolean => execWithout(container, container.id, 'true') === undefined;
  assert.not.ok(asks());
  chmodSync(file, 0o660);
  assert.ok(asks(), 'writable for a group');
  chmodSync(file, 0o600);
  chownSync(file, 1000, 0);
  assert.ok(asks(), "somebody else's");
  chownSync(file, 0, 0);
  assert.not.ok(asks());
  chmodSync(directory(container), 0o777);
  assert.ok(asks(), 'in a directory for everybody');
  chmodSync(directory(container), 0o700);
});

test('a damaged kept plan is not taken, wherever the damage is', (container) => {
  start(container);
  execTwice(container, container.id, 'true');
  const file = join(directory(container), 'exec-0.plan');
  const whole = readFileSync(file);
  for (const size of [0, 4, 40, 48, whole.length - 1]) {
    writeFileSync(file, whole.subarray(0, size));
    assert.is(execWithout(container, container.id, 'true'), undefined, `${size} bytes`);
  }
  writeFileSync(file, whole);
  assert.is(execWithout(container, container.id, 'true'), '');
});

test('what a killed exec has left half written is no stranger to delete', (container) => {
  start(container);
  execTwice(container, container.id, 'true');
  for (const name of ['.execs.77', '.exec-1.plan.77', 'start-0.plan.new'])
    writeFileSync(join(directory(container), name), '');
  const { status, errors } = container.tsrun(['delete', '--force', container.id]);
  assert.is(`${status} ${errors}`, '0 ');
});

test('a foreground run takes along what was kept of execs into it', async (container) => {
  container.prepare('until [ -e /dev/over ]; do sleep 0.1; done; exit 5');
  const args = ['--root', join(container.folder, 'state'), 'run', '--bundle', container.folder, container.id];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (part: Buffer) => {
    errors += part.toString();
  });
  const status = new Promise<number | null>((resolve) => child.on('close', resolve));
  while (container.tsrun(['exec', container.id, 'true']).status !== 0)
    await new Promise((done) => setTimeout(done, 50));
  execTwice(container, container.id, 'true');
  assert.ok(plans(container).includes('exec-0.plan'));
  assert.is(container.tsrun(['exec', container.id, 'touch', '/dev/over']).status, 0);
  assert.is(await status, 5);
  assert.is(errors, '');
  assert.not.ok(existsSync(directory(container)));
});

test('a page that the kernel holds while a copy or a plan is to be sealed stops neither', (container) => {
  if (spawnSync('strace', ['-V']).status !== 0) return;
  start(container);
  execTwice(container, container.id, 'true');
  const words = ['exec', container.id, 'true'];
  const log = join(container.folder, 'calls');
  const traced = (...options: string[]) =>
    container.tsrun(words, ['strace', '-o', log, '-e', 'trace=fcntl', ...options]);
  traced();
  const calls = readFileSync(log, 'utf8').split('\n');
  const seals = calls.flatMap((call, index) => (call.includes('F_ADD_SEALS') ? [index + 1] : []));
  assert.is(seals.length, 2, 'its own copy, and the plan');
  for (const nth of seals) {
    const { status, errors } = traced('-e', `inject=fcntl:error=EBUSY:when=${nth}`);
    assert.is(`${status} ${errors}`, '0 ');
    assert.match(readFileSync(log, 'utf8'), 'F_SEAL_WRITE) = -1 EBUSY');
  }
});

test('a probe among other execs is still kept, and no more than twenty are', (container) => {
  start(container);
  execTwice(container, container.id, 'true');
  for (let i = 0; i < 50; i++) {
    assert.is(container.tsrun(['exec', container.id, 'echo', `${i}`]).status, 0);
    if (i % 2 === 0) execTwice(container, container.id, 'echo', `often ${i}`);
  }
  assert.is(plans(container).filter((name) => name.startsWith('exec-')).length, keptEach);
  const lines = readFileSync(join(directory(container), 'execs'), 'utf8')
    .trim()
    .split('\n');
  assert.ok(lines.length <= 2 * keptEach + 6, `${lines.length} lines`);
});

run();
