// Network devices moved into a container, on the real kernel, through dist/tsrun. Needs root.
import { spawn, spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import * as assert from 'uvu/assert';
import type { Namespace } from '../bundle/types.js';
import { needsRoot } from '../test-fixtures.js';
import { containerSuite } from './test-container.js';

const hasIp = spawnSync('ip', ['-V']).error === undefined;
const { tests, test } = containerSuite('network devices', needsRoot ?? (hasIp ? undefined : "needs 'ip'"));

/** The "host" is a network namespace of the test's own, made ready by `script`; `after` looks at it when tsrun is done. */
const onHost = (script: string, after = ':'): string[] => {
  const shell = `${script} || exit 99; "$@"; s=$?; ${after}; exit $s`;
  return ['unshare', '--net', 'sh', '-c', shell, 'sh'];
};
const dummy = 'ip link add dum0 type veth peer name peer0 && ip link set dum0 up && ip link set peer0 up';

test('a device is moved and renamed, keeps its permanent global addresses and is up', (container) => {
  const addresses =
    'ip addr add 192.0.2.7/24 brd + dev dum0 label dum0:a && ip addr add 192.0.2.8/24 dev dum0 && ip addr add 2001:db8::7/64 dev dum0 nodad' +
    ' && ip addr add 198.51.100.1/24 valid_lft 1000 preferred_lft 1000 dev dum0 && ip addr add 203.0.113.1/24 scope link dev dum0';
  const script = 'ip -o addr show dev net0; ip link show net0; ip route; ip link show dum0';
  const { status, output } = container.run(
    `${script}; true`,
    { linux: withDevice('dum0', 'net0') },
    onHost(`${dummy} && ${addresses}`, 'ip link show dum0'),
  );
  assert.is(status, 0, output);
  assert.match(output, /inet 192\.0\.2\.7\/24 brd 192\.0\.2\.255 scope global net0\\/);
  assert.match(output, /inet 192\.0\.2\.8\/24 scope global secondary net0\\/);
  assert.match(output, /inet6 2001:db8::7\/64 scope global/);
  assert.not.match(output, /198\.51\.100\.1|203\.0\.113\.1|dum0/);
  assert.match(output, /net0@\w+: <[^>]*\bUP\b/);
  assert.match(output, /^192\.0\.2\.0\/24 dev net0/m);
});

const withDevice = (name: string, newName?: string) => ({
  namespaces: ['mount', 'pid', 'network'].map((type) => ({ type })) as Namespace[],
  netDevices: { [name]: newName === undefined ? {} : { name: newName } },
});

test('without a new name it keeps its own, with %d the kernel counts', (container) => {
  const show = 'ip -o link | cut -d: -f2 | cut -d@ -f1';
  assert.is(container.run(show, { linux: withDevice('dum0') }, onHost(dummy)).output, 'lo\n dum0');
  assert.is(container.run(show, { linux: withDevice('dum0', 'eth%d') }, onHost(dummy)).output, 'lo\n eth0');
});

test('several devices may swap names', (container) => {
  const linux = { ...withDevice('dum0', 'dum1'), netDevices: { dum0: { name: 'b' }, dum1: { name: 'dum0' } } };
  const host = `${dummy} && ip link add dum1 type veth peer name peer1 && ip addr add 192.0.2.1/24 dev dum1`;
  const { output } = container.run('ip -o addr | cut -c 1-40', { linux }, onHost(host));
  assert.match(output, /dum0\s+inet 192\.0\.2\.1/);
});

test('a device goes by any of its names, and may get one of them', (container) => {
  const host = `${dummy} && ip link property add dev dum0 altname first altname second`;
  const show = 'ip -o link show type veth | cut -d: -f2 | cut -d@ -f1; ip link show type veth | grep -c altname';
  assert.is(container.run(show, { linux: withDevice('first') }, onHost(host)).output, 'dum0\n2');
  assert.is(container.run(show, { linux: withDevice('dum0', 'second') }, onHost(host)).output, 'second\n1');
  assert.is(container.run(show, { linux: withDevice('first', 'new') }, onHost(host)).output, 'new\n2');
});

test('a device that had other names is given back with them when something fails later', (container) => {
  const host = `${dummy} && ip link property add dev dum0 altname first && ip addr add 192.0.2.1/24 dev dum0`;
  const after = 'ip link show dev first; ip -o addr show dev dum0 scope global';
  const process = { args: ['/no/such/program'] };
  for (const [from, to] of [
    ['first', undefined],
    ['dum0', 'first'],
    ['dum0', 'new'],
  ] as const) {
    const { status, output } = container.run('', { linux: withDevice(from, to), process }, onHost(host, after));
    assert.is(status, 1);
    assert.match(output, /dum0@.*altname first.*inet 192\.0\.2\.1/s, `${from} ${to}`);
  }
});

test('a template counts past the names that are given', (container) => {
  const host = `${dummy} && ip link add dum1 type veth peer name peer1`;
  const linux = { ...withDevice('dum0'), netDevices: { dum0: { name: 'eth%d' }, dum1: { name: 'eth0' } } };
  const show = 'ip -o link show type veth | cut -d: -f2 | cut -d@ -f1 | sort';
  const { output, errors } = container.run(show, { linux }, onHost(host));
  assert.is(output.replace(/\s+/g, ' '), 'eth0 eth1', errors);
});

test('a name that is taken there is refused, and the device stays where it was', (container) => {
  const { status, output, errors } = container.run(
    'true',
    { linux: withDevice('dum0', 'lo') },
    onHost(dummy, 'ip -o link | cut -d: -f2'),
  );
  assert.is(status, 1);
  assert.match(errors, /\/linux\/netDevices\/dum0\): move network device dum0 into the container as lo: EEXIST/);
  assert.match(output, /dum0/);
});

test('a device that is not there is named', (container) => {
  const { errors } = container.run('true', { linux: withDevice('nope0') }, onHost(dummy));
  assert.match(errors, /\/linux\/netDevices\/nope0\): move network device nope0 into the container: ENODEV/);
});

test('a creation that fails later gives the devices back as they were', (container) => {
  const host = `${dummy} && ip link add dum1 type veth peer name peer1 && ip addr add 192.0.2.1/24 dev dum0`;
  const show = 'ip -o link show type veth; ip -o addr show scope global';
  const linux = { ...withDevice('dum0'), netDevices: { dum0: { name: 'b%d' }, dum1: { name: 'dum0' } } };
  const process = { args: ['/no/such/program'] };
  const before = container.tsrun(['--version'], onHost(host, show)).output;
  const { status, output, errors } = container.run('', { linux, process }, onHost(host, show));
  assert.is(status, 1, errors);
  assert.match(errors, /process\.args\[0\].*ENOENT/);
  const essence = (text: string): string[] => {
    const flags = [...text.matchAll(/(dum\d)@\w+: <([^>]*)>/g)].map(([, name, list]) => {
      return `${name} ${list?.split(',').includes('UP') ? 'up' : 'down'}`;
    });
    return [...flags.sort(), ...(text.match(/dum\d\s+inet \S+/g) ?? [])];
  };
  assert.equal(essence(output), ['dum0 up', 'dum1 down', 'dum0    inet 192.0.2.1/24']);
  assert.equal(essence(output), essence(before));
});

test('it works in a user namespace, and in a network namespace that is joined', (container) => {
  const linux = withDevice('dum0', 'eth0');
  const map = [{ containerID: 0, hostID: 100_000, size: 1000 }];
  const inUser = {
    ...linux,
    namespaces: [...linux.namespaces, { type: 'user' } as Namespace],
    uidMappings: map,
    gidMappings: map,
  };
  const show = 'ip -o addr show dev eth0 scope global | cut -c 1-35';
  const host = `${dummy} && ip addr add 192.0.2.7/24 dev dum0`;
  assert.match(container.run(show, { linux: inUser }, onHost(host)).output, /eth0 +inet 192\.0\.2\.7/);
  const holder = spawn('unshare', ['--net', 'sleep', '20']);
  try {
    const path = `/proc/${holder.pid}/ns/net`;
    while (readlinkSync(path) === readlinkSync('/proc/self/ns/net'));
    const joined = { ...linux, namespaces: [...linux.namespaces.slice(0, 2), { type: 'network', path } as Namespace] };
    assert.match(container.run(show, { linux: joined }, onHost(host)).output, /eth0 +inet 192\.0\.2\.7/);
  } finally {
    holder.kill();
  }
});

test("the host's own network namespace is no place to move to", (container) => {
  const linux = withDevice('lo', 'lo1');
  const own = [...linux.namespaces.slice(0, 2), { type: 'network', path: '/proc/self/ns/net' } as Namespace];
  const { errors } = container.run('true', { linux: { ...linux, namespaces: own } }, onHost('true'));
  assert.match(errors, /\/linux\/netDevices\/lo.*nowhere to move/);
});

tests.run();
