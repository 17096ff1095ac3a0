/** One clear line for what people run into: through dist/tsrun, on the real kernel. Needs root. */
import { chmodSync, chownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Hook } from '../bundle/types.js';
import { type Changes, containerSuite, type TestContainer } from '../executor/test-container.js';

const { tests, test } = containerSuite('messages');

function script(path: string, text: string | Uint8Array, mode = 0o755): void {
  writeFileSync(path, text);
  chmodSync(path, mode);
}

/** The error line of a run, without its head. */
function lineOf(container: TestContainer, changes: Changes, wrapper: readonly string[] = []): string {
  const { status, errors } = container.run('true', changes, wrapper);
  assert.is(status, 1, errors);
  return errors.replace(`tsrun run ${container.id}: `, '').replaceAll(container.folder, 'DIR');
}

test('a missing interpreter or loader is told from a missing program, with a filter and without', (container) => {
  const folder = join(container.folder, 'rootfs/opt');
  mkdirSync(folder, { recursive: true });
  script(join(folder, 'interpreter'), '#!/opt/missing -x\n');
  script(join(folder, 'carriage'), '#!/bin/sh\r\necho x\r\n');
  script(join(folder, 'plain'), 'echo x\n');
  script(join(folder, 'empty'), '');
  const elf = readFileSync('/bin/true');
  const loader = elf.indexOf('/lib64/ld-linux');
  if (loader > 0) elf.write('/lib64/no', loader);
  script(join(folder, 'loader'), elf);
  const other = readFileSync('/bin/true');
  other[18] = other[18] === 183 ? 62 : 183;
  script(join(folder, 'machine'), other);
  const seccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['mknod'], action: 'SCMP_ACT_ERRNO' }],
  } as const;
  const env = ['PATH=/opt:/bin'];
  for (const linux of [{}, { seccomp }]) {
    const says = (program: string): string =>
      lineOf(container, {
        process: { args: [program], env },
        ...(linux.seccomp ? { spec: {} } : {}),
        linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }], ...linux },
      });
    assert.match(says('/opt/nope'), /args\[0\].*exec: \/opt\/nope: ENOENT \(no such file or directory\)$/);
    assert.match(
      says('interpreter'),
      /exec: interpreter: ENOENT .*; its interpreter '\/opt\/missing' is not in the container$/,
    );
    assert.match(says('/opt/carriage'), /its lines end in CR LF, so the interpreter would be '\/bin\/sh\\r'/);
    assert.match(says('/opt/plain'), /ENOEXEC .*; is it a script without #!\?$/);
    assert.match(says('/opt/empty'), /ENOEXEC .*; the file is empty$/);
    assert.match(says('/opt/machine'), /ENOEXEC .*; it is a program for (arm64|x86-64), or damaged$/);
    if (loader > 0)
      assert.match(says('loader'), /exec: loader: ENOENT .*; its loader '\/lib64\/no.*' is not in the container/);
  }
  assert.is(container.create('true', { process: { args: ['/opt/interpreter'] } }).status, 0);
  assert.match(container.tsrun(['start', container.id]).errors, /its interpreter '\/opt\/missing'/);
});

test('a hook that is missing, a directory, not executable or too slow is told as such', (container) => {
  const path = (name: string): string => join(container.folder, name);
  script(path('plain'), '#!/bin/sh\n', 0o644);
  script(path('interpreter'), '#!/missing\n');
  script(path('slow'), '#!/bin/sh\necho waits; sleep 5\n');
  script(path('fails'), '#!/bin/sh\necho why; exit 3\n');
  const says = (hook: Hook, kind = 'prestart'): string => lineOf(container, { spec: { hooks: { [kind]: [hook] } } });
  for (const kind of ['prestart', 'createRuntime', 'createContainer', 'startContainer'])
    assert.match(
      says({ path: '/no/hook' }, kind),
      new RegExp(`hooks.${kind}\\[0\\] .*#0 /no/hook: it does not exist: ENOENT`),
    );
  assert.match(says({ path: path('') }), /it could not be executed: EACCES .*; it is a directory$/);
  assert.match(says({ path: path('plain') }), /EACCES .*; it is not executable \(chmod \+x\)$/);
  assert.match(says({ path: path('interpreter') }), /ENOENT .*; its interpreter '\/missing' is not on the host$/);
  assert.match(says({ path: path('slow'), timeout: 1 }), /did not end within its timeout of 1 s: waits$/);
  assert.match(says({ path: path('fails') }), /exit status 3: why$/);
});

test('an id that is not mapped, an unknown sysctl and a namespace that is none say so', (container) => {
  const mappings = [{ containerID: 0, hostID: 100000, size: 10 }];
  const namespaces = (['user', 'mount', 'pid'] as const).map((type) => ({ type }));
  const linux = { namespaces, uidMappings: mappings, gidMappings: mappings };
  mkdirSync(join(container.folder, 'rootfs'), { recursive: true });
  const user = (more: object): string => {
    container.prepare('true');
    for (const name of ['', 'proc', 'dev', 'usr', 'bin', 'sbin', 'lib', 'lib64'])
      chownSync(join(container.folder, 'rootfs', name), 100000, 100000);
    return lineOf(container, { process: { user: { uid: 0, gid: 0, ...more } }, linux });
  };
  assert.match(
    user({ uid: 50 }),
    /become uid 50, gid 0: EINVAL .*; the user namespace has no such uid: linux\.uidMappings has to map it/,
  );
  assert.match(user({ gid: 50 }), /EINVAL .*; the user namespace has no such gid/);
  assert.match(user({ additionalGids: [50] }), /set groups 50: EINVAL .*; the user namespace has no such gid/);
  const net = (['mount', 'pid', 'network'] as const).map((type) => ({ type }));
  assert.match(
    lineOf(container, { linux: { namespaces: net, sysctl: { 'net.ipv4.nosuch': '1' } } }),
    /ENOENT .*; this kernel has no such parameter/,
  );
  const joined = (path: string): string =>
    lineOf(container, { linux: { namespaces: [{ type: 'mount' }, { type: 'network', path }] } });
  assert.match(joined('/etc/passwd'), /EINVAL .*; the file is no network namespace$/);
  assert.match(joined('/proc/1/ns/nope'), /ENOENT .*; there is no such file/);
});

test('an ordinary user hears what is missing: a user namespace, XDG_RUNTIME_DIR, the right to a namespace', (container) => {
  const user = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', 'env', '-u', 'XDG_RUNTIME_DIR'];
  container.prepare('true');
  mkdirSync(join(container.folder, 'state'), { recursive: true });
  chownSync(join(container.folder, 'state'), 65534, 65534);
  assert.match(
    lineOf(container, {}, user),
    /linux\.namespaces .*without root a container needs a user namespace; add \{ "type": "user" \}/,
  );
  const path = '/proc/1/ns/user';
  const joins = { linux: { namespaces: [{ type: 'mount' }, { type: 'user', path }] } } as Changes;
  const line = lineOf(container, joins, user);
  assert.not.match(line, /internal error/);
  assert.match(line, /user namespace \/proc\/1\/ns\/user: EACCES .*; this user may not enter it/);
  const { errors } = container.tsrun(['--root', '/proc/nowhere', 'list'], user);
  assert.match(errors, /\/proc\/nowhere/);
});

test('a config that is cut off, a misspelt process, and more faults than one are one line', (container) => {
  container.prepare('true');
  const config = join(container.folder, 'config.json');
  const whole = readFileSync(config, 'utf8');
  const says = (text: string): string => {
    writeFileSync(config, text);
    return container.tsrun(['run', '-b', container.folder, container.id]).errors.replaceAll(container.folder, 'DIR');
  };
  assert.match(says(whole.slice(0, 200)), /'DIR\/config.json' is cut off: it ends at line 1, column 201/);
  assert.match(
    says(whole.replace('"process"', '"proccess"')),
    /process property must not be empty; unknown key 'proccess' is ignored; did you mean 'process'\?$/m,
  );
  assert.match(
    says(whole.replace('"cwd":"/"', '"cwd":5').replace('"path":"rootfs"', '"path":5')),
    /process\.cwd .*: must be a string, not 5; also wrong: \/root\/path: must be a string, not 5$/,
  );
});

test('commands and options get a suggestion', (container) => {
  const says = (...words: string[]): string => container.tsrun(words).errors.split('\n').at(-1) ?? '';
  assert.is(says('strat'), "tsrun: unknown command 'strat'; did you mean 'start'? See 'tsrun --help'");
  assert.match(says('zzzzzz'), /unknown command 'zzzzzz'; see 'tsrun --help'$/);
  assert.match(says('run', '--bundel', 'x', 'y'), /flag provided but not defined: -bundel; did you mean '--bundle'\?$/);
});

test('one of many is named: a path, a node, a rule', (container) => {
  mkdirSync(join(container.folder, 'rootfs'), { recursive: true });
  symlinkSync('loop', join(container.folder, 'rootfs/loop'));
  const paths = ['/nowhere', '/nowhere', '/etc', '/loop', '/usr'];
  for (const [key, words] of [
    ['maskedPaths', 'mask /loop'],
    ['readonlyPaths', 'make /loop read-only'],
  ] as const) {
    const linux = { namespaces: [{ type: 'mount' }, { type: 'pid' }], [key]: paths } as const;
    assert.match(lineOf(container, { linux }), `(/linux/${key}/3): ${words}: ELOOP`);
    // Forty are encoded in another way.
    const more = [...Array.from({ length: 40 }, (_, i) => `/nowhere${i}`), '/loop'];
    assert.match(lineOf(container, { linux: { ...linux, [key]: more } }), `(/linux/${key}/40): ${words}: ELOOP`);
  }
  const node = (path: string) => ({ path, type: 'c', major: 1, minor: 3 }) as const;
  const devices = [node('/dev/a'), node('/dev/b/c'), node('/loop/d'), node('/dev/e')];
  const line = lineOf(container, { linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }], devices } });
  assert.match(line, '(/linux/devices/2): make c 1:3 0666 0:0 /loop/d: ELOOP');
});

tests.run();
