// What a case gets: a bundle of its own, a state root of its own, and the runtime's commands. Everything is gone afterwards.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseConfig, type Changes, changed, encode } from './config.js';

export interface Case {
  readonly id: string;
  /** Requirement ids of requirements.json; a case of the common command line, which no specification demands, has none. */
  readonly proves: readonly string[];
  readonly check: (box: Box) => Promise<void>;
}

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Skipped extends Error {}

export function skip(reason: string): never {
  throw new Skipped(reason);
}

export function expect(condition: boolean, observation: string): asserts condition {
  if (!condition) throw new Error(observation);
}

export function same(actual: unknown, wanted: unknown, what: string): void {
  const [a, w] = [JSON.stringify(actual), JSON.stringify(wanted)];
  expect(a === w, `${what}: ${a}, wanted ${w}`);
}

/** One registry a file of cases: `const test = topic('mounts')`, then `test('tmpfs-ro', ['config.mounts.option.ro'], async (box) => …)`. */
export type Add = (slug: string, proves: readonly string[], check: (box: Box) => Promise<void>) => void;

export function topic(name: string, cases: Case[]): Add {
  return (slug, proves, check) => {
    cases.push({ id: `${name}/${slug}`, proves, check });
  };
}

export const unified = fs.existsSync('/sys/fs/cgroup/cgroup.controllers');

/** How much slower than a machine this is: an emulated processor takes 20 s to start python3 for the first time. */
export const patience = /QEMU TCG/.test(fs.readFileSync('/proc/cpuinfo', 'utf8')) ? 6 : 1;

/** Bounded: a runtime that hangs is a failure like any other. */
export const limit = 10_000 * patience;

const applets =
  'sh cat echo ls mkdir rmdir rm chmod chown stat id env sleep true false touch ln readlink mknod kill mount umount head tail grep test pwd uname hostname dd stty tty renice ionice nice cut tr wc od ps printf date ip ping sed awk sort find mkfifo seq setsid timeout taskset nproc chrt';

let counter = 0;
const plain = new Map<string, Promise<void>>();

export class Box {
  readonly dir: string;
  readonly bundle: string;
  readonly rootfs: string;
  readonly root: string;
  readonly id: string;
  readonly cgroup: string;
  private readonly cleanups: Array<() => void> = [];
  private readonly ids = new Set<string>();
  private outputs = 0;
  private lastCreate = '';

  constructor(
    readonly runtime: string,
    readonly name: string,
  ) {
    counter += 1;
    this.id = `conf-${process.pid}-${counter}`;
    // Not the id itself, where a runtime that ignores cgroupsPath would put it, too.
    this.cgroup = `/${this.id}-cgroup`;
    this.dir = fs.mkdtempSync(join(tmpdir(), 'conformance-'));
    fs.chmodSync(this.dir, 0o755);
    this.bundle = join(this.dir, 'bundle');
    this.rootfs = join(this.bundle, 'rootfs');
    this.root = join(this.dir, 'state');
    fs.mkdirSync(this.root);
    for (const folder of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'run', 'root', 'mnt']) {
      fs.mkdirSync(join(this.rootfs, folder), { recursive: true });
    }
    fs.chmodSync(join(this.rootfs, 'tmp'), 0o1777);
    fs.copyFileSync('/bin/busybox', join(this.rootfs, 'bin/busybox'), fs.constants.COPYFILE_FICLONE);
    fs.chmodSync(join(this.rootfs, 'bin/busybox'), 0o755);
    for (const applet of applets.split(' ')) fs.symlinkSync('busybox', join(this.rootfs, 'bin', applet));
    fs.writeFileSync(
      join(this.rootfs, 'etc/passwd'),
      'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n',
    );
    fs.writeFileSync(join(this.rootfs, 'etc/group'), 'root:x:0:\nuser:x:1000:\n');
  }

  /** A path on the host side, in the case's own folder. */
  path(...parts: string[]): string {
    return join(this.dir, ...parts);
  }

  /** A file of the case's folder, without the newline at its end. */
  read(path: string): string {
    return fs.readFileSync(path, 'utf8').replace(/\n$/, '');
  }

  /** Writes config.json: the base configuration, the script as the process, and the changes (JSON pointer to value). */
  configure(script: string, changes: Changes = {}): void {
    const config = baseConfig(this.cgroup);
    this.configureText(encode(changed(config, { '/process/args': ['/bin/sh', '-c', script], ...changes })));
  }

  configureText(text: string | Buffer): void {
    fs.writeFileSync(join(this.bundle, 'config.json'), text);
  }

  later(cleanup: () => void): void {
    this.cleanups.push(cleanup);
  }

  /** Mounts on the host's side for the time of the case. */
  mountHost(args: readonly string[], target: string): void {
    fs.mkdirSync(target, { recursive: true });
    const result = spawnSync('mount', [...args, target], { encoding: 'utf8' });
    if (result.status !== 0) skip(`mount: ${result.stderr.trim()}`);
    this.later(() => spawnSync('umount', ['-R', '-l', target]));
  }

  /** A process in namespaces of its own, to be joined; answers its pid. */
  async helper(program: string, args: readonly string[]): Promise<number> {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.later(() => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {}
    });
    let [text, complaint] = ['', ''];
    child.stderr.on('data', (data) => {
      complaint += data;
    });
    const line = await new Promise<string>((done, failed) => {
      child.stdout.on('data', (data) => {
        text += data;
        if (text.includes('\n')) done(text);
      });
      child.on('close', () => done(''));
      child.on('error', (error) => done(error.message));
      // Not a skip: a case that is not tried because the machine is slow would be missed for ever.
      setTimeout(() => failed(new Error(`the helper '${program}' is silent for ${limit / 1000} s`)), limit).unref();
    });
    if (Number.isNaN(Number.parseInt(line, 10)))
      skip(`helper '${program}' does not work here: ${lastLine(complaint) || line}`);
    return Number.parseInt(line, 10);
  }

  /**
   * A program in Python, which can receive descriptors. The distribution's interpreter: what PATH finds may be a version
   * manager's chain of scripts, which takes a minute to begin on an emulated processor that others use, too.
   */
  python(program: string, ...args: string[]): Promise<number> {
    const found = ['/usr/bin/python3', '/usr/local/bin/python3'].find((path) => fs.existsSync(path));
    return this.helper(found ?? 'python3', ['-I', '-S', '-c', program, ...args]);
  }

  command(
    args: readonly string[],
    options: { input?: string; env?: NodeJS.ProcessEnv; wrapper?: string[] } = {},
  ): Promise<Result> {
    const [program, ...rest] = [...(options.wrapper ?? []), this.runtime, '--root', this.root, ...args];
    return this.spawned(program!, rest, options);
  }

  spawned(
    program: string,
    args: readonly string[],
    options: { input?: string; env?: NodeJS.ProcessEnv } = {},
  ): Promise<Result> {
    this.outputs += 1;
    fs.mkdirSync(this.bundle, { recursive: true });
    const base = this.path(`output-${this.outputs}`);
    this.lastCreate = args.includes('create') ? base : this.lastCreate;
    if (options.input !== undefined) fs.writeFileSync(`${base}.in`, options.input);
    // Files, not pipes: what create leaves running keeps them open.
    const stdin = fs.openSync(options.input === undefined ? '/dev/null' : `${base}.in`, 'r');
    const [out, err] = [fs.openSync(base, 'a'), fs.openSync(`${base}.err`, 'a')];
    return new Promise((done, failed) => {
      const child: ChildProcess = spawn(program, args, {
        stdio: [stdin, out, err],
        cwd: this.bundle,
        ...(options.env === undefined ? {} : { env: options.env }),
      });
      for (const fd of [stdin, out, err]) fs.closeSync(fd);
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        failed(new Error(`'${args.slice(2).join(' ')}' still ran after ${limit / 1000} s`));
      }, limit);
      child.on('error', failed);
      child.on('exit', (code, signal) => {
        clearTimeout(timer);
        done({
          code: code ?? (signal === null ? 255 : 256),
          stdout: textOf(base),
          stderr: textOf(`${base}.err`),
        });
      });
    });
  }

  /** run, in the foreground. */
  async run(script: string, changes: Changes = {}): Promise<Result> {
    this.configure(script, changes);
    return this.runBundle();
  }

  async runBundle(id = this.id): Promise<Result> {
    this.ids.add(id);
    return this.command(['run', '--bundle', this.bundle, id]);
  }

  /** run of a script, which must succeed and must have run; answers what it said. The wrapper becomes the runtime. */
  async sh(script: string, changes: Changes = {}, wrapper: string[] = []): Promise<string> {
    // A first word of its own: many cases want no output, which is also what a runtime gives that runs nothing.
    this.configure(`echo began;${script}`, changes);
    this.ids.add(this.id);
    const result = await this.command(['run', '--bundle', this.bundle, this.id], { wrapper });
    expect(result.code === 0, `run exits with ${result.code}: ${lastLine(result.stderr)}`);
    const replaced = '/process/args' in changes || '/process' in changes;
    expect(replaced || result.stdout.startsWith('began\n'), 'the container never began');
    return (replaced ? result.stdout : result.stdout.slice('began\n'.length)).trim();
  }

  async create(id = this.id, wrapper: string[] = []): Promise<Result> {
    this.ids.add(id);
    return this.command(['create', '--bundle', this.bundle, '--pid-file', this.path('pid'), id], { wrapper });
  }

  async created(script: string, changes: Changes = {}): Promise<void> {
    this.configure(script, changes);
    const result = await this.create();
    expect(result.code === 0, `create exits with ${result.code}: ${lastLine(result.stderr)}`);
  }

  async started(script: string, changes: Changes = {}): Promise<void> {
    await this.created(script, changes);
    await this.ok('start', this.id);
  }

  async ok(...args: string[]): Promise<Result> {
    const result = await this.command(args);
    expect(result.code === 0, `${args.join(' ')} exits with ${result.code}: ${lastLine(result.stderr)}`);
    return result;
  }

  async error(...args: string[]): Promise<Result> {
    await this.works();
    const result = await this.command(args);
    expect(result.code !== 0, `${args.join(' ')} exits with 0`);
    return result;
  }

  async state(id = this.id): Promise<Record<string, unknown>> {
    const result = await this.ok('state', id);
    return JSON.parse(result.stdout) as Record<string, unknown>;
  }

  async status(): Promise<unknown> {
    return (await this.state()).status;
  }

  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const end = Date.now() + 5000 * patience;
    while (!(await condition())) {
      expect(Date.now() < end, `not within ${5 * patience} s: ${what}`);
      await new Promise((done) => setTimeout(done, 10));
    }
  }

  async untilStatus(wanted: string): Promise<void> {
    await this.until(`status ${wanted}`, async () => (await this.status()) === wanted);
  }

  /** What the container of the last create has written so far. */
  output(): string {
    return fs.readFileSync(this.lastCreate, 'utf8');
  }

  async untilOutput(text: string): Promise<void> {
    await this.until(`'${text}' in the output`, () => this.output().includes(text));
  }

  /** The plain configuration runs. A runtime that refuses everything proves nothing by refusing. Tried once a runtime. */
  works(): Promise<void> {
    const known = plain.get(this.runtime) ?? new Box(this.runtime, 'plain').tried();
    plain.set(this.runtime, known);
    return known;
  }

  private async tried(): Promise<void> {
    try {
      same(await this.sh('echo well'), 'well', 'the plain configuration');
    } finally {
      await this.close();
    }
  }

  /** It ran, or was refused with a word of explanation: the specification leaves both open. Answers the output. */
  ranOrRefused(result: Result): Promise<string> {
    if (result.code === 0) expect(result.stdout.startsWith('began\n'), 'the container never began');
    else expect(result.stderr.trim() !== '', 'it fails without a word');
    return this.works().then(() => result.stdout);
  }

  /** create must fail with a word of explanation and leave nothing. */
  async refused(changes: Changes): Promise<void> {
    this.configure('true', changes);
    await this.refusedBundle();
  }

  async refusedBundle(id = this.id): Promise<void> {
    await this.works();
    const result = await this.create(id);
    expect(result.code !== 0, 'create accepts it');
    expect(result.code < 126, `create crashes: ${result.code}`);
    expect(result.stderr.trim() !== '', 'create fails without a word');
    same(this.leftovers(id), [], 'left behind');
  }

  leftovers(id = this.id): string[] {
    const left = fs.readdirSync(this.root).filter((name) => name === id);
    return [...left.map((name) => `state ${name}`), ...this.cgroupFolders()];
  }

  cgroupFolders(): string[] {
    const tops = unified ? [''] : fs.readdirSync('/sys/fs/cgroup');
    // The configured one, and where the runtime puts a container whose configuration names none.
    const names = [this.cgroup, `/${this.id}`];
    return names
      .flatMap((name) => tops.map((top) => join('/sys/fs/cgroup', top, name)))
      .filter((path) => fs.existsSync(path));
  }

  /** A file of the container's cgroup: on version 1 in the controller's hierarchy. */
  cgroupFile(controller: string, file: string, cgroup = this.cgroup): string {
    return this.read(join('/sys/fs/cgroup', unified ? '' : controller, cgroup, file));
  }

  private killByPidFile(): void {
    const pid = Number(textOf(this.path('pid')));
    if (pid > 1) spawnSync('kill', ['-9', String(pid)]);
  }

  async close(): Promise<string[]> {
    const excuses: string[] = [];
    for (const id of this.ids) {
      // Ids that lead elsewhere are not for every runtime to delete.
      if (id === '' || id === '.' || id === '..' || id.includes('/')) this.killByPidFile();
      else
        await this.command(['delete', '--force', id]).then(
          ({ code, stderr }) => code !== 0 && excuses.push(`delete --force exits with ${code}: ${lastLine(stderr)}`),
          (error: Error) => excuses.push(error.message),
        );
    }
    for (const cleanup of this.cleanups.reverse()) cleanup();
    const left = this.cgroupFolders().map((path) => `cgroup ${path}`);
    for (const folder of this.cgroupFolders())
      spawnSync('find', [folder, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+']);
    const mounts = fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    for (const line of mounts.filter((text) => text.includes(this.dir)).reverse()) {
      const target = line.split(' ')[4]!;
      left.push(`mount ${target}`);
      spawnSync('umount', ['-l', target]);
    }
    fs.rmSync(this.dir, { recursive: true, force: true });
    return left.length === 0 ? [] : [...left, ...excuses];
  }
}

/** A runtime that deletes more than it should may have taken the file along. */
function textOf(path: string): string {
  return fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : '';
}

export function lastLine(text: string): string {
  const lines = text.trim().split('\n');
  return (lines[lines.length - 1] ?? '').slice(0, 300);
}
