// When the seccomp recorder ends before its time, or its container is deleted: the real kernel. Needs root.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { executorPath } from '../host/executor.js';
import { containerSuite, type TestContainer } from './test-container.js';
import {
  busy,
  createRecorded,
  fileOf,
  good,
  inBackground,
  recordedBy,
  recorders,
  runInBackground,
  statusOf,
  until,
} from './test-recorder.js';

const { tests, test } = containerSuite('the end of --record-seccomp');

for (const [who, victims] of [
  ['the recorder', ['recorder']],
  ['the recorder with its guard', ['guard', 'recorder']],
] as const) {
  test(`R07: when ${who} is killed, a run ends, and says that there is no profile`, async (container) => {
    const ended = runInBackground(container, `mkdir /made; ${busy}`);
    until('the container', () => existsSync(join(container.folder, 'rootfs/made')));
    const pids = recorders(container);
    for (const victim of victims) process.kill(pids[victim], 'SIGKILL');
    const { status, errors } = await ended;
    assert.is(status, 1);
    assert.match(errors, /tsrun run \S+: no seccomp profile was written: the recorder was killed\n$/);
    assert.is(existsSync(fileOf(container)), false);
    assert.equal(readdirSync(join(container.folder, 'state')), []);
  });
}

test('R07: when it is killed, a container of an engine ends, and delete says that there is no profile', (container) => {
  assert.equal(createRecorded(container, `mkdir /made; ${busy}`), good);
  assert.equal(container.tsrun(['start', container.id]), good);
  until('the container', () => existsSync(join(container.folder, 'rootfs/made')));
  process.kill(recorders(container).recorder, 'SIGKILL');
  until('its end', () => statusOf(container) === 'stopped');
  const gone = container.tsrun(['delete', container.id]);
  assert.is(gone.status, 0);
  assert.match(gone.errors, /warning: no seccomp profile was written: the recorder was killed$/);
  assert.is(existsSync(fileOf(container)), false);
});

test('R07: a created container whose recorder and guard have gone is entered and started no more', (container) => {
  assert.equal(createRecorded(container, 'mkdir /made'), good);
  const { guard, recorder } = recorders(container);
  process.kill(guard, 'SIGKILL');
  process.kill(recorder, 'SIGKILL');
  const entered = container.tsrun(['exec', container.id, 'true']);
  assert.is(entered.status, 255, entered.errors);
  assert.match(
    entered.errors + entered.output,
    /the recorder of the container's system calls has ended, and nobody would let/,
  );
  const started = container.tsrun(['start', container.id]);
  assert.is(started.status, 1);
  assert.match(started.errors, /ENOSYS/);
  assert.is(existsSync(join(container.folder, 'rootfs/made')), false);
});

test('without its guard the recorder goes on; an exec that has connected and says nothing holds up nobody', (container) => {
  assert.equal(createRecorded(container, 'while :; do mkdir -p /made; rmdir /made; sleep 0.02; done'), good);
  const silentScript = `const [path, mark] = process.argv.slice(1);
    require('net').connect(path, () => require('fs').writeFileSync(mark, ''));`;
  const socket = join(container.folder, 'state', container.id, 'recorder.sock');
  const connected = join(container.folder, 'connected');
  const silent = spawn(process.execPath, ['-e', silentScript, socket, connected]);
  until('the connection', () => existsSync(connected));
  const { guard } = recorders(container);
  process.kill(guard, 'SIGKILL');
  assert.equal(container.tsrun(['start', container.id]), good);
  assert.equal(container.tsrun(['exec', container.id, 'ln', '-s', 'a', '/link']), good);
  silent.kill('SIGKILL');
  assert.equal(container.tsrun(['delete', '--force', container.id]), good);
  assert.ok(recordedBy(container).includes('rmdir') && recordedBy(container).includes('symlinkat'));
});

/** A recorder that is stopped looks at nothing: what is sent to it lies there. */
function stopped(container: TestContainer): ReturnType<typeof recorders> {
  const pids = recorders(container);
  process.kill(pids.recorder, 'SIGSTOP');
  return pids;
}

test('R07: an exec whose recorder is killed before it has looked at the listener ends', async (container) => {
  // Without a pid namespace nobody ends it with the container.
  const namespaces = (['mount', 'uts', 'ipc', 'network'] as const).map((type) => ({ type }));
  assert.equal(createRecorded(container, 'exec sleep 1000', { linux: { namespaces } }), good);
  assert.equal(container.tsrun(['start', container.id]), good);
  const { pid } = JSON.parse(container.tsrun(['state', container.id]).output);
  until('the program', () => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n');
  const { guard, recorder } = stopped(container);
  const entered = inBackground(container, ['exec', container.id, 'mkdir', '/made']);
  await new Promise((resolve) => setTimeout(resolve, 500));
  process.kill(guard, 'SIGKILL');
  process.kill(recorder, 'SIGKILL');
  const { status, errors } = await entered;
  assert.is(status, 255, errors);
  assert.match(errors, /the recorder of the container's system calls has ended/);
  assert.is(existsSync(join(container.folder, 'rootfs/made')), false);
});

for (const [who, victims] of [
  ['the recorder', ['recorder']],
  ['the recorder with its guard', ['guard', 'recorder']],
] as const) {
  test(`R07: when ${who} is killed before it has looked at the listener, create ends, and leaves nothing`, async (container) => {
    const wait = { path: '/bin/sh', args: ['sh', '-c', `until test -e ${container.folder}/go; do sleep 0.02; done`] };
    container.prepare('exec sleep 1000', { spec: { hooks: { createRuntime: [wait] } } });
    const place = ['--record-seccomp', fileOf(container), '--bundle', container.folder];
    const created = inBackground(container, ['create', ...place, container.id]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const pids = stopped(container);
    writeFileSync(join(container.folder, 'go'), '');
    await new Promise((resolve) => setTimeout(resolve, 500));
    for (const victim of victims) process.kill(pids[victim], 'SIGKILL');
    const { status, errors } = await created;
    assert.is(status, 1);
    assert.match(errors, /the recorder of the container's system calls has ended/);
    assert.equal(readdirSync(join(container.folder, 'state')), []);
  });
}

test('with few descriptors allowed a recording works, or is refused; nobody waits for ever', async (container) => {
  for (const limit of [12, 24, 64]) {
    container.prepare('exec sleep 1000');
    rmSync(fileOf(container), { force: true });
    const shell = `ulimit -n ${limit}; exec "$@" >/dev/null 2>&1 </dev/null`;
    const args = ['create', '--record-seccomp', fileOf(container), '--bundle', container.folder, container.id];
    const { status } = container.tsrun(args, ['sh', '-c', shell, 'sh']);
    if (limit === 64) assert.is(status, 0);
    if (status !== 0) {
      assert.is(existsSync(join(container.folder, 'state', container.id)), false, String(limit));
      continue;
    }
    assert.equal(container.tsrun(['start', container.id]), good);
    const execs = Array.from({ length: 12 }, () => inBackground(container, ['exec', container.id, 'sleep', '0.5']));
    assert.equal(
      (await Promise.all(execs)).map(({ status: one }) => one),
      Array(12).fill(0),
      String(limit),
    );
    assert.equal(container.tsrun(['exec', container.id, 'true'], ['sh', '-c', shell, 'sh']).output, '');
    assert.equal(container.tsrun(['delete', '--force', container.id]), good);
    assert.ok(recordedBy(container).includes('clock_nanosleep'));
  }
});

test('delete waits for a recorder that has not written yet', async (container) => {
  assert.equal(createRecorded(container, 'mkdir /made; exec sleep 1000'), good);
  assert.equal(container.tsrun(['start', container.id]), good);
  until('mkdir', () => existsSync(join(container.folder, 'rootfs/made')));
  const { recorder } = stopped(container);
  const deleted = inBackground(container, ['delete', '--force', container.id]);
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.is(existsSync(fileOf(container)), false);
  process.kill(recorder, 'SIGCONT');
  assert.equal(await deleted, { status: 0, errors: '' });
  assert.ok(recordedBy(container).includes('mkdir'));
});

test('but not for ever: it says that the profile is not there yet', (container) => {
  assert.equal(createRecorded(container, 'mkdir /made; exec sleep 1000'), good);
  assert.equal(container.tsrun(['start', container.id]), good);
  until('mkdir', () => existsSync(join(container.folder, 'rootfs/made')));
  const { recorder } = stopped(container);
  const gone = container.tsrun(['delete', '--force', container.id]);
  assert.is(gone.status, 0);
  assert.match(gone.errors, /warning: the seccomp profile is not there yet: the recorder has not ended within 10 s$/);
  assert.is(existsSync(fileOf(container)), false);
  process.kill(recorder, 'SIGCONT');
  until('the profile', () => existsSync(fileOf(container)));
});

test('a recorder that cannot start its writer says so, and is not said to have been killed', (container) => {
  const program = join(container.folder, 'tsrun');
  copyFileSync(executorPath(), program);
  container.prepare('mkdir /made');
  // In place of the program that the words are for.
  const shell = 'shift; exec "$0" "$@" >/dev/null 2>&1 </dev/null';
  const args = ['create', '--record-seccomp', fileOf(container), '--bundle', container.folder, container.id];
  const created = container.tsrun(args, ['sh', '-c', shell, program]);
  assert.is(created.status, 0);
  rmSync(program);
  copyFileSync('/bin/false', program);
  assert.equal(container.tsrun(['start', container.id]), good);
  until('its end', () => statusOf(container) === 'stopped');
  const gone = container.tsrun(['delete', container.id]);
  assert.match(
    gone.errors,
    /warning: no seccomp profile was written: the recorder could not start its writer, or that/,
  );
});

test('a recorder that can accept nobody for the moment tries again, some times a second', (container) => {
  assert.equal(createRecorded(container, 'exec sleep 1000'), good);
  assert.equal(container.tsrun(['start', container.id]), good);
  const { recorder } = recorders(container);
  const log = join(container.folder, 'accepts');
  // What accept4 says when the host has as many files as it may: root does not get there, so it is told.
  const inject = ['-e', 'trace=accept4', '-e', 'inject=accept4:error=ENFILE'];
  const tracer = spawn('strace', ['-qq', '-p', String(recorder), '-o', log, ...inject], { stdio: 'ignore' });
  const accepts = (): number => (existsSync(log) ? readFileSync(log, 'utf8').split('ENFILE').length - 1 : 0);
  try {
    until('strace', () => /^TracerPid:\t[1-9]/m.test(readFileSync(`/proc/${recorder}/status`, 'utf8')));
    const script = `require('net').connect(process.argv[1], () => setTimeout(() => process.exit(0), 1500));`;
    const socket = join(container.folder, 'state', container.id, 'recorder.sock');
    assert.is(spawnSync(process.execPath, ['-e', script, socket], { stdio: 'ignore' }).status, 0);
    assert.ok(accepts() >= 2 && accepts() < 200, `${accepts()} in 1.5 s`);
  } finally {
    tracer.kill('SIGTERM');
  }
  until('the end of strace', () => /^TracerPid:\t0$/m.test(readFileSync(`/proc/${recorder}/status`, 'utf8')));
  assert.equal(container.tsrun(['exec', container.id, 'mkdir', '/made']), good);
  assert.equal(container.tsrun(['delete', '--force', container.id]), good);
  assert.ok(recordedBy(container).some((name) => /^mkdir/.test(name)));
});

tests.run();
