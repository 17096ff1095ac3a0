// Under a small RLIMIT_NOFILE each command works, or says so in one line and leaves nothing behind. Needs root.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Seccomp } from '../bundle/types.js';
import { containerSuite, type TestContainer } from '../executor/test-container.js';

const { tests, test } = containerSuite('descriptors');

/** One that no other test has: a known profile needs no library. */
const seccomp = (errnoRet: number): Seccomp => ({
  defaultAction: 'SCMP_ACT_ALLOW',
  architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'],
  syscalls: [{ names: ['vhangup'], action: 'SCMP_ACT_ERRNO', errnoRet }],
});

/** With this limit, and `taken` descriptors of the caller's beside its streams, which are files: nobody waits for a container's. */
function limited(container: TestContainer, limit: number, taken: number, ...args: string[]) {
  const log = join(container.folder, 'log');
  const open = Array.from({ length: taken }, (_, i) => `exec ${i + 3}</dev/null;`).join(' ');
  const shell = `exec >"$1" 2>&1 </dev/null; shift; ${open} ulimit -n ${limit}; exec "$@"`;
  const { status } = container.tsrun(args, ['bash', '-c', shell, 'bash', log]);
  return { status, said: readFileSync(log, 'utf8') };
}

const engineLine = /^tsrun: cannot start the engine: too few open files are allowed: ulimit -n is \d+\n$/;
const stepLine = /^tsrun \w+ \S+: .*: EMFILE \(too many open files\).*ulimit -n\)\n$/;

/** Done, or one line about the limit and this status. */
function assertClear(limit: number, status: number, ran: { status: number | null; said: string }): boolean {
  if (ran.status === 0) return true;
  assert.is(ran.status, status, `${limit}: ${ran.said}`);
  assert.ok(engineLine.test(ran.said) || stepLine.test(ran.said), `${limit}: ${ran.said}`);
  return false;
}

function assertNothingLeft(container: TestContainer, path: string, what: string): void {
  const state = join(container.folder, 'state');
  if (existsSync(state))
    assert.equal(
      readdirSync(state).filter((name) => name !== '.cache'),
      [],
      what,
    );
  const known = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  const hierarchies = known
    .filter((fields) => / cgroup2? /.test(fields.slice(5).join(' ')))
    .map((fields) => fields[4]!);
  const groups = hierarchies.filter((mountPoint) => existsSync(mountPoint + path));
  assert.equal(groups, [], what);
}

for (const taken of [0, 9]) {
  test(`R26: run and create work or are refused with a line, and nothing is left, ${taken} of the caller's open`, (container) => {
    const worked = { run: 0, create: 0 };
    for (let limit = taken + 3; limit <= taken + 40; limit += limit < taken + 32 ? 1 : 8) {
      const cgroupsPath = `/${container.id}`;
      container.prepare('exit 0', { linux: { cgroupsPath, seccomp: seccomp(1 + limit) } });
      const place = ['--bundle', container.folder, container.id];
      if (assertClear(limit, 1, limited(container, limit, taken, 'run', ...place))) worked.run++;
      assertNothingLeft(container, cgroupsPath, `run, ${limit}`);
      container.prepare('exit 0', { linux: { cgroupsPath, seccomp: seccomp(100 + limit) } });
      const created = assertClear(limit, 1, limited(container, limit, taken, 'create', ...place));
      if (created) {
        worked.create++;
        assert.is(JSON.parse(container.tsrun(['state', container.id]).output).status, 'created', String(limit));
        assert.equal(container.tsrun(['delete', '--force', container.id]), { status: 0, output: '', errors: '' });
      }
      assertNothingLeft(container, cgroupsPath, `create, ${limit}`);
    }
    assert.ok(worked.run >= 3 && worked.create >= 3, JSON.stringify(worked));
  });
}

test('R26: a container that runs is what every other command says of it, or they say that they cannot', (container) => {
  assert.is(container.create('exec sleep 1000').status, 0);
  assert.is(container.tsrun(['start', container.id]).status, 0);
  for (let limit = 3; limit <= 40; limit += limit < 28 ? 1 : 6) {
    const asked = (...args: string[]) => limited(container, limit, 0, ...args);
    for (const args of [['state', container.id], ['list']]) {
      const { status, said } = asked(...args);
      assert.ok(status === 0 ? said.includes('running') : /open files|EMFILE/.test(said), `${limit}: ${args}: ${said}`);
    }
    const entered = asked('exec', container.id, 'echo', 'hello');
    if (assertClear(limit, 255, entered)) assert.is(entered.said, 'hello\n');
    else assert.not.ok(entered.said.includes('hello'));
    assertClear(limit, 1, asked('kill', container.id, 'CONT'));
    // Not to be deleted: it runs.
    const gone = asked('delete', container.id);
    assert.is(gone.status, 1);
    assert.ok(/open files|EMFILE|is running|not stopped/.test(gone.said), `${limit}: ${gone.said}`);
  }
  assert.is(JSON.parse(container.tsrun(['state', container.id]).output).status, 'running');
});

// What is in a gap of --preserve-fds would be the payload's, were it left inheritable; and a created container's process must not
// even have it open: it waits for as long as its engine likes.
test('S18, S24: nothing of the runtime is in the gaps of --preserve-fds, neither while it waits nor in the payload', (container) => {
  container.prepare(
    'f=0; while test $f -lt 400; do test -e /proc/$$/fd/$f && echo $f; f=$((f + 1)); done; echo .; exec sleep 1000',
  );
  const shell = 'exec >"$1" 2>&1 </dev/null 5</etc/passwd 7</etc 9</; shift; exec "$@"';
  const args = ['create', '--preserve-fds', '300', '--bundle', container.folder, container.id];
  assert.is(container.tsrun(args, ['bash', '-c', shell, 'bash', join(container.folder, 'log')]).status, 0);
  const { pid } = JSON.parse(container.tsrun(['state', container.id]).output);
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => [fd, readlinkSync(`/proc/${pid}/fd/${fd}`)] as const);
  const others = links.filter(([, link]) => !/\/(exec|reply)\.fifo$/.test(link)).map(([fd]) => Number(fd));
  assert.equal(
    others.sort((a, b) => a - b),
    [0, 1, 2, 5, 7, 9],
    JSON.stringify(links),
  );
  assert.is(container.tsrun(['start', container.id]).status, 0);
  const said = (): string => readFileSync(join(container.folder, 'log'), 'utf8');
  for (let i = 0; i < 200 && !said().endsWith('.\n'); i++) spawnSync('sleep', ['0.05']);
  assert.is(said(), '0\n1\n2\n5\n7\n9\n.\n');
});

tests.run();
