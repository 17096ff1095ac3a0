// Invariants of the whole program that no advisory stands for, each under the name it has in docs/security.md: what a caller,
// an image or another mount namespace might do to it. Needs root and dist/tsrun.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { executorPath } from '../host/executor.js';
import { containerSuite, type Ran } from './test-container.js';
import { until } from '../state/test-container.js';
import { buildHelper } from './test-swapper.js';

const { tests: invariants, test } = containerSuite('invariants of the whole program');
const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
const shell = (script: string, ...args: string[]): string[] => ['sh', '-c', `${script}; exec "$@"`, 'sh', ...args];
/** A mount namespace between the host and tsrun, so that what a test mounts is gone with it. */
const apart = (script: string, propagation = 'private'): string[] => [
  'unshare',
  '--mount',
  '--propagation',
  propagation,
  ...shell(script),
];
const mapped = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
const types = (...names: string[]): { type: 'mount' }[] => names.map((type) => ({ type: type as 'mount' }));
const inUserNamespace = {
  namespaces: types('mount', 'pid', 'uts', 'ipc', 'user'),
  uidMappings: mapped,
  gidMappings: mapped,
};
const statusOf = (text: string, key: string): string => new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';

test('S08: a label that cannot be written stops the container', (container) => {
  const { status, errors } = container.run('true', { process: { apparmorProfile: 'no-such-profile' } });
  assert.is(status, 1);
  assert.match(errors, '/process/apparmorProfile');
});

test('S10: a file of the host that a user of the container is to read stays whose it is, one it is to write becomes its own', (container) => {
  const [input, output] = ['input', 'output'].map((name) => join(container.folder, name));
  writeFileSync(input!, 'read', { mode: 0o600 });
  writeFileSync(output!, '');
  const wrapper = ['sh', '-c', `"$@" <"$0" >>"${output}"`, input!];
  container.run('cat; echo well >>/dev/stdout', { process: { user: { uid: 1000, gid: 1000 } } }, wrapper);
  assert.is(readFileSync(output!, 'utf8'), 'readwell\n');
  assert.equal([statSync(input!).uid, statSync(output!).uid], [0, 1000]);
});

test("S10: mode, owner and times of the host's devices are not to be changed in a user namespace, even one that maps root to root", (container) => {
  const same = [{ containerID: 0, hostID: 0, size: 65_536 }];
  const script = `for f in null zero full random urandom; do
    for try in 'chmod 666' 'chown 0:0' touch; do $try /dev/$f 2>&1 | grep -o 'Read-only file system'; done
  done; echo text >/dev/null && head -c 1 /dev/zero | wc -c; chmod 666 /dev/stdin 2>&1`;
  const linux = { ...inUserNamespace, uidMappings: same, gidMappings: same };
  const lines = container.run(script, { linux }).output.split('\n');
  assert.equal(lines.slice(0, 16), [...Array(15).fill('Read-only file system'), '1']);
  assert.match(lines[16] ?? '', 'Read-only file system');
});

test("S10: the streams of create and exec are not the host's null device, though there is none in the container", (container) => {
  const inodeOf = ({ ino, dev }: { ino: number; dev: number }): string => `${dev}:${ino}`;
  const host = inodeOf(statSync('/dev/null'));
  const show = 'stat -Lc "%F %d:%i" /proc/self/fd/0';
  container.prepare('rm /dev/null; sleep 60');
  const quiet = ['sh', '-c', '"$@" >/dev/null 2>&1 </dev/null', 'sh'];
  assert.is(container.tsrun(['run', '--detach', '--bundle', container.folder, container.id], quiet).status, 0);
  const { output } = container.tsrun(['exec', container.id, 'sh', '-c', show]);
  assert.match(output, 'character special file ');
  assert.not.match(output, host);
  container.tsrun(['delete', '--force', container.id]);
  // a /dev of the caller's, where tsrun makes no node
  const dev = join(container.folder, 'dev');
  mkdirSync(dev);
  const bound = container.run(show, { mounts: [{ destination: '/dev', source: dev, options: ['bind'] }] }).output;
  assert.match(bound, 'character special file ');
  assert.not.match(bound, host);
});

test('R38: an exec whose joiner is killed, if only after it has had its child, ends, and nothing of it goes on', async (container) => {
  container.prepare('exec sleep 60');
  const quiet = ['sh', '-c', '"$@" >/dev/null 2>&1 </dev/null', 'sh'];
  assert.is(container.tsrun(['run', '--detach', '--bundle', container.folder, container.id], quiet).status, 0);
  const exec = ['exec', '--detach', container.id, 'sleep', '30.5'];
  const commandOf = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
    } catch {
      return '';
    }
  };
  const isOurs = (command: string): boolean =>
    command === 'sleep\x0030.5\0' || command.includes(`\0exec\0--detach\0${container.id}\0`);
  const running = (): string[] => readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isOurs(commandOf(pid)));
  const stopped = (call: number): string[] => {
    const helper = [buildHelper('stop-at'), '1', `${call}`, '19'];
    return container.tsrun(exec, ['sh', '-c', 'exec "$@" 2>/dev/null </dev/null', 'sh', ...helper]).output.split(' ');
  };
  const tidy = (): void => running().forEach((pid) => void process.kill(Number(pid), 'SIGKILL'));
  // From a plan that was kept there is no engine: the second process is the joiner, whose last calls are the fork and a message.
  for (let i = 0; i < 3; i++) assert.is(container.tsrun(exec, quiet).status, 0);
  const counted = container.tsrun(exec, [
    'sh',
    '-c',
    'exec "$@" 2>/dev/null',
    'sh',
    buildHelper('stop-at'),
    '1',
    '1000000',
    '9',
  ]);
  const calls = Number(counted.output.trim().split(' ')[1]);
  assert.ok(calls > 20, counted.output);
  for (let call = calls - 3; call < calls; call++) {
    tidy();
    const [pid] = stopped(call);
    await sleep(100);
    if (pid !== 'none') process.kill(Number(pid), 'SIGKILL');
    for (let i = 0; i < 60 && running().length > 0; i++) await sleep(50);
    assert.equal(running(), [], `after ${call} of ${calls} calls`);
  }
});

test('S22: a process that waits as another user is not to be looked into, whatever fs.suid_dumpable says', (container) => {
  const setting = '/proc/sys/fs/suid_dumpable';
  const before = readFileSync(setting, 'utf8');
  try {
    writeFileSync(setting, '1');
    assert.is(container.create('true', { process: { user: { uid: 1000, gid: 1000 } } }).status, 0);
  } finally {
    writeFileSync(setting, before);
  }
  const { pid } = JSON.parse(container.tsrun(['state', container.id]).output);
  // The files of a process that may be traced belong to its user.
  assert.is(statSync(`/proc/${pid}/fd`).uid, 0);
});

test('S13: /sys is read-only in a user namespace without a network of its own, too', (container) => {
  const mounts = [
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  ];
  const { output, errors } = container.run('grep " /sys " /proc/mounts', { linux: inUserNamespace, mounts });
  assert.match(output, / \/sys sysfs ro,/, errors);
});

test('S14: a user namespace cannot take a protection away that a mount of the host has', (container) => {
  const source = join(container.folder, 'source');
  mkdirSync(source);
  const wrapper = apart(`mount -t tmpfs -o nosuid,noexec,noatime tmpfs ${source}; chmod 755 ${source}`);
  for (const options of [['suid'], ['exec'], ['rw', 'exec']]) {
    const mounts = [{ destination: '/mnt', source, options: ['bind', ...options] }];
    const { status, errors } = container.run('true', { linux: inUserNamespace, mounts }, wrapper);
    assert.is(status, 1, options.join());
    assert.match(errors, '/mounts/');
  }
  const mounts = [{ destination: '/mnt', source, options: ['bind', 'ro'] }];
  const { output, errors } = container.run('grep " /mnt " /proc/mounts', { linux: inUserNamespace, mounts }, wrapper);
  assert.match(output, /ro,nosuid,noexec,noatime/, errors);
  // Of the access times nobody's safety depends: the container is started with what it cannot change.
  for (const option of ['relatime', 'strictatime', 'rstrictatime']) {
    const mounts = [{ destination: '/mnt', source, options: ['bind', option] }];
    const ran = container.run('grep " /mnt " /proc/self/mountinfo', { linux: inUserNamespace, mounts }, wrapper);
    assert.match(ran.output, /nosuid,noexec,noatime/, ran.errors);
  }
});

test('S18, CVE-2015-3627, CVE-2016-9962: no descriptor of the caller gets in, whatever its number, by run, create or exec', (container) => {
  const open = [3, 9, 17, 100, 251, 1000].map((fd) => `${fd}</etc/passwd`).join(' ');
  const wrapper = ['bash', '-c', `exec ${open}; exec "$@"`, 'bash'];
  assert.equal(container.run('ls /proc/self/fd', {}, wrapper).output.split('\n'), ['0', '1', '2', '3']);
  container.prepare('ls /proc/self/fd; sleep 60');
  const log = join(container.folder, 'log');
  const quiet = ['bash', '-c', `exec ${open}; "$@" >${log} 2>&1 </dev/null`, 'bash'];
  assert.is(container.tsrun(['create', '--bundle', container.folder, container.id], quiet).status, 0);
  assert.is(container.tsrun(['start', container.id], wrapper).status, 0);
  const inside = ['exec', container.id, 'ls', '/proc/self/fd'];
  for (let i = 0; i < 4; i++) assert.equal(container.tsrun(inside, wrapper).output.split('\n'), ['0', '1', '2', '3']);
  // ls may take longer than the execs that came after it
  for (let i = 0; i < 100 && !readFileSync(log, 'utf8').includes('3\n'); i++) spawnSync('sleep', ['0.05']);
  assert.equal(readFileSync(log, 'utf8').trim().split('\n'), ['0', '1', '2', '3']);
});

test('S23: each container has a session keyring of its own', (container) => {
  const { output } = container.run('cat /proc/keys');
  // of possessor and user; what others of the same user need to find it by its name is the right to search
  assert.match(output, new RegExp(`3f080000 .* _ses\\.${container.id}:`));
});

test('S25: without capabilities all five sets are empty, however few keys say so (youki#3434)', (container) => {
  for (const capabilities of [
    undefined,
    {},
    { bounding: [] },
    { effective: ['CAP_KILL'], permitted: ['CAP_KILL'] },
  ] as const) {
    const { output } = container.run(
      'grep Cap /proc/self/status',
      capabilities === undefined ? {} : { process: { capabilities } },
    );
    assert.is(statusOf(output, 'CapBnd'), '0000000000000000', JSON.stringify(capabilities));
    assert.is(statusOf(output, 'CapInh'), '0000000000000000');
    assert.is(statusOf(output, 'CapAmb'), '0000000000000000');
  }
});

test("S27: the caller's groups are replaced", (container) => {
  const wrapper = ['setpriv', '--groups', '27,999'];
  assert.is(container.run('id -G', {}, wrapper).output, '0');
  const user = { uid: 0, gid: 0, additionalGids: [5] };
  assert.is(container.run('id -G', { process: { user } }, wrapper).output, '0 5');
});

test('CVE-2023-25809 (S30): without root and without a cgroup namespace the cgroups of others cannot be written to', (container) => {
  const user = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
  const ids = [{ containerID: 0, hostID: 65_534, size: 1 }];
  const linux = { namespaces: types('mount', 'pid', 'user'), uidMappings: ids, gidMappings: ids };
  const mounts = [{ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup' }];
  const script =
    'grep -E " cgroup2? " /proc/mounts; for d in $(find /sys/fs/cgroup -mindepth 1 -maxdepth 2 -type d); do mkdir $d/made && echo "made $d"; done';
  container.prepare(script, { linux, mounts });
  spawnSync('chown', ['-R', '65534:65534', container.folder]);
  const { output, errors } = container.tsrun(['run', '--bundle', container.folder, container.id], user);
  const lines = output.split('\n');
  assert.ok(lines.length > 0 && lines.every((line) => / cgroup2? ro,/.test(line)), output);
  assert.match(errors, 'made');
});

const dump = (path: string, command: string) => ({ path: '/bin/sh', args: ['sh', '-c', `{ ${command}; } >${path}`] });

test('S40: a hook has the standard streams, its own environment and its own process group', (container) => {
  const file = join(container.folder, 'hook');
  const command = 'ls /proc/self/fd; cat /proc/self/environ | tr "\\0" "\\n"; cut -d" " -f1,5 /proc/$$/stat';
  const hook = { ...dump(file, command), env: ['ONLY=this'] };
  container.run('true', { spec: { hooks: { createRuntime: [hook] } } }, ['env', 'SECRET=canary']);
  const lines = readFileSync(file, 'utf8').split('\n');
  assert.equal(lines.slice(0, 4), ['0', '1', '2', '3']); // 3 is the directory that ls reads
  assert.match(lines.join('\n'), 'ONLY=this');
  assert.not.match(lines.join('\n'), 'SECRET');
  const [pid, group] = (lines.at(-2) ?? '').split(' ');
  assert.is(pid, group);
});

for (const propagation of [undefined, 'shared', 'rprivate'] as const) {
  test(`S43: nothing that is mounted for the container shows on a shared host, rootfsPropagation ${propagation} (runc#2404, #4417)`, (container) => {
    const [before, during] = [join(container.folder, 'before'), join(container.folder, 'during')];
    const linux = { namespaces: types('mount', 'pid', 'uts', 'ipc', 'network') };
    const spec = {
      hooks: { createContainer: [{ path: '/bin/true' }], createRuntime: [dump(during, 'cat /proc/self/mountinfo')] },
    };
    const more = propagation === undefined ? linux : { ...linux, rootfsPropagation: propagation };
    const script = `mount --make-rshared /; cat /proc/self/mountinfo >${before}`;
    const { status, errors } = container.run('true', { linux: more, spec }, apart(script));
    assert.is(status, 0, errors);
    // A shared root was asked for, and a mount point of its own is what that takes; nothing of it may be in the root.
    assert.is(readFileSync(during, 'utf8'), readFileSync(before, 'utf8'));
  });
}

test('S43: without a mount namespace the mounts of the host stay as they are', (container) => {
  const [before, after] = [join(container.folder, 'before'), join(container.folder, 'after')];
  container.prepare('true', { linux: { namespaces: types('pid') } });
  const script = `mount --make-rshared /; mount --bind /usr ${container.folder}/rootfs/usr; cat /proc/self/mountinfo >${before}`;
  const config = JSON.parse(readFileSync(join(container.folder, 'config.json'), 'utf8')) as {
    process: { args: string[] };
  };
  config.process.args = ['/usr/bin/true'];
  writeFileSync(join(container.folder, 'config.json'), JSON.stringify(config));
  const wrapper = [...apart(script), 'sh', '-c', `"$@"; cat /proc/self/mountinfo >${after}`, 'sh'];
  container.tsrun(['run', '--bundle', container.folder, container.id], wrapper);
  assert.ok(existsSync(after));
  assert.is(readFileSync(after, 'utf8'), readFileSync(before, 'utf8'));
});

test('without a mount namespace a terminal is one of the host, and it is the process’s own', (container) => {
  container.prepare('true', { linux: { namespaces: types('pid') }, process: { terminal: true } });
  const path = join(container.folder, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8')) as { process: { args: string[] }; mounts?: object[] };
  config.process.args = ['/usr/bin/sh', '-c', 'test -t 0 && echo terminal'];
  writeFileSync(path, JSON.stringify({ ...config, mounts: [] }));
  const links = ['bin', 'lib', 'lib64'].map((name) => `mount --bind /${name} ${container.folder}/rootfs/${name}`);
  const wrapper = [...apart([`mount --bind /usr ${container.folder}/rootfs/usr`, ...links].join('; '))];
  const ran = container.tsrun(['run', '--bundle', container.folder, container.id], wrapper);
  assert.equal([ran.status, ran.output.trim()], [0, 'terminal'], ran.errors);
});

test('S44: with --no-pivot no procfs of the host is left anywhere, nor a sysfs (runc#1962)', (container) => {
  const place = join(container.folder, 'another place');
  mkdirSync(place);
  const script = 'unshare --user --map-root-user --mount --pid --fork mount -t proc proc /proc; echo "status $?"';
  // not root: mapping that would take CAP_SETFCAP, and nothing would be seen of the mount
  const process = { user: { uid: 1000, gid: 1000 } };
  container.prepare(script, { process, linux: { maskedPaths: ['/proc/kcore'], readonlyPaths: ['/proc/sys'] } });
  const wrapper = apart(`mount -t proc proc '${place}'`);
  const command = ['run', '--no-pivot', '--bundle', container.folder, container.id];
  const { output, errors } = container.tsrun(command, wrapper);
  assert.match(output, /^status [1-9]/m, errors);
  assert.match(`${output}${errors}`, /permitted|denied/);
});

test("S45: what the caller has done to itself is not the container's", (container) => {
  const wrapper = shell('trap "" INT QUIT PIPE; umask 0777; ulimit -Sn 77');
  const { output, errors } = container.run('cat /proc/self/status; umask; ulimit -Sn', {}, wrapper);
  assert.is(statusOf(output, 'SigIgn'), '0000000000000000', errors);
  assert.is(statusOf(output, 'SigBlk'), '0000000000000000');
  assert.equal(output.split('\n').slice(-2), ['0022', '77']); // a limit is the caller's; an engine of JavaScript would raise it
});

test("S45: the caller's umask does not keep a user namespace out of its cgroup", (container) => {
  const { output, errors } = container.run('echo well', { linux: inUserNamespace }, shell('umask 0777'));
  assert.is(output, 'well', errors);
});

test('S46: neither the environment nor the working directory of the caller steers tsrun', (container) => {
  const marks = join(container.folder, 'marks');
  const hostile = join(container.folder, 'hostile');
  mkdirSync(hostile);
  const code = `require('node:fs').appendFileSync(${JSON.stringify(marks)}, 'loaded')`;
  for (const name of ['preload.js', 'index.js']) writeFileSync(join(hostile, name), code);
  writeFileSync(join(hostile, 'bunfig.toml'), 'preload = ["./preload.js"]\n');
  writeFileSync(join(hostile, '.env'), `BUN_OPTIONS="--preload ${hostile}/preload.js"\nTSRUN_SELF=/nonexistent\n`);
  writeFileSync(join(hostile, 'package.json'), '{"main":"index.js","type":"commonjs"}');
  const environment = [
    `NODE_OPTIONS=--require=${hostile}/preload.js`,
    `BUN_OPTIONS=--preload ${hostile}/preload.js`,
    `BUN_INSPECT_PRELOAD=${hostile}/preload.js`,
    'BUN_BE_BUN=1',
    'LD_PRELOAD=/nonexistent.so',
    'LD_LIBRARY_PATH=/nonexistent',
    'TSRUN_SELF=/nonexistent',
    'TSRUN_ROUND=1',
    'TSRUN_EARLY=9:9:9:9:',
    'NODE_PATH=/nonexistent',
    'NODE_ENV=canary',
  ];
  const wrapper = ['env', '-C', hostile, ...environment];
  const { status, output, errors } = container.run('env', {}, wrapper);
  assert.is(status, 0, errors);
  assert.not.match(output, /canary|nonexistent|preload/);
  assert.not.ok(existsSync(marks), 'code of the caller ran');
});

test('S53: what an environment holds is in no message, no log, no command line and for no one else to read', async (container) => {
  const secret = 'canary-of-the-environment';
  const env = ['PATH=/usr/bin:/bin', `SECRET=${secret}`];
  const log = join(container.folder, 'tsrun.log');
  container.prepare('sleep 60', { process: { env } });
  const outside = join(container.folder, 'outside');
  const script = `"$@" >${outside} 2>&1 </dev/null`;
  const create = ['--debug', '--log', log, 'create', '--bundle', container.folder, container.id];
  assert.is(container.tsrun(create, ['sh', '-c', script, 'sh']).status, 0);
  assert.is(container.tsrun(['--debug', '--log', log, 'start', container.id]).status, 0);
  const failed = container.run('true', { process: { env, cwd: '/nonexistent/\0' } });
  assert.is(failed.status, 1);
  const plan = container.tsrun(['exec', '--env', `MORE=${secret}`, container.id, '/nonexistent']);
  for (const text of [readFileSync(log, 'utf8'), readFileSync(outside, 'utf8'), failed.errors, plan.errors])
    assert.not.match(text, secret);
  const open = spawnSync('find', [join(container.folder, 'state'), '-perm', '/077', '-not', '-type', 'l'], {
    encoding: 'utf8',
  });
  assert.is(open.stdout, '', 'files of the state that others can read');
});

test('R06: an engine whose executor is gone before it has begun goes, too, and makes nobody else the creator', async (container) => {
  container.prepare('true');
  const args = [
    executorPath(),
    '--root',
    join(container.folder, 'state'),
    'create',
    '--bundle',
    container.folder,
    container.id,
  ];
  const slow = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=prctl', '-e', 'inject=prctl:delay_enter=400000'];
  const child = spawn('strace', [...slow, ...args], { stdio: 'ignore' });
  const first = (): number =>
    Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ')[0]);
  // strace tries itself out with children of its own before it starts ours.
  const engine = (): number => {
    const one = first();
    const path = `/proc/${one}/task/${one}/children`;
    return existsSync(path) ? Number(readFileSync(path, 'utf8').split(' ')[0]) : 0;
  };
  for (let i = 0; i < 100 && !(first() && engine()); i++) await sleep(2);
  process.kill(first(), 'SIGKILL');
  await new Promise((resolve) => child.on('exit', resolve));
  assert.not.ok(existsSync(join(container.folder, 'state', container.id)));
});

test('R39: a create that is told to stop is done or undone, never half', async (container) => {
  container.prepare('sleep 60');
  for (let round = 0; round < 60; round++) {
    const args = ['--root', join(container.folder, 'state'), 'create', '--bundle', container.folder, container.id];
    const child = spawn(executorPath(), args, { stdio: 'ignore' });
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    await sleep(round % 30);
    child.kill(round % 2 === 0 ? 'SIGTERM' : 'SIGINT');
    const code = await ended;
    const made = existsSync(join(container.folder, 'state', container.id));
    assert.is(made, code === 0, `round ${round}: ${code}`);
    if (made) assert.is(container.tsrun(['delete', '--force', container.id]).status, 0);
  }
});

test('R10: a foreground run that is killed leaves a container that can be looked at and deleted', async (container) => {
  container.prepare('sleep 60');
  const args = ['--root', join(container.folder, 'state'), 'run', '--bundle', container.folder, container.id];
  const child = spawn(executorPath(), args, { stdio: 'ignore' });
  const status = (): string =>
    (container.tsrun(['state', container.id]).output.match(/"status": *"(\w+)"/) ?? [])[1] ?? '';
  for (let i = 0; i < 100 && status() !== 'running'; i++) await sleep(20);
  child.kill('SIGKILL');
  await new Promise((resolve) => child.on('exit', resolve));
  assert.is(status(), 'running');
  assert.is(container.tsrun(['delete', '--force', container.id]).status, 0);
  assert.match(container.tsrun(['state', container.id]).errors, 'does not exist');
});

test('R11: signals to a foreground run reach the payload, and its status comes back', async (container) => {
  for (const [signal, code] of [
    ['SIGTERM', 7],
    ['SIGINT', 8],
    ['SIGHUP', 9],
    ['SIGUSR1', 10],
    ['SIGQUIT', 11],
  ] as const) {
    const ready = join(container.folder, `rootfs/ready-${signal}`);
    container.prepare(`trap 'exit ${code}' ${signal.slice(3)}; : >/ready-${signal}; while :; do sleep 0.05; done`);
    const args = ['--root', join(container.folder, 'state'), 'run', '--bundle', container.folder, container.id];
    const child = spawn(executorPath(), args, { stdio: 'ignore' });
    for (let i = 0; i < 250 && !existsSync(ready); i++) await sleep(20);
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    child.kill(signal);
    assert.is(await ended, code, signal);
  }
});

test('R11: a payload that is ahead of a runtime on a busy machine gets what it expects, and nothing else is kept alive', async (container) => {
  // Without a pid namespace of its own the hook finds the runtime: the parent of the container's process, whose child it is.
  const stop = 'kill -STOP $(cut -d" " -f4 /proc/$PPID/stat)';
  const ready = join(container.folder, 'rootfs/ready');
  for (const [script, code] of [
    ["trap 'exit 7' TERM; : >/ready; while :; do sleep 0.05; done", 7],
    ["trap '' TERM; : >/ready; sleep 1; exit 8", 8],
    [': >/ready; exec sleep 60', 128 + 15],
  ] as const) {
    container.prepare(script, {
      linux: { namespaces: [{ type: 'mount' }] },
      spec: { hooks: { startContainer: [{ path: '/bin/sh', args: ['sh', '-c', stop] }] } },
    });
    const args = ['--root', join(container.folder, 'state'), 'run', '--bundle', container.folder, container.id];
    const child = spawn(executorPath(), args, { stdio: 'ignore' });
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    await until(() => existsSync(ready), 'the program runs');
    child.kill('SIGTERM');
    child.kill('SIGCONT');
    assert.is(await ended, code, script);
    rmSync(ready);
  }
});

test('R12: a program that ends at once is waited for', (container) => {
  container.prepare('', { process: { args: ['/bin/true'] } });
  for (let i = 0; i < 50; i++) {
    const { status, errors } = container.tsrun(['run', '--bundle', container.folder, container.id]);
    assert.is(status, 0, errors);
  }
});

test('R26: a thousand mounts under a small limit of descriptors', (container) => {
  const source = join(container.folder, 'source');
  mkdirSync(source);
  const mounts = Array.from({ length: 1000 }, (_, i) => ({ destination: `/mnt/${i}`, source, options: ['bind'] }));
  const began = Date.now();
  const { output, errors } = container.run('grep -c " /mnt/" /proc/mounts', { mounts }, ['prlimit', '--nofile=256']);
  assert.is(output, '1000', errors);
  assert.ok(Date.now() - began < 15_000);
});

test('R28: errors and hooks do not wait for a reader, with the smallest pipes there are', (container) => {
  const noise = { path: '/bin/sh', args: ['sh', '-c', 'head -c 5000000 /dev/zero | tr "\\0" x; exit 3'] };
  container.prepare('true', { spec: { hooks: { createRuntime: [noise] } } });
  const command = ['run', '--bundle', container.folder, container.id];
  // Nobody reads standard error, and the pipe is full but for a page.
  const script = '( "$@"; echo "status $?" >&3 ) 3>&1 2>&1 >/dev/null | sleep 5';
  const began = Date.now();
  container.tsrun(command, ['sh', '-c', script, 'sh']);
  assert.ok(Date.now() - began < 8000);
  const { status, errors } = container.tsrun(command);
  assert.is(status, 1);
  assert.ok(errors.length < 65_536 && errors.includes('exit status 3'), `${errors.length}`);
});

test('R29: a pid file that cannot be written ends the creation, and nothing is left', (container) => {
  container.prepare('sleep 60');
  const place = join(container.folder, 'nowhere/pid');
  const { status, errors } = container.tsrun([
    'create',
    '--pid-file',
    place,
    '--bundle',
    container.folder,
    container.id,
  ]);
  assert.is(status, 1);
  assert.match(errors, /pid.*ENOENT/);
  assert.match(container.tsrun(['state', container.id]).errors, 'does not exist');
});

test('R30: closed standard streams are no reason to fail, and nothing of ours takes their place', (container) => {
  const wrapper = ['sh', '-c', '"$@" <&- >&- 2>&-', 'sh'];
  const file = join(container.folder, 'rootfs/seen');
  const { status } = container.run('ls -l /proc/self/fd >/seen; exit 5', {}, wrapper);
  assert.is(status, 5);
  const links = readFileSync(file, 'utf8').match(/\d+ -> \S+/g) ?? [];
  for (const link of links.filter((one) => /^[02] /.test(one))) assert.match(link, /null/);
});

test('R31: a terminal that has hung up while nobody takes its output costs nothing', (container) => {
  // More than the pipe holds, less than the pipe and the terminal do; then nobody has the terminal any more.
  const script = 'head -c 71000 /dev/zero | tr "\\0" x; exec sleep 3 <&- >/dev/null 2>&1';
  const devpts = {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['newinstance', 'ptmxmode=0666'],
  };
  container.prepare(script, { process: { terminal: true }, mounts: [devpts] });
  // What the command costs anyhow, on a slow machine seconds, is not counted.
  const cost = (reader: string): number => {
    const script = `TIMEFORMAT="%U %S"; time "$@" </dev/null | ${reader}`;
    const command = ['run', '--bundle', container.folder, container.id];
    const { errors } = container.tsrun(command, ['bash', '-c', script, 'bash']);
    const [user, system] = (errors.split('\n').at(-1) ?? '').split(' ').map(Number);
    return (user ?? Number.NaN) + (system ?? Number.NaN);
  };
  const taken = cost('cat >/dev/null; sleep 2.5');
  const left = cost('sleep 2.5');
  assert.ok(left - taken < 0.8, `${left} s instead of ${taken}`);
});

test('R35: an engine that dies for want of memory leaves an error and nothing else', (container) => {
  const { status, errors } = container.run('true', {}, ['prlimit', '--as=50000000']);
  assert.ok(status !== 0 && status !== null);
  assert.is.not(errors, '');
  assert.match(container.tsrun(['state', container.id]).errors, 'does not exist');
});

test('R35: an engine that is killed is told from a program that was; what it had claimed is gone', (container) => {
  // As the kernel does it when the cgroup of the caller has no memory left: at a call in the middle of its work.
  const kill = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'inject=statx:signal=KILL:when=3'];
  assert.is(container.create('sleep 60').status, 0);
  const exec = container.tsrun(['exec', container.id, 'true'], kill);
  assert.is(exec.status, 255);
  assert.match(exec.errors, 'the engine was killed before it had an answer');
  assert.is(container.tsrun(['delete', '--force', container.id]).status, 0);
  const create = container.tsrun(['create', '--bundle', container.folder, container.id], kill);
  assert.ok(create.status !== 0);
  assert.match(create.errors, 'the engine was killed before it had an answer');
  assert.match(container.tsrun(['state', container.id]).errors, 'does not exist');
});

test('CVE-2015-3629: what the container has made of its mount points does not lead the next start out', (container) => {
  const canary = join(container.folder, 'canary');
  mkdirSync(canary);
  chmodSync(canary, 0o777);
  const first = container.run(`rm -rf /place && ln -s ${canary} /place && rm -rf /file && ln -s ${canary}/made /file`);
  assert.is(first.status, 0, first.errors);
  const mounts = [
    { destination: '/place/deep', type: 'tmpfs', source: 'tmpfs' },
    { destination: '/file', source: '/etc/hostname', options: ['bind'] },
  ];
  for (const mount of mounts) {
    const config = JSON.parse(readFileSync(join(container.folder, 'config.json'), 'utf8')) as { mounts: object[] };
    writeFileSync(
      join(container.folder, 'config.json'),
      JSON.stringify({ ...config, mounts: [...config.mounts, mount] }),
    );
    const again: Ran = container.tsrun(['run', '--bundle', container.folder, container.id]);
    assert.is(again.status, 0, `a link that leads nowhere is made inside: ${again.errors}`);
    writeFileSync(join(container.folder, 'config.json'), JSON.stringify(config));
  }
  assert.is(spawnSync('find', [canary, '-mindepth', '1'], { encoding: 'utf8' }).stdout, '');
});

invariants.run();
