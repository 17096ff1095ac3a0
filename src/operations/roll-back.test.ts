// What a failed create may and may not take with it. Needs root and dist/tsrun.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const rollback = suite('roll back');
const test = process.getuid?.() === 0 && existsSync('dist/tsrun-engine') ? rollback : rollback.skip;
const name = `tsrun-rollback-${process.pid}`;
/** A hierarchy of this host in which a stranger can sit. */
const hierarchy =
  ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].find((path) => existsSync(join(path, 'cgroup.procs'))) ?? '';

function makeBundle(change: (config: Record<string, never>) => void = () => undefined): string {
  const directory = mkdtempSync(join(tmpdir(), 'tsrun-rollback-'));
  for (const part of ['bin', 'usr', 'lib', 'lib64', 'proc', 'dev'])
    mkdirSync(join(directory, 'rootfs', part), { recursive: true });
  const bind = (path: string) => ({ destination: path, source: path, type: 'none', options: ['rbind', 'ro'] });
  const config = {
    ociVersion: '1.2.0',
    root: { path: 'rootfs' },
    process: { cwd: '/', args: ['sleep', '100'], env: ['PATH=/usr/bin:/bin'], user: { uid: 0, gid: 0 } },
    mounts: ['/usr', '/bin', '/lib', '/lib64'].map(bind),
    linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }], cgroupsPath: `/${name}` },
  };
  change(config as never);
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
  return directory;
}

const tsrun = (directory: string, ...args: string[]) =>
  spawnSync('dist/tsrun', ['--root', join(directory, 'state'), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

test('a create into the cgroup of others kills nobody', () => {
  const directory = makeBundle();
  const cgroup = join(hierarchy, name);
  mkdirSync(cgroup);
  const stranger: ChildProcess = spawn('sleep', ['30']);
  try {
    writeFileSync(join(cgroup, 'cgroup.procs'), `${stranger.pid}`);
    const { status, stderr } = tsrun(directory, 'create', '-b', directory, 'web');
    assert.is(status, 1);
    assert.match(stderr, "container's cgroup is not empty");
    spawnSync('sleep', ['0.1']);
    assert.is(stranger.exitCode, null);
    assert.is(spawnSync('kill', ['-0', `${stranger.pid}`]).status, 0);
    assert.equal(readdirSync(join(directory, 'state')), []);
  } finally {
    stranger.kill('SIGKILL');
    for (let i = 0; i < 100 && existsSync(cgroup); i++) {
      spawnSync('sleep', ['0.02']);
      try {
        rmdirSync(cgroup);
      } catch {}
    }
    rmSync(directory, { recursive: true });
  }
});

test('a create that fails halfway leaves neither cgroup nor state nor process', () => {
  const directory = makeBundle((config) => Object.assign(config.process ?? {}, { args: ['/no/such/program'] }));
  try {
    const { status, stderr } = tsrun(directory, 'create', '-b', directory, 'web');
    assert.is(status, 1);
    assert.match(stderr, /process\.args\[0\].*ENOENT/);
    assert.equal(readdirSync(join(directory, 'state')), []);
    assert.not.ok(existsSync(join(hierarchy, name)));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

rollback.run();
