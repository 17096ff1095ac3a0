// A container whose first thread has ended while another runs on (a program that calls pthread_exit in main). Needs root and cc.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Linux } from '../bundle/types.js';
import { containerSuite, type TestContainer } from '../executor/test-container.js';
import { startTimeOf } from '../state/status.js';

const { tests, test } = containerSuite('first thread ended');

const source = `
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
static void *other(void *seconds) { sleep((unsigned)(long)seconds); exit(7); }
int main(int argc, char **argv) {
  pthread_t thread;
  pthread_create(&thread, 0, other, (void *)atol(argv[1]));
  pthread_exit(0);
}
`;

const stateOf = (container: TestContainer): { status: string; pid: number } =>
  JSON.parse(container.tsrun(['state', container.id]).output) as { status: string; pid: number };

/** False where there is no compiler. */
function compile(container: TestContainer): boolean {
  const file = join(container.folder, 'rootfs/ended');
  writeFileSync(`${container.folder}/ended.c`, source);
  return spawnSync('cc', ['-pthread', '-o', file, `${container.folder}/ended.c`]).status === 0;
}

/** Its number, when its first thread is a zombie. */
function started(container: TestContainer, linux: Partial<Linux> = {}): number {
  const { status, errors } = container.create('exec /ended 60', { linux });
  assert.equal([status, errors], [0, '']);
  assert.is(container.tsrun(['start', container.id]).status, 0);
  const { pid } = stateOf(container);
  for (let i = 0; i < 500 && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')); i++)
    spawnSync('sleep', ['0.01']);
  assert.match(readFileSync(`/proc/${pid}/stat`, 'utf8'), /\) Z /);
  return pid;
}

const mapping = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
const spaces = (...types: ('user' | 'cgroup' | 'mount' | 'pid' | 'uts' | 'ipc' | 'network')[]) =>
  types.map((type) => ({ type }));
const kinds: readonly (readonly [string, Partial<Linux>])[] = [
  ['with namespaces of its own', {}],
  [
    'in a user and a cgroup namespace',
    {
      namespaces: spaces('user', 'cgroup', 'mount', 'pid', 'uts', 'ipc', 'network'),
      uidMappings: mapping,
      gidMappings: mapping,
    },
  ],
  ["in the host's pid namespace", { namespaces: spaces('mount', 'uts', 'ipc', 'network') }],
];

for (const [what, linux] of kinds) {
  test(`${what}: running, and exec, pause, ps, kill and delete work`, (container) => {
    if (!compile(container)) return;
    const pid = started(container, linux);
    assert.equal(stateOf(container), { ...stateOf(container), status: 'running', pid });
    for (let i = 0; i < 3; i++) {
      const { output, errors } = container.tsrun([
        'exec',
        container.id,
        '/bin/sh',
        '-c',
        'ls -d /ended; cat /proc/self/cgroup',
      ]);
      assert.equal([output.split('\n')[0], errors], ['/ended', '']);
    }
    for (const name of ['mnt', 'pid', 'user', 'net', 'cgroup']) {
      // As that of the thread that runs on, on the host.
      const folder = spawnSync('sh', ['-c', `ls -d /proc/${pid}/task/*`], { encoding: 'utf8' })
        .stdout.trim()
        .split('\n')
        .at(-1)!;
      const link = spawnSync('readlink', [`${folder}/ns/${name}`], { encoding: 'utf8' }).stdout.trim();
      assert.is(container.tsrun(['exec', container.id, 'readlink', `/proc/self/ns/${name}`]).output, link, name);
    }
    assert.match(container.tsrun(['ps', container.id]).output, new RegExp(`\\b${pid}\\b`));
    assert.match(container.tsrun(['delete', container.id]).errors, /that is not stopped: running/);
    assert.equal(container.tsrun(['kill', container.id, '0']).status, 0);
    assert.equal(container.tsrun(['kill', container.id, 'KILL']).status, 0);
    for (let i = 0; i < 100 && stateOf(container).status !== 'stopped'; i++);
    assert.equal(container.tsrun(['delete', container.id]), { status: 0, output: '', errors: '' });
  });
}

test('an exec is in the cgroups of the container', (container) => {
  if (!compile(container)) return;
  const pid = started(container);
  const file = join(container.folder, 'pid');
  assert.is(
    container.tsrun(
      ['exec', '-d', '--pid-file', file, container.id, 'sleep', '9'],
      ['sh', '-c', 'exec "$@" >/dev/null 2>&1', 'sh'],
    ).status,
    0,
  );
  const cgroupsOf = (process: string): string => readFileSync(`/proc/${process}/cgroup`, 'utf8');
  const cgroups = cgroupsOf(readFileSync(file, 'utf8'));
  assert.match(cgroups, container.id);
  assert.is(cgroups, cgroupsOf(`${pid}/task/${readdirSync(`/proc/${pid}/task`).at(-1)}`));
});

test('`delete --force` ends it and its cgroup goes', (container) => {
  if (!compile(container)) return;
  const pid = started(container);
  assert.equal(container.tsrun(['delete', '--force', container.id]), { status: 0, output: '', errors: '' });
  assert.is(startTimeOf(pid), undefined);
  for (const place of ['/sys/fs/cgroup', '/sys/fs/cgroup/pids', '/sys/fs/cgroup/unified'])
    assert.not(existsSync(`${place}/${container.id}`), place);
});

test('a foreground run is over when the last thread is, with its status', (container) => {
  if (!compile(container)) return;
  const began = performance.now();
  assert.is(container.run('exec /ended 1').status, 7);
  assert.ok(performance.now() - began > 900);
});

tests.run();
