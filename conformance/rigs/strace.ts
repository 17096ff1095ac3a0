// T-STRACE (security.md section 6: S01, S02, S04): what the two programs ask the kernel while a container is made. TypeScript
// touches nothing below the root; until the pivot the container's process names nothing in the image but through descriptors,
// in-root; after it no mount takes a path.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeSync } from 'fs-extra/esm';
import { executorPath } from '../../src/host/executor.js';
import { makeBundle } from './bundle.js';
import { finish, report } from './report.js';

interface Call {
  readonly pid: string;
  readonly name: string;
  readonly text: string;
}

/** strace's lines; calls that were interrupted by others' are put together again. */
function parse(log: string): Call[] {
  const unfinished = new Map<string, string>();
  return log.split('\n').flatMap((line) => {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (rest.endsWith('<unfinished ...>')) {
      unfinished.set(pid, rest.slice(0, -'<unfinished ...>'.length));
      return [];
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const text = resumed ? `${unfinished.get(pid) ?? ''}${resumed[1]}` : rest;
    const [, name] = /^([a-z0-9_]+)\(/.exec(text) ?? [];
    return name === undefined ? [] : [{ pid, name, text }];
  });
}

const strings = (text: string): string[] => [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, value]) => value ?? '');

/** Whoever maps memory there is the engine: WASM_BASE of src/engine/prelude.h. */
const engineMemory = '0x60000000,';

/** Calls of the engine that name something below the root; the root itself it may look at once, as the config names it. */
function belowRoot(calls: readonly Call[], rootfs: string): string[] {
  const engines = new Set(
    calls.filter(({ name, text }) => name === 'mmap' && text.startsWith(`mmap(${engineMemory}`)).map(({ pid }) => pid),
  );
  if (engines.size === 0) return ['no engine was seen'];
  return calls
    .filter(({ pid, text }) => engines.has(pid) && strings(text).some((path) => path.startsWith(`${rootfs}/`)))
    .map(({ text }) => `the engine: ${text}`);
}

const mounting = new Set(['mount', 'move_mount', 'open_tree', 'fspick', 'mount_setattr', 'umount2', 'pivot_root']);
const naming = new Set([
  'openat',
  'openat2',
  'open',
  'mkdirat',
  'mkdir',
  'mknodat',
  'mknod',
  'symlinkat',
  'unlinkat',
  'renameat2',
  'chmod',
  'fchmodat',
  'chown',
  'fchownat',
  'linkat',
]);

function inRoot(text: string): boolean {
  return /RESOLVE_(IN_ROOT|BENEATH)/.test(text) && /RESOLVE_NO_(MAGICLINKS|SYMLINKS)/.test(text);
}

/** What init does before it has pivoted. `own`: paths of the host that the config or the runtime names. */
function beforePivot(calls: readonly Call[], own: readonly string[]): string[] {
  return calls.flatMap(({ name, text }) => {
    // What a link is to say is anybody's text; where it is made counts.
    const first = strings(text)[name === 'symlinkat' ? 1 : 0] ?? '';
    if (name === 'mount') return [`a mount by path: ${text}`];
    if (name === 'openat2') return inRoot(text) ? [] : [`not in the root: ${text}`];
    if (!mounting.has(name) && !naming.has(name)) return [];
    if (first === '' || own.includes(first) || first.startsWith('/proc/') || first.startsWith('/sys/')) return [];
    // From descriptors: a name without any slash, `.`, and `..` on the way up the host's own tree.
    return /^[^/]+$/.test(first) ? [] : [`a path: ${text}`];
  });
}

function afterPivot(calls: readonly Call[]): string[] {
  return calls
    .filter(({ name, text }) => mounting.has(name) && !/^(umount2\("\."|mount_setattr\(\d+, "")/.test(text))
    .map(({ text }) => `a mount after the pivot: ${text}`);
}

export function straceRig(): void {
  const began = Date.now();
  const bundle = makeBundle('true', { hooks: {} });
  const log = join(bundle.directory, 'trace');
  const run = [executorPath(), '--root', bundle.root, 'run', '--bundle', bundle.directory, 'web'];
  const what =
    '%file,mmap,openat2,open_tree,move_mount,fsopen,fsmount,fspick,mount_setattr,pivot_root,execve,execveat,mount,umount2';
  const { status, stderr } = spawnSync(
    'strace',
    ['-f', '-qq', '-s', '4096', '-o', log, '-e', `trace=${what}`, ...run],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 60_000,
    },
  );
  report('the container under strace', status === 0 ? '' : `${status} ${stderr}`);
  const calls = parse(readFileSync(log, 'utf8'));
  const rootfs = join(bundle.directory, 'rootfs');
  report('S01: the engine touches nothing below the root', belowRoot(calls, rootfs));
  const pivot = calls.findIndex(({ name }) => name === 'pivot_root');
  const init = calls[pivot]?.pid;
  const own = ['/', '/dev/null', rootfs, join(bundle.directory, 'volume'), join(bundle.directory, 'report'), '..', '.'];
  const before = calls.slice(0, pivot).filter(({ pid }) => pid === init);
  const looked = before.filter(({ name }) => name === 'openat2').length;
  report('S02, S04: until the pivot everything in the image is named from the root', [
    ...beforePivot(before, own),
    ...(looked > 10 ? [] : [`only ${looked} look-ups were seen`]),
  ]);
  const after = calls.slice(pivot + 1).filter(({ pid }) => pid === init);
  report('S04: after the pivot nothing is mounted by path', afterPivot(after));
  removeSync(bundle.directory);
  finish('T-STRACE', began, calls.length);
}
