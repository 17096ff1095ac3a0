// Makes a fresh clone runnable: installs packages, compiles the program. Safe to run again; does only what is stale.
// Without packages until it has installed them: no import but Node's own at the top.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

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

/** For both architectures; the second list is for programs that need no library and lie where they are linked to. */
const cFlags =
  '-std=gnu11 -Os -Wall -Wextra -Werror -Wno-unused-parameter -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -fno-strict-aliasing'.split(
    ' ',
  );
const staticFlags = '-static -nostdlib -fno-pie -no-pie -Wl,--build-id=none -Wl,-z,noseparate-code -s'.split(' ');
const sharedFlags =
  '-fPIC -shared -nostdlib -Wl,-e,_start -Wl,--build-id=none -Wl,-z,now -Wl,-z,noseparate-code -s'.split(' ');
const isCross = (compiler) => compiler.includes('aarch64');
const flagsFor = (compiler) =>
  isCross(compiler) || process.arch === 'arm64' ? cFlags : [...cFlags, '-fcf-protection=none'];

const cSources = (folder) => [...walk(folder)].filter((path) => !path.includes('/fuzz/') && /\.[chS]$/.test(path));
const executorSources = () => [...cSources('src/executor'), ...cSources('src/generated')];
const compiled = (paths) => paths.filter((path) => /\.[cS]$/.test(path));

const tool = (what, ...args) =>
  run(what, process.execPath, ['src/build/run-ts.mjs', 'src/build/build-engine.ts', ...args]).trim();

/**
 * The program without the engine's memory, and the executor that lies in it (docs/decisions/0009). `parts` is where both are put, with
 * the engine's objects beside them.
 */
function buildBare(parts, compiler) {
  mkdirSync(parts, { recursive: true });
  const objects = process.env.TSRUN_OBJECTS || tool('compiling the engine', 'objects', 'dist/cache', compiler);
  const flags = flagsFor(compiler);
  const executor = compiled(executorSources());
  run('compiling the executor', compiler, [...flags, ...staticFlags, '-o', join(parts, 'inner'), ...executor]);
  run('compiling the bridge', compiler, [...flags, ...sharedFlags, '-o', join(parts, 'bridge'), 'src/engine/bridge.c']);
  const engine = compiled(cSources('src/engine')).filter((path) => !path.endsWith('bridge.c'));
  run('compiling the program', compiler, [
    ...flags,
    ...['-O2', '-DENGINE', `-I${objects}`, '-Isrc/engine', `-I${parts}`],
    ...staticFlags,
    ...['-o', join(parts, 'outer'), ...executor, ...engine],
    ...[...walk(objects)].filter((path) => path.endsWith('.o')).sort(),
  ]);
}

/** The engine's memory when all of the TypeScript has been evaluated: the same bytes on every architecture, for it is WebAssembly's. */
function buildPages(parts, outer) {
  tool('bundling the TypeScript', 'module', join(parts, 'engine.js'), commit());
  const input = readFileSync(join(parts, 'engine.js'));
  const { status, stdout, stderr } = spawnSync(outer, [], { argv0: 'tsrun:snapshot', input, maxBuffer: 64 << 20 });
  if (status !== 0) stop(`the engine's memory could not be made:\n${stderr}`);
  writeFileSync(join(parts, 'pages'), stdout);
}

const pageSize = 4096;
/** The finished file: the program, padded to a page, and the pages behind it. */
function finish(outer, pages, out) {
  const program = readFileSync(outer);
  const padding = Buffer.alloc((pageSize - (program.length % pageSize)) % pageSize);
  writeFileSync(`${out}.new`, Buffer.concat([program, padding, readFileSync(pages)]), { mode: 0o755 });
  chmodSync(`${out}.new`, 0o755); // whatever the umask
  renameSync(`${out}.new`, out);
}

/** What `--version` shows; a build from an unpacked archive has none. */
function commit() {
  const { status, stdout } = spawnSync('git', ['describe', '--always', '--dirty', '--abbrev=40'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : 'unknown';
}

const engineSources = () => [
  ...[...walk('src')].filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts')),
  ...cSources('src/engine'),
  ...executorSources(),
  'src/build/prepare.mjs',
  'package-lock.json',
];

function buildProgram() {
  if (!isStale('dist/tsrun', engineSources())) return;
  const parts = `dist/parts.${process.pid}`;
  process.once('exit', () => rmSync(parts, { recursive: true, force: true })); // also when a compiler fails
  buildBare(parts, process.env.CC || 'cc');
  buildPages(parts, join(parts, 'outer'));
  rmSync('dist/parts', { recursive: true, force: true });
  renameSync(parts, 'dist/parts');
  finish('dist/parts/outer', 'dist/parts/pages', 'dist/tsrun');
}

/** For another architecture, or with other sources of the executor: everything but the engine's memory, which is taken from `pages`. */
function buildVariant(out, compiler, pages) {
  const parts = `${out}.parts`;
  try {
    buildBare(parts, compiler);
    finish(join(parts, 'outer'), pages, out);
  } finally {
    rmSync(parts, { recursive: true, force: true });
  }
}

async function buildNode() {
  const sources = [...walk('src')].filter(
    (path) => path.endsWith('.ts') && !/\.test\.ts$|\/test-/.test(path) && !path.startsWith('src/build'),
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
  });
  rmSync('dist/types', { recursive: true, force: true });
  run('writing types', 'node_modules/.bin/tsc', ['-p', 'tsconfig.types.json']);
}

if (!existsSync('node_modules/yargs')) install();
const { commandLine, option } = await import('./command-line.mjs');
const { all, variant, cc, pages } = commandLine({
  name: 'prepare',
  call: 'node src/build/prepare.mjs',
  about: 'Makes a fresh clone runnable: installs packages, compiles the program. Does only what is stale.',
  options: {
    all: option.flag('dist/ for Node, too: the library and its types'),
    variant: option.text('instead: the program for another architecture, or of other C, as this file'),
    cc: { ...option.text('the compiler of the variant'), defaultDescription: 'cc', implies: 'variant' },
    pages: {
      ...option.text("the engine's memory of the variant"),
      defaultDescription: 'dist/parts/pages',
      implies: 'variant',
    },
  },
});
if (variant) {
  buildVariant(variant, cc ?? 'cc', pages ?? 'dist/parts/pages');
} else {
  install();
  mkdirSync('dist', { recursive: true });
  buildProgram();
  if (all) await buildNode();
}
