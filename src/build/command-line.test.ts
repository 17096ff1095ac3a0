// The tools that people run: their help and their errors are alike. The list is made from the sources: whoever calls commandLine() is a tool.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sourcesOf } from './sources.js';
import { folderFor } from '../test-fixtures.js';

// Where it lies: the tests are compiled into another folder, and it is not.
const module = pathToFileURL(resolve('src/build/command-line.mjs')).href;
const { commandLine, option } = (await import(module)) as typeof import('./command-line.mjs');

const own = /^src\/build\/command-line\./;
const sources = sourcesOf(['src/build', 'conformance', 'bundles'], /\.(ts|mjs)$/)
  .filter((path) => !own.test(path))
  .map((path) => [path, readFileSync(path, 'utf8')] as const);
const tools = sources.filter(([, text]) => text.includes('commandLine(')).map(([path]) => path);

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
// A tool that took wrong words for right ones would begin its work: it is where none of it can be done.
const nowhere = folderFor(test, 'tools');
mkdirSync(join(nowhere, 'docs'));
for (const name of ['node_modules', 'schemas', 'bundles', 'docs/config'])
  symlinkSync(resolve(name), join(nowhere, name)); // read on import

function run(tool: string, ...words: string[]): Promise<Ended> {
  const runner = tool.endsWith('.ts') ? [resolve('src/build/run-ts.mjs')] : [];
  const child = spawn(process.execPath, [...runner, resolve(tool), ...words], {
    cwd: nowhere,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  const said = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => (said[0] += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (said[1] += text));
  return new Promise((resolve) =>
    child.once('close', (status) => resolve({ status, stdout: said[0]!, stderr: said[1]! })),
  );
}

test('the list of tools is the one that people know', () => {
  assert.ok(tools.length >= 20, tools.join('\n'));
  for (const known of ['bundles/prepare.mjs', 'conformance/run.ts', 'conformance/rigs/run.ts', 'src/build/test.mjs'])
    assert.ok(tools.includes(known), known);
});

test('no tool reads its words in a way of its own', () => {
  // These two write programs whose words they are.
  const writers = ['conformance/ignorers.ts', 'conformance/rigs/same.ts'];
  const strangers = sources.filter(([, text]) => /process\.argv|parseArgs/.test(text)).map(([path]) => path);
  assert.equal(
    strangers.filter((path) => !tools.includes(path)),
    writers,
  );
});

for (const tool of tools) {
  test(`${tool} --help`, async () => {
    const [help, wrong] = await Promise.all([run(tool, '--help'), run(tool, '--no-such-option', ...'xxxxx')]);
    assert.equal([help.status, help.stderr], [0, '']);
    assert.match(help.stdout, /^(npm|node) .*\n\n[A-Z][\s\S]*?\.\n\n/);
    assert.match(help.stdout, /--help {2,}Show help/);
    assert.equal([wrong.status, wrong.stdout], [1, '']);
    assert.match(wrong.stderr, /^[a-z-]+: .+ \(--help says what there is\)\n$/);
  });
}

const engines = readdirSync('conformance/engines')
  .map((name) => `conformance/engines/${name}`)
  .filter((path) => readFileSync(path, 'utf8').includes('engine_main "$@"\n'));
for (const tool of ['conformance/vm/run.sh', 'conformance/modern/run.sh', 'conformance/engines/all.sh', ...engines]) {
  test(`${tool} --help`, () => {
    const shell = (word: string) => spawnSync('bash', [resolve(tool), word], { cwd: nowhere, encoding: 'utf8' });
    const [help, wrong] = [shell('--help'), shell('--no-such-option')];
    assert.equal([help.status, help.stderr], [0, '']);
    const all = tool.endsWith('/all.sh');
    assert.match(help.stdout, all ? 'npm run engines -- [' : engines.includes(tool) ? /^[A-Za-z].*\n/ : `${tool} [`);
    assert.not.match(help.stdout, /^#|engine_main/m);
    assert.equal([wrong.status, wrong.stdout], [1, '']);
    assert.match(wrong.stderr, /^[a-z-]+: Unknown argument: --no-such-option \(--help says what there is\)\n$/);
  });
}

/** What a tool with these words says, and whether it was refused. */
function said(words: readonly string[]): string {
  const { error, exit } = { error: console.error, exit: process.exit };
  const lines: string[] = [];
  console.error = (line: string) => lines.push(line);
  process.exit = ((status: number) => {
    throw new Error(`exit ${status}`);
  }) as never;
  try {
    const tool = {
      name: 'tool',
      call: 'tool',
      about: 'Does things.',
      positionals: { folder: { type: 'string', demandOption: true }, more: { type: 'string', array: true } },
      options: {
        'no-write': option.flag('print only'),
        only: option.list('these', ['a', 'b']),
        jobs: option.count('how many', 2),
        runtime: { ...option.text('one of many'), array: true },
        label: option.text('a name'),
      },
    } as const;
    const { folder, more, only, jobs, runtime, label, 'no-write': quiet } = commandLine(tool, words);
    return JSON.stringify([folder, more, quiet, only, jobs, runtime, label]);
  } catch (problem) {
    return `${(problem as Error).message}: ${lines.join('|').replace(' (--help says what there is)', '')}`;
  } finally {
    Object.assign(console, { error });
    process.exit = exit;
  }
}

for (const [words, answer] of [
  ['007', '["007",[],false,[],2,null,null]'],
  ['f x 1e3 --no-write --jobs 3', '["f",["x","1e3"],true,[],3,null,null]'],
  ['f --only a --only b,a --label= ', '["f",[],false,["a","b"],2,null,""]'],
  ['f --runtime a=b x --runtime c=', '["f",["x"],false,[],2,["a=b","c="],null]'],
  ['', 'exit 1: tool: wants <folder> [more..]'],
  ['f --foo --bar', 'exit 1: tool: Unknown arguments: foo, bar'],
  ['f -foo', 'exit 1: tool: Unknown arguments: f, o'],
  ['f --jobs', 'exit 1: tool: Not enough arguments following: jobs'],
  ['f --jobs x', 'exit 1: tool: --jobs: wants a whole number from 1 on'],
  ['f --jobs 0', 'exit 1: tool: --jobs: wants a whole number from 1 on'],
  ['f --jobs 1 --jobs 2', 'exit 1: tool: --jobs: wants a whole number from 1 on'],
  ['f --only a,c', "exit 1: tool: --only: no 'c'; there are: a, b"],
  ['f --label a --label b', 'exit 1: tool: --label is given twice'],
] as const)
  test(`words: ${words}`, () => assert.is(said(words === '' ? [] : words.split(' ').filter(Boolean)), answer));

test('the parts of an engine are known', () => {
  const script = resolve('conformance/engines/podman.sh');
  const { status, stdout, stderr } = spawnSync('bash', [script, 'core', 'al'], { cwd: nowhere, encoding: 'utf8' });
  assert.equal([status, stdout, stderr], [1, '', 'podman: Unknown argument: al (--help says what there is)\n']);
});

// In a folder of its own, for `nowhere` has packages.
const clone = folderFor(test, 'clone');
test('what prepares the bundles says what to do where no package is installed', () => {
  for (const path of ['bundles/prepare.mjs', 'src/build/command-line.mjs']) {
    mkdirSync(join(clone, dirname(path)), { recursive: true });
    copyFileSync(path, join(clone, path));
  }
  const { status, stderr } = spawnSync(process.execPath, ['bundles/prepare.mjs'], { cwd: clone, encoding: 'utf8' });
  const line = 'prepare: the packages that it needs are not installed; first: npm run build\n';
  assert.equal([status, stderr], [1, line]);
});

test('no words are an empty list', () => {
  const tool = { name: 'tool', call: 'tool', about: 'Does things.', positionals: { paths: { array: true } } } as const;
  assert.equal(commandLine(tool, []).paths, []);
});

test.run();
