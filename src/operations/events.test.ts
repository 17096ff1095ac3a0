/** events on the real kernel: what it says of memory that has run out, and that it sleeps until there is news. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { BundleSuite, cgroupFolder, isRunc, runtime, type Sandbox, sleep } from '../../bundles/harness.js';

// 1.1.5 does not notice the end of a container on a v1 host
const suite = new BundleSuite('events', isRunc ? 'its events do not end' : undefined);
const limit = 64 << 20;

function start(sandbox: Sandbox, script: string, memory: object = {}): { id: string; folder: string } {
  const id = sandbox.id('events');
  const bundle = sandbox.copy('hello', (config) => {
    config.process.args = ['/bin/sh', '-c', script];
    config.linux.resources = { memory: { limit, swap: limit, ...memory } };
  });
  sandbox.create(id, bundle);
  sandbox.start(id);
  return { id, folder: cgroupFolder(sandbox.state(id).pid, 'memory') };
}

/** `events` whose statistics never come. */
function watch(sandbox: Sandbox, id: string): { child: ChildProcess; lines: string[]; ended: Promise<number | null> } {
  const args = ['--root', join(sandbox.folder, 'state'), 'events', '--interval', '1h', id];
  const child = spawn(runtime, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 30_000 });
  const lines: string[] = [];
  child.stdout?.on('data', (data) => void lines.push(...String(data).trim().split('\n')));
  return { child, lines, ended: new Promise((done) => child.on('close', done)) };
}

/** How often the engine, which the program becomes for a command that only answers, has gone to sleep. */
function naps(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^voluntary_ctxt_switches:\t(\d+)$/m.exec(status)?.[1]);
}

/** A child of the first process goes over the limit for each USR1; the first one lives on. */
const hungry = 'trap "dd if=/dev/zero of=/dev/null bs=200M count=1" USR1; while :; do sleep 0.1; done';

suite.test(
  'events tells of each process killed for memory, in the words of runc, and ends with the container',
  async (sandbox) => {
    const { id } = start(sandbox, hungry);
    const { lines, ended } = watch(sandbox, id);
    await sleep(500);
    for (const count of [1, 2]) {
      sandbox.command('kill', id, 'USR1');
      await sandbox.until('an event', 15, () => lines.length >= count);
      await sleep(300);
    }
    sandbox.command('kill', id, 'KILL');
    assert.is(await ended, 0);
    assert.equal(lines, Array(2).fill(`{"type":"oom","id":"${id}"}`));
  },
);

suite.test('events tells of it, too, when it is the end of the container', async (sandbox) => {
  const { id } = start(sandbox, 'sleep 1; exec tail /dev/zero');
  const { lines, ended } = watch(sandbox, id);
  assert.is(await ended, 0);
  assert.equal(lines, [`{"type":"oom","id":"${id}"}`]);
});

suite.test('events sleeps until the kernel has something to say', async (sandbox) => {
  const { id } = start(sandbox, hungry);
  const { child, lines, ended } = watch(sandbox, id);
  await sleep(1500);
  const before = naps(child);
  await sleep(1000);
  assert.ok(naps(child) - before <= 1, `${naps(child) - before} times awake`);
  sandbox.command('kill', id, 'USR1');
  await sandbox.until('an event', 15, () => lines.length > 0);
  sandbox.command('kill', id, 'KILL');
  assert.is(await ended, 0);
});

suite.test('v1: events tells of memory that has run out when nobody is killed for it', async (sandbox) => {
  if (existsSync('/sys/fs/cgroup/cgroup.controllers')) return; // v2 has no such switch
  const { id, folder } = start(sandbox, 'sleep 1; exec tail /dev/zero', { disableOOMKiller: true });
  const { lines, ended } = watch(sandbox, id);
  await sandbox.until('an event', 15, () => lines.length > 0);
  writeFileSync(join(folder, 'memory.oom_control'), '0');
  assert.is(await ended, 0);
  assert.equal(lines[0], `{"type":"oom","id":"${id}"}`);
});

suite.run();
