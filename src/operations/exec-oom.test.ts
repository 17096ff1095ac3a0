/** R38: an exec that is killed on its way in is told apart from one that ran out of memory, on the real kernel. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { BundleSuite, cgroupFolder, isRunc, runtime, type Sandbox, statistic } from '../../bundles/harness.js';

const suite = new BundleSuite('exec-oom');
const limit = 48 << 20;

/** A container whose first process gives up memory that belongs to no process, and so cannot be taken back by a kill. */
function start(sandbox: Sandbox, script: string): { id: string; pid: number } {
  const id = sandbox.id('exec-oom');
  const bundle = sandbox.copy('hello', (config) => {
    config.process.args = ['/bin/sh', '-c', `${script}; while :; do sleep 100; done`];
    config.linux.resources = { memory: { limit, swap: limit } };
    config.mounts.push({ destination: '/fill', type: 'tmpfs', source: 'tmpfs', options: ['size=100%'] });
  });
  sandbox.create(id, bundle);
  sandbox.start(id);
  return { id, pid: sandbox.state(id).pid };
}

function oomKills(pid: number): number {
  const folder = cgroupFolder(pid, 'memory');
  const name = readdirSync(folder).find((file) => file === 'memory.oom_control' || file === 'memory.events.local');
  return statistic(join(folder, name ?? 'none'), 'oom_kill');
}

/** A child that goes over the limit is killed; the container lives on. */
const dieOnce = 'dd if=/dev/zero of=/dev/null bs=200M count=1';

/** The child of `pid` that is in the container's cgroups already. */
const joinerOf = (pid: number, id: string): number | undefined =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number)
    .find((child) => child > 0 && readFileSync(`/proc/${child}/cgroup`, 'utf8').includes(id));

suite.test(
  'a process that dies of something else says nothing of memory, whatever was killed for it before',
  async (sandbox) => {
    if (isRunc) return; // its exec does not wait in a paused container
    const { id, pid } = start(sandbox, dieOnce);
    await sandbox.until('a kill for memory', 10, () => oomKills(pid) > 0);
    assert.is(sandbox.command('pause', id).status, 0);
    // The joiner stops on its way in, as everything in a paused container does.
    const args = ['--root', join(sandbox.folder, 'state'), 'exec', '--ignore-paused', id, '/bin/true'];
    const child = spawn(runtime, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (data) => {
      errors += data;
    });
    const ended = new Promise<number | null>((done) => child.on('close', done));
    const joiner = () => joinerOf(child.pid as number, id);
    await sandbox.until('the joiner is in', 10, () => joiner() !== undefined);
    process.kill(joiner() as number, 'SIGKILL');
    assert.is(sandbox.command('resume', id).status, 0);
    assert.is(await ended, 255);
    assert.match(errors, /killed by signal 9/);
    assert.not.match(errors, /OOM/);
  },
);

/** What the kernel would give back in need would not be missed. */
function reclaim(folder: string): void {
  for (const name of ['memory.force_empty', 'memory.reclaim']) {
    if (!existsSync(join(folder, name))) continue;
    try {
      writeFileSync(join(folder, name), `${limit}`);
    } catch {
      // EAGAIN: that much was not there, which was the intention
    }
  }
}

/** Takes away all memory but `spare` bytes, and tries to get in. */
function execWithout(sandbox: Sandbox, spare: number, file: string): { errors: string; kills: number } {
  const { id, pid } = start(sandbox, ':');
  sandbox.command('exec', '--process', file, id); // what the first one makes and later ones find
  const folder = cgroupFolder(pid, 'memory');
  reclaim(folder);
  const [used] = ['memory.usage_in_bytes', 'memory.current'].map((name) => join(folder, name)).filter(existsSync);
  const left = `${Number(readFileSync(used ?? 'none', 'utf8')) + spare}`;
  assert.is(sandbox.command('update', '--memory', left, '--memory-swap', left, id).status, 0);
  const { errors } = sandbox.command('exec', '--process', file, id);
  return { errors, kills: oomKills(pid) };
}

suite.test('a process that finds no memory on its way in says so', (sandbox) => {
  const file = join(sandbox.folder, 'process.json');
  // The kernel shall take this one, and not the container's first. The environment is there for its size.
  const env = Array.from({ length: 14 }, (_, index) => `V${index}=${'x'.repeat(125_000)}`);
  const process = { args: ['/bin/true'], cwd: '/', user: { uid: 0, gid: 0 }, oomScoreAdj: 1000, env };
  writeFileSync(file, JSON.stringify(process));
  // How much it needs until its program runs is the kernel's affair: with too little the first process is killed.
  const seen: string[] = [];
  for (let spare = 4096; spare <= 96 << 10; spare += 4096) {
    const { errors, kills } = execWithout(sandbox, spare, file);
    seen.push(`${spare} ${kills} ${errors.trim()}`);
    if (/OOM/.test(errors)) return;
  }
  assert.unreachable(seen.join('\n'));
});

suite.run();
