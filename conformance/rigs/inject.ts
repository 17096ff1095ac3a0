// T-INJECT (security.md section 6): every system call that the executor and the container's first process make fails
// once, one at a time. Whatever comes of it, nothing may hang and nothing may be left.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeSync } from 'fs-extra/esm';
import { TsrunError } from '../../src/errors/error.js';
import { executorPath } from '../../src/host/executor.js';
import { carryOutHere } from '../../src/operations/roll-back.js';
import { type Bundle, makeBundle, prepare } from './bundle.js';
import { leftSince, look } from './host.js';
import { finish, report } from './report.js';

/**
 * Cannot fail, or not in a way that a program could do anything about: a signal that is not sent, a child not waited
 * for, a descriptor that stays open for good (the kernel closes it whatever it answers; strace does not).
 */
const never = new Set([
  'close',
  'close_range',
  'exit_group',
  'exit',
  'kill',
  'wait4',
  'rt_sigreturn',
  'getpid',
  'getppid',
  'getuid',
  'geteuid',
  'umask',
  'brk',
]);
const errors = ['EIO', 'ENOMEM', 'EPERM', 'EINTR', 'EAGAIN', 'ENOSPC', 'EMFILE', 'ENOSYS', 'EINVAL', 'ENOENT'];
const hangMs = 8000;

interface Injection {
  readonly call: string;
  readonly occurrence: number;
}

/** Puts strace before the executor; the library starts what TSRUN_SELF names. A static shell, since it is hit as well. */
class Wrapper {
  readonly #path: string;
  readonly #log: string;
  readonly #real = executorPath();

  constructor(directory: string) {
    this.#path = join(directory, 'wrapper');
    this.#log = join(directory, 'trace');
  }

  get log(): string {
    return readFileSync(this.#log, 'utf8');
  }

  arm(more: string): void {
    const timeout = `timeout -s KILL ${hangMs / 1000}`;
    const inner = `exec -a tsrun:carry-out ${this.#real}`;
    const text = `#!/bin/bash\nPATH=/usr/bin:/bin\nexec ${timeout} strace -f -qq -o ${this.#log} ${more} /bin/busybox sh -c '${inner}' 2>/dev/null\n`;
    writeFileSync(this.#path, text);
    chmodSync(this.#path, 0o755);
    process.env.TSRUN_SELF = this.#path;
  }

  disarm(): void {
    process.env.TSRUN_SELF = this.#real;
  }

  /** Every call that counts, with its number among the calls of its kind in its process. */
  calls(): Injection[] {
    const found = new Map<string, Injection>();
    const counts = new Map<string, number>();
    let main = '';
    for (const line of this.log.split('\n')) {
      const [, pid = '', call] = /^(\d+) +([a-z0-9_]+)\(/.exec(line) ?? [];
      if (call === undefined) continue;
      const occurrence = (counts.get(`${pid} ${call}`) ?? 0) + 1;
      counts.set(`${pid} ${call}`, occurrence);
      // What the shell does before it becomes the executor is no concern of ours.
      if (main === '' && line.includes('tsrun:carry-out') && call === 'execve') main = pid;
      else if (main !== '' && !never.has(call)) found.set(`${call} ${occurrence}`, { call, occurrence });
    }
    return [...found.values()];
  }
}

function carryOutOnce(bundle: Bundle): string {
  const { bytes } = prepare(bundle, 'web', 'run');
  try {
    carryOutHere(bundle.root, 'web', bytes, { warn: () => undefined });
  } catch (error) {
    // The shell before the executor was hit.
    if ((error as { code?: string }).code === 'EPIPE') return '';
    if (!(error instanceof TsrunError)) return String(error);
    if (error.failure.code === 'TSR_INTERNAL') return error.failure.message;
  }
  return '';
}

function oneRound(bundle: Bundle, wrapper: Wrapper, { call, occurrence }: Injection, errno: string): void {
  const before = look(bundle.root);
  wrapper.arm(`-e trace=${call} -e inject=${call}:error=${errno}:when=${occurrence}`);
  const began = Date.now();
  let problem = carryOutOnce(bundle);
  wrapper.disarm();
  if (Date.now() - began >= hangMs) problem += ' hangs';
  if (existsSync(join(bundle.root, 'web'))) {
    const { status, stderr } = spawnSync(executorPath(), ['--root', bundle.root, 'delete', '--force', 'web'], {
      encoding: 'utf8',
      timeout: hangMs,
    });
    if (status !== 0) problem += ` delete --force: ${status} ${stderr}`;
  }
  // Who is told that a cgroup is not there takes it for removed.
  const believed = (item: string): boolean => errno === 'ENOENT' && item.startsWith('cgroup ');
  const left = leftSince(before, bundle.root)
    .filter((item) => !believed(item))
    .map((item) => `left: ${item}`);
  if (errno === 'ENOENT') removeCgroups();
  report(`${call} fails with ${errno}, occurrence ${occurrence}`, problem === '' ? left : [problem, ...left]);
}

/** What such a round may have left: empty cgroups of the rig's. */
function removeCgroups(): void {
  spawnSync('find', ['/sys/fs/cgroup', '-depth', '-type', 'd', '-name', 'tsrun-rig', '-exec', 'rmdir', '{}', ';']);
}

/** Of each call the last, and of those with which the processes talk to each other all. */
function some(calls: readonly Injection[]): Injection[] {
  const last = new Map(calls.map((injection) => [injection.call, injection]));
  const talk = calls.filter(({ call }) => call === 'sendmsg' || call === 'recvmsg');
  return [...new Set([...last.values(), ...talk])];
}

/** @param long every call with every error, otherwise some with one. */
export function injectRig(long: boolean): void {
  const began = Date.now();
  const bundle = makeBundle('true');
  const wrapper = new Wrapper(bundle.directory);
  wrapper.arm('');
  const problem = carryOutOnce(bundle);
  const calls = wrapper.calls();
  wrapper.disarm();
  spawnSync(executorPath(), ['--root', bundle.root, 'delete', '--force', 'web'], { timeout: hangMs });
  report('the container under strace', calls.length > 50 ? problem : 'strace has seen next to nothing');
  let rounds = 0;
  for (const injection of long ? calls : some(calls))
    for (const errno of long ? errors : [errors[rounds % 3] as string]) {
      oneRound(bundle, wrapper, injection, errno);
      rounds++;
    }
  removeSync(bundle.directory);
  finish('T-INJECT', began, rounds);
}
