/** What the sample bundles' tests share: a copy of a bundle in a temporary folder, the runtime under test, a clean end. */
import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, closeSync, constants, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, posix, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { removeSync } from 'fs-extra/esm';
import { type Test, suite } from 'uvu';

export interface Mount {
  destination: string;
  type: string;
  source: string;
  options: string[];
}

/** As much of a config as the tests edit. */
export interface Config {
  process: { args: string[]; env: string[] };
  mounts: Mount[];
  linux: {
    namespaces: { type: string; path?: string }[];
    resources?: { cpu?: object; memory?: { limit: number; swap: number } };
    seccomp?: object;
    timeOffsets?: Record<string, { secs: number }>;
    [key: string]: unknown;
  };
  [key: string]: unknown;
}

interface Preparation {
  prepareCopy(name: string, to: string, edit?: (config: Config) => void): string;
}

const preparation = (await import(pathToFileURL(resolve('bundles/prepare.mjs')).href)) as Preparation;

/** The runtime under test: dist/tsrun, or what RUNTIME names (`RUNTIME=runc npm test`). */
export const runtime = process.env.RUNTIME || resolve('dist/tsrun');
/** Debian 12's runc knows no time namespace; nobody else gets this excuse. */
export const isRunc = basename(runtime) === 'runc';

/** True when the program is there, in PATH or as a path. */
export const hasProgram = (name: string): boolean =>
  spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name], { stdio: 'ignore' }).status === 0;

function reasonToSkip(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  if (!hasProgram(runtime)) return `'${runtime}' is not there`;
  try {
    accessSync('/sys/fs/cgroup', constants.W_OK);
  } catch {
    return '/sys/fs/cgroup is not writable';
  }
  const probe = spawnSync('unshare', ['--mount', '--pid', '--fork', 'true'], { stdio: 'ignore' });
  if (!probe.error && probe.status !== 0) return 'this root may not make namespaces';
  return undefined;
}

const skipAll = reasonToSkip();

export interface Result {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

/** One temporary folder with its own state root; everything in it is deleted at the end. */
export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), 'tsrun-bundle-'));
  readonly #ids: string[] = [];

  constructor() {
    chmodSync(this.folder, 0o755); // a user namespace's root must be able to reach the rootfs
  }

  /** Copies the bundle here and makes its rootfs. */
  copy(name: string, edit?: (config: Config) => void): string {
    return preparation.prepareCopy(name, this.folder, edit);
  }

  /** An id nobody else on this machine uses. */
  id(name: string): string {
    const id = `tsrun-test-${name}-${process.pid}-${this.#ids.length}`;
    this.#ids.push(id);
    return id;
  }

  /** Runs a command of the runtime to its end. Not for create: its container would keep the pipes open. */
  command(...args: string[]): Result {
    return execute(runtime, ['--root', join(this.folder, 'state'), ...args]);
  }

  /** `run` in the foreground; `wrapper` is a command that gets the runtime's own as its last arguments. */
  run(id: string, bundle: string, wrapper: string[] = []): Result {
    const [file, ...args] = [...wrapper, runtime, '--root', join(this.folder, 'state'), 'run', '--bundle', bundle, id];
    return execute(file as string, args);
  }

  /** `create`; returns a function that reads what the container has written so far. */
  create(id: string, bundle: string): () => string {
    const file = join(this.folder, `${id}.log`);
    const log = openSync(file, 'a');
    const args = ['--root', join(this.folder, 'state'), 'create', '--bundle', bundle, id];
    const { status } = spawnSync(runtime, args, {
      stdio: ['ignore', log, log],
      timeout: 30_000,
      killSignal: 'SIGKILL',
    });
    closeSync(log);
    const output = () => readFileSync(file, 'utf8');
    if (status !== 0) throw new Error(`create ended with ${status}: ${output()}`);
    return output;
  }

  start(id: string): void {
    const { status, output, errors } = this.command('start', id);
    if (status !== 0) throw new Error(`start ended with ${status}: ${output}${errors}`);
  }

  state(id: string): { status: string; pid: number } {
    return JSON.parse(this.command('state', id).output);
  }

  /** Waits until `condition` holds; after `seconds` it complains with `what`. */
  async until(what: string, seconds: number, condition: () => boolean): Promise<void> {
    const deadline = performance.now() + seconds * 1000;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`waited ${seconds} s in vain: ${what}`);
      await sleep(50);
    }
  }

  /** Deletes every container of this sandbox, then the folder. @throws when one cannot be deleted. */
  close(): void {
    const left: string[] = [];
    for (const id of this.#ids) {
      const { status, errors } = this.command('delete', '--force', id);
      if (status !== 0) left.push(`${id}: ${errors}`);
    }
    if (left.length > 0) throw new Error(`could not delete ${left.join('; ')}`);
    removeSync(this.folder);
  }
}

function execute(file: string, args: string[]): Result {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  if (error) throw error;
  return { status, output: stdout, errors: stderr };
}

export const sleep = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

/** A suite whose tests each get a sandbox, and are counted as skipped where containers cannot be made. */
export class BundleSuite {
  readonly #suite: Test;
  readonly #name: string;
  readonly #skip: string | undefined;

  constructor(name: string, extraReason?: string) {
    this.#name = name;
    this.#suite = suite(`bundles/${name}`);
    this.#skip = skipAll ?? extraReason;
  }

  /** One test. Its title reads as a sentence. */
  test(title: string, body: (sandbox: Sandbox) => void | Promise<void>): void {
    if (this.#skip) {
      this.#suite.skip(title, () => {});
      return;
    }
    this.#suite(title, async () => {
      const sandbox = new Sandbox();
      try {
        await body(sandbox);
      } finally {
        sandbox.close();
      }
    });
  }

  run(): void {
    if (this.#skip) console.log(`bundles/${this.#name}: skipped: ${this.#skip}`);
    this.#suite.run();
  }
}

/** The lines `key: value` that the payloads print. */
export function report(output: string): Map<string, string> {
  const lines = new Map<string, string>();
  for (const line of output.split('\n')) {
    const colon = line.indexOf(': ');
    if (colon > 0) lines.set(line.slice(0, colon), line.slice(colon + 2).trim());
  }
  return lines;
}

/** The process's cgroup folder that holds a controller's files, whether it is one of cgroup v1 or v2. */
export function cgroupFolder(pid: number, controller: string): string {
  const rows = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  const own = (names: string[]) => names.includes(controller);
  const v1 = rows.map((row) => row.split(':')).find(([, names]) => own((names ?? '').split(',')));
  const path = v1?.[2] ?? rows.find((row) => row.startsWith('0::'))?.slice(3);
  const mount = mounts
    .map((line) => ({ fields: line.split(' '), source: line.split(' - ')[1]?.split(' ') ?? [] }))
    .find(({ source }) => (v1 ? source[0] === 'cgroup' && own((source[2] ?? '').split(',')) : source[0] === 'cgroup2'));
  const [, , , root, point] = mount?.fields ?? [];
  if (!path || !root || !point) throw new Error(`no cgroup of controller '${controller}' found for process ${pid}`);
  return posix.join(point, posix.relative(root, path));
}

/** The number after `key` in a file such as cpu.stat. */
export function statistic(file: string, key: string): number {
  const row = readFileSync(file, 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${key} `));
  if (!row) throw new Error(`no '${key}' in ${file}`);
  return Number(row.slice(key.length + 1));
}
