/** R38: an exec that is killed on its way in says that memory has run out when that is so, on the real kernel. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as assert from 'uvu/assert';
import { BundleSuite, cgroupFolder, isRunc, runtime, type Sandbox, statistic } from '../../bundles/harness.js';

const suite = new BundleSuite('exec-oom', isRunc ? 'its exec does not wait in a paused container' : undefined);
const limit = 48 << 20;

/** Starts a container and pauses it; what comes in now stops right there. */
async function pausedContainer(sandbox: Sandbox): Promise<{ id: string; folder: string }> {
  const id = sandbox.id('exec-oom');
  const bundle = sandbox.copy('hello', (config) => {
    // A child goes over the limit and is killed, once; the container lives on. The file makes its limit large against it.
    const script =
      'dd if=/dev/zero of=/tmp/fill bs=1M count=15; dd if=/dev/zero of=/dev/null bs=200M count=1; while :; do sleep 100; done';
    config.process.args = ['/bin/sh', '-c', script];
    config.linux.resources = { memory: { limit, swap: limit } };
  });
  sandbox.create(id, bundle);
  sandbox.start(id);
  const folder = cgroupFolder(sandbox.state(id).pid, 'memory');
  await sandbox.until('a kill for memory', 10, () => oomKills(folder) > 0);
  assert.is(sandbox.command('pause', id).status, 0);
  return { id, folder };
}

/** The file of one name that a cgroup has, v1's or v2's. */
const fileOf = (folder: string, ...names: string[]): string =>
  join(folder, names.find((name) => existsSync(join(folder, name))) ?? 'none');

const oomKills = (folder: string): number =>
  statistic(fileOf(folder, 'memory.events.local', 'memory.oom_control'), 'oom_kill');

/** The child of `pid` that is in the container's cgroups already. */
const joinerOf = (pid: number, id: string): number | undefined =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number)
    .find((child) => child > 0 && readFileSync(`/proc/${child}/cgroup`, 'utf8').includes(id));

/** An exec that has come as far as into the container's cgroups. */
async function execHalfWay(sandbox: Sandbox, id: string): Promise<{ joiner: number; failed: Promise<string> }> {
  const args = ['--root', join(sandbox.folder, 'state'), 'exec', '--ignore-paused', id, '/bin/true'];
  const child: ChildProcess = spawn(runtime, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 20_000 });
  let errors = '';
  child.stderr?.on('data', (data) => {
    errors += data;
  });
  const failed = new Promise<string>((done) => child.on('close', (status) => done(`${status} ${errors}`)));
  let joiner: number | undefined;
  await sandbox.until('the joiner is in', 10, () => {
    joiner = joinerOf(child.pid as number, id);
    return joiner !== undefined;
  });
  return { joiner: joiner as number, failed };
}

/** Lets memory run out there, and `pid` be the one whom the kernel takes first. */
function runOutOfMemory(folder: string, pid: number): void {
  writeFileSync(`/proc/${pid}/oom_score_adj`, '1000');
  if (existsSync(join(folder, 'memory.max'))) {
    // One page less than there is takes the next one, too, when the first gives nothing back at once.
    const others = readFileSync(join(folder, 'cgroup.procs'), 'utf8').trim().split('\n').map(Number);
    for (const other of others) if (other !== pid) writeFileSync(`/proc/${other}/oom_score_adj`, '-1000');
    const used = Number(readFileSync(join(folder, 'memory.current'), 'utf8'));
    writeFileSync(join(folder, 'memory.max'), `${used - 4096}`);
  } else {
    // The freezer is a hierarchy of its own, so one who is only in this cgroup runs. It fills memory that is no process's
    // own, and is the next to be taken.
    const file = `/dev/shm/${basename(folder)}`;
    const script = 'echo 0 >"$1/cgroup.procs"; echo 900 >/proc/self/oom_score_adj; exec dd if=/dev/zero of="$2" bs=64k';
    spawnSync('/bin/sh', ['-c', script, 'sh', folder, file], { timeout: 20_000, stdio: 'ignore' });
    rmSync(file, { force: true });
  }
}

suite.test(
  'a process killed by somebody says nothing of memory, whatever was killed for it before',
  async (sandbox) => {
    const { id } = await pausedContainer(sandbox);
    const { joiner, failed } = await execHalfWay(sandbox, id);
    process.kill(joiner, 'SIGKILL');
    assert.is(sandbox.command('resume', id).status, 0);
    const text = await failed;
    assert.match(text, /^255 .*killed by signal 9/);
    assert.not.match(text, /OOM/);
  },
);

suite.test('a process killed for want of memory says so', async (sandbox) => {
  const { id, folder } = await pausedContainer(sandbox);
  const { joiner, failed } = await execHalfWay(sandbox, id);
  const before = oomKills(folder);
  runOutOfMemory(folder, joiner);
  await sandbox.until('a kill for memory', 10, () => oomKills(folder) > before);
  const text = await failed;
  assert.match(text, /^255 .*killed by signal 9 \(possibly OOM-killed\)/);
});

suite.run();
