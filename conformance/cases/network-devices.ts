import { spawnSync } from 'node:child_process';
import { namespaces } from '../config.js';
import { type Box, type Case, expect, same, skip, topic } from '../harness.js';

let counter = 0;

/** A pair of virtual interfaces on the host's side; the name of the one to be moved. */
function pair(box: Box, ...addresses: string[]): string {
  counter += 1;
  const name = `conf${process.pid % 10000}x${counter}`;
  const made = spawnSync('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`], { encoding: 'utf8' });
  if (made.status !== 0) skip(`no virtual interfaces here: ${made.stderr.trim()}`);
  box.later(() => spawnSync('ip', ['link', 'del', `${name}p`]));
  for (const address of addresses) spawnSync('ip', ['address', 'add', address, 'dev', name]);
  return name;
}

const config = (name: string, value: object) => ({
  '/ociVersion': '1.3.0',
  '/linux/namespaces': namespaces('network'),
  [`/linux/netDevices/${name}`]: value,
});

export function networkDeviceCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('network-devices', cases);
  test('moved', ['linux.netdevices.move'], async (box) => {
    const name = pair(box);
    const out = await box.sh('ip link', config(name, {}));
    expect(out.includes(` ${name}`), 'not in the container');
    expect(!out.includes(` ${name}p`), 'the container sees the interfaces of the host');
  });
  test('renamed', ['linux.netdevices.move'], async (box) => {
    const name = pair(box);
    const out = await box.sh('ip link', config(name, { name: 'inside0' }));
    expect(out.includes(' inside0') && !out.includes(` ${name}@`), out);
  });
  test('template', ['linux.netdevices.template'], async (box) => {
    expect((await box.sh('ip link', config(pair(box), { name: 'eth%d' }))).includes(' eth0'), 'no eth0');
  });
  test('up', ['linux.netdevices.up'], async (box) => {
    const out = await box.sh('ip link show dev inside0', config(pair(box), { name: 'inside0' }));
    expect(/<[^>]*\bUP\b/.test(out), out);
  });
  test('addresses', ['linux.netdevices.attributes'], async (box) => {
    const out = await box.sh(
      'ip address show dev inside0',
      config(pair(box, '10.77.0.2/24', '10.78.0.2/16'), { name: 'inside0' }),
    );
    expect(out.includes('10.77.0.2/24') && out.includes('10.78.0.2/16'), out);
  });
  test('attributes', ['linux.netdevices.attributes'], async (box) => {
    const name = pair(box, '2001:db8:77::2/64');
    spawnSync('ip', ['link', 'set', 'dev', name, 'mtu', '1400', 'address', '02:00:5e:10:00:77']);
    const out = await box.sh('ip address show dev inside0', config(name, { name: 'inside0' }));
    for (const word of ['mtu 1400', '02:00:5e:10:00:77', '2001:db8:77::2/64']) expect(out.includes(word), out);
  });
  test('clash', ['linux.netdevices.clash'], async (box) => {
    await box.refused(config(pair(box), { name: 'lo' }));
  });
  test('missing', ['linux.netdevices.move', 'runtime.create.cannot-apply'], async (box) => {
    await box.refused(config('nosuch0', {}));
  });
  test('not-moved-back', ['linux.netdevices.not-back'], async (box) => {
    const name = pair(box);
    await box.sh('true', config(name, {}));
    expect(spawnSync('ip', ['link', 'show', 'dev', name]).status !== 0, 'it is on the host again');
  });
  test('left-alone', ['linux.netdevices.lifecycle'], async (box) => {
    // What the container does with it is its own affair: no later command may undo that.
    const caps = ['CAP_NET_ADMIN', 'CAP_KILL'];
    const script = 'ip link set dev inside0 down && ip link set dev inside0 mtu 1300 && echo done; sleep 30';
    await box.started(script, {
      ...config(pair(box), { name: 'inside0' }),
      '/process/capabilities': { bounding: caps, effective: caps, permitted: caps },
    });
    await box.untilOutput('done');
    await box.ok('pause', box.id);
    await box.ok('resume', box.id);
    await box.ok('update', '--pids-limit', '50', box.id);
    const { stdout } = await box.ok('exec', box.id, 'ip', 'link', 'show', 'dev', 'inside0');
    expect(stdout.includes('mtu 1300') && !/<[^>]*\bUP\b/.test(stdout), stdout);
    await box.ok('exec', box.id, 'ip', 'link', 'del', 'dev', 'inside0');
    await box.ok('kill', box.id, 'KILL');
    await box.untilStatus('stopped');
    await box.ok('delete', box.id);
  });
  for (const bad of ['a/b', 'a b', '.', '..', 'a'.repeat(16), 'a:b']) {
    test(`bad-name-${encodeURIComponent(bad).replaceAll('.', 'dot')}`, ['config.valid-values'], async (box) => {
      await box.refused(config(pair(box), { name: bad }));
    });
  }
  test('loopback-is-there', ['linux.namespaces.new'], async (box) => {
    same(
      (
        await box.sh('ls /sys/class/net', {
          '/linux/namespaces': namespaces('network'),
          '/mounts/-': { destination: '/sys', type: 'sysfs', source: 'sysfs' },
        })
      ).trim(),
      'lo',
      'interfaces',
    );
  });
  return cases;
}
