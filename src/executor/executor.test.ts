// The executor on the real kernel. Needs root and dist/tsrun (npm test builds it).
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
  writeSync,
  readSync,
  constants,
} from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { mountFlags } from '../generated/ops.js';
import { executorPath } from '../host/executor.js';
import { openLibrary } from '../host/ffi.js';
import { encodePlan } from '../plan/encode.js';
import type { Step } from '../plan/step.js';
import { errnoName } from '../tables/errnos.js';
import { MS } from '../tables/mount-options.js';
import {
  bind,
  create,
  execute,
  filesystem,
  host,
  init,
  newNamespaces,
  none,
  payload,
  prepareRoot,
  rootSuite,
  step,
  supervise,
} from './test-plans.js';
import { decodeOutcome } from './outcome.js';

const { tests, test } = rootSuite('executor');

/** Runs a script in a container and returns its output and the outcome. */
function run(
  root: string,
  directory: string,
  script: string,
  more: { mounts?: Step[]; before?: Step[]; after?: Step[] } = {},
) {
  const path = join(directory, 'out');
  const fd = openSync(path, 'w+');
  const outcome = execute(
    [
      create(),
      ...prepareRoot(root),
      ...(more.mounts ?? []),
      ...payload(script, more.before),
      ...(more.after ?? []),
      supervise,
    ],
    ['ignore', fd, fd],
  );
  closeSync(fd);
  return { outcome, output: readFileSync(path, 'utf8').trim() };
}

/** Lets init go on; returns the reply FIFO open for blocking reads, opened before init could be gone. */
function release(fifo: string, reply: string): number {
  const first = openSync(reply, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(reply, constants.O_WRONLY | constants.O_NONBLOCK);
  const reader = openSync(reply, constants.O_RDONLY);
  closeSync(writer);
  closeSync(first);
  const start = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  writeSync(start, 'x');
  closeSync(start);
  return reader;
}

test('runs a payload as pid 1 and passes its exit status on', ({ root, directory }) => {
  const { outcome, output } = run(root, directory, 'echo $$; exit 7');
  assert.is(output, '1');
  assert.is(outcome.status, 'ok');
  assert.is(outcome.value, 7);
});

test('a payload killed by a signal gives 128 + its number', ({ root, directory }) => {
  // pid 1 cannot kill itself: a shell below it is killed and its status handed on
  const { outcome } = run(root, directory, "sh -c 'kill -9 $$'; exit $?");
  assert.is(outcome.value, 137);
});

test('names the step, the errno and the system call of a failure', ({ root, directory }) => {
  const { outcome } = run(root, directory, 'true', { mounts: [filesystem('nosuchfs', '/x')] });
  assert.is(outcome.status, 'step-failed');
  assert.is(outcome.step, 1 + prepareRoot(root).length);
  assert.is(errnoName(outcome.errno), 'ENODEV');
  assert.is(outcome.syscall, 'fsopen');
});

test('a tolerated errno goes on to the alternative, a success skips it', ({ root, directory }) => {
  const first = filesystem('nosuchfs', '/x', {});
  const fallback = filesystem('tmpfs', '/fallback');
  const tolerant = { ...first, tolerate: ['ENODEV'], orElseNext: true } as Step;
  assert.match(run(root, directory, 'cat /proc/mounts', { mounts: [tolerant, fallback] }).output, '/fallback');
  const works = { ...filesystem('tmpfs', '/first'), orElseNext: true } as Step;
  const { output } = run(root, directory, 'cat /proc/mounts', { mounts: [works, fallback] });
  assert.match(output, '/first');
  assert.not.match(output, '/fallback');
});

test('S18, CVE-2015-3627, CVE-2016-9962: the payload has stdio and nothing else, whatever the caller left open', ({
  root,
  directory,
}) => {
  const odd = [1, 2, 3].map(() => openSync('/etc', 'r'));
  const out = openSync(join(directory, 'out'), 'w+');
  // What Node opens it does not hand on; what is in this list it does.
  execute([create(), ...prepareRoot(root), ...payload('ls /proc/self/fd'), supervise], ['ignore', out, out, ...odd]);
  for (const fd of [...odd, out]) closeSync(fd);
  const output = readFileSync(join(directory, 'out'), 'utf8').trim();
  assert.equal(output.split('\n'), ['0', '1', '2', '3']); // 3 is ls reading the directory
});

test('preserved descriptors keep their numbers', ({ root, directory }) => {
  const fd = openSync(join(directory, 'kept'), 'w+');
  writeSync(fd, 'kept text');
  const out = openSync(join(directory, 'out'), 'w+');
  execute(
    [create(), ...prepareRoot(root), ...payload('readlink /proc/self/fd/3; ls /proc/self/fd'), supervise],
    ['ignore', out, out, fd],
    1,
  );
  assert.match(readFileSync(join(directory, 'out'), 'utf8'), /kept\n0\n1\n2\n3\n4\n$/);
});

test('S21, CVE-2019-5736: the part that goes inside does nothing unless it runs from sealed memory', ({
  directory,
}) => {
  const file = readFileSync(executorPath());
  const said: string[] = [];
  // Two more programs lie in the file, the executor and the bridge; what follows one of them is no part of it.
  for (let at = file.indexOf('\x7fELF', 1); at > 0; at = file.indexOf('\x7fELF', at + 1)) {
    // execvp(3) gives what is no program, but holds the word, to a shell.
    if (file[at + 4] !== 2 || file[at + 6] !== 1 || file.readUInt16LE(at + 52) !== 64) continue;
    const part = join(directory, `part-${at}`);
    writeFileSync(part, file.subarray(at), { mode: 0o755 });
    const { status, stderr } = spawnSync(part, ['--version'], { encoding: 'utf8', timeout: 10_000 });
    if (stderr.includes('sealed memory')) said.push(`${status} ${stderr.trim()}`);
  }
  assert.equal(said, ['1 tsrun: this is a part of tsrun and runs from sealed memory only']);
});

test('S21, CVE-2019-5736: what runs inside before the payload is a sealed memfd, not the file on the host', ({
  root,
  directory,
}) => {
  const fifo = join(directory, 'exec.fifo');
  const reply = join(directory, 'reply.fifo');
  const outcome = execute(
    [
      host('fifo.make', { slot: 0, mode: 0o600, path: fifo }),
      host('fifo.make', { slot: 1, mode: 0o600, path: reply }),
      create(),
      ...prepareRoot(root),
      ...payload('exit 0', [init('process.wait-start', { fifoSlot: 0, replySlot: 1, dumpable: 0 })]),
    ],
    ['ignore', 'ignore', 'ignore'],
  );
  assert.is(outcome.status, 'ok');
  assert.match(readlinkSync(`/proc/${outcome.pid}/exe`), /memfd:tsrun/);
  const program = openSync(`/proc/${outcome.pid}/exe`, 'r');
  // The executor does not wait for the last step of init's.
  let fds = '';
  for (let i = 0; i < 200 && (fds === '' || fds.includes('socket')); i++)
    fds = spawnSync('ls', ['-l', `/proc/${outcome.pid}/fd`], { encoding: 'utf8' }).stdout;
  assert.is(fds.match(/fifo/g)?.length, 2);
  assert.is(fds.match(/->/g)?.length, 5, fds); // stdio and the two fifos: S24
  const wait = release(fifo, reply);
  assert.is(readSync(wait, new Uint8Array(2000)), 0); // end of file: the payload was executed
  closeSync(wait);
  // Nobody executes it any more, so that only the seals are left to keep it as it is.
  const again = openSync(`/proc/self/fd/${program}`, 'r+');
  assert.throws(() => writeSync(again, 'x', 0), /EPERM/);
  assert.throws(() => ftruncateSync(again, 0), /EPERM/);
  closeSync(again);
  closeSync(program);
});

test('the reply fifo carries the record when the payload cannot be executed', ({ root, directory }) => {
  const fifo = join(directory, 'exec.fifo');
  const reply = join(directory, 'reply.fifo');
  const steps = [
    host('fifo.make', { slot: 0, mode: 0o600, path: fifo }),
    host('fifo.make', { slot: 1, mode: 0o600, path: reply }),
    create(),
    ...prepareRoot(root),
    ...payload('true', [
      init('process.wait-start', { fifoSlot: 0, replySlot: 1, dumpable: 0 }),
      init('process.directory', { create: 0, path: '/gone' }),
    ]),
  ];
  const outcome = execute(steps, ['ignore', 'ignore', 'ignore']);
  assert.is(outcome.status, 'ok');
  const again = release(fifo, reply);
  const record = new DataView(new ArrayBuffer(2000));
  const got = readSync(again, new Uint8Array(record.buffer));
  assert.ok(got > 20);
  assert.is(steps[record.getUint32(4, true)]?.op, 'process.directory');
  assert.is(errnoName(record.getUint32(8, true)), 'ENOENT');
  closeSync(again);
});

test('S03: a mount over the root is refused', ({ root, directory }) => {
  for (const target of ['/', '/.', '/usr/..']) {
    const { outcome } = run(root, directory, 'true', { mounts: [filesystem('tmpfs', target)] });
    assert.is(errnoName(outcome.errno), 'EBUSY', target);
  }
});

test('S02, CVE-2019-18837: symlinks in the image are resolved inside the root', ({ root, directory }) => {
  mkdirSync(join(directory, 'outside'));
  symlinkSync(join(directory, 'outside'), join(root, 'absolute'));
  symlinkSync('../../../../../../../../tmp', join(root, 'dots'));
  mkdirSync(join(root, 'tmp'));
  const { outcome, output } = run(root, directory, 'cat /proc/mounts', { mounts: [filesystem('tmpfs', '/dots')] });
  assert.is(outcome.status, 'ok');
  assert.match(output, / \/tmp tmpfs/);
  // the absolute link dangles inside the root: what it names is made there, and nothing outside
  const dangling = run(root, directory, 'grep -c /new /proc/mounts', {
    mounts: [filesystem('tmpfs', '/absolute/new')],
  });
  assert.equal([dangling.outcome.status, dangling.output], ['ok', '1']);
  assert.ok(existsSync(join(root, directory, 'outside/new')));
  assert.not.ok(existsSync(join(directory, 'outside/new')));
});

test('S02: links that dangle are made where they lead, in chains, with dots and in the middle; loops are refused', ({
  root,
  directory,
}) => {
  writeFileSync(join(directory, 'file'), 'content');
  const links = {
    run: '/var-run',
    chain: 'chain2',
    chain2: '/deep/er/./x',
    up: '../../../../upper/x',
    'in-middle': 'missing/../really',
    loop: 'loop2',
    loop2: '/loop',
  };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(root, name));
  const places = [
    ['/run/secrets', '/var-run/secrets'],
    ['/chain', '/deep/er/x'],
    ['/up', '/upper/x'],
    ['/in-middle/new', '/really/new'],
    ['/absent/../lost', '/lost'],
  ] as const;
  for (const [target, made] of places) {
    const file = run(root, directory, `cat ${made}`, { mounts: [bind(join(directory, 'file'), target)] });
    assert.equal([file.outcome.status, file.output], ['ok', 'content'], target);
    const folder = run(root, directory, `cat ${made}-d/here`, {
      mounts: [filesystem('tmpfs', `${target}-d`), bind(join(directory, 'file'), `${made}-d/here`)],
    });
    assert.equal([folder.outcome.status, folder.output], ['ok', 'content'], `${target}-d`);
  }
  const { outcome } = run(root, directory, 'true', { mounts: [filesystem('tmpfs', '/loop/x')] });
  assert.is(errnoName(outcome.errno), 'ELOOP');
});

test('S06, CVE-2019-19921, CVE-2023-27561, CVE-2023-28642, CVE-2025-54867: /proc as a symlink is refused, and so is anything but procfs over it', ({
  root,
  directory,
}) => {
  mkdirSync(join(root, 'fake'));
  symlinkSync('/fake', join(root, 'proc'));
  const linked = run(root, directory, 'true');
  assert.is(linked.outcome.status, 'step-failed');
  assert.is(errnoName(linked.outcome.errno), 'ELOOP');
});

test('S06, CVE-2019-16884, CVE-2015-3630, CVE-2015-3631: nothing is mounted below /proc', ({ root, directory }) => {
  for (const target of ['/proc', '/proc/sys', '/proc/self/attr', '/usr/../proc/self']) {
    const { outcome } = run(root, directory, 'true', { mounts: [filesystem('tmpfs', target)] });
    assert.is(errnoName(outcome.errno), 'EPERM', target);
  }
});

test('S05, CVE-2024-45310, CVE-2025-24965: a mount point that is missing is made without following the image out', ({
  root,
  directory,
}) => {
  writeFileSync(join(directory, 'file'), 'content');
  const { outcome, output } = run(root, directory, 'cat /deep/er/file', {
    mounts: [bind(join(directory, 'file'), '/deep/er/file')],
  });
  assert.is(outcome.status, 'ok');
  assert.is(output, 'content');
});

test('S12: masked files read as empty, masked directories are one read-only file system', ({ root, directory }) => {
  mkdirSync(join(root, 'secret/deep'), { recursive: true });
  mkdirSync(join(root, 'secret2'));
  writeFileSync(join(root, 'key'), 'hidden');
  const mask = (path: string): Step => init('path.mask', { paths: [path] });
  const { outcome, output } = run(
    root,
    directory,
    'cat /key; ls /secret; stat -c %d /secret /secret2; touch /secret/x 2>&1',
    {
      mounts: [mask('/secret'), mask('/secret2'), mask('/key'), mask('/missing')],
    },
  );
  assert.is(outcome.status, 'ok');
  const [first, second, touched] = output.split('\n');
  assert.is(first, second);
  assert.match(touched ?? '', 'Read-only file system');
});

test('S10, S12: what is masked is not masked again, by whatever path; what only looks like a mask is', ({
  root,
  directory,
}) => {
  mkdirSync(join(root, 'secret'));
  for (const name of ['key', 'null']) writeFileSync(join(root, name), 'hidden');
  symlinkSync('/key', join(root, 'link'));
  const mask = (...paths: string[]): Step => init('path.mask', { paths });
  const script = 'cut -d" " -f5,6 /proc/self/mountinfo | grep -E "^/(secret|key|null) " | cut -d, -f1 | sort';
  const { outcome, output } = run(root, directory, script, {
    mounts: [
      bind('/dev/null', '/null', { set: 0 }), // may be written to, so it is none
      mask('/secret', '/key', '/secret', '//key', '/link', '/null'),
      mask('/secret/.', '/null', '/key'),
      bind('/proc', '/proc', { flags: mountFlags.sourceIsProc }),
    ],
  });
  assert.is(outcome.status, 'ok');
  assert.equal(output.split('\n'), ['/key ro', '/null ro', '/null rw', '/secret ro']);
});

test('a plan may have some hundred thousand steps, as a config with that many masked paths has', ({
  root,
  directory,
}) => {
  const began = performance.now();
  const masks = Array.from({ length: 70_000 }, (_, index) => init('path.mask', { paths: [`/proc/none${index}`] }));
  const { outcome, output } = run(root, directory, 'echo in', { mounts: masks });
  assert.equal([outcome.status, output], ['ok', 'in']);
  assert.ok(performance.now() - began < 20_000);
});

test('S10: what is no node is refused, and the answer says which', ({ root, directory }) => {
  const right = ['c 1:3 0666 0:0 /one', 'p 0:0 0640 7:8 /two', 'b 8:1 0 0:0 /three', 'c 1:5 0666 0:0 /dir//four'];
  const good = run(root, directory, 'stat -c %F:%t:%T:%a:%u:%g /one /two /three /dir/four', {
    mounts: [init('device.make', { nodes: right })],
  });
  assert.equal(good.output.split('\n'), [
    'character special file:1:3:666:0:0',
    'fifo:0:0:640:7:8',
    'block special file:8:1:0:0:0',
    'character special file:1:5:666:0:0',
  ]);
  const wrong = [
    ...[
      '',
      'c',
      'c ',
      'x 1:3 0666 0:0 /a',
      'c1:3 0666 0:0 /a',
      'c 1:3 0666 0:0 ',
      'c 1:3 0666 0:0',
      'c 1:3 888 0:0 /a',
    ],
    ...[
      'c 1 3 0666 0:0 /a',
      'c :3 0666 0:0 /a',
      'c 4294967296:3 0666 0:0 /a',
      'c 1:3 010000 0:0 /a',
      'c -1:3 0666 0:0 /a',
    ],
    ...[`c 1:3 0666 0:0 /${'x'.repeat(4095)}`, 'c 1:3 0666 0:0 /.', 'c 1:3 0666 0:0 /..', 'c 1:3 0666 0:0 /one/'],
  ];
  for (const text of wrong) {
    const { outcome } = run(root, directory, 'true', { mounts: [init('device.make', { nodes: [right[0]!, text] })] });
    const seen = [outcome.status, outcome.item, ['EINVAL', 'EEXIST'].includes(errnoName(outcome.errno))];
    // Behind the last slash is nothing: it is the one that is there.
    assert.equal(seen, text.endsWith('/one/') ? ['ok', 0, false] : ['step-failed', 1, true], text.slice(0, 40));
  }
});

test('S10, S12: what masks files is read as empty and may be written to, and the inode of the host is not to be changed', ({
  root,
  directory,
}) => {
  for (const name of ['one', 'two']) writeFileSync(join(root, name), 'hidden');
  const mask = (path: string): Step => init('path.mask', { paths: [path] });
  // all of it as it is on the host, should it succeed
  const script = `for f in /one /two; do
    cat $f; echo text >$f; echo text >>$f
    for try in 'chmod 666' 'chown 0:0' 'touch'; do $try $f 2>&1 | grep -o 'Read-only file system'; done
  done`;
  const { outcome, output } = run(root, directory, script, { mounts: [mask('/one'), mask('/two')] });
  assert.is(outcome.status, 'ok');
  assert.equal(output.split('\n'), Array(6).fill('Read-only file system'));
});

test('S06: over /proc goes a procfs and nothing else, mounted or not', ({ root, directory }) => {
  const { outcome } = run(root, directory, 'true', {
    mounts: [bind(directory, '/elsewhere', { flags: mountFlags.sourceIsProc })],
  });
  assert.is(errnoName(outcome.errno), 'EPERM');
  const proc = run(root, directory, 'true', {
    mounts: [bind('/proc', '/elsewhere', { flags: mountFlags.sourceIsProc })],
  });
  assert.is(proc.outcome.status, 'ok');
});

test('what a tmpfs hides is copied up, links and modes included, and its mode stays', ({ root, directory }) => {
  mkdirSync(join(root, 'data/deep'), { recursive: true });
  writeFileSync(join(root, 'data/deep/file'), 'kept', { mode: 0o640 });
  symlinkSync('deep/file', join(root, 'data/link'));
  chmodSync(join(root, 'data'), 0o711);
  const { output } = run(root, directory, 'cat /data/link; stat -c " %a" /data /data/deep/file; stat -f -c %T /data', {
    mounts: [filesystem('tmpfs', '/data', { flags: mountFlags.copyUp | mountFlags.copyMode })],
  });
  assert.is(output, 'kept 711\n 640\ntmpfs');
});

test('copy-symlink makes the link again instead of following it', ({ root, directory }) => {
  symlinkSync('/somewhere', join(directory, 'link'));
  const { output } = run(root, directory, 'readlink /made', {
    mounts: [bind(join(directory, 'link'), '/made', { flags: mountFlags.copySymlink })],
  });
  assert.is(output, '/somewhere');
  // A container is started more than once from a root.
  const steps = [
    bind(join(directory, 'link'), '/made', { flags: mountFlags.copySymlink }),
    init('mount.propagation', {
      propagation: MS.SHARED,
      recursive: 0,
      flags: mountFlags.noTargetLink,
      target: '/made',
    }),
  ];
  const again = run(root, directory, 'readlink /made', { mounts: [steps[0]!, { ...steps[1]!, tolerate: ['EINVAL'] }] });
  assert.equal([again.outcome.status, again.output], ['ok', '/somewhere']);
  rmSync(join(root, 'made'));
  writeFileSync(join(root, 'made'), '');
  const taken = run(root, directory, 'true', { mounts: [steps[0]!] });
  assert.is(errnoName(taken.outcome.errno), 'EEXIST');
});

test('the loopback of a new network namespace is up', ({ root, directory }) => {
  const path = join(directory, 'out');
  const fd = openSync(path, 'w+');
  const namespaces = newNamespaces.mount | newNamespaces.pid | newNamespaces.net;
  const steps = [create(namespaces), init('net.loopback-up', {}), ...prepareRoot(root), filesystem('sysfs', '/sys')];
  execute([...steps, ...payload('cat /sys/class/net/lo/flags'), supervise], ['ignore', fd, fd]);
  closeSync(fd);
  assert.is(readFileSync(path, 'utf8').trim(), '0x9');
});

test('S28: a filter that allows execve and nothing else still lets the payload be executed', ({ root }) => {
  // load nr; jump to allow when it is execve (59 or 221) or exit_group (231 or 94); else kill
  const [execve, exit] = process.arch === 'arm64' ? [221, 94] : [59, 231];
  const program = [
    [0x20, 0, 0, 0],
    [0x15, 2, 0, execve],
    [0x15, 1, 0, exit],
    [0x06, 0, 0, 0x80000000],
    [0x06, 0, 0, 0x7fff0000],
  ];
  const filter = new Uint8Array(program.length * 8);
  const view = new DataView(filter.buffer);
  program.forEach(([code, yes, no, k], index) => {
    view.setUint16(index * 8, code ?? 0, true);
    view.setUint8(index * 8 + 2, yes ?? 0);
    view.setUint8(index * 8 + 3, no ?? 0);
    view.setUint32(index * 8 + 4, k ?? 0, true);
  });
  const steps = payload('true');
  const last = steps.length - 1;
  const confined = [
    ...steps.slice(0, last),
    init('process.no-new-privileges', {}),
    init('process.seccomp', { flags: 0, dumpable: 0, filter }),
    ...steps.slice(last),
  ];
  const outcome = execute([create(), ...prepareRoot(root), ...confined, supervise]);
  assert.is(outcome.status, 'ok');
  assert.is(outcome.value, 128 + 31); // the shell dies of SIGSYS at its first call: it was reached
});

test('hooks get the state on stdin and their output comes back when they fail', ({ root, directory }) => {
  const hook = (script: string, timeoutMs = 0): Step =>
    host('hook.run', {
      timeoutMs,
      pidKind: 1,
      flags: 0,
      path: '/bin/sh',
      args: ['sh', '-c', script],
      env: ['A=b'],
      stateBefore: '{"pid":',
      stateAfter: '}',
    });
  const seen = join(directory, 'seen');
  const steps = (h: Step): Step[] => [
    create(),
    init('session.start', { terminal: 0 }),
    h,
    ...prepareRoot(root).slice(1),
    ...payload('exit 0'),
    supervise,
  ];
  const good = execute(steps(hook(`cat > ${seen}; echo $A >> ${seen}`)));
  assert.is(good.status, 'ok');
  assert.is(readFileSync(seen, 'utf8'), `{"pid":${good.pid}}b\n`);
  const bad = execute(steps(hook('echo oh no >&2; exit 3')));
  assert.is(bad.status, 'step-failed');
  assert.is(bad.text, 'oh no\n');
  assert.is((bad.value >> 8) & 255, 3);
  const began = Date.now();
  const late = execute(steps(hook('sleep 30 & sleep 30', 300)));
  assert.is(errnoName(late.errno), 'ETIMEDOUT');
  assert.ok(Date.now() - began < 15_000); // R15: the whole group dies at the deadline
});

test('joins an existing namespace before it creates its own', ({ root, directory }) => {
  const out = openSync(join(directory, 'out'), 'w+');
  const outcome = execute(
    [
      host('child.create', { namespaces: 0, cgroupSlot: none, asJoiner: 1, fullSlot: none }),
      step('joiner', 'ns.join', { type: newNamespaces.net, path: '/proc/self/ns/net' }),
      step('joiner', 'child.create', {
        namespaces: newNamespaces.mount | newNamespaces.pid,
        cgroupSlot: none,
        asJoiner: 0,
        fullSlot: none,
      }),
      ...prepareRoot(root),
      ...payload('readlink /proc/self/ns/net; echo $$'),
      supervise,
    ],
    ['ignore', out, out],
  );
  assert.is(outcome.status, 'ok');
  assert.equal(readFileSync(join(directory, 'out'), 'utf8').trim().split('\n'), [
    readlinkSync('/proc/self/ns/net'),
    '1',
  ]);
});

test('a namespace of the wrong type is refused', ({ root }) => {
  const outcome = execute([
    host('child.create', { namespaces: 0, cgroupSlot: none, asJoiner: 1, fullSlot: none }),
    step('joiner', 'ns.join', { type: newNamespaces.uts, path: '/proc/self/ns/net' }),
    step('joiner', 'child.create', { namespaces: newNamespaces.mount, cgroupSlot: none, asJoiner: 0, fullSlot: none }),
    ...prepareRoot(root),
    ...payload('true'),
    supervise,
  ]);
  assert.is(outcome.syscall, 'setns');
  assert.is(errnoName(outcome.errno), 'EINVAL');
});

test('a child that dies without a word is reported, not waited for (R07)', ({ root }) => {
  const outcome = execute([
    create(),
    ...prepareRoot(root),
    host('hook.run', {
      timeoutMs: 0,
      pidKind: 1,
      flags: 0,
      path: '/bin/sh',
      args: ['sh', '-c', 'read s; kill -9 $(echo "$s" | cut -c3-)'],
      env: [],
      stateBefore: 'x:',
      stateAfter: '\n',
    }),
    ...payload('true'),
    supervise,
  ]);
  assert.is(outcome.status, 'child-died');
  assert.is(outcome.value & 0x7f, 9);
});

test('S37, CVE-2021-43784: a damaged plan is refused whole', ({ root }) => {
  const good = encodePlan({ steps: [create(), ...prepareRoot(root), ...payload('true'), supervise], preserveFds: 0 });
  const refuse = (name: string, change: (bytes: Uint8Array) => Uint8Array): void => {
    const bytes = change(new Uint8Array(good));
    const result = spawnSync(executorPath(), [], {
      argv0: 'tsrun:carry-out',
      env: {},
      input: bytes,
      stdio: ['pipe', 'pipe', 'inherit', 0, 1, 2],
    });
    assert.is(new DataView(result.stdout.buffer, result.stdout.byteOffset).getUint32(4, true), 3, name);
  };
  refuse('trailing byte', (bytes) => new Uint8Array([...bytes, 0]));
  refuse('cut', (bytes) => bytes.subarray(0, bytes.length - 1));
  refuse('empty', () => new Uint8Array(0));
  refuse('unknown operation', (bytes) => bytes.fill(0xee, 48, 50));
  refuse('an operation of another role', (bytes) => bytes.fill(1, 48 + 76 + 2, 48 + 76 + 3));
  refuse('offset outside', (bytes) => bytes.fill(0x7f, 48 + 76 + 36, 48 + 76 + 40));
  refuse('other version', (bytes) => bytes.fill(99, 4, 5));
  refuse('reserved bits', (bytes) => bytes.fill(1, 40, 41));
});

test('a plan in a memory file that cannot be sealed is copied', ({ root }) => {
  // What a caller may make of its input: it cannot be sealed.
  const memfd = openLibrary(null).bind<number>('memfd_create', 'int', ['str', 'uint32_t'])('plan', 1);
  assert.ok(memfd >= 0);
  writeSync(
    memfd,
    encodePlan({ steps: [create(), ...prepareRoot(root), ...payload('exit 7'), supervise], preserveFds: 0 }),
  );
  const result = spawnSync(executorPath(), [], {
    argv0: 'tsrun:carry-out',
    env: {},
    stdio: [memfd, 'pipe', 'inherit', 0, 1, 2],
  });
  closeSync(memfd);
  const outcome = decodeOutcome(result.stdout);
  assert.equal([outcome.status, outcome.value], ['ok', 7], JSON.stringify(outcome));
});

test('S38: started by hand in that mode it says what it expects', () => {
  const result = spawnSync(executorPath(), [], {
    argv0: 'tsrun:carry-out',
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  assert.is(result.status, 1);
  assert.match(result.stderr, 'expects a plan');
});

tests.run();
