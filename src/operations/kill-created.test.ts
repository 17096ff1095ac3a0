// Signals to a container that waits for `start`, with the real dist/tsrun. Needs root.
import { existsSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { containerSuite, type TestContainer } from '../executor/test-container.js';
import { openLibrary } from '../host/ffi.js';

const { tests, test } = containerSuite('signals to a created container');

const adopt = (on: 0 | 1): void => {
  openLibrary(null).bind<number>('prctl', 'int', ['int', 'long', 'long', 'long', 'long'])(36, on, 0, 0, 0);
};

/**
 * Those that wait for `start` become our children, so that we learn how they end. Only meanwhile: later tests are in the same process,
 * and what it adopts and never reaps keeps its cgroup for ever if its first thread had ended before the others.
 */
const adopting = (body: (container: TestContainer) => void) => (container: TestContainer) => {
  adopt(1);
  try {
    body(container);
  } finally {
    adopt(0);
  }
};

/** As a shell would say it. */
function exitStatus(pid: number): number {
  const status = new Uint8Array(4);
  const got = openLibrary(null).bind<number>('waitpid', 'int', ['int', 'void *', 'int'])(pid, status, 0);
  assert.is(got, pid);
  const value = new DataView(status.buffer).getInt32(0, true);
  return (value & 0x7f) === 0 ? value >> 8 : 128 + (value & 0x7f);
}

const stateOf = (container: TestContainer): { status: string; pid: number } =>
  JSON.parse(container.tsrun(['state', container.id]).output) as { status: string; pid: number };

function succeeds(container: TestContainer, ...args: string[]): void {
  const { status, errors } = container.tsrun(args);
  assert.equal([status, errors], [0, ''], args.join(' '));
}

function created(container: TestContainer, changes: Parameters<TestContainer['create']>[1] = {}): number {
  const { status, errors } = container.create('exec sleep 60', changes);
  assert.equal([status, errors], [0, '']);
  return stateOf(container).pid;
}

const signals: readonly (readonly [string, number])[] = [
  ['TERM', 15],
  ['INT', 2],
  ['HUP', 1],
  ['QUIT', 3],
  ['USR1', 10],
  ['USR2', 12],
  ['RTMIN+3', 37],
  ['KILL', 9],
];

test(
  'they end it, its status is what a shell would say, and `delete` finds it stopped',
  adopting((container) => {
    for (const [name, number] of signals) {
      const pid = created(container);
      succeeds(container, 'kill', container.id, name);
      assert.is(stateOf(container).status, 'stopped', name);
      succeeds(container, 'delete', container.id);
      assert.is(exitStatus(pid), 128 + number, name);
    }
  }),
);

test(
  "also with --all, and in the host's pid namespace",
  adopting((container) => {
    const namespaces = (['mount', 'uts', 'ipc', 'network'] as const).map((type) => ({ type }));
    for (const [args, linux] of [
      [['--all'], {}],
      [[], { namespaces }],
      [['--all'], { namespaces }],
    ] as const) {
      const pid = created(container, { linux });
      succeeds(container, 'kill', ...args, container.id, 'TERM');
      assert.is(stateOf(container).status, 'stopped');
      succeeds(container, 'delete', container.id);
      assert.is(exitStatus(pid), 143);
    }
  }),
);

test(
  'also behind a filter that forbids to set handlers',
  adopting((container) => {
    const seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['rt_sigaction'], action: 'SCMP_ACT_ERRNO' }],
    } as const;
    const pid = created(container, { linux: { seccomp }, process: { noNewPrivileges: false } });
    succeeds(container, 'kill', container.id, 'TERM');
    succeeds(container, 'delete', container.id);
    assert.is(exitStatus(pid), 143);
  }),
);

test('those that end nobody leave it waiting, and the program gets its own handlers back', (container) => {
  created(container);
  for (const name of ['0', 'CHLD', 'CONT', 'URG', 'WINCH']) succeeds(container, 'kill', container.id, name);
  assert.is(stateOf(container).status, 'created');
  succeeds(container, 'start', container.id);
  const caught = container.tsrun(['exec', container.id, 'grep', 'SigCgt', '/proc/1/status']).output;
  assert.match(caught, /\b0000000000000000$/);
});

test('a paused one ends when it is resumed, and `kill` does not wait for that', (container) => {
  if (!existsSync('/sys/fs/cgroup/freezer') && !existsSync('/sys/fs/cgroup/cgroup.controllers')) return;
  created(container);
  succeeds(container, 'pause', container.id);
  // A busy machine makes one of them long, not all.
  const took = [1, 2, 3].map(() => {
    const began = performance.now();
    succeeds(container, 'kill', container.id, 'TERM');
    return performance.now() - began;
  });
  assert.ok(Math.min(...took) < 900, took.join(' '));
  assert.is(stateOf(container).status, 'paused');
  succeeds(container, 'resume', container.id);
  for (let i = 0; i < 100 && stateOf(container).status !== 'stopped'; i++);
  succeeds(container, 'delete', container.id);
});

tests.run();
