import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { requestTypes } from '../tables/criu.js';
import { compileCheckpoint } from './compile-checkpoint.js';
import type { CheckpointOptions, CriuFlags } from './criu/options.js';
import { dumpMessage } from './criu/request.js';
import { refusal, type SpecChanges, testSpec } from './test-inputs.js';

const noFlags: CriuFlags = {
  tcpEstablished: false,
  tcpSkipInFlight: false,
  tcpClose: false,
  linkRemap: false,
  extUnixSk: false,
  shellJob: false,
  lazyPages: false,
  fileLocks: false,
  autoDedup: false,
  leaveRunning: false,
  preDump: false,
};

const root = { mountPoint: '/', root: '/', type: 'overlay', options: ['rw'] };
const options = (flags: Partial<CriuFlags> = {}, more: Partial<CheckpointOptions> = {}): CheckpointOptions => ({
  flags: { ...noFlags, ...flags },
  place: { program: '/usr/sbin/criu', images: '/image', work: '/work', configFile: '/etc/criu/runc.conf' },
  rootfs: '/bundle/rootfs',
  pid: 4711,
  cgroup: {
    driver: 'cgroupfs',
    places: [{ version: 2, controllers: [], mountPoint: '/sys/fs/cgroup', path: 'web' }],
  },
  external: [],
  mounts: [root],
  remove: { path: '/usr/bin/tsrun', args: ['tsrun', 'delete', 'web'] },
  ...more,
});
// biome-ignore lint/suspicious/noExplicitAny: any field may be asked for
type Fields = { [name: string]: any };
const optsOf = (
  flags: Partial<CriuFlags> = {},
  more: Partial<CheckpointOptions> = {},
  changes: SpecChanges = {},
): Fields => dumpMessage(testSpec(changes), options(flags, more)).opts as Fields;
const opsOf = (flags: Partial<CriuFlags>): string[] =>
  compileCheckpoint(testSpec(), options(flags)).steps.map(({ op }) => op);

test('CRIU is a process beside the container; at the end the container is deleted', () => {
  assert.equal(opsOf({}), [
    'child.create',
    'file.open',
    'file.open',
    'process.umask',
    'criu.exec',
    'criu.request',
    'criu.until',
    'hook.run',
  ]);
  assert.is(opsOf({ leaveRunning: true }).at(-1), 'criu.until');
  assert.is(opsOf({ preDump: true }).at(-1), 'criu.until');
});

test('who waits for lazy pages is told when they can be fetched', () => {
  const { steps } = compileCheckpoint(testSpec(), options({ lazyPages: true, statusFd: 9 }));
  const tell = steps.findIndex(({ op }) => op === 'file.tell');
  assert.equal(steps[tell]?.args, { descriptor: 9, value: Uint8Array.of(0) });
  const events = (at: number): unknown => (steps[at]?.args as { events?: unknown } | undefined)?.events;
  assert.equal(events(tell - 1), ['status-ready']);
  assert.equal(events(tell + 1), []);
});

test('the request: the process, its freezer, the directories by number', () => {
  const opts = optsOf();
  assert.is(opts.pid, 4711);
  assert.is(opts.freeze_cgroup, '/sys/fs/cgroup/web');
  assert.equal([opts.images_dir_fd, opts.work_dir_fd], [4, 5]);
  assert.is(optsOf({}, { place: { program: '/c', images: '/i' } }).work_dir_fd, undefined);
  assert.equal([opts.root, opts.log_file, opts.config_file], ['/bundle/rootfs', 'dump.log', '/etc/criu/runc.conf']);
  assert.is(opts.empty_ns, 0x40000000);
  assert.is(opts.manage_cgroups_mode, 6);
  assert.is(opts.leave_running, undefined);
});

test('every flag has its field', () => {
  const fields: [Partial<CriuFlags>, string, unknown][] = [
    [{ tcpEstablished: true }, 'tcp_established', true],
    [{ tcpSkipInFlight: true }, 'tcp_skip_in_flight', true],
    [{ tcpClose: true }, 'tcp_close', true],
    [{ linkRemap: true }, 'link_remap', true],
    [{ extUnixSk: true }, 'ext_unix_sk', true],
    [{ shellJob: true }, 'shell_job', true],
    [{ lazyPages: true }, 'lazy_pages', true],
    [{ fileLocks: true }, 'file_locks', true],
    [{ autoDedup: true }, 'auto_dedup', true],
    [{ leaveRunning: true }, 'leave_running', true],
    [{ cgroupMode: 'ignore' }, 'manage_cgroups_mode', 0],
    [{ networkLock: 'nftables' }, 'network_lock', 2],
    [{ parentPath: '../pre' }, 'parent_img', '../pre'],
    [{ parentPath: '../pre' }, 'track_mem', true],
    [{ pageServer: { address: '::1', port: 77 } }, 'ps', { address: '::1', port: 77 }],
  ];
  for (const [flag, field, value] of fields) {
    const without = field === 'manage_cgroups_mode' ? 6 : undefined;
    assert.equal([optsOf()[field], optsOf(flag)[field]], [without, value], field);
  }
});

test('joined networks and pid namespaces stay outside, by inode', () => {
  const external = [
    { type: 'network', path: '/run/netns/x', inode: 77 },
    { type: 'pid', path: '/proc/1/ns/pid', inode: 78 },
  ] as const;
  assert.equal(optsOf({}, { external }).external, ['net[77]:extRootNetNS', 'pid[78]:extRootPidNS']);
});

test('a pre-dump is of memory only: mounts are not looked at', () => {
  const mounts = [{ destination: '/data', type: 'bind', source: '/srv', options: ['bind'] }];
  const message = dumpMessage(testSpec({ mounts }), options({ preDump: true }));
  assert.is(message.type, requestTypes.preDump);
  assert.equal((message.opts as Fields).ext_mnt, []);
  assert.is(refusal(() => dumpMessage(testSpec({ mounts }), options())).pointer, '/mounts/0');
});

test('S52: what has become writable in the container is not saved', () => {
  const spec = testSpec({ root: { path: 'rootfs', readonly: true } });
  const { code, pointer } = refusal(() => compileCheckpoint(spec, options()));
  assert.equal([code, pointer], ['TSR_CRIU_WRITABLE', '/root/readonly']);
});

test.run();
