// T-SAME: the TypeScript under Node and in the program's own engine gives the same plan, the same complaint and the same exit status,
// for the sample bundles and for configs that are nearly right. The seed is printed; RIG_SEED=N repeats a run.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ensureDirSync, readJsonSync, removeSync } from 'fs-extra/esm';
import { executorPath } from '../../src/host/executor.js';
import { makeBundle } from './bundle.js';
import { damage, draw, mutate, oneOf, sow } from './mutate.js';
import { finish, report } from './report.js';

type Answer = readonly [status: number | null, output: string, errors: string];

/**
 * Calls dist/main.js once for each bundle in one Node process: it would take a tenth of a second each otherwise. What it writes is
 * kept instead of written, and its exit is the end of one call.
 */
const server = `
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
const [main, folder, count] = process.argv.slice(2), write = fs.writeSync, answers = [];
let said;
fs.writeSync = (fd, data, from = 0, ...rest) => {
  if (fd !== 1 && fd !== 2) return write(fd, data, from, ...rest);
  const bytes = typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.subarray(from));
  said[fd - 1].push(bytes);
  return bytes.length;
};
for (let i = 0; i < Number(count); i++) {
  said = [[], []];
  const ended = new Promise((resolve) => {
    process.exit = (code) => { resolve(code); throw new Error('ended'); };
  });
  process.on('unhandledRejection', () => {});
  process.argv = [process.argv[0], main, '--root', folder + '/state', 'plan', '--json', '--bundle', folder + '/' + i];
  await import(pathToFileURL(main) + '?' + i);
  answers.push([await ended, ...said.map((parts) => Buffer.concat(parts).toString())]);
}
fs.writeFileSync(folder + '/answers.json', JSON.stringify(answers));
process.reallyExit(0);
`;

function underNode(folder: string, count: number): Answer[] {
  const script = join(folder, 'server.mjs');
  writeFileSync(script, server);
  const args = [script, resolve('dist/main.js'), folder, String(count)];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } });
  if (status !== 0) throw new Error(`the other engine did not work: ${stderr}`);
  return readJsonSync(join(folder, 'answers.json')) as Answer[];
}

function inProgram(folder: string, index: number): Answer {
  const words = ['--root', join(folder, 'state'), 'plan', '--json', '--bundle', join(folder, String(index))];
  const { status, stdout, stderr } = spawnSync(executorPath(), words, { encoding: 'utf8', maxBuffer: 64 << 20 });
  return [status, stdout, stderr];
}

const utf8 = new TextEncoder();
const each = 200;

/** Writes a bundle without files; its config is what a config may be with `rootfs` there. */
function write(folder: string, index: number, config: Uint8Array | string): void {
  const bundle = join(folder, String(index));
  ensureDirSync(join(bundle, 'rootfs'));
  writeFileSync(join(bundle, 'config.json'), config);
}

/** Without what is another each time (the moment, who plans, and its streams), and without the plans that only the program keeps. */
function steady(text: Answer[number]): string {
  // What a descriptor of the process leads to is another thing in each.
  if (/'\/proc\/(self|thread-self)\/fd/.test(String(text))) return 'of its own descriptors';
  const plain = String(text)
    .replace(/(creator\\+":\{)[^,}]*(,\\+"startTime\\+":\d+)?/g, '$1')
    .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/g, 'now')
    .replace(/(socket|pipe):\[\d+\]/g, '$1');
  if (!plain.startsWith('{')) return plain;
  const plan = JSON.parse(plain) as { steps: { op: string }[] };
  return JSON.stringify({ ...plan, steps: plan.steps.filter(({ op }) => op !== 'plan.keep') }, null, 1);
}

/** Where two texts part; '' when they do not. */
function difference(node: string, engine: string): string {
  if (node === engine) return '';
  let at = 0;
  while (node[at] === engine[at]) at++;
  const around = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 80), at + 120));
  return `under Node: ${around(node)}\nin tsrun:   ${around(engine)}`;
}

function compare(name: string, folder: string, count: number): number {
  const problems: string[] = [];
  let good = 0;
  underNode(folder, count).forEach((node, index) => {
    const engine = inProgram(folder, index);
    if (node[0] === 0) good++;
    const problem = difference(node.map(steady).join('\n'), engine.map(steady).join('\n'));
    if (problem === '' || problems.length >= 5) return;
    const config = readFileSync(join(folder, String(index), 'config.json'), 'utf8');
    problems.push(`${problem}\nof ${config.slice(0, 300)}`);
  });
  report(name, problems);
  return good;
}

export function sameRig(long: boolean): void {
  const began = Date.now();
  const seed = Number(process.env.RIG_SEED ?? (Date.now() % 0x7fffffff) + 1);
  sow(seed);
  const bundle = makeBundle('true');
  const samples = readdirSync('bundles').map((name) => join('bundles', name, 'config.json'));
  const seeds = [...samples, join(bundle.directory, 'config.json')].flatMap((path) => {
    try {
      return [readFileSync(path, 'utf8')];
    } catch {
      return [];
    }
  });
  const folder = mkdtempSync(join(tmpdir(), 'tsrun-rig-'));
  seeds.forEach((text, index) => {
    write(folder, index, text);
  });
  const good = compare('the sample bundles', folder, seeds.length);
  report('most of them have a plan', good > seeds.length / 2 ? '' : `${good} of ${seeds.length}`);
  // In parts, for a process of Node holds all of its answers.
  const parts = long ? 100 : 1;
  let valid = 0;
  for (let part = 0; part < parts; part++) {
    for (let index = 0; index < each; index++) {
      const text = oneOf(seeds);
      write(folder, index, draw(4) === 0 ? damage(utf8.encode(text)) : JSON.stringify(mutate(text)));
    }
    valid += compare(`${each} configs that are nearly right (${part})`, folder, each);
  }
  const count = parts * each;
  report('some of them are right', valid > 0 && valid < count ? '' : `${valid} of ${count}`);
  removeSync(folder);
  removeSync(bundle.directory);
  console.log(`       seed ${seed}`);
  finish('T-SAME', began, seeds.length + count);
}
