import { readFileSync } from 'node:fs';
import { namespaces } from '../config.js';
import { type Case, same, topic } from '../harness.js';

const set: ReadonlyArray<readonly [string, string]> = [
  ['kernel.msgmax', '4096'],
  ['kernel.msgmnb', '12345'],
  ['kernel.msgmni', '77'],
  ['kernel.sem', '250 32000 32 99'],
  ['kernel.shmall', '4096'],
  ['kernel.shmmax', '65536'],
  ['kernel.shmmni', '55'],
  ['kernel.shm_rmid_forced', '1'],
  ['fs.mqueue.msg_max', '9'],
  ['fs.mqueue.queues_max', '33'],
  ['net.ipv4.ip_forward', '1'],
  ['net.ipv4.ip_unprivileged_port_start', '0'],
  ['net.ipv4.ping_group_range', '0 7'],
  ['net.ipv4.conf.lo.rp_filter', '2'],
  ['net.core.somaxconn', '99'],
];

const refused: ReadonlyArray<readonly [string, string, string[]]> = [
  ['of-the-host', 'kernel.core_pattern', ['network']],
  ['of-the-host-with-slashes', 'kernel/core_pattern', ['network']],
  ['of-the-machine', 'vm.swappiness', ['network']],
  ['climbing', 'net/../kernel/core_pattern', ['network']],
  ['climbing-twice', 'net.ipv4/../../kernel/msgmax', ['network']],
  ['network-of-the-host', 'net.ipv4.ip_forward', []],
  ['missing', 'net.ipv4.no_such_key', ['network']],
  ['empty', '', []],
  ['only-a-dot', '.', []],
];

export function sysctlCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('sysctl', cases);
  for (const [key, value] of set) {
    test(key, ['linux.sysctl'], async (box) => {
      const path = `/proc/sys/${key.replaceAll('.', '/')}`;
      const out = await box.sh(`cat ${path}`, {
        '/linux/namespaces': namespaces('network'),
        '/linux/sysctl': { [key]: value },
      });
      same(out.trim().split(/\s+/).join(' '), value, key);
    });
  }
  test('slashes-instead-of-dots', ['linux.sysctl'], async (box) => {
    const changes = { '/linux/namespaces': namespaces('network'), '/linux/sysctl': { 'net/ipv4/ip_forward': '1' } };
    same(await box.sh('cat /proc/sys/net/ipv4/ip_forward', changes), '1', 'value');
  });
  test('the-host-keeps-its-value', ['linux.sysctl'], async (box) => {
    const before = readFileSync('/proc/sys/kernel/shmmni', 'utf8');
    const inside = await box.sh('cat /proc/sys/kernel/shmmni', { '/linux/sysctl': { 'kernel.shmmni': '77' } });
    same(inside, '77', 'value inside');
    same(readFileSync('/proc/sys/kernel/shmmni', 'utf8'), before, 'value of the host');
  });
  for (const [slug, key, more] of refused) {
    test(`refused-${slug}`, ['config.valid-values', 'runtime.create.cannot-apply'], (box) =>
      box.refused({ '/linux/namespaces': namespaces(...more), '/linux/sysctl': { [key]: '1' } }),
    );
  }
  test('refused-without-ipc-namespace', ['runtime.create.cannot-apply'], async (box) => {
    const list = namespaces().filter((item) => (item as { type: string }).type !== 'ipc');
    await box.refused({ '/linux/namespaces': list, '/linux/sysctl': { 'kernel.shmmni': '77' } });
  });
  test('refused-value', ['runtime.create.cannot-apply'], (box) =>
    box.refused({ '/linux/sysctl': { 'kernel.shmmni': 'many' } }),
  );
  test('refused-number', ['config.valid-values'], (box) => box.refused({ '/linux/sysctl': { 'kernel.shmmni': 77 } }));
  return cases;
}
