import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cleanUp, createContainer, draftOf, makeRoot, publish, startProcess } from './state/test-container.js';
import { version } from './tables/versions.js';
import { folderFor } from './test-fixtures.js';

/** The TypeScript under Node, and in the program where that has been built. */
const compiled = fileURLToPath(new URL('../../tsrun', import.meta.url));
const engines: [string, string[]][] = [
  ['node', [process.execPath, fileURLToPath(new URL('./main.js', import.meta.url))]],
];
if (existsSync(compiled)) engines.push(['tsrun', [compiled]]);

const folder = folderFor(test, 'main');
test.after(cleanUp);
const gone = { pid: 2 ** 22 + 1, startTime: 1 };

for (const [engine, command] of engines) {
  const tsrun = (...args: string[]) =>
    spawnSync(command[0]!, [...command.slice(1), ...args], {
      encoding: 'utf8',
      cwd: folder,
      env: { PATH: '/usr/bin:/bin' },
    });
  const check = (name: string, body: () => void) => test(`${name} (${engine})`, body);

  check('--version is what docker and go-runc parse', () => {
    for (const flag of ['--version', '-v']) {
      const { status, stdout, stderr } = tsrun(flag);
      assert.equal([status, stderr], [0, '']);
      assert.match(stdout, new RegExp(`^tsrun version ${version}\ncommit: .+\nspec: 1\\.3\\.0\n$`));
    }
  });

  check('--help exits 0 for the program and for every command it offers', () => {
    const { status, stdout, stderr } = tsrun('--help');
    assert.equal([status, stderr], [0, '']);
    const names = [
      ...stdout.slice(stdout.indexOf('Commands:'), stdout.indexOf('Options:')).matchAll(/^ {2}(\w+) /gm),
    ].map((match) => match[1]!);
    assert.ok(names.includes('state') && names.includes('delete'));
    for (const name of names) {
      const page = tsrun(name, '--help');
      assert.equal([page.status, page.stderr], [0, ''], name);
      assert.match(page.stdout, new RegExp(`^tsrun ${name}: `));
    }
    assert.is(tsrun('checkpoint', '--help').status, 0, 'how podman asks whether there is checkpointing');
  });

  check('usage errors are told as runc tells them, status 1', () => {
    const cases: [string[], string, RegExp][] = [
      [['state'], 'tsrun: "state" requires exactly 1 argument(s)\n', /^Incorrect Usage\.\n\ntsrun state: /],
      [['kill'], 'tsrun: "kill" requires a minimum of 1 argument(s)\n', /^Incorrect Usage\./],
      [['kill', 'a', '1', '2'], 'tsrun: "kill" requires a maximum of 2 argument(s)\n', /^Incorrect Usage\./],
      [['list', 'x'], 'tsrun: "list" requires exactly 0 argument(s)\n', /^Incorrect Usage\./],
      [
        ['state', '--nope', 'x'],
        'tsrun state: flag provided but not defined: -nope\n',
        /^Incorrect Usage: flag provided but not defined: -nope\n/,
      ],
      [['--nope', 'state', 'x'], 'tsrun: flag provided but not defined: -nope\n', /^Incorrect Usage: /],
      [['--root'], 'tsrun: flag needs an argument: --root\n', /^Incorrect Usage: /],
      [['nope'], "tsrun: unknown command 'nope'; see 'tsrun --help'\n", /^$/],
      [['constructor'], "tsrun: unknown command 'constructor'; see 'tsrun --help'\n", /^$/],
      [['list', '-f', 'xml'], "tsrun list: invalid format option; it is 'table' or 'json'\n", /^$/],
      [['--log-format', 'x', 'list'], "tsrun: invalid log-format: x; it is 'text' or 'json'\n", /^$/],
      [['--root', '/', 'list'], 'tsrun list: Option --root argument should not be set to /\n', /^$/],
      [['--root=', 'list'], 'tsrun list: Option --root argument should not be set to /\n', /^$/],
    ];
    for (const [args, stderr, stdout] of cases) {
      const result = tsrun(...args);
      assert.equal([result.status, result.stderr], [1, stderr], args.join(' '));
      assert.match(result.stdout, stdout);
    }
  });

  check('S48: every command that takes an id refuses a bad one, and goes nowhere', () => {
    const root = makeRoot();
    writeFileSync(`${root}/canary`, '');
    const bad = ['.', '..', '../x', 'a/b', 'a b', 'a\n', 'é', 'a:b', '.hidden', 'x'.repeat(256)];
    for (const name of ['state', 'start', 'kill', 'delete', 'create', 'run']) {
      for (const id of engine === 'node' ? bad.slice(0, 3) : bad) {
        for (const more of name === 'delete' ? [[], ['--force']] : [[]]) {
          const { status, stdout, stderr } = tsrun('--root', `${root}/state`, name, ...more, id);
          assert.equal([status, stdout], [1, ''], `${name} ${id}`);
          assert.match(stderr, /: invalid container ID format: [^\n]*\n$/);
        }
      }
      assert.is(tsrun('--root', root, name, '').stderr, `tsrun ${name}: container id cannot be empty\n`);
      const dashed = tsrun('--root', root, name, '--', '-x').stderr;
      const creates = name === 'create' || name === 'run';
      assert.match(dashed, creates ? /config\.json not found/ : /: container does not exist\n$/);
    }
    assert.equal(readdirSync(root), ['canary']);
  });

  check('state prints one JSON object and nothing else, also when nobody reads standard error', () => {
    const root = makeRoot();
    const init = startProcess('sleep', ['60']);
    publish(root, draftOf('web', { annotations: { 'org.example.big': 'x'.repeat(200_000) } }), init);
    const { status, stdout, stderr } = tsrun('--root', root, 'state', 'web');
    assert.equal([status, stderr], [0, '']);
    assert.is(JSON.parse(stdout).pid, init.pid);
    assert.ok(stdout.startsWith('{\n  "ociVersion": "1.2.0",\n  "id": "web",\n'));
    // As podman 4 calls it: the reading end of standard error is closed.
    const shell = `{ "$@" 2>&1 >&3 | true; } 3>&1`;
    const args = [...command, '--debug', '--root', root, 'state', 'web'];
    assert.is(spawnSync('sh', ['-c', shell, 'sh', ...args], { encoding: 'utf8' }).stdout, stdout);
    assert.is(spawnSync('sh', ['-c', '"$@" 2>&-', 'sh', ...args], { encoding: 'utf8' }).stdout, stdout);
    // All of it arrives in a pipe that is read slowly.
    const slow = spawnSync('sh', ['-c', '"$@" | { sleep 0.1; cat; }', 'sh', ...args], { encoding: 'utf8' });
    assert.is(slow.stdout, stdout);
  });

  check('the life of a container: created, started, killed, deleted', () => {
    const root = makeRoot();
    const ok = (...args: string[]): string => {
      const { status, stdout, stderr } = tsrun('--root', root, ...args);
      assert.equal([status, stderr], [0, ''], args.join(' '));
      return stdout;
    };
    const refused = (message: string, ...args: string[]) => {
      const result = tsrun('--root', root, ...args);
      assert.equal([result.status, result.stdout, result.stderr], [1, '', `tsrun ${args[0]} web: ${message}\n`]);
    };
    const init = createContainer(root, draftOf('web'));
    assert.is(JSON.parse(ok('state', 'web')).status, 'created');
    assert.is(ok('start', 'web'), '');
    assert.is(JSON.parse(ok('state', 'web')).status, 'running');
    refused('cannot start an already running container', 'start', 'web');
    refused('cannot delete container web that is not stopped: running', 'delete', 'web');
    assert.is(ok('kill', 'web', '0'), '');
    assert.match(tsrun('--root', root, 'kill', 'web', '9abc').stderr, /: unknown signal "9abc"/);
    assert.is(ok('kill', 'web', 'kill'), '');
    while (JSON.parse(ok('state', 'web')).status === 'running');
    const stopped = JSON.parse(ok('state', 'web'));
    assert.equal([stopped.status, stopped.pid], ['stopped', 0]);
    refused('container not running', 'kill', 'web');
    assert.is(ok('kill', '--all', 'web', 'KILL'), '');
    refused('cannot start a container that has stopped', 'start', 'web');
    assert.is(ok('delete', 'web'), '');
    refused('container does not exist', 'delete', 'web');
    refused('container does not exist', 'state', 'web');
    assert.is(ok('delete', '--force', 'web'), '');
    assert.equal(readdirSync(root), []);
    assert.ok(init.pid > 0);
  });

  check('list shows a table, JSON or ids; damaged entries are told on standard error', () => {
    const root = makeRoot();
    assert.is(tsrun('--root', root, 'list', '-f', 'json').stdout, '[]\n');
    publish(root, draftOf('web', { bundle: '/a/rather/long/path/to/the/bundle' }), gone);
    const created = '2026-11-22T00:42:08.123Z';
    const gap = ' '.repeat(3);
    assert.is(
      tsrun('--root', root, 'list').stdout,
      `ID          PID         STATUS      BUNDLE                              CREATED                    OWNER\n` +
        `web         0           stopped     /a/rather/long/path/to/the/bundle${gap}${created}${gap}root\n`,
    );
    writeFileSync(join(root, 'web/state.json'), '{');
    publish(root, draftOf('other'), gone);
    const quiet = tsrun('--root', root, 'list', '-q');
    assert.equal([quiet.status, quiet.stdout], [0, 'other\nweb\n']);
    assert.is(quiet.stderr, '');
    const whole = tsrun('--root', root, 'list', '--format=json');
    assert.match(whole.stderr, /^tsrun list: warning: load container web: [^\n]*damaged[^\n]*\n$/);
    assert.is(JSON.parse(whole.stdout)[0].owner, 'root');
    assert.is(tsrun('--root', join(root, 'none'), 'list').status, 1);
  });

  check('spec writes a config once, and features prints JSON', () => {
    const bundle = mkdtempSync(join(folder, 'bundle-'));
    assert.equal(Object.values(tsrun('spec', '-b', bundle)).slice(0, 1), [0]);
    const text = readFileSync(join(bundle, 'config.json'), 'utf8');
    assert.ok(text.startsWith('{\n\t"ociVersion": "1.3.0",'));
    assert.is(tsrun('spec', '--bundle', bundle).stderr, 'tsrun spec: File config.json exists. Remove it first\n');
    const { status, stdout, stderr } = tsrun('features');
    assert.equal([status, stderr], [0, '']);
    assert.ok(stdout.startsWith('{\n    "ociVersionMin": "1.0.0",'));
    JSON.parse(stdout);
  });

  check('paths that are no UTF-8 are taken byte by byte', () => {
    const make =
      'mkdir "$(printf "raw\\377")"; "$@" spec -b "$(printf "raw\\377")"; cd "$(printf "raw\\377")"; "$@" spec; ls';
    const { stdout, stderr } = spawnSync('sh', ['-c', make, 'sh', ...command], {
      encoding: 'utf8',
      cwd: mkdtempSync(join(folder, 'bytes-')),
    });
    assert.equal([stdout, stderr], ['config.json\n', 'tsrun spec: File config.json exists. Remove it first\n']);
    const shown = spawnSync('sh', ['-c', '"$@" --root "$(printf "/none\\377")" list', 'sh', ...command], {
      encoding: 'utf8',
    });
    assert.is(shown.stderr, "tsrun list: cannot list state root '/none\\xff': ENOENT (no such file or directory)\n");
  });

  check('the final error is in the log file once and on standard error once', () => {
    const log = join(folder, `${engine}.log`);
    const { status, stderr } = tsrun('--root', folder, '--log', log, '--log-format', 'json', 'kill', 'nope', '9');
    assert.equal([status, stderr], [1, 'tsrun kill nope: container does not exist\n']);
    const { level, msg } = JSON.parse(readFileSync(log, 'utf8'));
    assert.equal([level, msg], ['error', 'tsrun kill nope: container does not exist']);
    assert.is(tsrun('--root', folder, '--log', log, 'delete', '--force', 'nope').stderr, '');
    assert.is(statSync(log).size, readFileSync(log).length);
    assert.is(readFileSync(log, 'utf8').split('\n').length, 2, 'success adds nothing');
  });

  check('output that nobody takes is an error, not a trace', () => {
    const { stdout } = spawnSync('sh', ['-c', '"$@" >/dev/full; echo $?', 'sh', ...command, 'features'], {
      encoding: 'utf8',
    });
    assert.is(stdout, '1\n');
    const result = spawnSync('sh', ['-c', '"$@" 2>&1 >/dev/full', 'sh', ...command, 'features'], { encoding: 'utf8' });
    assert.is(result.stdout, 'tsrun features: cannot write to standard output: ENOSPC (no space left on device)\n');
  });

  check('a reader who has had enough is no error to talk about', () => {
    const script = '{ sleep 0.2; "$@"; echo $? >&2; } | true';
    const { stderr } = spawnSync('sh', ['-c', script, 'sh', ...command, 'features'], { encoding: 'utf8' });
    assert.is(stderr, '141\n');
  });
}

test('the version is that of the package', () => {
  const file = fileURLToPath(new URL('../../../package.json', import.meta.url));
  assert.is(JSON.parse(readFileSync(file, 'utf8')).version, version);
});

test.run();
