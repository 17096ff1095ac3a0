// The runner of the tests: what files that fail, throw, end early or hang come to.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { folderFor } from '../test-fixtures.js';

const queue = pathToFileURL(resolve('src/build/test-queue.mjs')).href;
const uvu = pathToFileURL(resolve('node_modules/uvu/dist/index.mjs')).href;
const folder = folderFor(test, 'queue');
const good = "test('is good', () => {}); test.skip('is not for here', () => {}); test.run();";

/** A process that runs these files, two at once. */
function command(texts: Readonly<Record<string, string>>): string[] {
  const files = Object.entries(texts).map(([name, text]) => {
    const file = join(folder, `${name}.mjs`);
    writeFileSync(file, `import { test } from '${uvu}';\n${text}`);
    return { name, file };
  });
  const code = `const { runFiles } = await import('${queue}'); process.exitCode = await runFiles(${JSON.stringify(files)}, 2);`;
  return ['--input-type=module', '-e', code];
}

interface Ran {
  readonly status: number | null;
  readonly output: string;
  /** Total, passed, skipped, and the lines of what failed. */
  readonly said: readonly (string | undefined)[];
}
function run(texts: Readonly<Record<string, string>>): Ran {
  const env = { ...process.env, FORCE_COLOR: undefined };
  const { status, stdout } = spawnSync(process.execPath, command(texts), { encoding: 'utf8', env, timeout: 60_000 });
  const sum =
    /\n\n {2}Total: {5}(\d+)\n {2}Passed: {4}(\d+)\n {2}Skipped: {3}(\d+)\n {2}Duration: {2}[\d.]+ s\n\n$/.exec(stdout);
  const lines = [...stdout.matchAll(/^failed: (.*)$/gm)].map((line) => line[1]);
  return { status, output: stdout, said: [...(sum ?? ['no sum']).slice(1), ...lines] };
}

test('the counts of all files are added up', () => {
  const { status, said, output } = run({ one: good, two: good, three: good });
  assert.equal([status, said], [0, ['3', '3', '3']]);
  assert.is(output.match(/Total/g)?.length, 1, output);
  assert.match(output, /^(one|two) \(\d/);
});

for (const [what, text, counts, line] of [
  ['a test that fails', `test('is bad', () => { throw new Error('no'); });${good}`, ['3', '2'], '"is bad"'],
  ['a file that throws', 'throw new Error("at once");', ['2', '1'], 'did not come to its end: exit status 1'],
  ['a file that does not parse', 'const = 1;', ['2', '1'], 'did not come to its end: exit status 1'],
  ['a file that ends early', 'process.exit(0);', ['2', '1'], 'did not come to its end: exit status 0'],
  [
    'a test that ends the process',
    "test('x', () => process.exit(0)); test.run();",
    ['2', '1'],
    'did not come to its end: exit status 1',
  ],
  [
    'a file that is killed',
    "test('x', () => process.kill(process.pid, 'SIGKILL')); test.run();",
    ['2', '1'],
    'did not come to its end: ended by SIGKILL',
  ],
  [
    'a test that never ends',
    "test('x', () => new Promise(() => {})); test.run();",
    ['2', '1'],
    'did not come to its end: exit status 1',
  ],
  ['a file whose tests nobody runs', "test('x', () => {});", ['2', '1'], 'did not come to its end: exit status 0'],
  [
    'a status after the end',
    `process.on('exit', () => { process.exitCode = 7; });${good}`,
    ['3', '2'],
    'exit status 7 though every test passed',
  ],
  [
    'a preparation that throws',
    `test.before(() => { throw new Error('no'); });${good}`,
    ['2', '1'],
    '1 of 1 did not pass',
  ],
] as const)
  test(`${what}: counted, named, and the others run`, () => {
    const { status, said, output } = run({ strange: text, fine: good });
    assert.equal([status, said[0], said[1], said.slice(3)], [1, ...counts, [`strange: ${line}`]], output);
    assert.match(output, /^fine \(/m);
  });

test('what a file has written is there, whole', () => {
  const write = (letter: string): string =>
    `test('writes', async () => { for (let i = 0; i < 50; i++) { console.log('${letter}'.repeat(2000)); await new Promise((done) => setTimeout(done, 2)); } }); test.run();`;
  const { output } = run({ a: write('a'), b: write('b') });
  assert.match(output, /(a{2000}\n){50}/);
  assert.match(output, /(b{2000}\n){50}/);
});

test('what a file leaves running keeps nobody waiting', () => {
  const noted = join(folder, 'left');
  const { status, said } = run({
    one: `import { spawn } from 'node:child_process'; import { writeFileSync } from 'node:fs';
      const left = spawn('sleep', ['200'], { stdio: 'inherit' }); left.unref(); writeFileSync('${noted}', String(left.pid)); ${good}`,
  });
  process.kill(Number(readFileSync(noted, 'utf8')));
  assert.equal([status, said], [0, ['1', '1', '1']]);
});

const until = async (condition: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + 20_000; !condition(); ) {
    if (Date.now() > deadline) throw new Error('it takes too long');
    await new Promise((done) => setTimeout(done, 20));
  }
};
const runs = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  test(`${signal} ends the files and what they have started`, async () => {
    const noted = join(folder, signal);
    const text = `import { spawn } from 'node:child_process'; import { writeFileSync } from 'node:fs';
      test('x', () => new Promise(() => { setInterval(() => {}, 1000); writeFileSync('${noted}', process.pid + ' ' + spawn('sleep', ['60']).pid); })); test.run();`;
    const child: ChildProcess = spawn(process.execPath, command({ slow: text }), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout?.on('data', (part) => (output += part));
    const closed = new Promise((done) => child.once('close', done));
    await until(() => existsSync(noted) && /\d \d/.test(readFileSync(noted, 'utf8')));
    child.kill(signal);
    assert.is(await closed, expected);
    assert.is(output, `${signal} while slow ran\n`);
    const left = readFileSync(noted, 'utf8').split(' ').map(Number);
    await until(() => !left.some(runs));
  });

test('where no file is meant there is nothing to run', () => {
  const { status, stderr } = spawnSync(process.execPath, ['src/build/test.mjs', 'src/build/no-such-test'], {
    encoding: 'utf8',
  });
  assert.equal([status, stderr], [1, "test: no test's path begins with src/build/no-such-test\n"]);
});

test.run();
