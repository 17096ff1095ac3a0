/** Programs of the small engine, for tests of what only it does. */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import * as assert from 'uvu/assert';
import { bundleForEngine } from '../../build/engine-module.js';

const outer = resolve('dist/parts/outer');
/** Why there can be none, as test-fixtures.ts has such reasons. */
export const needsEngine = existsSync(outer) ? undefined : 'needs npm run build';

let programs = 0;

/** A program of the engine whose TypeScript is this text, in a folder of the test; its first word has to be `tsrun:engine`. */
export async function programOf(folder: string, text: string): Promise<string> {
  const entry = join(folder, 'entry.ts');
  writeFileSync(entry, text);
  const input = await bundleForEngine(build, entry, {});
  const { status, stdout, stderr } = spawnSync(outer, [], { argv0: 'tsrun:snapshot', input, maxBuffer: 64 << 20 });
  assert.is(status, 0, String(stderr));
  const program = join(folder, `program-${programs++}`);
  const joined = spawnSync('sh', ['-c', `cp "$1" "$2" && truncate -s %4096 "$2" && cat >>"$2"`, 'sh', outer, program], {
    input: stdout,
  });
  assert.is(joined.status, 0);
  return program;
}
