// T-DIFF (security.md section 6): one bundle under tsrun and under whichever of runc and crun is installed. What the process sees
// of itself is the same as under one of them at least, and all of them end with the payload's status and leave nothing.
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeSync } from 'fs-extra/esm';
import { executorPath } from '../../src/host/executor.js';
import { makeBundle } from './bundle.js';
import { leftSince, look } from './host.js';
import { finish, report } from './report.js';

const kept =
  /^(Uid|Gid|Groups|Umask|NoNewPrivs|Seccomp|Cap\w+|Sig(Blk|Ign|Cgt)|Speculation\w*|THP_enabled|CoreDumping):/;
const script = [
  'echo "== status"; cat /proc/self/status',
  'echo "== limits"; cat /proc/self/limits',
  'echo "== mounts"; cat /proc/self/mounts',
  'echo "== descriptors"; for f in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$f ] && echo "open $f"; done',
  'echo "== environment"; busybox env',
  'echo "== place"; pwd; cat /proc/self/oom_score_adj; cat /proc/sys/kernel/hostname; cat /proc/sys/net/ipv4/ip_forward',
  'exit 7',
].join('\n');

/** Where the runtimes themselves differ in ways that mean nothing to a program. */
function normal(section: string, line: string): string | undefined {
  if (section === 'status') return kept.test(line) ? line.replace(/\s+/g, ' ') : undefined;
  if (section === 'environment') return /^(OLDPWD|SHLVL|_)=/.test(line) ? undefined : line;
  if (section !== 'mounts') return line;
  // Each names its own state directory or nothing as a source, and the kernel's defaults follow the file system.
  const [, where = '', type = '', options = ''] = line.split(' ');
  const meant = options.split(',').filter((option) => /^(ro|rw|nosuid|nodev|noexec|relatime|noatime)$/.test(option));
  return where.startsWith('/sys/fs/cgroup/') ? undefined : `${where} ${type} ${meant.join()}`;
}

function sections(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let section = '';
  for (const line of text.trim().split('\n')) {
    if (line.startsWith('== ')) {
      section = line.slice(3);
      found.set(section, []);
    } else {
      const value = normal(section, line);
      if (value !== undefined) found.get(section)?.push(value);
    }
  }
  found.get('mounts')?.sort();
  found.get('environment')?.sort();
  return found;
}

/** Of what Debian's crun knows. */
const ociVersion = '1.0.2';

/** What tsrun does otherwise on purpose: masks have all flags and one file system, v1's directory of hierarchies is read-only. */
const onPurpose: readonly RegExp[] = [/^\/proc\/(kcore|keys) /, /^\/sys\/firmware /, /^\/sys\/fs\/cgroup tmpfs /];
const isOnPurpose = (line: string): boolean => onPurpose.some((known) => known.test(line));

function runOnce(runtime: string, more: object): { readonly text: string; readonly problem: string } {
  const bundle = makeBundle(script, more);
  const before = look(bundle.root);
  const out = join(bundle.directory, 'out');
  writeFileSync(out, '');
  chmodSync(out, 0o666);
  const command = `exec "$@" >${out} 2>&1 </dev/null`;
  const run = [runtime, '--root', bundle.root, 'run', '--bundle', bundle.directory, 'web'];
  const { status } = spawnSync('sh', ['-c', command, 'sh', ...run], { timeout: 20_000 });
  const text = readFileSync(out, 'utf8');
  const left = leftSince(before, bundle.root);
  removeSync(bundle.directory);
  const problems = [
    ...(status === 7 ? [] : [`status ${status}: ${text.slice(0, 300)}`]),
    ...left.map((item) => `left: ${item}`),
  ];
  return { text, problem: problems.join('\n') };
}

export function differencesRig(): void {
  const began = Date.now();
  const others = ['runc', 'crun'].filter((name) => spawnSync(name, ['--version']).status === 0);
  const cases: readonly (readonly [name: string, more: object])[] = [
    ['the bundle of the rigs', { ociVersion, hooks: {} }],
    [
      'a bundle with next to nothing',
      { ociVersion, hooks: {}, linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }] }, hostname: undefined },
    ],
  ];
  for (const [name, more] of cases) {
    const ours = runOnce(executorPath(), more);
    report(`${name}, under tsrun`, ours.problem);
    const all = others.map((other) => ({ other, ...runOnce(other, more) }));
    if (process.env.RIG_VERBOSE) for (const { other, problem } of all) console.log(name, other, problem);
    const theirs = all.filter(({ problem }) => problem === '');
    if (theirs.length === 0) continue;
    for (const [section, lines] of sections(ours.text)) {
      const like = theirs.map(({ other, text }) => ({ other, lines: sections(text).get(section) ?? [] }));
      const odd = lines.filter((line) => !like.some((one) => one.lines.includes(line)) && !isOnPurpose(line));
      const lost = (like[0]?.lines ?? []).filter(
        (line) => like.every((one) => one.lines.includes(line)) && !lines.includes(line) && !isOnPurpose(line),
      );
      report(`${name}, ${section}, as under ${like.map(({ other }) => other).join(' or ')}`, [
        ...odd.map((line) => `only tsrun: ${line}`),
        ...lost.map((line) => `not tsrun: ${line}`),
      ]);
    }
  }
  finish('T-DIFF', began, cases.length * (others.length + 1));
}
