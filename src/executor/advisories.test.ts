// One test for each published advisory of a peer that an executor without its invariant would repeat (security.md section 1).
// Images are hostile here, and a canary on the host tells. Needs root.
import {
  chownSync,
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { consoleFlags, mountFlags } from '../generated/ops.js';
import type { Step } from '../plan/step.js';
import { errnoName } from '../tables/errnos.js';
import {
  bind,
  create,
  execute,
  filesystem,
  init,
  none,
  payload,
  prepareRoot,
  rootSuite,
  supervise,
  type TestRoot,
} from './test-plans.js';
import { buildHelper, startSwapper } from './test-swapper.js';

const { tests, test: withRoot } = rootSuite('advisories');
interface Place extends TestRoot {
  /** A directory of the host with one file in it, which must stay as it is. */
  readonly canary: string;
}
const test = (name: string, body: (place: Place) => void): void =>
  withRoot(name, ({ directory, root }) => {
    const canary = join(directory, 'canary');
    mkdirSync(canary);
    writeFileSync(join(canary, 'file'), 'untouched');
    chmodSync(join(canary, 'file'), 0o600);
    body({ root, directory, canary });
    assert.equal(readdirSync(canary), ['file'], 'something was made on the host');
    assert.is(readFileSync(join(canary, 'file'), 'utf8'), 'untouched');
    assert.is(statSync(join(canary, 'file')).mode & 0o777, 0o600);
  });

/** Like prepareRoot, but without a tmpfs over /dev: the image's own /dev is used. */
const bareRoot = (root: string): Step[] =>
  prepareRoot(root).filter(
    ({ op, args }) => !(op === 'mount.filesystem' && (args as { target?: string }).target === '/dev'),
  );

function run(
  { root, directory }: Place,
  script: string,
  middle: readonly Step[],
  after: readonly Step[] = [],
  base = bareRoot(root),
) {
  const path = join(directory, 'out');
  const out = openSync(path, 'w');
  const outcome = execute([create(), ...base, ...middle, ...payload(script, after), supervise], ['ignore', out, out]);
  closeSync(out);
  return { outcome, output: readFileSync(path, 'utf8').trim() };
}

const device = (path: string): Step => init('device.make', { nodes: [`c 1:3 0666 0:0 ${path}`] });

test('CVE-2026-41579, CVE-2026-47766 (S09): /dev of the image leads out of it, and nothing is made there', (place) => {
  symlinkSync(place.canary, join(place.root, 'dev'));
  const links = [device('/dev/null'), init('path.symlink', { target: 'pts/ptmx', path: '/dev/ptmx' })];
  run(place, 'true', links); // works inside or fails; the canary decides
});

test('CVE-2026-88264, CVE-2025-52565 (S17): /dev/console of the image is a symlink to a host file', (place) => {
  mkdirSync(join(place.root, 'dev/pts'), { recursive: true });
  symlinkSync(join(place.canary, 'new'), join(place.root, 'dev/console'));
  const terminal = [
    filesystem('devpts', '/dev/pts', { options: ['newinstance', 'ptmxmode=0666', 'mode=0620'] }),
    init('console.open', { slot: none, rows: 0, columns: 0, uid: 0, flags: consoleFlags.bind }),
  ];
  // Where the link leads to, in the root, there would be a terminal under its name as well.
  const script = '[ "$(stat -L -c %t /dev/console)" = 88 ] && grep -q " /dev/console " /proc/self/mountinfo';
  const { outcome } = run(place, script, terminal);
  assert.equal([outcome.status, outcome.value], ['ok', 0], 'the terminal lies over the link');
});

test('CVE-2025-52565 (S17): a ptmx that is no devpts is refused', (place) => {
  mkdirSync(join(place.root, 'dev/pts'), { recursive: true });
  writeFileSync(join(place.root, 'dev/pts/ptmx'), '');
  const { outcome } = run(place, 'true', [
    init('console.open', { slot: none, rows: 0, columns: 0, uid: 0, flags: consoleFlags.bind }),
  ]);
  assert.is(errnoName(outcome.errno), 'ENXIO');
});

test('CVE-2025-31133, CVE-2025-62161 (S11): /dev/null of the image is not what masks', (place) => {
  mkdirSync(join(place.root, 'dev'));
  symlinkSync(join(place.canary, 'file'), join(place.root, 'dev/null'));
  writeFileSync(join(place.root, 'secret'), 'hidden');
  const { outcome, output } = run(place, 'cat /secret; stat -c %t:%T /secret', [
    init('path.mask', { paths: ['/secret'] }),
  ]);
  assert.is(outcome.status, 'ok');
  assert.is(output, '1:3');
});

test('CVE-2026-88265 (S11): stdio is not replaced by whatever the image calls /dev/null', (place) => {
  mkdirSync(join(place.root, 'dev'));
  writeFileSync(join(place.root, 'dev/null'), 'a file of the image');
  const streams = [init('stdio.null', {}), init('stdio.own', { uid: 1000 })];
  const { outcome, output } = run(place, 'stat -L -c %F /proc/self/fd/0', streams);
  assert.is(outcome.status, 'ok');
  assert.is(output, 'character special file');
  // runc #3674: the host's null device was given away. Here the streams are that, and nothing has replaced them.
  run(place, 'true', [init('stdio.own', { uid: 1000 })]);
  const { uid } = statSync('/dev/null');
  if (uid !== 0) chownSync('/dev/null', 0, 0);
  assert.is(uid, 0);
});

test('CVE-2024-21626 (S18, S19): a working directory that is a leaked descriptor is refused', (place) => {
  const leaked = [openSync('/', 'r'), openSync(place.canary, 'r')];
  for (let fd = 3; fd < 20; fd++) {
    // 1: made in the root first; 0: entered as it is, so that only what the kernel says of it is left
    for (const create_ of [0, 1]) {
      // a descriptor of the container's own root leads where the container may be
      const steps = payload('[ "$(stat -c %d:%i .)" = "$(stat -c %d:%i /)" ]').map((step) =>
        step.op === 'process.directory'
          ? init('process.directory', { create: create_, path: `/proc/self/fd/${fd}` })
          : step,
      );
      const stdio = ['ignore', 'ignore', 'ignore', ...leaked] as const;
      const outcome = execute([create(), ...prepareRoot(place.root), ...steps, supervise], stdio);
      assert.ok(outcome.status === 'step-failed' || outcome.value === 0, `descriptor ${fd}`);
    }
  }
  for (const fd of leaked) closeSync(fd);
});

test('CVE-2024-21626 (S20): args[0] cannot be a descriptor of ours', (place) => {
  for (let fd = 3; fd < 30; fd++) {
    const steps = payload('true').map((step) =>
      step.op === 'process.find' ? init('process.find', { candidates: [`/proc/self/fd/${fd}`] }) : step,
    );
    const outcome = execute(
      [create(), ...prepareRoot(place.root), ...steps, supervise],
      ['ignore', 'ignore', 'ignore'],
    );
    assert.is(outcome.status, 'step-failed', `descriptor ${fd}`);
  }
});

test('CVE-2024-45310, CVE-2025-24965 (S05): what is made on the way to a mount point is made inside', (place) => {
  symlinkSync(place.canary, join(place.root, 'link'));
  symlinkSync(join(place.canary, 'file'), join(place.root, 'to-file'));
  symlinkSync('../../../../../../../../../../../..', join(place.root, 'dots'));
  writeFileSync(join(place.directory, 'source'), 'source');
  const source = join(place.directory, 'source');
  for (const target of ['/link/new', '/link/new/er', `/dots${place.canary}/new`, '/to-file']) {
    run(place, 'true', [bind(source, target)]);
    run(place, 'true', [filesystem('tmpfs', target)]);
    run(place, 'true', [init('path.symlink', { target: 'x', path: target })]);
    run(place, 'true', [init('process.directory', { create: 1, path: target })]);
  }
});

test('CVE-2016-3697 (S26): a numeric user is no name of the image’s passwd', (place) => {
  mkdirSync(join(place.root, 'etc'));
  writeFileSync(join(place.root, 'etc/passwd'), '1000:x:0:0::/root:/bin/sh\nreal:x:1000:1000::/home/real:/bin/sh\n');
  const user = [init('process.home', { uid: 1000 }), init('process.user', { uid: 1000, gid: 1000 })];
  assert.is(run(place, 'id -u; echo $HOME', [], user).output, '1000\n/home/real');
});

test('S51: a passwd that is a FIFO, a device or endless is not waited for', (place) => {
  mkdirSync(join(place.root, 'etc'));
  symlinkSync('/dev/zero', join(place.root, 'etc/passwd'));
  const zero = init('device.make', { nodes: ['c 1:5 0666 0:0 /dev/zero'] });
  assert.is(run(place, 'echo $HOME', [zero], [init('process.home', { uid: 0 })]).output, '/');
});

test('CVE-2026-115521 (S13): a /proc/self/fd of the image does not lead read-only astray', (place) => {
  mkdirSync(join(place.root, 'proc/self/fd'), { recursive: true });
  const steps = payload('touch /written 2>&1; touch /usr/written 2>&1');
  const pivot = steps.findIndex(({ op }) => op === 'root.pivot');
  const plan = [...steps.slice(0, pivot + 1), init('root.readonly', {}), ...steps.slice(pivot + 1)];
  const noProc = prepareRoot(place.root).filter(({ args }) => (args as { target?: string }).target !== '/proc');
  const out = openSync(join(place.directory, 'out'), 'w');
  execute([create(), ...noProc, ...plan, supervise], ['ignore', out, out]);
  closeSync(out);
  assert.is(readFileSync(join(place.directory, 'out'), 'utf8').match(/Read-only/g)?.length, 2);
});

test('CVE-2021-30465, CVE-2025-52881, CVE-2025-62596 (S02, S04): a volume that is exchanged while it is mounted on stays inside', (place) => {
  mkdirSync(join(place.root, 'volume'));
  mkdirSync(join(place.directory, 'shared/target'), { recursive: true });
  symlinkSync(place.canary, join(place.directory, 'shared/link'));
  const swapper = startSwapper(buildHelper('swap', place.directory), join(place.directory, 'shared'), 'target', 'link');
  try {
    for (let i = 0; i < 60; i++) {
      const volume = [
        bind(join(place.directory, 'shared'), '/volume', { set: 0 }),
        filesystem('tmpfs', '/volume/target/deep'),
      ];
      run(place, 'echo x >/volume/target/deep/x', volume);
    }
  } finally {
    swapper.kill('SIGKILL');
  }
});

test('CVE-2019-18837, CVE-2024-45310 (S02, S05): what a dangling link names is made inside while somebody exchanges the way there', (place) => {
  const volume = join(place.root, 'volume');
  mkdirSync(join(volume, 'target'), { recursive: true });
  symlinkSync(place.canary, join(volume, 'link'));
  writeFileSync(join(place.directory, 'source'), 'source');
  const swapper = startSwapper(buildHelper('swap', place.directory), volume, 'target', 'link');
  try {
    for (let i = 0; i < 100; i++) {
      symlinkSync(`/volume/target/a${i}/b/c/d/e`, join(place.root, `to-${i}`));
      symlinkSync(`volume/target/f${i}`, join(place.root, `file-${i}`));
      run(place, 'true', [filesystem('tmpfs', `/to-${i}/deep`)]);
      run(place, 'true', [bind(join(place.directory, 'source'), `/file-${i}`)]);
    }
  } finally {
    swapper.kill('SIGKILL');
  }
});

for (const kind of ['file', 'directory'] as const) {
  test(`S05: a tmpfs copies up a ${kind} and a link as such, and nothing of the host, though they are exchanged meanwhile`, (place) => {
    const full = join(place.root, 'full');
    mkdirSync(join(full, 'plain'), { recursive: true });
    if (kind === 'file') rmSync(join(full, 'plain'), { recursive: true });
    if (kind === 'file') writeFileSync(join(full, 'plain'), 'inside');
    else writeFileSync(join(full, 'plain/file'), 'inside');
    symlinkSync(kind === 'file' ? join(place.canary, 'file') : place.canary, join(full, 'link'));
    const swapper = startSwapper(buildHelper('swap', place.directory), full, 'plain', 'link');
    const file = kind === 'file' ? '$f' : '$f/file';
    const script = `cd /full; for f in *; do [ -L $f ] && echo link || echo $(cat ${file}); done`;
    try {
      for (let i = 0; i < 80; i++) {
        const { outcome, output } = run(place, script, [filesystem('tmpfs', '/full', { flags: mountFlags.copyUp })]);
        assert.is(outcome.status, 'ok', `${outcome.syscall}: ${errnoName(outcome.errno)}`);
        for (const line of output.split('\n')) assert.ok(['link', 'inside'].includes(line), line);
      }
    } finally {
      swapper.kill('SIGKILL');
    }
  });
}

test('S05: what a tmpfs copies up is one file or the other, with its own mode, though they are exchanged meanwhile', (place) => {
  const full = join(place.root, 'full');
  mkdirSync(full);
  writeFileSync(join(full, 'open'), 'open', { mode: 0o644 });
  writeFileSync(join(full, 'secret'), 'secret');
  chmodSync(join(full, 'secret'), 0o600);
  const swapper = startSwapper(buildHelper('swap', place.directory), full, 'open', 'secret');
  try {
    for (let i = 0; i < 80; i++) {
      const copy = filesystem('tmpfs', '/full', { flags: mountFlags.copyUp });
      const { output } = run(place, 'cd /full; for f in *; do echo $(stat -c %a $f) $(cat $f); done', [copy]);
      for (const line of output.split('\n')) assert.ok(['644 open', '600 secret'].includes(line), line);
    }
  } finally {
    swapper.kill('SIGKILL');
  }
});

test('CVE-2019-16884, CVE-2025-52881 (S07): a label is not written into a fake /proc', (place) => {
  mkdirSync(join(place.root, 'proc/thread-self/attr'), { recursive: true });
  writeFileSync(join(place.root, 'proc/thread-self/attr/exec'), '');
  const noProc = prepareRoot(place.root).filter(({ args }) => (args as { target?: string }).target !== '/proc');
  const label = init('process.label', { file: 'exec', fallback: '', value: 'label' });
  run(place, 'true', [], [label], noProc);
  assert.is(readFileSync(join(place.root, 'proc/thread-self/attr/exec'), 'utf8'), '');
});

test('CVE-2022-29162, CVE-2022-27650, CVE-2025-27612 (S25): inheritable and bounding are what the plan says, never the caller’s', (place) => {
  const caps = [
    init('process.bounding', { caps: 1n << 5n }),
    init('process.capabilities', { effective: 1n << 5n, permitted: 1n << 5n, inheritable: 0n }),
    init('process.ambient', { caps: 0n }),
  ];
  const { output } = run(place, 'grep Cap /proc/self/status', [], caps);
  const zero = '0000000000000000';
  const kill = '0000000000000020';
  assert.equal(
    output.split('\n').map((line) => line.split('\t')[1]),
    [zero, kill, kill, kill, zero],
  );
});

tests.run();
