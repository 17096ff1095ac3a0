import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { commandRow, globalOptions } from './options.js';
import { countComplaint, type Parsed, parseOptions } from './parse.js';

const parse = (command: string, ...args: string[]): Parsed => {
  const row = commandRow(command)!;
  return parseOptions(row.options, args, row.optionsFirst === true);
};

test('a value follows or is joined, with one dash or two', () => {
  for (const args of [
    ['--bundle', '/b'],
    ['--bundle=/b'],
    ['-bundle', '/b'],
    ['-bundle=/b'],
    ['-b', '/b'],
    ['-b=/b'],
    ['--b', '/b'],
  ]) {
    const { options, operands } = parse('create', ...args, 'web');
    assert.is(options.text('bundle'), '/b', args.join(' '));
    assert.equal(operands, ['web']);
  }
  assert.is(parse('create', '--pid-file=a=b').options.text('pid-file'), 'a=b');
});

test('a switch is on, or what it is set to', () => {
  for (const value of ['', '=true', '=1', '=t', '=T', '=TRUE', '=True'])
    assert.ok(parse('create', `--no-pivot${value}`).options.is('no-pivot'), value);
  for (const value of ['=false', '=0', '=f', '=F', '=FALSE', '=False']) {
    const { options } = parse('create', `--no-pivot${value}`);
    assert.not(options.is('no-pivot'), value);
    assert.is(options.last('no-pivot'), 'false');
  }
  assert.throws(() => parse('create', '--no-pivot=maybe'), /invalid boolean value 'maybe' for -no-pivot/);
  assert.ok(parse('restore', '-no-subreaper', 'web').options.is('no-subreaper'), 'as containerd passes it');
});

test('options may follow operands, but for commands that pass on what follows', () => {
  const { options, operands } = parse('create', 'web', '--bundle', '/b');
  assert.is(options.text('bundle'), '/b');
  assert.equal(operands, ['web']);
  assert.equal(parse('exec', '-t', 'web', 'ls', '-l', '--env', 'x').operands, ['web', 'ls', '-l', '--env', 'x']);
  assert.equal(parse('ps', '-f', 'json', 'web', '-ef').operands, ['web', '-ef']);
  assert.equal(parse('kill', 'web', '-9').operands, ['web', '-9']);
  assert.ok(parse('kill', '--all', 'web', '9').options.is('all'));
});

test('two dashes end the options', () => {
  assert.equal(parse('state', '--', '-x').operands, ['-x']);
  assert.equal(parse('create', 'a', '--', '--bundle').operands, ['a', '--bundle']);
  assert.equal(parse('exec', '--', 'web', '--', 'x').operands, ['web', '--', 'x']);
  assert.is(parse('create', '--bundle', '--', 'web').options.text('bundle'), '--', 'a value is a value');
});

test('a lone dash is an operand, and a dash may be a value', () => {
  assert.equal(parse('state', '-').operands, ['-']);
  for (const args of [['--resources=-'], ['--resources', '-'], ['-r', '-']]) {
    assert.is(parse('update', ...args, 'web').options.text('resources'), '-');
  }
  assert.is(parse('update', '--memory', '-1', 'web').options.text('memory'), '-1');
});

test('repeated options add up where they may, and commas are left alone', () => {
  const { options } = parse('exec', '-e', 'A=1,2', '--env', 'B=', '--env=C=d=e', '--cwd', '/a', '--cwd', '/b', 'web');
  assert.equal(options.list('env'), ['A=1,2', 'B=', 'C=d=e']);
  assert.is(options.text('cwd'), '/b', 'otherwise the last one counts');
});

test('an empty value counts as not given', () => {
  for (const args of [['--pid-file='], ['--pid-file', '']])
    assert.is(parse('create', ...args, 'web').options.text('pid-file'), undefined);
});

test('refuses what it does not know in the words engines look for', () => {
  const cases: [string[], RegExp][] = [
    [['create', '--nope'], /^flag provided but not defined: -nope$/],
    [['create', '-nope=1'], /^flag provided but not defined: -nope$/],
    [['create', '--bundl', 'x'], /^flag provided but not defined: -bundl$/],
    [['exec', '-it', 'web'], /^flag provided but not defined: -it$/],
    [['create', '--bundle'], /^flag needs an argument: --bundle$/],
    [['create', '-b'], /^flag needs an argument: -b$/],
    [['restore', '--lsm-mount-context'], /flag needs an argument/],
    [['create', '---bundle'], /^bad flag syntax: ---bundle$/],
    [['create', '--=x'], /^bad flag syntax: --=x$/],
    [['create', '--preserve-fds', 'x'], /^invalid value 'x' for flag -preserve-fds/],
    [['checkpoint', '--manage-cgroups-mode', 'x'], /must be soft, full, strict, ignore/],
  ];
  for (const [[command, ...args], expected] of cases)
    assert.throws(
      () => parse(command!, ...args),
      (error: Error) => expected.test(error.message),
      args.join(' '),
    );
});

test('names of JavaScript are no options', () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    assert.throws(() => parse('create', `--${name}`, 'x'), /not defined/);
    assert.is(parse('create').options.text(name), undefined);
  }
});

test('global options end at the command', () => {
  const { options, operands } = parseOptions(
    globalOptions,
    ['--log-format', 'json', '--log=/l', '--root', '/r', 'create', '--debug'],
    true,
  );
  assert.equal([options.text('log-format'), options.text('log'), options.text('root')], ['json', '/l', '/r']);
  assert.equal(operands, ['create', '--debug']);
});

test('counts operands in the words scripts know', () => {
  assert.is(countComplaint('create', [1, 1], 1), undefined);
  assert.is(countComplaint('create', [1, 1], 0), '"create" requires exactly 1 argument(s)');
  assert.is(countComplaint('kill', [1, 2], 0), '"kill" requires a minimum of 1 argument(s)');
  assert.is(countComplaint('kill', [1, 2], 3), '"kill" requires a maximum of 2 argument(s)');
});

test('takes every call engines are known to make', () => {
  // cli-contract.md, section 3: observed or read from podman, conmon, containerd, Docker, BuildKit, CRI-O, buildah.
  const calls = [
    '--systemd-cgroup --log-format=json --log /l --cgroup-manager disabled create --bundle /b --pid-file /p --no-pivot --no-new-keyring --preserve-fds 2 --console-socket /tmp/conmon-term.X ID',
    '--root /r --log /b/log.json --log-format json --systemd-cgroup create --bundle /b --pid-file /b/init.pid --console-socket /s ID',
    'start ID',
    '--log-format=json --log /l exec --pid-file /f --process /j --detach --tty --preserve-fds 1 --console-socket /s ID',
    'exec --process /tmp/runc-process1 --console-socket /s --detach --pid-file /f ID',
    'kill ID 15',
    'kill --all ID 9',
    'kill -a ID 9',
    'kill ID KILL',
    'delete --force ID',
    'delete ID',
    'state ID',
    'pause ID',
    'resume ID',
    'update --resources=/var/tmp/podman123 ID',
    'update --resources - ID',
    'ps --format json ID',
    '--root /r features',
    '--version',
    'checkpoint --image-path /i --work-path /w --leave-running --tcp-established --file-locks --pre-dump --parent-path ../p ID',
    'checkpoint --image-path /i --work-path /w --tcp-established --ext-unix-sk --shell-job --file-locks --empty-ns network ID',
    'restore --image-path /i --work-path /w --detach --pid-file /f --console-socket /s --no-pivot -no-subreaper --bundle /b ID',
    'restore --bundle /b --pid-file /p --detach --image-path /i --work-path /b --tcp-established --tcp-close --file-locks --lsm-mount-context=c --lsm-profile=selinux:x --console-socket /s ID',
    'run --bundle /b --no-pivot --keep ID',
    'exec --process /f --pid-file /p ID',
    'events --stats ID',
    'events --interval 5s ID',
    '--rootless=true --debug list -q -f json',
    '--criu /x list',
  ];
  for (const call of calls) {
    const { operands } = parseOptions(globalOptions, call.split(' '), true);
    if (operands.length === 0) continue;
    const row = commandRow(operands[0]!)!;
    const parsed = parseOptions(row.options, operands.slice(1), row.optionsFirst === true);
    assert.is(countComplaint(row.name, row.count, parsed.operands.length), undefined, call);
    if (row.operands.startsWith('ID')) assert.is(parsed.operands[0], 'ID', call);
  }
});

test.run();
