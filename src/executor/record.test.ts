// --record-seccomp: the real kernel, through dist/tsrun. Needs root, and a C compiler.
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Process } from '../bundle/types.js';
import { executorPath } from '../host/executor.js';
import { type Changes, containerSuite, type TestContainer } from './test-container.js';
import {
  allowedTo,
  asAnnotated,
  createRecorded,
  fileOf,
  good,
  logOf,
  namesOf,
  profileOf,
  recordedBy,
  recorders,
  statusOf,
  until,
} from './test-recorder.js';

const { tests, test } = containerSuite('--record-seccomp');

function record(container: TestContainer, script: string, changes: Changes = {}, more: readonly string[] = []) {
  container.prepare(script, changes);
  return container.tsrun([
    'run',
    '--record-seccomp',
    fileOf(container),
    ...more,
    '--bundle',
    container.folder,
    container.id,
  ]);
}

/** Builds a program into the root, where it is /program. */
function compile(container: TestContainer, source: string, flags: readonly string[]): void {
  const path = join(container.folder, 'rootfs/program');
  const built = spawnSync('gcc', ['-O1', '-o', path, '-x', 'c', '-', ...flags], { input: source, encoding: 'utf8' });
  assert.is(built.status, 0, built.stderr);
}

test('a profile has what the program, its children and its threads call, and the run is as without', (container) => {
  const source = `#define _GNU_SOURCE
    #include <pthread.h>
    #include <unistd.h>
    #include <stdio.h>
    static void *body(void *p) { (void)p; syncfs(-1); return 0; }
    int main(void) { pthread_t t; pthread_create(&t, 0, body, 0); pthread_join(t, 0); puts("threads"); return 3; }`;
  compile(container, source, ['-pthread']);
  const ran = record(container, 'ionice >/dev/null; mkdir /made; /program; echo $?; exit 7');
  assert.equal(ran, { status: 7, output: 'threads\n3', errors: '' });
  const names = recordedBy(container);
  for (const name of ['ioprio_get', 'mkdir', 'syncfs', 'clone3', 'execve', 'capset', 'wait4'])
    assert.ok(names.includes(name), name);
  assert.not.ok(names.includes('rmdir') || names.includes('mount'), 'and no more');
  assert.equal(profileOf(container).architectures, ['SCMP_ARCH_X86_64']);
  assert.equal(readdirSync(join(container.folder, 'state')), []);
});

for (const noNewPrivileges of [false, true]) {
  const process: Partial<Process> = { noNewPrivileges };
  test(`what it recorded runs under it, whatever way it is started, and what it did not gets ENOSYS; no_new_privs ${noNewPrivileges}`, (container) => {
    const script = 'mkdir /made; rmdir /made; sleep 0.01; echo done';
    assert.equal(record(container, script), { ...good, output: 'done' });
    const linux = { seccomp: profileOf(container) };
    assert.equal(container.run(script, { linux, process }), { ...good, output: 'done' });
    const ran = container.run('ln -s a /link; echo $?', { linux, process });
    assert.match(ran.output, /Function not implemented|^1$/);
    assert.match(ran.errors, /Function not implemented/);
    assert.equal(
      container.create(`${script}; exec sleep 1000`, { linux: { seccomp: profileOf(container) }, process }),
      good,
    );
    assert.equal(container.tsrun(['start', container.id]), good);
    assert.equal(container.tsrun(['exec', container.id, 'sh', '-c', 'echo in']), { ...good, output: 'in' });
  });
}

test('a second recording is added to the first with --merge; the file is the caller’s, whole, by its umask', (container) => {
  assert.equal(record(container, 'mkdir /made'), good);
  assert.is(statSync(fileOf(container)).mode & 0o777, 0o644);
  rmSync(join(container.folder, 'rootfs/made'), { recursive: true });
  container.prepare('ln -s a /link');
  const args = ['--record-seccomp', fileOf(container), '--merge', fileOf(container)];
  const ran = container.tsrun(
    ['run', ...args, '--bundle', container.folder, container.id],
    ['sh', '-c', 'umask 027; exec "$@"', 'sh'],
  );
  assert.equal(ran, good);
  for (const name of ['mkdir', 'symlink'])
    assert.ok(
      recordedBy(container).some((one) => one.startsWith(name)),
      name,
    );
  assert.is(statSync(fileOf(container)).mode & 0o777, 0o640);
  assert.equal(
    readdirSync(container.folder).sort(),
    ['config.json', 'profile.json', 'rootfs', 'state'],
    'no half file',
  );
});

test('calls of a 32-bit program are named by its own table, and its architecture is listed', (container) => {
  if (process.arch !== 'x64') return;
  const source = `static long call(long n, long a, long b, long c) {
      long r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c) : "memory"); return r; }
    void _start(void) { /* mkdir, getpgrp, write, exit; on x86-64 39 is getpid, 65 recvfrom */
      long r = call(39, (long)"/made", 0700, 0); call(65, 0, 0, 0); call(4, 1, (long)"32\\n", 3); call(1, r ? 9 : 5, 0, 0); }`;
  compile(container, source, ['-m32', '-static', '-nostdlib', '-fno-pic', '-fno-stack-protector']);
  const program = { process: { args: ['/program'] } };
  assert.equal(record(container, '', program), { status: 5, output: '32', errors: '' });
  const profile = profileOf(container);
  assert.equal(profile.architectures, ['SCMP_ARCH_X86', 'SCMP_ARCH_X86_64']);
  assert.ok(namesOf(profile).includes('mkdir') && namesOf(profile).includes('getpgrp'));
  assert.not.ok(namesOf(profile).includes('getpid') || namesOf(profile).includes('recvfrom'));
  rmSync(join(container.folder, 'rootfs/made'), { recursive: true });
  assert.is(container.run('', { ...program, linux: { seccomp: profile } }).status, 5);
  const linux = { seccomp: { ...profile, architectures: ['SCMP_ARCH_X86_64' as const] } };
  assert.is(container.run('', { ...program, linux }).status, 128 + 31, 'one that is not listed is killed');
});

test('an engine’s container: execs are recorded as well, and delete brings the file', (container) => {
  assert.equal(createRecorded(container, 'trap "exit 0" TERM; echo up; while :; do sleep 0.05; done'), good);
  const state = join(container.folder, 'state', container.id);
  assert.not.ok(existsSync(join(state, 'delete-0.plan')), 'the engine is asked');
  assert.equal(container.tsrun(['start', container.id]), good);
  assert.equal(container.tsrun(['exec', container.id, 'ln', '-s', 'a', '/link']), good);
  assert.equal(container.tsrun(['exec', '--detach', container.id, 'mkdir', '/made']), good);
  until('the exec', () => existsSync(join(container.folder, 'rootfs/made')));
  assert.is(existsSync(fileOf(container)), false);
  assert.equal(container.tsrun(['kill', container.id, 'TERM']), good);
  until('its end', () => statusOf(container) === 'stopped');
  assert.equal(container.tsrun(['delete', container.id]), good);
  const names = recordedBy(container);
  for (const name of ['mkdir', 'symlinkat', 'rt_sigaction']) assert.ok(names.includes(name), name);
  assert.equal(readdirSync(join(container.folder, 'state')), []);
});

test('delete --force of one that runs brings the file as well; of one that was never started it says that there is none', (container) => {
  assert.equal(createRecorded(container, 'mkdir /made; sleep 1000'), good);
  assert.equal(container.tsrun(['start', container.id]), good);
  until('mkdir', () => existsSync(join(container.folder, 'rootfs/made')));
  assert.equal(container.tsrun(['delete', '--force', container.id]), good);
  assert.ok(recordedBy(container).includes('mkdir'));
  rmSync(fileOf(container));
  assert.equal(createRecorded(container, 'true'), good);
  const gone = container.tsrun(['delete', '--force', container.id]);
  assert.is(gone.status, 0);
  assert.match(gone.errors, /warning: no seccomp profile was written: the container's program was not started$/);
  assert.is(existsSync(fileOf(container)), false);
});

test('a start that fails writes no file and leaves nothing', (container) => {
  const path = join(container.folder, 'rootfs/bad');
  writeFileSync(path, '\x7fELFno');
  chmodSync(path, 0o755);
  const process = { args: ['/bad'] };
  const ran = record(container, '', { process });
  assert.is(ran.status, 1);
  assert.match(ran.errors, /exec: \/bad: ENOEXEC/);
  assert.match(record(container, '', { process: { args: ['/nowhere'] } }).errors, /exec: \/nowhere/);
  assert.equal(readdirSync(container.folder).sort(), ['config.json', 'rootfs', 'state']);
  assert.equal(readdirSync(join(container.folder, 'state')), []);
  assert.equal(createRecorded(container, '', { process }), good);
  assert.is(container.tsrun(['start', container.id]).status, 1);
  until('its end', () => statusOf(container) === 'stopped');
  assert.match(container.tsrun(['delete', container.id]).errors, /was not started$/);
  assert.is(existsSync(fileOf(container)), false);
});

test('S24, S50: the recorder holds nothing but its own, cannot be looked into, and is not to be found inside', (container) => {
  assert.equal(createRecorded(container, 'ls -l /proc/self/fd /proc/1/fd; ls / ; exec sleep 1000'), good);
  const state = join(container.folder, 'state', container.id);
  for (const pid of Object.values(recorders(container))) {
    const links = readdirSync(`/proc/${pid}/fd`).map((fd) =>
      readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/\[\d+\]/, ''),
    );
    const expected = [
      '/dev/null',
      '/dev/null',
      '/dev/null',
      'socket:',
      'socket:',
      state,
      container.folder,
      `${state}/recorder.fifo`,
    ];
    assert.equal(links.sort(), [...expected, ...['anon_inode:[pidfd]', 'anon_inode:seccomp notify']].sort());
    assert.is(readlinkSync(`/proc/${pid}/cwd`), '/');
    assert.is(statSync(`/proc/${pid}/fd`).uid, 0);
    assert.not.match(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), new RegExp(container.id));
  }
  assert.equal(container.tsrun(['start', container.id]), good);
  const { pid } = JSON.parse(container.tsrun(['state', container.id]).output);
  until('the program', () => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n');
  assert.not.match(readFileSync(logOf(container), 'utf8'), /seccomp|socket|recorder|profile/);
});

const changed = (changes: Changes, more: readonly string[] = []) => [changes, more] as const;
for (const [what, [changes, more], expected] of [
  [
    'a profile of the config',
    changed({
      linux: {
        seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_KILL' }] },
      } as never,
    }),
    /linux\.seccomp \(\/linux\/seccomp\): system calls cannot be recorded under a seccomp profile/,
  ],
  [
    '--merge of what is not there',
    changed({}, ['--merge', '/nowhere']),
    /cannot read the seccomp profile '\/nowhere' to add to: ENOENT/,
  ],
  ['--merge of a directory', changed({}, ['--merge', '/tmp']), /'\/tmp' to add to: EISDIR/],
  [
    '--merge of something else',
    changed({}, ['--merge', '/etc/passwd']),
    /'\/etc\/passwd' is no seccomp profile that can be added to/,
  ],
  ['a directory', changed({}, ['--record-seccomp', '/tmp']), /'\/tmp' is a directory/],
  [
    'a place that is not there',
    changed({}, ['--record-seccomp', '/nowhere/profile']),
    /there is no directory '\/nowhere'/,
  ],
  [
    'a place where nothing can be made',
    changed({}, ['--record-seccomp', '/proc/profile']),
    /cannot write a seccomp profile '\/proc\/profile': ENOENT/,
  ],
  [
    'an annotation that is no absolute path',
    changed({ spec: { annotations: { 'io.tsrun.record-seccomp': 'profile' } } }, ['no option']),
    /\(\/annotations\/io\.tsrun\.record-seccomp\): 'profile' is no absolute path/,
  ],
  [
    'an annotation to merge alone',
    changed({ spec: { annotations: { 'io.tsrun.record-seccomp.merge': '/profile' } } }, ['no option']),
    /\(\/annotations\/io\.tsrun\.record-seccomp\.merge\): it goes with 'io\.tsrun\.record-seccomp'/,
  ],
  // Images bring annotations, and we write as root.
  [
    'an annotation that names a file of the host',
    changed({ spec: { annotations: { 'io.tsrun.record-seccomp': '/etc/passwd' } } }, ['no option']),
    /\(\/annotations\/io\.tsrun\.record-seccomp\): an annotation may name a file in '\/.*\/state-recorded' only, not '\/etc\/passwd'/,
  ],
] as const) {
  test(`${what} stands against it: one line, and nothing is started`, (container) => {
    container.prepare('true', changes);
    const options = more[0] === 'no option' ? [] : ['--record-seccomp', fileOf(container), ...more];
    const ran = container.tsrun(['run', ...options, '--bundle', container.folder, container.id]);
    assert.is(ran.status, 1);
    assert.match(ran.errors, expected);
    assert.is(ran.errors.split('\n').length, 1);
    assert.equal(readdirSync(container.folder).sort(), ['config.json', 'rootfs', 'state']);
    assert.equal(readdirSync(join(container.folder, 'state')), []);
  });
}

test('without CAP_SYS_ADMIN it takes no_new_privs, and with it goes', (container) => {
  const without = ['setpriv', '--bounding-set', '-sys_admin', '--inh-caps', '-sys_admin'];
  const linux = { namespaces: [{ type: 'mount' as const }] };
  const args = ['plan', '--record-seccomp', fileOf(container), '--bundle', container.folder];
  container.prepare('true', { linux });
  const refused = container.tsrun(args, without);
  assert.is(refused.status, 1);
  assert.match(refused.errors, /process\.noNewPrivileges \(\/process\/noNewPrivileges\): without CAP_SYS_ADMIN/);
  container.prepare('true', { linux, process: { noNewPrivileges: true } });
  assert.equal([container.tsrun(args, without).status, container.tsrun(args, without).errors], [0, '']);
});

test('a profile that forbids nothing is no obstacle', (container) => {
  const linux = { seccomp: { defaultAction: 'SCMP_ACT_ALLOW' as const } };
  assert.equal(record(container, 'mkdir /made', { linux }), good);
  assert.ok(recordedBy(container).includes('mkdir'));
});

test('an annotation asks for it as well, and the plan says so', (container) => {
  const annotations = { 'io.tsrun.record-seccomp': asAnnotated(container) };
  container.prepare('mkdir /made', { spec: { annotations } });
  const steps = JSON.parse(container.tsrun(['plan', '--json', '--bundle', container.folder]).output).steps;
  const pointers = steps.flatMap(({ op, pointer }: { op: string; pointer: string }) =>
    /record|seccomp/.test(op) ? [`${op} ${pointer}`] : [],
  );
  const pointer = '/annotations/io.tsrun.record-seccomp';
  const ops = ['seccomp.record', 'process.seccomp', 'seccomp.send-listener'];
  assert.equal(
    pointers,
    ops.map((op) => `${op} ${pointer}`),
  );
  assert.equal(container.tsrun(['run', '--bundle', container.folder, container.id]), good);
  assert.ok(namesOf(JSON.parse(readFileSync(asAnnotated(container), 'utf8'))).includes('mkdir'));
});

test('the folder for annotations is one that its owner has made, and that nobody else can write to (S48)', (container) => {
  const annotations = { 'io.tsrun.record-seccomp': `${allowedTo(container)}/profile.json` };
  container.prepare('true', { spec: { annotations } });
  const refusal = (): string => container.tsrun(['run', '--bundle', container.folder, container.id]).errors;
  assert.match(refusal(), /there is no '.*state-recorded', without which annotations record nothing; .*mkdir -m 700/);
  mkdirSync(allowedTo(container));
  chmodSync(allowedTo(container), 0o777);
  assert.match(refusal(), /has to be a directory of ours that nobody else can write to/);
  rmSync(allowedTo(container), { recursive: true });
  mkdirSync(join(container.folder, 'mine'));
  symlinkSync('mine', allowedTo(container));
  assert.match(refusal(), /has to be a directory of ours/);
  annotations['io.tsrun.record-seccomp'] = `${allowedTo(container)}/../profile.json`;
  container.prepare('true', { spec: { annotations } });
  assert.match(refusal(), /an annotation may name a file in/);
});

test('a container that is recorded cannot be checkpointed, and none is restored to be recorded', (container) => {
  assert.equal(createRecorded(container, 'exec sleep 1000'), good);
  assert.equal(container.tsrun(['start', container.id]), good);
  const images = join(container.folder, 'images');
  const refused = container.tsrun(['checkpoint', '--image-path', images, container.id]);
  assert.match(refused.errors, /recorded cannot be checkpointed/);
  assert.is(existsSync(images), false);
  container.prepare('true', { spec: { annotations: { 'io.tsrun.record-seccomp': asAnnotated(container) } } });
  const restored = container.tsrun([
    'restore',
    '--image-path',
    images,
    '--bundle',
    container.folder,
    `${container.id}-2`,
  ]);
  assert.is(restored.status, 1);
  assert.match(
    restored.errors,
    /\(\/annotations\/io\.tsrun\.record-seccomp\): the system calls of a restored container cannot/,
  );
});

test('a hook in the container is recorded with it, and one that stays behind is let go on', (container) => {
  const hook = { path: '/bin/sh', args: ['sh', '-c', 'mkdir /hooked'] };
  const ran = record(container, 'true', { spec: { hooks: { startContainer: [hook] } } });
  assert.equal(ran, good);
  assert.ok(recordedBy(container).includes('mkdir'));
  const namespaces = (['mount', 'uts', 'ipc', 'network'] as const).map((type) => ({ type }));
  const behind = record(container, '(sleep 0.3; mkdir /late) >/dev/null 2>&1 & exit 4', { linux: { namespaces } }, [
    '--keep',
  ]);
  assert.equal(behind, { status: 4, output: '', errors: '' });
  assert.ok(recordedBy(container).includes('clone'));
  until('who stayed', () => existsSync(join(container.folder, 'rootfs/late')));
});

test('sixteen execs at one time are recorded as one after another', async (container) => {
  assert.equal(createRecorded(container, 'exec sleep 1000'), good);
  assert.equal(container.tsrun(['start', container.id]), good);
  const root = join(container.folder, 'state');
  const exec = (i: number): Promise<number | null> =>
    new Promise((resolve) => {
      const args = ['--root', root, 'exec', container.id, 'sh', '-c', `mkdir /of${i} && rmdir /of${i}`];
      spawn(executorPath(), args, { stdio: 'ignore' }).on('close', resolve);
    });
  const all = await Promise.all(Array.from({ length: 16 }, (_, i) => exec(i)));
  assert.equal(all, Array(16).fill(0));
  assert.equal(container.tsrun(['delete', '--force', container.id]), good);
  assert.ok(recordedBy(container).includes('rmdir'));
});

const user = 1234;
const asUser = ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', 'env', '-u', 'XDG_RUNTIME_DIR'];

test('an ordinary user records as well, in a user namespace, with and without no_new_privs', (container) => {
  // A checkout below somebody's closed home, or a host without user namespaces for users, has nothing to try.
  const probe = [...asUser, 'unshare', '--user', '--map-root-user', 'test', '-x', executorPath()];
  if (spawnSync(probe[0]!, probe.slice(1)).status !== 0) return;
  mkdirSync(join(container.folder, 'rootfs'), { recursive: true });
  chownSync(container.folder, user, user);
  chownSync(join(container.folder, 'rootfs'), user, user);
  const mappings = [{ containerID: 0, hostID: user, size: 1 }];
  const types = ['user', 'mount', 'pid', 'uts', 'ipc'] as const;
  const namespaces = types.map((type) => ({ type }));
  const linux = { namespaces, uidMappings: mappings, gidMappings: mappings };
  for (const noNewPrivileges of [false, true]) {
    container.prepare('mkdir /made; rmdir /made', { linux, process: { noNewPrivileges } });
    const args = ['run', '--record-seccomp', fileOf(container), '--bundle', container.folder, container.id];
    assert.equal(container.tsrun(args, asUser), good);
    assert.ok(recordedBy(container).includes('rmdir'));
    assert.is(statSync(fileOf(container)).uid, user);
    rmSync(fileOf(container));
  }
});

tests.run();
