/** The small engine's parts for one processor: QuickJS-ng of npm as C, compiled, and our TypeScript as one module. */
import { createHash } from 'node:crypto';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDirSync, removeSync } from 'fs-extra/esm';
import { build } from 'esbuild';
import { commandLine } from './command-line.mjs';
import { engineModule } from './engine-module.js';
import { compilerFlags, translate } from './wasm/translate.js';

const quickjs = 'node_modules/@jitl/quickjs-ng-wasmfile-release-sync/dist';
/** More than the two cores of small machines: the last to end is then a short one (measured: 17.5 s with two, 15 with four). */
const units = 4;
const optimised = [
  '-O2',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-fno-pie',
  '-fcf-protection=none',
];

/** Emscripten's names of the exports: `d._QTS_Throw=b.x`. The letters are another version's in another version. */
function namesOf(glue: string): Map<string, string> {
  const rows = [...glue.matchAll(/d\._(\w+)=\s*b\.([\w$]+)/g)].map(
    ([, name = '', letter = '']) => [letter, name] as const,
  );
  return new Map(rows);
}

/** What src/engine includes: the exports by their names instead of letters. */
function headerFor(glue: string, { exports, header }: ReturnType<typeof translate>): string {
  const names = namesOf(glue);
  const lines = exports.flatMap(({ name, cName }) => {
    const known = names.get(name);
    if (known?.startsWith('QTS_')) return [`#define ${known} ${cName}`];
    return known === 'malloc' || known === 'free' ? [`#define engine_${known} ${cName}`] : [];
  });
  // The first export is Emscripten's start function, which constructors of C are called by.
  const first = exports.find(({ name }) => name === 'v');
  if (first === undefined || lines.length < 50)
    throw new Error('the engine has other exports than those that are known');
  return [header, ...lines, `#define engine_construct ${first.cName}`, '#define wasm_stack g0', ''].join('\n');
}

function compile(compiler: string, folder: string, unit: number): Promise<void> {
  const flags = compiler.includes('aarch64') ? optimised.filter((flag) => !flag.startsWith('-fcf')) : optimised;
  const source = join(folder, `quickjs-${unit}.c`);
  const args = [
    ...compilerFlags,
    ...flags,
    '-Isrc/engine',
    `-I${folder}`,
    '-c',
    source,
    '-o',
    join(folder, `quickjs-${unit}.o`),
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(compiler, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${compiler} failed with status ${code}`)),
    );
  });
}

const filesOf = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => !name.includes('.test.'))
    .sort();

/** Everything that the objects follow from. */
function keyOf(compiler: string, wasm: Uint8Array): string {
  const hash = createHash('sha256')
    .update(wasm)
    .update(spawnSync(compiler, ['--version']).stdout);
  for (const name of filesOf('src/build/wasm')) hash.update(readFileSync(join('src/build/wasm', name)));
  for (const path of ['src/engine/prelude.h', 'src/build/build-engine.ts']) hash.update(readFileSync(path));
  return hash.digest('hex').slice(0, 20);
}

async function objects(cache: string, compiler: string): Promise<string> {
  const wasm = readFileSync(join(quickjs, 'emscripten-module.wasm'));
  const folder = join(cache, keyOf(compiler, wasm));
  if (existsSync(folder)) return folder;
  const draft = `${folder}.${process.pid}`;
  ensureDirSync(draft);
  const translation = translate(wasm, units);
  const glue = readFileSync(join(quickjs, 'emscripten-module.mjs'), 'utf8');
  writeFileSync(join(draft, 'quickjs.h'), headerFor(glue, translation));
  translation.sources.forEach((text, unit) => {
    writeFileSync(join(draft, `quickjs-${unit}.c`), text);
  });
  await Promise.all(translation.sources.map((_, unit) => compile(compiler, draft, unit)));
  translation.sources.forEach((_, unit) => {
    rmSync(join(draft, `quickjs-${unit}.c`));
  });
  if (existsSync(folder)) removeSync(draft);
  else renameSync(draft, folder);
  return folder;
}

const { part, out, of } = commandLine({
  name: 'build-engine',
  call: 'node src/build/run-ts.mjs src/build/build-engine.ts',
  about: 'Makes a part of the engine.',
  positionals: {
    part: { choices: ['objects', 'module'], demandOption: true, description: 'compiled objects, or our TypeScript' },
    out: { type: 'string', demandOption: true, description: 'the folder, or the file' },
    of: { type: 'string', demandOption: true, description: 'the compiler, or the commit' },
  },
});
if (part === 'objects') console.log(await objects(out, of));
else writeFileSync(out, await engineModule(build, of));
