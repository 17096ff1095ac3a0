/** exec on the real kernel, through dist/tsrun. `RUNTIME=runc` runs the same against runc, but for what only tsrun has. */
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import {
  BundleSuite,
  type Config,
  cgroupFolder,
  hasProgram,
  isRunc,
  runtime,
  type Sandbox,
} from '../../bundles/harness.js';

const suite = new BundleSuite('exec');

interface Started {
  readonly id: string;
  readonly bundle: string;
  readonly pid: number;
}

const sleeping = ['/bin/sh', '-c', 'while :; do sleep 1000; done'];

function start(sandbox: Sandbox, edit: (config: Config) => void = () => {}, name = 'hello'): Started {
  const id = sandbox.id('exec');
  const bundle = sandbox.copy(name, (config) => {
    config.process.args = sleeping;
    edit(config);
  });
  sandbox.create(id, bundle);
  sandbox.start(id);
  return { id, bundle, pid: sandbox.state(id).pid };
}

const rootOf = (sandbox: Sandbox): string[] => ['--root', join(sandbox.folder, 'state')];

/** For what outlives the command: no pipe that it would hold open. */
function detached(sandbox: Sandbox, ...args: string[]): { status: number | null; text: string } {
  const file = join(sandbox.folder, 'detached.log');
  const fd = openSync(file, 'w');
  const stdio: [string, number, number] = ['ignore', fd, fd];
  const { status } = spawnSync(runtime, [...rootOf(sandbox), ...args], { stdio: stdio as 'ignore'[], timeout: 20_000 });
  closeSync(fd);
  return { status, text: readFileSync(file, 'utf8') };
}

const statusFields =
  /^(Uid|Gid|Groups|Umask|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp|Cpus_allowed_list):[ \t]*(.*?)[ \t]*$/gm;

/** What confines a process, as text of /proc/PID/* files. */
function confinement(read: (file: string) => string): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [, key, value] of read('status').matchAll(statusFields)) result[key as string] = value as string;
  for (const file of ['limits', 'oom_score_adj', 'personality']) result[file] = read(file);
  // The hierarchies that nobody manages are numbered anew by whoever looks first.
  result.cgroup = read('cgroup').replace(/^\d+:/gm, '');
  return result;
}

const confinementOfPid = (pid: number): Record<string, string> =>
  confinement((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8'));

function strict(config: Config): void {
  const caps = ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_RAW', 'CAP_SETUID', 'CAP_SETGID'];
  Object.assign(config.process, {
    user: { uid: 1000, gid: 1001, additionalGids: [10, 20], umask: 0o027 },
    capabilities: {
      bounding: caps,
      permitted: caps.slice(1),
      effective: caps.slice(2),
      inheritable: ['CAP_KILL'],
      ambient: ['CAP_KILL'],
    },
    rlimits: [
      { type: 'RLIMIT_NOFILE', soft: 200, hard: 300 },
      { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
    ],
    oomScoreAdj: 321,
    noNewPrivileges: false,
  });
  config.linux.personality = { domain: 'LINUX32' };
  config.linux.seccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['mknod', 'mknodat'], action: 'SCMP_ACT_ERRNO' }],
  };
  (config.linux as { resources?: object }).resources = { pids: { limit: 77 }, memory: { limit: 256 << 20 } };
}

/** Runs a command of the container that copies its own /proc/self files out. */
function confinementOfExec(sandbox: Sandbox, args: string[]): Record<string, string> {
  const { status, output, errors } = sandbox.command('exec', ...args);
  assert.equal([status, errors], [0, '']);
  const parts = output.split('@@@').slice(1);
  const files = new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]));
  return confinement((file) => files.get(file) ?? `no ${file}`);
}
const showAll = 'for f in status limits oom_score_adj personality cgroup; do echo "@@@$f"; cat /proc/$$/$f; done';

suite.test('S56: a process from flags is confined as the first one is', (sandbox) => {
  const { id, pid } = start(sandbox, strict);
  const init = confinementOfPid(pid);
  assert.is(init.Seccomp, '2');
  assert.is(init.Umask, '0027');
  if (!isRunc) assert.is(init.personality, '00000008\n');
  assert.match(init.limits as string, /Max open files +200 +300/);
  assert.equal(confinementOfExec(sandbox, [id, '/bin/sh', '-c', showAll]), init);
});

suite.test('S56: what a process file leaves out is as it was for the first one', (sandbox) => {
  if (isRunc) return; // 1.1.5 takes umask from the file only
  const { id, pid } = start(sandbox, strict);
  const file = join(sandbox.folder, 'process.json');
  const user = { uid: 1000, gid: 1001, additionalGids: [10, 20] };
  writeFileSync(
    file,
    JSON.stringify({ args: ['/bin/sh', '-c', showAll], cwd: '/', user, env: ['PATH=/bin:/usr/bin'] }),
  );
  assert.equal(confinementOfExec(sandbox, ['--process', file, id]), confinementOfPid(pid));
  // no_new_privs is the one thing that the file alone decides
  const bare = { args: ['/bin/sh', '-c', showAll], cwd: '/', env: ['PATH=/bin:/usr/bin'], noNewPrivileges: true };
  writeFileSync(file, JSON.stringify(bare));
  const other = confinementOfExec(sandbox, ['-p', file, id]);
  assert.equal([other.NoNewPrivs, other.Uid, other.Groups, other.Umask], ['1', '0\t0\t0\t0', '', '0027']);
});

suite.test('a process is in all namespaces of the first one', (sandbox) => {
  const { id, pid } = start(sandbox, undefined, 'user-namespace');
  const names = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'].filter((name) =>
    existsSync(`/proc/self/ns/${name}`),
  );
  const { output } = sandbox.command('exec', id, '/bin/sh', '-c', `cd /proc/self/ns && readlink ${names.join(' ')}`);
  assert.equal(
    output.trim().split('\n'),
    names.map((name) => readlinkSync(`/proc/${pid}/ns/${name}`)),
  );
  assert.is(
    sandbox.command('exec', id, 'cat', '/proc/self/uid_map').output,
    readFileSync(`/proc/${pid}/uid_map`, 'utf8'),
  );
});

suite.test('the exit status is the command’s, or 128 and its signal', (sandbox) => {
  const { id } = start(sandbox);
  for (const [script, status] of [
    ['exit 0', 0],
    ['exit 7', 7],
    ['kill -KILL $$', 137],
    ['kill -TERM $$', 143],
  ] as const) {
    assert.equal([sandbox.command('exec', id, '/bin/sh', '-c', script).status, script], [status, script]);
  }
});

suite.test('a failure of the runtime is 255, one line, and leaves no pid file', (sandbox) => {
  const { id } = start(sandbox);
  const pidFile = join(sandbox.folder, 'pid');
  for (const [args, text] of [
    [[id, 'no-such-program'], /executable file not found in \$PATH/],
    [[id, '/no/such/program'], /no such file or directory/],
    [['--cwd', '/no/such', id, 'true'], /\/no\/such/],
    [['--user', '0x1', id, 'true'], /0x1/],
    [['--process', '/no/such/file', id], /\/no\/such\/file/],
    [[id], /exec args cannot be empty|process args cannot be empty/],
    [['no-such-container', 'true'], /does not exist/],
  ] as const) {
    const { status, output, errors } = sandbox.command('exec', '--pid-file', pidFile, ...args);
    assert.is(status, isRunc && args.length < 2 ? status : 255, args.join(' '));
    assert.match(errors, text);
    assert.is(output, '');
    if (!isRunc) assert.is(errors.trim().split('\n').length, 1, errors);
    assert.not.ok(existsSync(pidFile), args.join(' '));
  }
});

suite.test('S26: ids on the command line are decimal numbers and nothing else', (sandbox) => {
  if (isRunc) return;
  const { id } = start(sandbox);
  const bad = [
    '',
    ':',
    '1:',
    ':1',
    '+1',
    '-1',
    '0x1',
    '1e3',
    ' 1',
    '1 ',
    '4294967296',
    '2147483648',
    'root',
    '1:2:3',
    '1000:app',
  ];
  for (const user of bad) {
    const { status, errors } = sandbox.command('exec', `--user=${user}`, id, 'true');
    assert.equal([status, user], [255, user]);
    assert.match(errors, /--user takes decimal ids/);
  }
  const good = sandbox.command(
    'exec',
    '-u',
    '12:34',
    '-g',
    '56',
    '--additional-gids',
    '78',
    id,
    '/bin/sh',
    '-c',
    'id -u; id -G',
  );
  assert.is(good.output, '12\n34 56 78\n');
  assert.is(sandbox.command('exec', '-u', '2147483647', id, 'id', '-u').output, '2147483647\n');
});

suite.test('flags change what they name', (sandbox) => {
  const { id } = start(sandbox, (config) => {
    (config.process as unknown as { noNewPrivileges: boolean }).noNewPrivileges = false;
  });
  const script = 'echo "$A|$B|$(pwd)"; grep -E "^(CapBnd|CapPrm|CapEff|CapInh|CapAmb|NoNewPrivs)" /proc/self/status';
  const before = sandbox.command('exec', id, '/bin/sh', '-c', script).output;
  const flags = ['-e', 'A=one', '--env', 'B=two', '--cwd', '/usr', '--cap', 'CAP_SYS_TIME', '--no-new-privs'];
  const after = sandbox.command('exec', ...flags, id, '/bin/sh', '-c', script).output;
  assert.match(before, /^\|\|\/\n/);
  assert.match(after, /^one\|two\|\/usr\n/);
  const capability = (text: string, set: string) => BigInt(`0x${new RegExp(`${set}:\\t(\\w+)`).exec(text)?.[1]}`);
  const time = 1n << 25n;
  for (const set of ['CapBnd', 'CapPrm', 'CapEff'])
    assert.is(capability(after, set), capability(before, set) | time, set);
  // S25: never inheritable, and ambient only what is inheritable
  for (const set of ['CapInh', 'CapAmb']) assert.is(capability(after, set), capability(before, set), set);
  assert.match(before, /NoNewPrivs:\t0/);
  assert.match(after, /NoNewPrivs:\t1/);
});

suite.test(
  'a detached process outlives the command, in the container’s cgroups, its pid in the file',
  async (sandbox) => {
    const { id, pid } = start(sandbox);
    const pidFile = join(sandbox.folder, 'pid');
    const { status, text } = detached(sandbox, 'exec', '-d', '--pid-file', pidFile, id, 'sleep', '321');
    assert.equal([status, text], [0, '']);
    const found = readFileSync(pidFile, 'utf8');
    assert.match(found, /^[1-9]\d*$/);
    assert.is(readFileSync(`/proc/${found}/cmdline`, 'utf8'), 'sleep\x00321\x00');
    assert.is(readFileSync(`/proc/${found}/cgroup`, 'utf8'), readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
    assert.not.equal(
      readFileSync(`/proc/${found}/stat`, 'utf8').split(' ')[5],
      readFileSync(`/proc/self/stat`, 'utf8').split(' ')[5],
    );
    // With the container it goes.
    assert.is(sandbox.command('kill', id, 'KILL').status, 0);
    await sandbox.until('the process ends', 5, () => !existsSync(`/proc/${found}/root/bin`));
  },
);

suite.test('S18: descriptors of the caller and of the runtime stay outside, but for the preserved ones', (sandbox) => {
  const { id } = start(sandbox);
  const list = (more: string, flags: string) =>
    spawnSync(
      'sh',
      [
        '-c',
        `exec "$@" ${more}`,
        'sh',
        runtime,
        ...rootOf(sandbox),
        'exec',
        ...flags.split(' ').filter(Boolean),
        id,
        '/bin/sh',
        '-c',
        'f=0; while test $f -lt 400; do if test -e /proc/$$/fd/$f; then echo $f; fi; f=$((f + 1)); done',
      ],
      {
        encoding: 'utf8',
        timeout: 20_000,
      },
    );
  assert.is(list('3</etc/passwd 4</etc 9</', '').stdout, '0\n1\n2\n');
  assert.is(list('3</etc/passwd 4</etc 9</', '--preserve-fds 2').stdout, '0\n1\n2\n3\n4\n');
  // podman run --preserve-fd=5: what is closed stays closed, and nothing of the runtime takes its place.
  assert.is(list('5</etc/passwd 9</', '--preserve-fds 4').stdout, '0\n1\n2\n5\n');
  assert.is(list('', '--preserve-fds 300').stdout, '0\n1\n2\n');
  assert.is(list('5</etc/passwd', '--preserve-fds 70000').stdout, '0\n1\n2\n5\n');
});

suite.test('a terminal is the container’s own, and nobody’s /dev/console', (sandbox) => {
  if (!hasProgram('script')) return;
  const { id } = start(sandbox);
  const command = [
    runtime,
    ...rootOf(sandbox),
    'exec',
    '-t',
    id,
    '/bin/sh',
    '-c',
    '"tty; test -t 0 && test -t 1 && test -t 2 && echo all; ps -o tty= -p \\$\\$"',
  ].join(' ');
  // Somebody who says nothing at the other end: at the end of its input script(1) would end the session.
  const silence = 'mkfifo "$1" && exec 7<>"$1" && exec script -qec "$2" /dev/null <&7';
  const args = ['-c', silence, 'sh', join(sandbox.folder, 'fifo'), command];
  const { stdout, status } = spawnSync('sh', args, { encoding: 'utf8', timeout: 20_000 });
  assert.is(status, 0);
  assert.match(stdout.replaceAll('\r', ''), /\/dev\/pts\/\d+\nall\npts\/\d+/);
});

// CRI-O reads from the terminal that it gives us beside its wait for us, and closes it as soon as we are gone (kubectl exec -t).
suite.test('whoever reads a terminal has a moment for the last words', (sandbox) => {
  if (!hasProgram('script') || !hasProgram('strace')) return;
  const { id } = start(sandbox);
  const trace = join(sandbox.folder, 'trace');
  const tracer = ['strace', '-f', '-qq', '-ttt', '-e', 'trace=write,exit_group', '-e', 'signal=none', '-o', trace];
  const command = [...tracer, runtime, ...rootOf(sandbox), 'exec', '-t', id, 'echo', 'goodbye'].join(' ');
  const silence = 'mkfifo "$1" && exec 7<>"$1" && exec script -qec "$2" /dev/null <&7';
  const { status } = spawnSync('sh', ['-c', silence, 'sh', join(sandbox.folder, 'fifo'), command], { timeout: 20_000 });
  assert.is(status, 0);
  const calls = readFileSync(trace, 'utf8').split('\n');
  // The terminal of the container has made it a line of two characters.
  const [, pid, said] = /^(\d+) +([\d.]+) write\(1, "goodbye\\r\\n"/m.exec(calls.join('\n')) ?? [];
  const gone = calls.find((line) => line.startsWith(`${pid} `) && line.includes('exit_group('))?.split(/ +/)[1];
  assert.ok(Number(gone) - Number(said) > 0.0095, `said at ${said}, gone at ${gone}`);
});

suite.test('a terminal and detached needs somebody who takes it', (sandbox) => {
  const { id } = start(sandbox);
  const { status, errors } = sandbox.command('exec', '-d', '-t', id, 'true');
  assert.is(status, 255);
  assert.match(errors, /needs --console-socket|cannot allocate tty if runc will detach without setting console socket/);
});

suite.test('R14: a paused container takes nobody, unless asked to, and then when it is resumed', async (sandbox) => {
  const { id } = start(sandbox);
  assert.is(sandbox.command('pause', id).status, 0);
  const refused = sandbox.command('exec', id, 'true');
  assert.is(refused.status, 255);
  assert.match(refused.errors, /cannot exec in a paused container/);
  const child = spawn(runtime, [...rootOf(sandbox), 'exec', '--ignore-paused', id, 'echo', 'awake'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  const ended = new Promise<number | null>((done) => child.on('close', done));
  await new Promise((done) => setTimeout(done, 300));
  assert.is(output, '');
  assert.is(sandbox.command('resume', id).status, 0);
  assert.equal([await ended, output], [0, 'awake\n']);
});

suite.test('a created container takes a process, a stopped one does not', (sandbox) => {
  const id = sandbox.id('exec');
  sandbox.create(
    id,
    sandbox.copy('hello', (config) => {
      config.process.args = sleeping;
    }),
  );
  assert.is(sandbox.command('exec', id, '/bin/sh', '-c', 'echo $PPID').output, '0\n');
  assert.is(sandbox.state(id).status, 'created');
  sandbox.command('kill', id, 'KILL');
  spawnSync('sleep', ['0.3']);
  const { status, errors } = sandbox.command('exec', id, 'true');
  assert.is(status, 255);
  assert.match(errors, /cannot exec in a (stopped container|container that has stopped)/);
});

suite.test('S49: the bundle is not looked at again', (sandbox) => {
  if (isRunc) return; // it reads the bundle's config.json
  const { id, bundle } = start(sandbox);
  const config = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'));
  config.process.capabilities = {
    bounding: ['CAP_SYS_ADMIN'],
    effective: ['CAP_SYS_ADMIN'],
    permitted: ['CAP_SYS_ADMIN'],
  };
  config.process.env = ['PATH=/usr/bin:/bin', 'EDITED=yes'];
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
  const { output } = sandbox.command('exec', id, '/bin/sh', '-c', 'echo "[$EDITED]"; grep CapBnd /proc/self/status');
  assert.is(output, '[]\nCapBnd:\t0000000020000420\n');
});

suite.test('R37: --cgroup goes into a cgroup below, and nowhere else', (sandbox) => {
  const { id, pid } = start(sandbox);
  const below = join(cgroupFolder(pid, 'pids'), 'below');
  mkdirSync(below);
  const line = (output: string) => /(?:pids|):[^:]*below$/m.exec(output)?.[0];
  const v1 = existsSync('/sys/fs/cgroup/pids');
  const show = ['cat', '/proc/self/cgroup'];
  assert.ok(line(sandbox.command('exec', '--cgroup', v1 ? 'pids:below' : 'below', id, ...show).output));
  assert.not(line(sandbox.command('exec', id, ...show).output));
  for (const path of ['..', 'below/../..', 'missing']) {
    const { status, output } = sandbox.command('exec', '--cgroup', v1 ? `pids:${path}` : path, id, ...show);
    assert.equal([status, output], [255, ''], path);
  }
  assert.not.ok(existsSync(join(below, '../missing')), 'nothing is made');
  rmdirSync(below);
});

suite.test('R13: a container that dies meanwhile is a stopped one, and nothing hangs or stays', async (sandbox) => {
  if (isRunc) return;
  for (let round = 0; round < 8; round++) {
    const { id } = start(sandbox);
    const killer = spawn(
      'sh',
      ['-c', `sleep 0.0${round * 3 + 10}; exec "$@"`, 'sh', runtime, ...rootOf(sandbox), 'kill', id, 'KILL'],
      { stdio: 'ignore' },
    );
    const gone = new Promise((done) => killer.on('close', done));
    for (let tries = 0; tries < 100; tries++) {
      const { status, errors } = sandbox.command('exec', id, 'true');
      if (status === 0) continue;
      assert.ok(status === 255 || status === 137, `${status}: ${errors}`);
      if (status === 255) assert.match(errors, /cannot exec in a stopped container/, `round ${round}: ${errors}`);
      break;
    }
    await gone;
    await sandbox.until(
      'nothing is left',
      5,
      () => JSON.parse(sandbox.command('ps', '-f', 'json', id).output).length === 0,
    );
  }
});

suite.test(
  'S22: who watches from inside a user namespace sees nothing of the process before it is the program',
  async (sandbox) => {
    const all = [
      'CAP_SYS_PTRACE',
      'CAP_SYS_ADMIN',
      'CAP_DAC_OVERRIDE',
      'CAP_DAC_READ_SEARCH',
      'CAP_SETUID',
      'CAP_SETGID',
    ];
    const watch =
      'while :; do for p in /proc/[0-9]*; do case $p in /proc/1) ;; *) readlink $p/exe $p/cwd $p/root $p/fd/* ;; esac; done; done';
    const id = sandbox.id('exec');
    const bundle = sandbox.copy('user-namespace', (config) => {
      config.process.args = ['/bin/sh', '-c', `${watch} 2>/dev/null`];
      Object.assign(config.process, { capabilities: { bounding: all, effective: all, permitted: all } });
    });
    const seen = sandbox.create(id, bundle);
    sandbox.start(id);
    for (let round = 0; round < 40; round++) assert.is(sandbox.command('exec', id, '/bin/true').status, 0);
    // What the program itself and the watcher's own readlink have is theirs.
    await sandbox.until('the watcher sees anything', 5, () =>
      /\/(readlink|sh|dash|bash|true|coreutils)$/m.test(seen()),
    );
    const strange = [...new Set(seen().split('\n'))].filter((line) =>
      /tsrun|memfd|cgroup|pidfd|anon_inode|state|\/bundle/.test(line),
    );
    assert.equal(
      strange.filter((line) => !line.endsWith(`${id}.log`)),
      [],
    );
  },
);

suite.test('a container that has used up its processes still lets an administrator in', (sandbox) => {
  const { id } = start(sandbox, (config) => {
    config.linux.resources = { cpu: {}, ...{ pids: { limit: 2 } } };
  });
  assert.is(sandbox.command('exec', id, '/bin/true').status, 0);
});

suite.test(
  'S56: numbers above 2^53 are in an exec what they are in the container: no limit, and what a filter compares',
  (sandbox) => {
    const id = sandbox.id('exec');
    const bundle = sandbox.copy('hello', (config) => {
      config.process.args = ['/bin/sleep', '1000']; // a text with a space before a colon is read exactly in any case
      Object.assign(config.process, {
        rlimits: [{ type: 'RLIMIT_CORE', soft: '@18446744073709551615', hard: '@18446744073709551615' }],
      });
      const args = [{ index: 1, value: '@9007199254740993', op: 'SCMP_CMP_EQ' }];
      const rule = { names: ['ftruncate', 'truncate'], action: 'SCMP_ACT_ERRNO', errnoRet: 13, args };
      Object.assign(config.linux, { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] } });
    });
    const file = join(bundle, 'config.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"@([0-9]+)"/g, '$1'));
    sandbox.create(id, bundle);
    sandbox.start(id);
    const script = `ulimit -c; for n in 2 3 4; do truncate -s 900719925474099$n /dev/long 2>/dev/null; echo $?; done`;
    const { status, output, errors } = sandbox.command('exec', id, 'sh', '-c', script);
    assert.equal([status, output.trim(), errors], [0, 'unlimited\n0\n1\n0', '']);
  },
);

suite.run();
