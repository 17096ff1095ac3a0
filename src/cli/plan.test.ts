/** `tsrun plan` for people: text that fits, colour where it is wanted, the difference of two plans, and the page in a real browser. Needs root. */
import { singly } from '../plan/step-items.js';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { containerSuite, type TestContainer } from '../executor/test-container.js';
import { Browser, chromium } from '../trace/test-browser.js';
import { fitTable } from './commands/list.js';
import { clipTo, columnsOf, foldTo } from './terminal.js';
import { inTerminal } from './test-terminal.js';

const { tests, test } = containerSuite('plan view');
const secret = 'hunter2-canary';

/** The runner of the tests asks for colour. */
const quiet = ['env', '-u', 'FORCE_COLOR'];

function plan(container: TestContainer, ...args: readonly string[]): string {
  const { status, output, errors } = container.tsrun(['plan', '--bundle', container.folder, ...args], quiet);
  assert.is(status, 0, errors);
  return output;
}

const bare = (text: string): string =>
  text
    .split('\x1b[')
    .map((part, at) => (at === 0 ? part : part.replace(/^[0-9;]*m/, '')))
    .join('');

test('a title, five lines, every group once, every step once', (container) => {
  container.prepare('true');
  const text = plan(container);
  assert.match(text.split('\n')[0] ?? '', /^plan of example from .*: \d+ steps$/);
  for (const name of ['namespaces', 'ids', 'root', 'limits', 'rights'])
    assert.match(text, new RegExp(`^  ${name} +\\S`, 'm'));
  const titles = [...text.matchAll(/^# (.*)$/gm)].map(([, title]) => title);
  assert.is(new Set(titles).size, titles.length);
  const numbers = [...text.matchAll(/^ *(\d+) {2}(?:host|init|joiner) /gm)].map(([, number]) => Number(number));
  const steps = JSON.parse(plan(container, '--json')).steps.flatMap(singly);
  assert.equal(
    numbers.sort((a, b) => a - b),
    steps.map((_: unknown, index: number) => index + 1),
  );
});

test('a pipe gets no colour and lines as long as they are; --color always colours them, and nothing else', (container) => {
  container.prepare('true');
  const text = plan(container);
  assert.not.match(text, '\x1b');
  const coloured = plan(container, '--color', 'always');
  assert.match(coloured, '\x1b[');
  assert.is(bare(coloured), text);
});

test('a terminal gets colour and lines that fit it; NO_COLOR and --color never take the colour away', (container) => {
  container.prepare('true');
  const tsrun = join(process.cwd(), 'dist/tsrun');
  for (const width of [60, 80, 120]) {
    const text = inTerminal(container, width, `${tsrun} plan --bundle $BUNDLE`);
    assert.match(text, '\x1b[');
    for (const line of bare(text).split('\n')) assert.ok(columnsOf(line) <= width, `${width}: ${line}`);
  }
  assert.not.match(inTerminal(container, 80, `NO_COLOR=1 ${tsrun} plan --bundle $BUNDLE`), '\x1b');
  assert.not.match(inTerminal(container, 80, `${tsrun} plan --color never --bundle $BUNDLE`), '\x1b');
  assert.match(
    spawnSync('sh', ['-c', `FORCE_COLOR=1 ${tsrun} plan --bundle ${container.folder}`], { encoding: 'utf8' }).stdout,
    '\x1b',
  );
});

test('the difference of two plans is told in steps, and without values of the environment', (container) => {
  container.prepare('true', { process: { env: [`TOKEN=${secret}`] } });
  const other = join(container.folder, 'other.json');
  const config = JSON.parse(readFileSync(join(container.folder, 'config.json'), 'utf8'));
  spawnSync('cp', [join(container.folder, 'config.json'), other]);
  assert.match(plan(container, '--against', other), 'the steps are the same');
  config.process.env = ['TOKEN=other'];
  config.hostname = 'changed';
  config.mounts.splice(1, 1);
  spawnSync('tee', [other], { input: JSON.stringify(config) });
  const text = plan(container, '--against', other);
  assert.match(text, /^- init +\/hostname +set hostname changed$/m);
  assert.match(text, /^\+ init +\/mounts\/1 /m);
  assert.match(text, /^~ init +\/process\/args +execute .*: other env$/m);
  assert.not.match(text, secret);
});

test('a container is something to compare with, by its id', (container) => {
  assert.is(container.create('true').status, 0);
  assert.match(plan(container, '--against', container.id), 'the steps are the same');
  const { status, errors } = container.tsrun([
    'plan',
    '--bundle',
    container.folder,
    '--against',
    'nothing-of-that-name',
  ]);
  assert.is(status, 1);
  assert.match(errors, 'nothing-of-that-name');
});

test('the page: self-contained, escaped, without secrets; in Chromium a step shows its line of the config', async (container) => {
  const evil = '</span><script>document.title="owned"</script>';
  container.prepare(`: ${secret}`, {
    process: { env: [`TOKEN=${secret}`] },
    spec: { annotations: { [evil]: secret }, hostname: 'shown' },
  });
  const page = join(container.folder, 'plan.html');
  plan(container, '--html', page);
  const markup = readFileSync(page, 'utf8');
  assert.is(statSync(page).mode & 0o777, 0o600);
  assert.not.match(markup, secret);
  assert.not.match(markup, '<script>document.title');
  assert.not.match(markup, /(?:src|href)=|https?:\/\/|url\(/);
  if (!chromium) return;
  const steps = JSON.parse(plan(container, '--json')).steps.flatMap(singly);
  const hostname = steps.findIndex(({ pointer }: { pointer: string }) => pointer === '/hostname') + 1;
  assert.ok(hostname > 0);
  const browser = new Browser();
  try {
    await browser.open(page);
    assert.match(String(await browser.evaluate('document.title')), /^plan of example/);
    const chosen = "[...document.querySelectorAll('.line.on')].map((line) => line.textContent.trim())";
    assert.equal(await browser.evaluate(chosen), []);
    await browser.evaluate(`document.querySelector('#step-${hostname} button').click()`);
    assert.equal(await browser.evaluate(chosen), ['"hostname": "shown"']);
    // A value of several lines is shown whole, and a link to a step opens it.
    const long = "[...document.querySelectorAll('tr[data-first]')].find(({dataset}) => dataset.first !== dataset.last)";
    await browser.evaluate(`location.hash = ${long}.id`);
    await browser.until(`${chosen}.length > 1`);
    const lines = (await browser.evaluate(chosen)) as string[];
    assert.match(lines[0] ?? '', /[[{]$/);
    assert.match(lines.at(-1) ?? '', /^[\]}],?$/);
    assert.equal(browser.complaints, []);
  } finally {
    await browser.close();
  }
});

test('a table of containers fits a terminal: times and paths lose what says least', () => {
  const row = [
    'web',
    '12',
    'running',
    '/var/lib/containers/storage/overlay/web',
    '2026-01-02T03:04:05.678901Z',
    'root',
  ];
  const rows = [['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'], row];
  for (const width of [70, 80, 100]) {
    const lines = fitTable(rows, width).split('\n');
    for (const line of lines) assert.ok(columnsOf(line) <= width, `${width}: ${line}`);
    assert.match(lines[1] ?? '', 'lay/web');
  }
  assert.match(fitTable(rows, 200), '05.678901Z');
});

test('text is cut and folded by columns', () => {
  assert.is(clipTo('abcdef', 4), 'abc…');
  assert.is(clipTo('abcdef', 4, 'start'), '…def');
  assert.is(columnsOf('日本'), 4);
  assert.equal(foldTo('one two abcdefghij', 5), ['one', 'two', 'abcde', 'fghij']);
  assert.equal(foldTo('one two', undefined), ['one two']);
});

tests.run();
