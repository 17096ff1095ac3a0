import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { logOptions, renderEntry } from './log.js';
import { parseOptions } from './parse.js';
import { globalOptions } from './options.js';
import { folderFor } from '../test-fixtures.js';

const folder = folderFor(test, 'log');

const optionsOf = (...args: string[]) => logOptions(parseOptions(globalOptions, args, true).options);
const failure = {
  code: 'TSR_TEST',
  message: 'mount tmpfs on /run',
  pointer: '/mounts/3',
  step: 'mount tmpfs on /run',
  errno: 'EPERM',
};
const line = 'tsrun create web: mounts[3] (/mounts/3): mount tmpfs on /run: EPERM (operation not permitted)';

/** Runs statements on a log in a process of its own; returns what went to standard error and to the file. */
function logged(options: object, statements: string) {
  const module = new URL('./log.js', import.meta.url).href;
  const script = `import { Log } from '${module}'; const failure = ${JSON.stringify(failure)};
    const log = new Log(${JSON.stringify({ json: false, level: 'warning', ...options })}); log.head = 'tsrun create web'; ${statements}`;
  const { stderr, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.is(stdout, '');
  return stderr;
}

test('without a file a failure is one plain line on standard error', () => {
  assert.is(logged({}, 'log.failure(failure);'), `${line}\n`);
});

test('without a file but as JSON it is one object on standard error', () => {
  const { time, ...rest } = JSON.parse(logged({ json: true }, 'log.failure(failure);'));
  assert.equal(rest, {
    level: 'error',
    msg: line,
    code: 'TSR_TEST',
    pointer: '/mounts/3',
    step: failure.step,
    errno: 'EPERM',
  });
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test('with a file it is one entry there and the plain line on standard error', () => {
  const file = join(folder, 'json');
  assert.is(logged({ file, json: true }, 'log.failure(failure);'), `${line}\n`);
  const entries = readFileSync(file, 'utf8').split('\n');
  assert.is(entries.length, 2);
  assert.equal(Object.keys(JSON.parse(entries[0]!)).slice(0, 3), ['level', 'msg', 'time']);
  assert.is(statSync(file).mode & 0o777, 0o644);
  logged({ file, json: true }, 'log.failure(failure);');
  assert.is(readFileSync(file, 'utf8').split('\n').length, 3, 'appended, as all calls share the file');
});

test('text entries are written as logrus does', () => {
  const file = join(folder, 'text');
  logged({ file }, 'log.failure(failure);');
  const expected = `level=error msg="${line}" code=TSR_TEST pointer=/mounts/3 step="mount tmpfs on /run" errno=EPERM\n`;
  assert.is(readFileSync(file, 'utf8').replace(/^time="[^"]+" /, ''), expected);
  assert.match(renderEntry(false, 'error', 'say "hi" \\n', []), /msg="say \\"hi\\" \\\\n"\n$/);
});

test('nothing is written on success, and warnings only above their level', () => {
  const file = join(folder, 'levels');
  assert.is(logged({ file }, ''), '');
  assert.is(logged({ file, level: 'error' }, 'log.warn(failure); log.debug("x");'), '');
  assert.is(readFileSync(file, 'utf8'), '');
  assert.is(logged({ file, level: 'debug' }, 'log.warn(failure); log.debug("x");'), '');
  assert.equal(readFileSync(file, 'utf8').match(/level=\w+/g), ['level=warning', 'level=debug']);
  assert.match(logged({}, 'log.warn(failure); log.debug("x");'), /^tsrun create web: warning: mounts\[3\] .*\n$/);
});

test('what an image or a caller wrote cannot forge a second entry', () => {
  const stderr = logged({}, 'log.failure({ code: "TSR_TEST", message: "a\\ntsrun: forged\\u2028\\u001b[2J" });');
  assert.is(stderr, 'tsrun create web: a\\ntsrun: forged\\u2028\\x1b[2J\n');
  const json = logged(
    { json: true },
    'log.failure({ code: "TSR_TEST", message: "\\"}\\n{\\"level\\":\\"error\\"", pointer: "/\\n" });',
  );
  assert.is(json.trim().split('\n').length, 1);
  assert.is(JSON.parse(json).pointer, '/\\n');
});

test('a closed standard error changes nothing', () => {
  const module = new URL('./log.js', import.meta.url).href;
  const script = `import { Log } from '${module}'; const log = new Log({ json: false, level: 'debug' });
    for (let i = 0; i < 100; i++) log.debug('x'.repeat(3000)); log.failure({ code: 'TSR_TEST', message: 'x' }); console.log('done');`;
  const shell = `exec "$0" --input-type=module -e "$1" 2>&1 >&3 | true`;
  const { stdout } = spawnSync('sh', ['-c', `{ ${shell}; } 3>&1`, process.execPath, script], { encoding: 'utf8' });
  assert.is(stdout, 'done\n');
});

test('the options are read as runc and crun read them', () => {
  assert.equal(optionsOf(), { file: undefined, json: false, level: 'warning' });
  assert.equal(optionsOf('--log-format', 'json', '--log', '/l'), { file: '/l', json: true, level: 'warning' });
  assert.is(optionsOf('--log', 'file:/l').file, 'file:/l');
  assert.is(optionsOf('--debug').level, 'debug');
  assert.is(optionsOf('--log-level=error').level, 'error');
  assert.throws(() => optionsOf('--log-format', 'xml'), /^Error: |invalid log-format: xml/);
  assert.throws(() => optionsOf('--log-level', 'loud'), /invalid log-level: loud/);
});

test('a log file that cannot be opened is an error before anything is done', () => {
  assert.match(logged({ file: join(folder, 'none/log') }, ''), /cannot open log file/);
});

test.run();
