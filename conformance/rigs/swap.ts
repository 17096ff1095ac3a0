// T-SWAP (security.md section 6): somebody who shares the image exchanges a name in it for a symbolic link while containers
// are made of it. On the host nothing changes, and a container that starts is the one that was asked for.
import { type ChildProcess, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ensureDirSync, removeSync } from 'fs-extra/esm';
import { buildHelper, startSwapper } from '../../src/executor/test-swapper.js';
import { executorPath } from '../../src/host/executor.js';
import { type Bundle, makeBundle } from './bundle.js';
import { leftSince, look, sleep, treeOf } from './host.js';
import { finish, report } from './report.js';

/** Looks at what the config promises, and leaves a verdict. */
const script = [
  'fail() { echo "$1" >/report/verdict; exit 3; }',
  '[ -c /dev/null ] && [ -w /dev/null ] || fail "no null device"',
  '[ "$(busybox stat -c %t:%T /dev/null)" = 1:3 ] || fail "a wrong null device"',
  '[ -z "$(cat /proc/kcore 2>/dev/null)" ] || fail "kcore is not masked"',
  'while read -r _ where type options _; do case "$where $type" in',
  '"/proc proc"|"/sys sysfs"|"/dev tmpfs") seen="$seen$where ";; esac;',
  'case "$where" in /proc/sys|/volume/made/below) case "$options" in ro*) ro="$ro$where ";; *) fail "$where is writable";; esac;; esac',
  'done </proc/mounts',
  '[ "$seen" = "/proc /dev /sys " ] || fail "mounted: $seen"',
  'case "$ro" in *"/proc/sys "*) ;; *) fail "/proc/sys is not read-only";; esac',
  '[ "$(cat /proc/1/status | while read -r key value _; do [ "$key" = CapInh: ] && echo $value; done)" = 0000000000000000 ] || fail "inheritable"',
  'echo well >/report/verdict',
].join('\n');

interface Place {
  readonly name: string;
  /** Directory of the bundle in which two names change places, and what the second one leads to. */
  readonly directory: string;
  readonly entry: string;
  readonly leads: (canary: string) => string;
}
const places: readonly Place[] = [
  { name: '/dev', directory: 'rootfs', entry: 'dev', leads: (canary) => canary },
  { name: '/proc', directory: 'rootfs', entry: 'proc', leads: () => '/volume' },
  { name: '/sys', directory: 'rootfs', entry: 'sys', leads: (canary) => canary },
  { name: '/tmp, the working directory', directory: 'rootfs', entry: 'tmp', leads: () => '/proc/self/fd/5' },
  { name: '/volume', directory: 'rootfs', entry: 'volume', leads: (canary) => `../../../../../../../..${canary}` },
  { name: 'a directory of a volume', directory: 'volume', entry: 'made', leads: (canary) => canary },
];

const tsrun = (bundle: Bundle, ...args: string[]) =>
  spawnSync(executorPath(), ['--root', bundle.root, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 10_000,
    killSignal: 'SIGKILL',
  });

/** Made under the exchange, started when it rests and the names are in their places: what is looked at by path is what was made. */
function startOnce(
  bundle: Bundle,
  swapper: ChildProcess,
  at: string,
  entry: string,
  counts: Map<string, number>,
): string {
  const verdict = join(bundle.directory, 'report/verdict');
  rmSync(verdict, { force: true });
  // What it names has to be made each time, and the way there is what is exchanged in the last two places.
  const dangling = join(bundle.directory, 'rootfs/dangling');
  rmSync(dangling, { force: true });
  symlinkSync(`volume/made/new-${counts.size}-${Math.floor(performance.now())}/deep`, dangling);
  swapper.kill('SIGCONT');
  const log = openSync(join(bundle.directory, 'log'), 'w+');
  const create = ['--root', bundle.root, 'create', '--bundle', bundle.directory, 'web'];
  const { status } = spawnSync(executorPath(), create, {
    stdio: ['ignore', log, log],
    timeout: 10_000,
    killSignal: 'SIGKILL',
  });
  closeSync(log);
  swapper.kill('SIGSTOP');
  for (let i = 0; i < 100 && readFileSync(`/proc/${swapper.pid}/stat`, 'latin1').split(' ')[2] !== 'T'; i++) sleep(1);
  if (lstatSync(join(at, entry)).isSymbolicLink()) {
    for (const [from, to] of [
      [entry, '.third'],
      ['.other', entry],
      ['.third', '.other'],
    ] as const)
      renameSync(join(at, from), join(at, to));
  }
  const kind = status === 0 ? 'made' : 'refused';
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const text = readFileSync(join(bundle.directory, 'log'), 'utf8');
  if (status !== 0)
    return status === 1 && /^tsrun create/m.test(text) && !text.includes('TSR_INTERNAL')
      ? ''
      : `create: ${status} ${text}`;
  const started = tsrun(bundle, 'start', 'web');
  let said = '';
  for (let i = 0; i < 1000 && said === ''; i++, sleep(5))
    said = existsSync(verdict) ? readFileSync(verdict, 'utf8').trim() : '';
  const gone = tsrun(bundle, 'delete', '--force', 'web');
  if (gone.status !== 0) return `delete --force: ${gone.stderr}`;
  return said === 'well' ? '' : `the container says: ${said}, start: ${started.status} ${started.stderr}`;
}

function onePlace(swap: string, { name, directory, entry, leads }: Place, rounds: number): void {
  const bundle = makeBundle(script);
  const canary = join(bundle.directory, 'canary');
  mkdirSync(canary);
  writeFileSync(join(canary, 'file'), 'untouched');
  chmodSync(canary, 0o777);
  const at = join(bundle.directory, directory);
  ensureDirSync(join(at, entry));
  ensureDirSync(join(at, 'made/below'));
  symlinkSync(leads(canary), join(at, '.other'));
  const before = look(bundle.root);
  const tree = treeOf(canary).join('\n');
  const swapper = startSwapper(swap, at, entry, '.other');
  const counts = new Map<string, number>();
  const problems = new Set<string>();
  for (let i = 0; i < rounds; i++) {
    const problem = startOnce(bundle, swapper, at, entry, counts);
    if (problem !== '') problems.add(problem);
    if (treeOf(canary).join('\n') !== tree) problems.add(`the host's files change: ${treeOf(canary).join(' ')}`);
  }
  swapper.kill('SIGKILL');
  spawnSync(executorPath(), ['--root', bundle.root, 'delete', '--force', 'web']);
  const mine = (item: string): boolean => item.startsWith('process') && item.includes('(tsrun-swap');
  const left = leftSince(before, bundle.root).filter((item) => !mine(item));
  report(`${name} is exchanged under ${rounds} starts`, [...problems, ...left.map((item) => `left: ${item}`)]);
  if (process.env.RIG_VERBOSE) console.log(name, Object.fromEntries(counts));
  removeSync(bundle.directory);
}

/** @param long some hundred starts a place, otherwise a few. */
export function swapRig(long: boolean): void {
  const began = Date.now();
  const swap = buildHelper('swap');
  const rounds = long ? 300 : 8;
  for (const place of places) onePlace(swap, place, rounds);
  rmSync(swap);
  finish('T-SWAP', began, rounds * places.length);
}
