/** pause, resume, ps, update and events on the real kernel, through dist/tsrun; `RUNTIME=runc` tries them on runc. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { BundleSuite, type Config, cgroupFolder, isRunc, runtime, type Sandbox, sleep } from '../../bundles/harness.js';

const suite = new BundleSuite('control');

function start(
  sandbox: Sandbox,
  script: string,
  edit: (config: Config) => void = () => {},
): { id: string; pid: number } {
  const id = sandbox.id('control');
  const bundle = sandbox.copy('hello', (config) => {
    config.process.args = ['/bin/sh', '-c', script];
    edit(config);
  });
  sandbox.create(id, bundle);
  sandbox.start(id);
  return { id, pid: sandbox.state(id).pid };
}

const limits = (config: Config): void => {
  config.linux.resources = { memory: { limit: 64 << 20, swap: 64 << 20 }, ...{ pids: { limit: 50 } } };
};
const idle = 'while :; do sleep 100; done';

/** Feeds a command's standard input. */
function feed(sandbox: Sandbox, input: string, ...args: string[]): { status: number | null; errors: string } {
  const whole = ['--root', join(sandbox.folder, 'state'), ...args];
  const { status, stderr } = spawnSync(runtime, whole, { input, encoding: 'utf8', timeout: 20_000 });
  return { status, errors: stderr };
}

/** A limit by its v1 or v2 name, as the kernel has it now. */
function limit(pid: number, controller: string, ...names: string[]): string {
  const folder = cgroupFolder(pid, controller);
  const name = names.find((candidate) => existsSync(join(folder, candidate))) ?? 'none';
  return readFileSync(join(folder, name), 'utf8').trim();
}
const memoryLimit = (pid: number) => limit(pid, 'memory', 'memory.limit_in_bytes', 'memory.max');
const pidsLimit = (pid: number) => limit(pid, 'pids', 'pids.max');

suite.test('a paused container does nothing until it is resumed', async (sandbox) => {
  const { id, pid } = start(sandbox, 'while :; do date +%N >/dev/null; done');
  const spent = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ').slice(13, 17).join();
  const { status, output, errors } = sandbox.command('pause', id);
  assert.equal([status, output, errors], [0, '', '']);
  assert.is(sandbox.state(id).status, 'paused');
  const before = spent();
  await sleep(200);
  assert.is(spent(), before);
  for (const [command, message] of [
    ['pause', /container not (running|paused)/],
    ['start', /paused state/],
  ] as const) {
    const refused = sandbox.command(command, id);
    assert.is(refused.status, 1);
    assert.match(refused.errors, isRunc ? /./ : message);
  }
  assert.is(sandbox.command('resume', id).status, 0);
  assert.is(sandbox.state(id).status, 'running');
  await sandbox.until('it goes on', 5, () => spent() !== before);
  const again = sandbox.command('resume', id);
  assert.is(again.status, 1);
  assert.match(again.errors, /container not paused/);
});

suite.test('a created container can be paused, a stopped one cannot', async (sandbox) => {
  const id = sandbox.id('control');
  sandbox.create(id, sandbox.copy('hello'));
  assert.is(sandbox.command('pause', id).status, 0);
  assert.is(sandbox.state(id).status, 'paused');
  assert.is(sandbox.command('resume', id).status, 0);
  assert.is(sandbox.state(id).status, 'created');
  sandbox.command('kill', id, 'KILL');
  await sandbox.until('it stops', 5, () => sandbox.state(id).status === 'stopped');
  const { status, errors } = sandbox.command('pause', id);
  assert.is(status, 1);
  assert.match(errors, /container not running/);
});

suite.test('ps names every process, also those of an exec, and nobody else', async (sandbox) => {
  const { id, pid } = start(sandbox, 'sleep 111 & sleep 222 & wait');
  const pids = () => JSON.parse(sandbox.command('ps', '--format', 'json', id).output) as number[];
  await sandbox.until('its processes are there', 5, () => pids().length === 3);
  assert.ok(pids().includes(pid));
  const { output } = sandbox.command('ps', id);
  assert.is(output.trim().split('\n').length, 4);
  assert.match(output, /sleep 111/);
  const own = sandbox.command('ps', id, '-o', 'pid,comm').output;
  assert.match(own, /^ *PID COMMAND\n/);
  assert.match(own, new RegExp(`^ *${pid} sh$`, 'm'));
  assert.is(sandbox.command('ps', id, '-o', 'comm').status, 1);
  sandbox.command('kill', id, 'KILL');
  await sandbox.until('it stops', 5, () => sandbox.state(id).status === 'stopped');
  assert.match(sandbox.command('ps', '-f', 'json', id).output, /^(\[\]|null)\n?$/);
});

suite.test('update changes what it names and keeps the rest, from flags, a file or standard input', (sandbox) => {
  const { id, pid } = start(sandbox, idle, limits);
  const flags = sandbox.command('update', '--memory', '32m', '--memory-swap', '40m', id);
  assert.equal([flags.status, flags.output, flags.errors], [0, '', '']);
  assert.equal([memoryLimit(pid), pidsLimit(pid)], [`${32 << 20}`, '50']);
  assert.is(
    feed(sandbox, '{"pids":{"limit":33},"memory":{"limit":null},"cpu":{}}', 'update', '--resources', '-', id).status,
    0,
  );
  assert.equal([memoryLimit(pid), pidsLimit(pid)], [`${32 << 20}`, '33']);
  assert.is(feed(sandbox, '{"memory":{"limit":50331648,"swap":50331648}}', 'update', '--resources=-', id).status, 0);
  const file = join(sandbox.folder, 'resources.json');
  writeFileSync(file, '{"pids":{"limit":44}}');
  assert.is(sandbox.command('update', '-r', file, '--pids-limit', '9', id).status, 0);
  assert.equal([memoryLimit(pid), pidsLimit(pid)], [`${48 << 20}`, '44']);
});

suite.test('an update remembers earlier ones: a quota alone keeps the period of the last one', (sandbox) => {
  const { id, pid } = start(sandbox, idle);
  assert.is(sandbox.command('update', '--cpu-period', '50000', '--cpu-quota', '20000', id).status, 0);
  assert.is(sandbox.command('update', '--cpu-quota', '25000', id).status, 0);
  const folder = cgroupFolder(pid, 'cpu');
  const read = (name: string) => readFileSync(join(folder, name), 'utf8').trim();
  const now = existsSync(join(folder, 'cpu.max'))
    ? read('cpu.max')
    : `${read('cpu.cfs_quota_us')} ${read('cpu.cfs_period_us')}`;
  assert.is(now, '25000 50000');
});

suite.test('an update that cannot be carried out whole is not carried out at all', (sandbox) => {
  const { id, pid } = start(sandbox, idle, limits);
  const before = [memoryLimit(pid), pidsLimit(pid)];
  assert.is(sandbox.command('update', '--pids-limit', '51', id).status, 0);
  // no memory node 63 anywhere
  const { status, errors } = sandbox.command(
    'update',
    '--memory',
    '33m',
    '--memory-swap',
    '33m',
    '--cpuset-mems',
    '63',
    id,
  );
  assert.is(status, 1);
  assert.match(errors, /cpuset/);
  assert.equal([memoryLimit(pid), pidsLimit(pid)], [before[0], '51']);
  // and the next update knows nothing of it
  assert.is(sandbox.command('update', '--pids-limit', '52', id).status, 0);
  assert.equal([memoryLimit(pid), pidsLimit(pid)], [before[0], '52']);
  for (const bad of ['{"memory":{"limit":"much"}}', '{', '[]', '{"cpu":{"quota":1.5}}']) {
    assert.is(feed(sandbox, bad, 'update', '-r', '-', id).status, 1, bad);
  }
  assert.is(memoryLimit(pid), before[0]);
});

suite.test('an updated container that ran in the foreground leaves nothing', async (sandbox) => {
  const id = sandbox.id('control');
  const bundle = sandbox.copy(
    'hello',
    (config) => void Object.assign(config.process, { args: ['/bin/sh', '-c', idle] }),
  );
  const root = join(sandbox.folder, 'state');
  const child = spawn(runtime, ['--root', root, 'run', '-b', bundle, id], { stdio: 'ignore' });
  const ended = new Promise((done) => child.on('close', done));
  await sandbox.until(
    'it runs',
    5,
    () => sandbox.command('state', id).status === 0 && sandbox.state(id).status === 'running',
  );
  assert.is(sandbox.command('update', '--pids-limit', '20', id).status, 0);
  sandbox.command('kill', id, 'KILL');
  await ended;
  assert.not.ok(existsSync(join(root, id)));
});

suite.test('events --stats prints one record, of what the kernel counts', (sandbox) => {
  const { id, pid } = start(sandbox, idle, limits);
  const { status, output } = sandbox.command('events', '--stats', id);
  assert.is(status, 0);
  assert.is(output.trim().split('\n').length, 1);
  const { type, id: named, data } = JSON.parse(output);
  assert.equal([type, named], ['stats', id]);
  assert.is(data.memory.usage.limit, 64 << 20);
  assert.ok(data.memory.usage.usage > 0);
  assert.equal([data.pids.limit, data.pids.current], [50, Number(limit(pid, 'pids', 'pids.current'))]);
  assert.ok(data.cpu.usage.total > 0);
});

suite.test('events repeats until the container ends', async (sandbox) => {
  if (isRunc) return; // 1.1.5 does not notice the end of a container on a v1 host
  const { id } = start(sandbox, idle);
  const child = spawn(runtime, ['--root', join(sandbox.folder, 'state'), 'events', '--interval', '200ms', id], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  const ended = new Promise<number | null>((done) => child.on('close', done));
  await sandbox.until('some records', 10, () => output.split('\n').length > 3);
  sandbox.command('kill', id, 'KILL');
  assert.is(await ended, 0);
  for (const line of output.trim().split('\n')) assert.is(JSON.parse(line).type, 'stats');
  assert.is(sandbox.command('events', '--interval', '-1s', id).status, 1);
  const stopped = sandbox.command('events', id);
  assert.is(stopped.status, 1);
  assert.match(stopped.errors, /is not running/);
});

suite.test('stats is for people', (sandbox) => {
  if (isRunc) return;
  const { id } = start(sandbox, idle, limits);
  const { output } = sandbox.command('stats', id);
  assert.match(output, /^CPU +\d+\.\d\d s \(user/);
  assert.match(output, /^Memory +[\d.]+ [KM]iB of 64\.0 MiB \(\d+ %\)/m);
  assert.match(output, /^Processes +2 of 50$/m);
});

suite.run();
