// Id-mapped mounts on the real kernel, through dist/tsrun. Needs root.
import { spawn } from 'node:child_process';
import { chownSync, mkdirSync, readlinkSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { IdMapping, Namespace } from '../bundle/types.js';
import { containerSuite, type TestContainer } from './test-container.js';

/** Why most tests cannot run here. The conformance suite has such mounts on an ext4 of its own. */
const tmpfs = 0x01021994;
const before63 = /^[0-5]\.|^6\.[0-2]\./.test(release());
const unfit =
  statfsSync(tmpdir()).type === tmpfs && before63 ? 'tmpfs cannot be id-mapped before Linux 6.3' : undefined;
const { tests, test: withContainer } = containerSuite('idmap');
type Body = (container: TestContainer, source: string) => void;
const test = (name: string, body: Body, reason: string | undefined | null = unfit): void =>
  withContainer(
    name,
    (container) => {
      const source = join(container.folder, 'data');
      mkdirSync(source);
      chownSync(source, 1000, 2000);
      writeFileSync(join(source, 'file'), 'x');
      chownSync(join(source, 'file'), 1000, 2000);
      return body(container, source);
    },
    reason ?? undefined,
  );
const map = (containerID: number, hostID: number, size = 1): IdMapping[] => [{ containerID, hostID, size }];
const show = "stat -c '%u:%g' /data/file";
const namespaces = (...types: string[]): Namespace[] => types.map((type) => ({ type })) as Namespace[];
const inUser = {
  namespaces: namespaces('mount', 'pid', 'user'),
  uidMappings: map(0, 100_000, 65536),
  gidMappings: map(0, 200_000, 65536),
};

test('the mount maps what is on disk to what is seen, and back', (container, source) => {
  const mounts = [
    {
      destination: '/data',
      source,
      options: ['bind'],
      uidMappings: map(1000, 7, 10),
      gidMappings: map(2000, 8, 10),
    },
  ];
  const uids = { uidMappings: map(1000, 0, 10), gidMappings: map(2000, 0, 10) };
  const ran = container.run(`${show}; touch /other/new; stat -c '%u:%g' /other/new`, {
    mounts: [...mounts, { destination: '/other', source, options: ['bind', 'idmap'], ...uids }],
  });
  assert.equal(ran, { status: 0, output: '7:8\n0:0', errors: '' });
  const made = statSync(join(source, 'new'));
  assert.equal([made.uid, made.gid], [1000, 2000]);
});

test('without mappings it is that of the user namespace, new or joined', (container, source) => {
  chownSync(join(source, 'file'), 5, 6);
  const mounts = [{ destination: '/data', source, options: ['rbind', 'idmap'] }];
  assert.equal(container.run(show, { mounts, linux: inUser }), { status: 0, output: '5:6', errors: '' });
  const without = [{ destination: '/data', source, options: ['rbind'] }];
  assert.is(container.run(show, { mounts: without, linux: inUser }).output, '65534:65534');
  const holder = spawn('unshare', ['--user', 'sleep', '20']);
  try {
    const path = `/proc/${holder.pid}/ns/user`;
    while (readlinkSync(path) === readlinkSync('/proc/self/ns/user'));
    for (const file of ['uid_map', 'gid_map']) writeFileSync(`/proc/${holder.pid}/${file}`, '0 100000 65536');
    const linux = { namespaces: [...namespaces('mount', 'pid'), { type: 'user', path } as Namespace] };
    assert.equal(container.run(show, { mounts, linux }), { status: 0, output: '5:6', errors: '' });
  } finally {
    holder.kill();
  }
});

test('the option idmap=uids=…;gids=… of podman says it in one word, @ for ids of the container', (container, source) => {
  const data = (option: string) => [{ destination: '/data', source, options: ['rbind', option] }];
  const plain = container.run(show, { mounts: data('idmap=uids=0-5-1#1000-7-10;gids=2000-8-10') });
  assert.equal(plain, { status: 0, output: '7:8', errors: '' });
  const linux = inUser;
  for (const option of ['idmap=uids=@1000-7-10;gids=@2000-8-10', 'ridmap=uids=1000-100007-10;gids=2000-200008-10'])
    assert.equal(container.run(show, { mounts: data(option), linux }), { status: 0, output: '7:8', errors: '' });
});

test('idmap is for the mount alone, ridmap for those below it, too', (container, source) => {
  const below = join(source, 'below');
  mkdirSync(below);
  const script = `mount -t tmpfs tmpfs ${below} && chown 1000:1000 ${below} && exec "$@"`;
  const mappings = { uidMappings: map(1000, 7), gidMappings: map(2000, 7) };
  const mounts = (...options: string[]) => [{ destination: '/data', source, options, ...mappings }];
  const wrapper = ['unshare', '--mount', 'sh', '-c', script, 'sh'];
  const stat = "stat -c '%u' /data /data/below";
  assert.is(container.run(stat, { mounts: mounts('rbind', 'idmap') }, wrapper).output, '7\n1000');
  assert.is(container.run(stat, { mounts: mounts('rbind', 'ridmap') }, wrapper).output, '7\n7');
});

test('S54: a thousand mounts with one mapping take one descriptor', (container, source) => {
  const mappings = { uidMappings: map(1000, 7), gidMappings: map(1000, 7) };
  const mounts = Array.from({ length: 1000 }, (_, i) => ({
    destination: `/data/${i}`,
    source,
    options: ['bind', 'idmap'],
    ...mappings,
  }));
  const wrapper = ['sh', '-c', 'ulimit -n 256 && exec "$@"', 'sh'];
  const ran = container.run("stat -c '%u' /data/0 /data/999; ls /proc/self/fd", { mounts }, wrapper);
  assert.equal(ran, { status: 0, output: '7\n7\n0\n1\n2\n3', errors: '' });
});

test('a bind from the host is no peer of a shared mount there', (container, source) => {
  // Whoever mounts in the container must not mount on the host: the source is shared, as systemd makes everything.
  const script = `mount --bind ${source} ${source} && mount --make-shared ${source} && "$@"; grep -c inside /proc/self/mountinfo`;
  const mounts = [{ destination: '/data', source, options: ['bind', 'idmap'] }];
  const all = ['CAP_SYS_ADMIN', 'CAP_CHOWN'] as const;
  const process = { capabilities: { bounding: all, effective: all, permitted: all } } as never;
  mkdirSync(join(source, 'inside'));
  const ran = container.run(
    'mount -t tmpfs tmpfs /data/inside && grep -c inside /proc/self/mountinfo',
    { mounts, linux: inUser, process },
    ['unshare', '--mount', 'sh', '-c', script, 'sh'],
  );
  assert.is(ran.output, '1\n0', ran.errors);
});

test(
  'what cannot be mapped is refused with its pointer',
  (container, source) => {
    const nothing = container.run('true', { mounts: [{ destination: '/data', source, options: ['bind', 'ridmap'] }] });
    assert.match(nothing.errors, /\/mounts\/7\/options.*needs mappings/);
    const mappings = { uidMappings: map(0, 7), gidMappings: map(0, 7) };
    const file = container.run('true', { mounts: [{ destination: '/data', type: 'tmpfs', ...mappings }] });
    assert.match(file.errors, /\/mounts\/7.*only those can be id-mapped/);
    const proc = container.run('true', {
      mounts: [{ destination: '/data', source: '/proc', options: ['bind'], ...mappings }],
    });
    assert.match(proc.errors, /\/mounts\/7.*on \/data, id-mapped: EINVAL.*its filesystem cannot be id-mapped/);
  },
  null,
);

tests.run();
