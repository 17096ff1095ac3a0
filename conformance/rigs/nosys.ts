// T-NOSYS (security.md section 6, R33): a kernel without a system call, or an old seccomp profile around the engine that
// refuses it. The container runs as it should, or one line says why not; nothing hangs and nothing is left.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { removeSync } from 'fs-extra/esm';
import { buildHelper } from '../../src/executor/test-swapper.js';
import { executorPath } from '../../src/host/executor.js';
import { type Bundle, makeBundle } from './bundle.js';
import { leftSince, look } from './host.js';
import { finish, report } from './report.js';

const arm = process.arch === 'arm64';
/** From 424 on the numbers are the same everywhere. */
const calls: Readonly<Record<string, readonly number[]>> = {
  openat2: [437],
  clone3: [435],
  close_range: [436],
  'the mount API': [428, 429, 430, 431, 432, 433, 442],
  open_tree: [428],
  move_mount: [429],
  fsopen: [430],
  fspick: [433],
  mount_setattr: [442],
  pidfd_open: [434],
  pidfd_send_signal: [424],
  faccessat2: [439],
  memfd_create: [arm ? 279 : 319],
  statx: [arm ? 291 : 332],
  execveat: [arm ? 281 : 322],
  signalfd4: [arm ? 74 : 289],
  keyctl: [arm ? 219 : 250],
};
const errnos = { ENOSYS: 38, EPERM: 1 } as const;
const hangMs = 10_000;
const works = 'well';

/** What the container says of itself when all is as the config has it. */
const script = `test -c /dev/null && test -z "$(cat /proc/kcore 2>/dev/null)" && ! (echo 1 >/proc/sys/kernel/panic) 2>/dev/null && echo ${works}`;

function judge(status: number | null, stdout: string, stderr: string): string {
  if (status === 0) return stdout.trim() === works ? '' : `succeeds and says '${stdout.trim()}'`;
  const lines = stderr.trim().split('\n');
  if (status === null) return 'hangs, or is killed by a signal';
  if (!/^tsrun/.test(lines.at(-1) ?? '')) return `status ${status}, and says: ${stderr.trim() || 'nothing'}`;
  return /TSR_INTERNAL|\bat .*\.(js|ts):\d/.test(stderr) ? `a trace: ${stderr}` : '';
}

function oneRound(bundle: Bundle, refuse: string, name: string, errno: keyof typeof errnos): void {
  const before = look(bundle.root);
  const numbers = (calls[name] ?? []).join();
  const args = [String(errnos[errno]), numbers, executorPath(), '--root', bundle.root];
  const ran = spawnSync(refuse, [...args, 'run', '--bundle', bundle.directory, 'web'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: hangMs,
    killSignal: 'SIGKILL',
  });
  const problems = [judge(ran.status, ran.stdout, ran.stderr)];
  // The next command may live with a kernel that has the call; what the first one left has to be found.
  if (existsSync(join(bundle.root, 'web'))) {
    const gone = spawnSync(executorPath(), ['--root', bundle.root, 'delete', '--force', 'web'], { encoding: 'utf8' });
    if (gone.status !== 0) problems.push(`delete --force: ${gone.stderr}`);
  }
  problems.push(...leftSince(before, bundle.root).map((item) => `left: ${item}`));
  report(`${name} answers ${errno}`, problems.filter(Boolean));
}

export function nosysRig(long: boolean): void {
  const began = Date.now();
  const bundle = makeBundle(script);
  const refuse = buildHelper('refuse', bundle.directory);
  let rounds = 0;
  for (const name of Object.keys(calls))
    for (const errno of long ? (['ENOSYS', 'EPERM'] as const) : ([rounds % 2 ? 'EPERM' : 'ENOSYS'] as const)) {
      oneRound(bundle, refuse, name, errno);
      rounds++;
    }
  removeSync(bundle.directory);
  finish('T-NOSYS', began, rounds);
}
