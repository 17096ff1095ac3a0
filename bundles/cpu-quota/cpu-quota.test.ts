import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { BundleSuite, cgroupFolder, report, sleep, statistic } from '../harness.js';

const quota = new BundleSuite('cpu-quota');

/** Seconds of processor time that the container's cgroup has used so far. */
function processorSeconds(pid: number): () => number {
  const cpu = join(cgroupFolder(pid, 'cpu'), 'cpu.stat');
  if (/^usage_usec /m.test(readFileSync(cpu, 'utf8'))) return () => statistic(cpu, 'usage_usec') / 1e6;
  const account = join(cgroupFolder(pid, 'cpuacct'), 'cpuacct.usage');
  return () => Number(readFileSync(account, 'utf8')) / 1e9;
}

quota.test('a container that spins gets a fifth of one processor', async (sandbox) => {
  const id = sandbox.id('cpu');
  const output = sandbox.create(id, sandbox.copy('cpu-quota'));
  const { pid } = sandbox.state(id);
  const used = processorSeconds(pid);
  const throttled = join(cgroupFolder(pid, 'cpu'), 'cpu.stat');
  sandbox.start(id);
  await sleep(300);

  const [time, usage] = [performance.now(), used()];
  await sleep(2000);
  const share = (used() - usage) / ((performance.now() - time) / 1000);
  assert.ok(share > 0.05 && share < 0.25, `share of one processor: ${share.toFixed(3)}`);
  assert.ok(statistic(throttled, 'nr_throttled') > 5, 'the kernel held it back');

  await sandbox.until('the container has reported', 10, () => output().includes('processor time: '));
  assert.is(report(output()).get('quota')?.split(' ')[0], '20000');
  const times = (report(output()).get('processor time') ?? '').match(/[\d.]+(?=s)/g)?.map(Number) ?? [];
  const seconds = times.reduce((sum, part) => sum + part, 0);
  assert.ok(seconds > 0.15 && seconds < 0.8, `what it counted itself: ${seconds} s in 3 s`);

  assert.is(sandbox.command('delete', '--force', id).status, 0);
  assert.not(existsSync(throttled), 'its cgroup is gone');
});

quota.run();
