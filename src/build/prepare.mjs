// Makes a fresh clone runnable: installs packages, compiles the executor, bundles the engine. Safe to run again; does only what is stale.
//   node src/build/prepare.mjs [--all]      --all also writes dist/ for Node (library, types)
//   node src/build/prepare.mjs --executor-only OUT [--cc COMPILER]      the executor alone, for another architecture
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';

const all = process.argv.includes('--all');
const option = (name) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const executorOnly = option('--executor-only');

function run(what, command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (result.error?.code === 'ENOENT') stop(`${what}: '${command}' is not installed`);
  if (result.status !== 0) stop(`${what} failed:\n${result.stdout ?? ''}${result.stderr ?? ''}`);
  return result.stdout;
}
function stop(message) {
  console.error(message);
  process.exit(1);
}
function* walk(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else yield path;
  }
}
const newest = (paths) => Math.max(0, ...paths.map((path) => statSync(path).mtimeMs));
const isStale = (target, sources) => !existsSync(target) || statSync(target).mtimeMs < newest(sources);

function install() {
  // A link leads to another tree's packages, and `npm ci` would begin by removing them there.
  if (lstatSync('node_modules', { throwIfNoEntry: false })?.isSymbolicLink()) return;
  if (
    existsSync('node_modules/.package-lock.json') &&
    !isStale('node_modules/.package-lock.json', ['package-lock.json'])
  )
    return;
  console.log('installing packages…');
  run('npm ci', 'npm', ['ci', '--no-audit', '--no-fund']);
}

const cFlags =
  '-std=gnu11 -Os -Wall -Wextra -Werror -Wno-unused-parameter -static -nostdlib -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -fno-pie -no-pie -fno-strict-aliasing -fcf-protection=none -Wl,--build-id=none -Wl,-z,noseparate-code -s'.split(
    ' ',
  );

/** The executor, one static C program without libc. `compiler` other than cc serves the cross build in CI. */
export function buildExecutor(out, compiler = process.env.CC || 'cc') {
  const sources = [...walk('src/executor')].filter((path) => !path.includes('/fuzz/') && /\.[ch]$/.test(path));
  sources.push('src/generated/wire.h');
  if (!isStale(out, [...sources, 'src/build/prepare.mjs'])) return;
  const flags = compiler.includes('aarch64') ? cFlags.filter((flag) => !flag.startsWith('-fcf-')) : cFlags;
  run('compiling the executor', compiler, [
    ...flags,
    '-o',
    `${out}.new`,
    ...sources.filter((path) => path.endsWith('.c')),
  ]);
  renameSync(`${out}.new`, out);
}

/** What `--version` shows; a build from an unpacked archive has none. */
function commit() {
  const { status, stdout } = spawnSync('git', ['describe', '--always', '--dirty', '--abbrev=40'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : 'unknown';
}

function buildEngine() {
  const sources = [...walk('src')].filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'));
  if (!isStale('dist/tsrun-engine', [...sources, 'src/build/prepare.mjs', 'package-lock.json'])) return;
  const bun = `node_modules/@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}/bin/bun`;
  if (!existsSync(bun)) stop(`${bun} is missing: run 'npm ci' on an x86-64 or arm64 Linux`);
  chmodSync(bun, 0o755);
  run(
    'bundling the engine',
    bun,
    [
      'build',
      '--compile',
      '--bytecode',
      // One chunk a command, each with its own bytecode, instead of loading the bytecode of all for one of them.
      '--format=esm',
      '--splitting',
      '--minify',
      '--define',
      `TSRUN_COMMIT=${JSON.stringify(commit())}`,
      '--no-compile-autoload-dotenv',
      '--no-compile-autoload-bunfig',
      '--external',
      'koffi',
      '--external',
      '@koromix/*',
      '--outfile',
      'dist/tsrun-engine.new',
      'src/main.ts',
    ],
    { env: { PATH: process.env.PATH, HOME: process.env.HOME } },
  );
  renameSync('dist/tsrun-engine.new', 'dist/tsrun-engine');
}

function copyKoffi() {
  const name = `koffi-linux-${process.arch}`;
  const candidates = existsSync(`node_modules/@koromix/${name}`) ? [...walk(`node_modules/@koromix/${name}`)] : [];
  const source = candidates.find((path) => path.endsWith('/koffi.node') && !path.includes('musl'));
  if (source && isStale('dist/koffi.node', [source])) copyFileSync(source, 'dist/koffi.node');
}

async function buildNode() {
  const sources = [...walk('src')].filter(
    (path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.startsWith('src/build'),
  );
  if (!isStale('dist/types/index.d.ts', [...sources, 'src/build/prepare.mjs', 'tsconfig.types.json'])) return;
  const { buildSync } = await import('esbuild');
  buildSync({
    entryPoints: sources,
    outdir: 'dist',
    outbase: 'src',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
    logOverride: { 'unsupported-require-call': 'silent' }, // src/host/fs.ts
  });
  rmSync('dist/types', { recursive: true, force: true });
  run('writing types', 'node_modules/.bin/tsc', ['-p', 'tsconfig.types.json']);
}

if (executorOnly) {
  buildExecutor(executorOnly, option('--cc') ?? 'cc');
} else {
  install();
  mkdirSync('dist', { recursive: true });
  buildExecutor('dist/tsrun');
  buildEngine();
  copyKoffi();
  if (all) await buildNode();
}
