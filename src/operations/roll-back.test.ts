// What a failed create may and may not take with it. Needs root and dist/tsrun.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsRoot, needsProgram, unless } from '../test-fixtures.js';

const rollback = suite('roll back');
const test = unless(rollback, needsRoot ?? needsProgram);
const name = `tsrun-rollback-${process.pid}`;
/** A hierarchy of this host in which a stranger can sit. */
const hierarchy =
  ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].find((path) => existsSync(join(path, 'cgroup.procs'))) ?? '';

function makeBundle(change: (config: Record<string, never>, directory: string) => void = () => undefined): string {
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
  change(config as never, directory);
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
  return directory;
}

const tsrun = (directory: string, ...args: string[]) =>
  spawnSync('dist/tsrun', ['--root', join(directory, 'state'), ...args], {
    encoding: 'utf8',
    timeout: 20_000,
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

/** Everywhere: what a create that was refused has no right to leave. */
const cgroups = (): string[] =>
  spawnSync('find', ['/sys/fs/cgroup', '-type', 'd', '-name', name], { encoding: 'utf8' }).stdout.trim().split('\n');

function removeCgroup(path: string): void {
  for (let i = 0; i < 100 && existsSync(path); i++) {
    spawnSync('find', [path, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';']);
    spawnSync('sleep', ['0.02']);
  }
}

test('a create into a cgroup with strangers below it is refused, and leaves it as it was', () => {
  const directory = makeBundle();
  const cgroup = join(hierarchy, name);
  mkdirSync(join(cgroup, 'a/b'), { recursive: true });
  const stranger = spawn('sleep', ['30']);
  try {
    writeFileSync(join(cgroup, 'a/b/cgroup.procs'), `${stranger.pid}`);
    const { status, stderr } = tsrun(directory, 'create', '-b', directory, 'web');
    assert.is(status, 1);
    assert.match(stderr, "container's cgroup is not empty");
    assert.is(spawnSync('kill', ['-0', `${stranger.pid}`]).status, 0);
    assert.equal(readdirSync(join(directory, 'state')), []);
    assert.equal(cgroups(), [cgroup]);
  } finally {
    stranger.kill('SIGKILL');
    tsrun(directory, 'delete', '--force', 'web');
    for (const path of cgroups()) removeCgroup(path);
    rmSync(directory, { recursive: true });
  }
});

for (const [where, below] of [
  ['into a frozen cgroup', ''],
  ['below a frozen cgroup', '/x'],
] as const) {
  test(`R19: a create ${where} is refused at once, and leaves it as it was`, () => {
    const directory = makeBundle(({ linux }: { linux?: object }) =>
      Object.assign(linux ?? {}, { cgroupsPath: `/${name}${below}` }),
    );
    const legacy = existsSync('/sys/fs/cgroup/freezer');
    const cgroup = join(legacy ? '/sys/fs/cgroup/freezer' : '/sys/fs/cgroup', name);
    const [file, on, off] = legacy ? ['freezer.state', 'FROZEN', 'THAWED'] : ['cgroup.freeze', '1', '0'];
    mkdirSync(cgroup);
    try {
      writeFileSync(join(cgroup, file), on);
      const { status, stderr } = tsrun(directory, 'create', '-b', directory, 'web');
      assert.is(status, 1);
      assert.match(stderr, "container's cgroup unexpectedly frozen");
      assert.equal(readdirSync(join(directory, 'state')), []);
      assert.ok(existsSync(cgroup));
      assert.not.ok(existsSync(`${cgroup}/x`), 'its own cgroup was left');
      // what lies above the container's own is not its to remove
      if (below === '') assert.equal(cgroups(), [cgroup]);
    } finally {
      writeFileSync(join(cgroup, file), off);
      tsrun(directory, 'delete', '--force', 'web');
      for (const path of cgroups()) removeCgroup(path);
      rmSync(directory, { recursive: true });
    }
  });
}

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

for (const [kind, change] of [
  ['createRuntime hook', { hooks: { createRuntime: [{ path: '/bin/false' }] } }],
  ['createContainer hook', { hooks: { createContainer: [{ path: '/bin/false' }] } }],
  ['mount', { mounts: [{ destination: '/x', type: 'no-such-filesystem' }] }],
] as const) {
  test(`R16: a create that fails in a ${kind} runs the poststop hooks, whose failure is a warning`, () => {
    const directory = makeBundle((config, folder) => {
      const script = 'cat >"$0"; ls "$1" >>"$0"; exit 3';
      const first = { path: '/bin/sh', args: ['sh', '-c', script, join(folder, 'first'), join(folder, 'state')] };
      const second = { path: '/bin/sh', args: ['sh', '-c', 'cat >"$0"', join(folder, 'second')] };
      const hooks = { ...('hooks' in change ? change.hooks : {}), poststop: [first, second] };
      Object.assign(config, change, { hooks });
    });
    try {
      const { status, stderr } = tsrun(directory, 'create', '-b', directory, 'web');
      assert.is(status, 1);
      assert.match(stderr, /\/hooks\/poststop\/0.*\n.*/, 'the warning');
      assert.not.match(stderr.trim().split('\n').at(-1) ?? '', 'poststop');
      for (const name of ['first', 'second']) {
        const state = JSON.parse(readFileSync(join(directory, name), 'utf8'));
        assert.equal([state.id, state.status], ['web', 'stopped'], 'and of the container nothing is there any more');
      }
    } finally {
      tsrun(directory, 'delete', '--force', 'web');
      rmSync(directory, { recursive: true });
    }
  });
}

test('a create that fails before there is a process runs no poststop hooks', () => {
  const directory = makeBundle((config, folder) => {
    const hook = { path: '/bin/sh', args: ['sh', '-c', 'cat >"$0"', join(folder, 'ran')] };
    Object.assign(config, { hooks: { poststop: [hook] } });
    Object.assign((config as { linux?: object }).linux ?? {}, { resources: { pids: { limit: -2 } } });
  });
  try {
    assert.is(tsrun(directory, 'create', '-b', directory, 'web').status, 1);
    assert.not.ok(existsSync(join(directory, 'ran')));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a failed hook around a run is said as start and delete say it, and takes neither the next one nor the exit status', () => {
  const directory = makeBundle((config, folder) => {
    Object.assign(config.process ?? {}, { args: ['sh', '-c', 'exit 7'] });
    const second = { path: '/bin/sh', args: ['sh', '-c', 'cat >"$0"', join(folder, 'second')] };
    const first = { path: '/bin/sh', args: ['sh', '-c', 'echo why; exit 3'] };
    const slow = { path: '/bin/sleep', args: ['sleep', '20'], timeout: 1 };
    Object.assign(config, { hooks: { poststart: [{ path: '/bin/false' }], poststop: [first, second, slow] } });
  });
  try {
    const { status, stderr } = tsrun(directory, 'run', '-b', directory, 'web');
    assert.is(status, 7);
    const words = [
      'hooks.poststart[0] (/hooks/poststart/0): error running poststart hook #0 /bin/false: exit status 1',
      'hooks.poststop[0] (/hooks/poststop/0): error running poststop hook #0 /bin/sh: exit status 3: why',
      'hooks.poststop[2] (/hooks/poststop/2): error running poststop hook #2 /bin/sleep: it did not end within its timeout of 1 s',
    ];
    assert.is(stderr, words.map((line) => `tsrun run web: warning: ${line}\n`).join(''));
    assert.is(JSON.parse(readFileSync(join(directory, 'second'), 'utf8')).status, 'stopped');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a run that cannot tidy up sends no signal to a pid that has been reaped', () => {
  if (spawnSync('strace', ['-V']).status !== 0) return;
  const directory = makeBundle((config, folder) => {
    Object.assign(config.process ?? {}, { args: ['true'] });
    // What is in the way of removing the state.
    const hook = { path: '/bin/mkdir', args: ['mkdir', join(folder, 'state/web/strange')] };
    Object.assign(config, { hooks: { createRuntime: [hook] } });
  });
  try {
    const trace = join(directory, 'trace');
    const traced = ['-f', '-qq', '-e', 'trace=kill,wait4', '-o', trace, 'dist/tsrun'];
    const words = ['--root', join(directory, 'state'), 'run', '-b', directory, 'web'];
    assert.is(spawnSync('strace', [...traced, ...words], { timeout: 20_000 }).status, 1);
    const reaped = new Set<string>();
    let kills = 0;
    // A call that another process's comes in between of is written in two parts.
    for (const line of readFileSync(trace, 'utf8').split('\n')) {
      const [, ended] = /wait4\b.* = (\d+)$/.exec(line) ?? [];
      if (ended !== undefined) reaped.add(ended);
      const [, victim] = / kill\((\d+), SIGKILL\b/.exec(line) ?? [];
      if (victim === undefined) continue;
      kills += 1;
      assert.not.ok(reaped.has(victim), line);
    }
    assert.ok(kills > 0, 'an engine is ended');
    assert.ok(reaped.size > 1, 'and what has ended is reaped');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

rollback.run();
