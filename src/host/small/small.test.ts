/** The small engine's host and Node's: the same questions, the same answers. Needs `npm run build`. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bundleForEngine } from '../../build/engine-module.js';

const small = suite('small engine');
const outer = resolve('dist/parts/outer');
const test = existsSync(outer) ? small : small.skip;
const folder = mkdtempSync(join(tmpdir(), 'tsrun-small-'));
small.after(() => rmSync(folder, { recursive: true }));

/** A program of the engine whose TypeScript is this text. */
async function programOf(text: string): Promise<string> {
  const entry = join(folder, 'entry.ts');
  writeFileSync(entry, text);
  const input = await bundleForEngine(build, entry, {});
  const { status, stdout, stderr } = spawnSync(outer, [], { argv0: 'tsrun:snapshot', input, maxBuffer: 64 << 20 });
  assert.is(status, 0, String(stderr));
  const program = join(folder, `program-${Date.now()}`);
  const joined = spawnSync('sh', ['-c', `cp "$1" "$2" && truncate -s %4096 "$2" && cat >>"$2"`, 'sh', outer, program], {
    input: stdout,
  });
  assert.is(joined.status, 0);
  return program;
}

const environment = { PROBE: 'é', EMPTY: '', PATH: '/usr/bin:/bin', HOME: '/nowhere' };
const host = (name: string): string => JSON.stringify(resolve('src/host', name));

test('every promise of src/host is kept as under Node', async () => {
  const script = (begin: string): string =>
    `import { probe } from ${host('test-probes.ts')}; import { writeAll } from ${host('files.ts')}; import { exit } from ${host('process.ts')};
     import { commandLine } from ${host('arguments.ts')}; import { whenStarted } from ${host('start.ts')};
     ${begin}(() => { writeAll(1, probe(commandLine()[0] ?? '').join('\\n')); exit(0); });`;
  const program = await programOf(script('whenStarted'));
  const underNode = resolve('dist/test/small-probes.mjs'); // where koffi is found
  const entry = join(folder, 'entry.ts');
  await build({
    entryPoints: [entry],
    outfile: underNode,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
  });
  const answers = [
    spawnSync(process.execPath, [underNode, made('node')], { encoding: 'utf8', env: environment }),
    spawnSync(program, [made('small')], { encoding: 'utf8', env: environment, argv0: 'tsrun:engine' }),
  ];
  for (const { status, stderr } of answers) assert.is(status, 0, stderr);
  const [node, engine] = answers.map(({ stdout }) => stdout.split('\n'));
  assert.ok(node!.length > 100);
  node!.forEach((line, index) => {
    assert.is(engine![index], line, `answer ${index}`);
  });
});

function made(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

small.run();
