import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { explainCgroup } from './cgroup.js';
import { explainStep } from './outcome.js';

const explain = (summary: string, errno: string, pointer = '/linux/resources/x') =>
  explainCgroup({ summary, errno, pointer, syscall: 'write', ended: '', text: '' });

test('names the likely cause of a refused limit', () => {
  assert.match(explain('set blkio.bfq.weight to 500', 'ENOENT')?.hint ?? '', /BFQ/);
  assert.match(explain('set hugetlb.16MB.max to 5', 'ENOENT')?.hint ?? '', /huge pages of that size/);
  assert.match(explain('set memory.high to 5', 'ENOENT')?.hint ?? '', /subtree_control/);
  assert.is(explain('set pids.max to 5', 'EIO')?.hint, undefined);
});

test('says what a threaded cgroup above means', () => {
  assert.match(explain('make cgroup /x', 'EOPNOTSUPP')?.hint ?? '', /threaded.*cpu, cpuset and pids only/);
});

test('says that a cgroup holds processes, and where', () => {
  const failure = explain('make cgroup /sys/fs/cgroup/pids/a', 'EBUSY', '/linux/cgroupsPath');
  assert.is(failure?.code, 'TSR_CGROUP_NOT_EMPTY');
  assert.is(failure?.detail, '/sys/fs/cgroup/pids/a');
});

test('says that a cgroup is frozen, and where', () => {
  const failure = explain('make cgroup /sys/fs/cgroup/freezer/a', 'EDEADLK', '/linux/cgroupsPath');
  assert.is(failure?.code, 'TSR_CGROUP_FROZEN');
  assert.is(failure?.detail, '/sys/fs/cgroup/freezer/a');
});

test('tells who has no rights what would work', () => {
  assert.match(explain('make cgroup /x', 'EACCES')?.hint ?? '', /rootless needs no limits/);
  assert.match(explain('make cgroup /x', 'EROFS', '/linux/cgroupsPath')?.hint ?? '', /without cgroupsPath/);
});

test('a unit that systemd refuses is told in the words of the helper', () => {
  const failure = explainStep({
    summary: 'start systemd unit a-b.scope',
    errno: 'ECHILD',
    pointer: '/linux/cgroupsPath',
    syscall: 'execve',
    ended: 'exit status 1',
    text: 'tsrun systemd-unit: Unit a-b.scope already exists.\n',
  });
  assert.is(failure.code, 'TSR_SYSTEMD_UNIT');
  assert.is(failure.message, 'Unit a-b.scope already exists.');
  assert.is(failure.step, 'start systemd unit a-b.scope');
});

test('leaves other steps alone', () => {
  assert.is(explain('mount tmpfs on /run', 'EBUSY'), undefined);
  assert.is(explain('set hostname', 'EPERM'), undefined);
});

test.run();
