/** For tests: a container of the host's programs, run by the real dist/tsrun. Needs root. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Linux, Mount, Process, Spec } from '../bundle/types.js';
import { executorPath } from '../host/executor.js';
import { needsRoot, suiteWith } from '../test-fixtures.js';

export interface Changes {
  readonly process?: Partial<Process>;
  readonly linux?: Partial<Linux>;
  readonly mounts?: readonly Mount[];
  readonly spec?: Partial<Spec>;
}

export interface Ran {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

export class TestContainer {
  readonly folder = mkdtempSync(join(tmpdir(), 'tsrun-kernel-'));
  readonly id = `tsrun-kernel-${process.pid}-${Math.floor(performance.now() * 1000)}`;

  constructor() {
    chmodSync(this.folder, 0o755);
    mkdirSync(join(this.folder, 'rootfs'));
  }

  /** Writes the bundle: `script` runs in a shell. */
  prepare(script: string, changes: Changes = {}): void {
    const bind = (path: string): Mount => ({ destination: path, source: path, options: ['rbind', 'ro'] });
    const types = ['mount', 'pid', 'uts', 'ipc', 'network'] as const;
    const config: Spec = {
      ociVersion: '1.3.0',
      process: {
        args: ['/bin/sh', '-c', script],
        cwd: '/',
        env: ['PATH=/usr/bin:/bin:/usr/sbin:/sbin'],
        user: { uid: 0, gid: 0 },
        ...changes.process,
      },
      root: { path: 'rootfs' },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] },
        ...['/usr', '/bin', '/sbin', '/lib', '/lib64'].map(bind),
        ...(changes.mounts ?? []),
      ],
      linux: { namespaces: types.map((type) => ({ type })), ...changes.linux },
      ...changes.spec,
    };
    // Root of a user namespace could not make them in a folder of the host's root.
    for (const { destination } of config.mounts ?? [])
      mkdirSync(join(this.folder, 'rootfs', destination), { recursive: true });
    writeFileSync(join(this.folder, 'config.json'), JSON.stringify(config));
  }

  /** Any command of tsrun on a state root of its own; `wrapper` goes before it. */
  tsrun(args: readonly string[], wrapper: readonly string[] = []): Ran {
    const [file, ...rest] = [...wrapper, executorPath(), '--root', join(this.folder, 'state'), ...args];
    const result = spawnSync(file as string, rest, {
      encoding: 'utf8',
      timeout: 30_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (result.error) throw result.error;
    return { status: result.status, output: result.stdout.trim(), errors: result.stderr.trim() };
  }

  run(script: string, changes: Changes = {}, wrapper: readonly string[] = []): Ran {
    this.prepare(script, changes);
    return this.tsrun(['run', '--bundle', this.folder, this.id], wrapper);
  }

  /** `create` with its streams in a file, since the container keeps them. */
  create(script: string, changes: Changes = {}): Ran {
    this.prepare(script, changes);
    const shell = 'log=$1; shift; "$@" >"$log" 2>&1 </dev/null; s=$?; cat "$log" >&2; exit $s';
    return this.tsrun(
      ['create', '--bundle', this.folder, this.id],
      ['sh', '-c', shell, 'sh', join(this.folder, 'log')],
    );
  }

  remove(): void {
    // What has just ended may keep its cgroup for as long as nobody reaps it: process 1 of some machines takes seconds.
    let gone = this.tsrun(['delete', '--force', this.id]);
    for (let i = 0; i < 8 && gone.status !== 0; i++) {
      spawnSync('sleep', ['0.5']);
      gone = this.tsrun(['delete', '--force', this.id]);
    }
    rmSync(this.folder, { recursive: true, force: true });
    // Its cgroups would outlive the record that names them.
    if (gone.status !== 0) throw new Error(`${this.id} is left: ${gone.errors}`);
  }
}

/** A suite whose tests get a container that is removed when they are done. */
export const containerSuite = (title: string, missing = needsRoot) =>
  suiteWith(title, { make: () => new TestContainer(), remove: (container) => container.remove(), missing });
