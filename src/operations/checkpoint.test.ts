// checkpoint and restore as commands, up to where CRIU would begin: a program in its place says that it cannot. What CRIU
// itself does is shown by conformance/engines/checkpoint.sh. Needs root and dist/tsrun.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderFor, needsProgram, needsRoot, unless } from '../test-fixtures.js';

const checkpoint = suite('checkpoint');
const test = unless(checkpoint, needsRoot ?? needsProgram);
checkpoint.after(() => {
  tsrun('delete', '--force', 'web');
});
const folder = folderFor(checkpoint, 'checkpoint');
const cgroup = `tsrun-checkpoint-${process.pid}`;
const path = (...parts: string[]): string => join(folder, ...parts);

/** Knows its version and, when asked for anything, writes a log (in the last directory it was given) and fails. */
const failing = `#!/bin/sh
[ "$1" = --version ] && { echo 'Version: 3.17.1'; exit; }
[ "$1" = swrk ] && [ ! -e "$0.silent" ] || exit 1
dd bs=65536 count=1 status=none <&3 >/proc/self/fd/4/request
for log in dump restore; do echo '(00.01) Error (criu/x.c:1): no such luck' >/proc/self/fd/4/$log.log; done
printf '\\010\\001\\020\\000' >&3
`;

function tsrun(...args: string[]) {
  const { status, stderr } = spawnSync('dist/tsrun', ['--root', path('state'), ...args], {
    encoding: 'utf8',
    timeout: 30_000,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: `${path('bin')}:/usr/sbin:/usr/bin:/sbin:/bin` },
  });
  return { status, stderr };
}
const stateOf = (id: string): string =>
  JSON.parse(spawnSync('dist/tsrun', ['--root', path('state'), 'state', id], { encoding: 'utf8' }).stdout || '{}')
    .status;
const cgroups = (): string[] => {
  const { stdout } = spawnSync('find', ['/sys/fs/cgroup', '-type', 'd', '-name', cgroup], { encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean);
};

checkpoint.before(() => {
  for (const part of ['bin', 'rootfs/bin', 'rootfs/usr', 'rootfs/lib', 'rootfs/lib64', 'rootfs/proc', 'rootfs/dev'])
    mkdirSync(path(part), { recursive: true });
  writeFileSync(path('bin/criu'), failing, { mode: 0o755 });
  const bind = (place: string) => ({ destination: place, source: place, type: 'none', options: ['rbind', 'ro'] });
  const config = {
    ociVersion: '1.2.0',
    root: { path: 'rootfs' },
    process: { cwd: '/', args: ['sleep', '100'], env: ['PATH=/usr/bin:/bin'], user: { uid: 0, gid: 0 } },
    mounts: ['/usr', '/bin', '/lib', '/lib64'].map(bind),
    linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }], cgroupsPath: `/${cgroup}` },
  };
  writeFileSync(path('config.json'), JSON.stringify(config));
});

test('a created or missing container is refused', () => {
  assert.is(tsrun('create', '--bundle', folder, 'web').status, 0);
  assert.equal(tsrun('checkpoint', '--image-path', path('image'), 'web'), {
    status: 1,
    stderr: 'tsrun checkpoint web: Container cannot be checkpointed in created state\n',
  });
  assert.match(tsrun('checkpoint', 'other').stderr, /container does not exist/);
  assert.not(existsSync(path('image')), 'nothing is made for it');
  assert.is(tsrun('start', 'web').status, 0);
});

test('options that mean nothing are refused', () => {
  const refused: [string[], RegExp][] = [
    [['--parent-path', '/pre'], /--parent-path must be relative/],
    [['--parent-path', '../pre'], /invalid --parent-path: '.*' is not there/],
    [['--page-server', 'nowhere'], /Use --page-server ADDRESS:PORT to specify page server/],
    [['--page-server', '127.0.0.1:99999'], /ADDRESS:PORT/],
    [['--lazy-pages', '--status-fd', '77'], /invalid --status-fd argument 77/],
    [['--empty-ns', 'mount'], /must be network/],
    [['--lsm-profile', 'x'], /flag provided but not defined/],
  ];
  for (const [options, message] of refused) {
    const { status, stderr } = tsrun('checkpoint', '--image-path', path('refused'), ...options, 'web');
    assert.is(status, 1, options.join(' '));
    assert.match(stderr, message);
  }
  assert.is(stateOf('web'), 'running');
});

test('CRIU fails: the container runs on, and the error of the log is told', () => {
  const { status, stderr } = tsrun('checkpoint', '--image-path', path('image'), 'web');
  assert.is(status, 1);
  assert.is(
    stderr,
    `tsrun checkpoint web: criu failed to dump the container: no such luck; the whole log is '${path('image/dump.log')}'\n`,
  );
  assert.is(stateOf('web'), 'running');
  const descriptors = JSON.parse(readFileSync(path('image/descriptors.json'), 'utf8')) as string[];
  assert.equal(
    [descriptors.length, descriptors[0], /^(pipe|socket):\[\d+\]$/.test(descriptors[2] ?? '')],
    [3, '/dev/null', true],
  );
  assert.is(statSync(path('image')).mode & 0o777, 0o700, 'memory is nobody else’s');
});

test('CRIU ends without a word: the log of an earlier attempt is not taken for this one', () => {
  writeFileSync(path('bin/criu.silent'), '');
  const { status, stderr } = tsrun('checkpoint', '--image-path', path('image'), 'web');
  rmSync(path('bin/criu.silent'));
  assert.equal(
    [status, stderr],
    [1, 'tsrun checkpoint web: criu failed to dump the container: it ended without an answer\n'],
  );
  assert.is(stateOf('web'), 'running');
});

test('restore: what is no image is refused before anything is made', () => {
  const restore = (image: string) => tsrun('restore', '--bundle', folder, '--image-path', path(image), '-d', 'again');
  assert.match(restore('nowhere').stderr, /no image directory/);
  mkdirSync(path('empty'));
  assert.match(restore('empty').stderr, /has no file 'descriptors.json'/);
  for (const nonsense of ['{', '{}', '[1]', '"x"']) {
    writeFileSync(path('empty/descriptors.json'), nonsense);
    assert.match(restore('empty').stderr, /'descriptors.json' is not/);
  }
  assert.equal(
    readdirSync(path('state')).filter((name) => !name.startsWith('.')),
    ['web'],
  );
});

test('restore: CRIU fails, and nothing is left', () => {
  assert.is(tsrun('delete', '--force', 'web').status, 0);
  const { status, stderr } = tsrun('restore', '--bundle', folder, '--image-path', path('image'), '-d', 'again');
  assert.is(status, 1);
  assert.match(
    stderr,
    /^tsrun restore again: criu failed to restore the container: no such luck; the whole log is '.*restore\.log'\n$/,
  );
  assert.equal(
    readdirSync(path('state')).filter((name) => !name.startsWith('.')),
    [],
  );
  assert.equal(cgroups(), []);
  assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(folder));
});

checkpoint.run();
