import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileRestore } from './compile-restore.js';
import type { CriuFlags, RestoreOptions } from './criu/options.js';
import { restoreMessage } from './criu/request.js';
import type { CompiledPlan, CompileOptions } from './options.js';
import type { Step } from './step.js';
import { namespaces, places, refusal, type SpecChanges, testHost, testOptions, testSpec } from './test-inputs.js';

const flags = { leaveRunning: false, preDump: false } as CriuFlags;
const restore: RestoreOptions = {
  flags,
  place: { program: '/usr/sbin/criu', images: '/image' },
  descriptors: [],
  check: { path: '/usr/bin/tsrun', args: ['tsrun', 'restore-check'] },
};
const compile = (changes: SpecChanges = {}, options: Partial<CompileOptions> = {}): CompiledPlan =>
  compileRestore(testSpec(changes), testHost, { ...testOptions, mode: 'run-detached', ...options }, restore);
const ascending = (list: number[]): boolean =>
  list.every((at, index) => at >= 0 && (index === 0 || at > (list[index - 1] ?? 0)));

test('CRIU starts behind the root, hooks and checks come before anything runs, the pid file last', () => {
  const hook = [{ path: '/bin/hook' }];
  const plan = compile(
    {
      root: { path: 'rootfs', readonly: true },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/data', type: 'bind', source: '/srv', options: ['bind'] },
      ],
      hooks: { createRuntime: hook },
    },
    { pidFile: '/run/pid' },
  );
  const order = places(plan, 'child.create', 'root.prepare', 'root.attach', 'mount.filesystem', 'mount.bind');
  assert.ok(ascending([...order, ...places(plan, 'file.open', 'criu.exec', 'criu.request', 'criu.until', 'hook.run')]));
  const events = plan.steps
    .filter(({ op }) => op === 'criu.until')
    .map(({ args }) => (args as { events: string[] }).events);
  assert.equal(events, [['setup-namespaces', 'post-restore'], ['post-restore'], []]);
  const at = (test: (step: Step) => boolean): number => plan.steps.findIndex(test);
  assert.ok(
    ascending([
      at(({ op }) => op === 'hook.run'),
      at(({ op }) => op === 'child.run-helper'),
      at(({ summary }) => summary === 'save the state'),
      plan.steps.map(({ op }) => op).lastIndexOf('criu.until'),
      at(({ summary }) => summary === 'write the pid to /run/pid'),
    ]),
  );
});

test('S10: masks are read-only again, and binds have their flags, behind the comparison and before anything runs', () => {
  const plan = compile({
    mounts: [{ destination: '/data', type: 'bind', source: '/srv', options: ['bind', 'nosuid', 'noexec', 'ro'] }],
    linux: { namespaces: namespaces('mount'), maskedPaths: ['/proc/keys', '/proc//keys', '/proc/kcore'] },
  });
  const set = plan.steps.filter(({ op }) => op === 'path.mount-flags');
  assert.equal(
    set.map(({ pointer, args }) => [pointer, args]),
    [
      ['/mounts/0', { attributes: 2 | 8, null: 0, paths: ['/data'] }],
      ['/linux/maskedPaths', { attributes: 1 | 2 | 8, null: 1, paths: ['/proc/keys', '/proc/kcore'] }],
    ],
  );
  const order = [
    plan.steps.findIndex(({ op }) => op === 'child.run-helper'),
    ...places(plan, 'path.mount-flags'),
    plan.steps.findIndex(({ summary }) => summary === 'save the state'),
    plan.steps.map(({ op }) => op).lastIndexOf('criu.until'),
  ];
  assert.ok(ascending(order));
});

test('the flags that a mount has in the end are set: a later one hides it, a remount gives it others', () => {
  const bind = (options: string) => ({
    destination: '/a',
    type: 'bind',
    source: '/srv',
    options: ['bind', ...options.split(' ')],
  });
  const tmpfs = { destination: '/a', type: 'tmpfs', source: 'tmpfs', options: ['nosuid'] };
  const flags = (...mounts: object[]) =>
    compile({ mounts: mounts as never })
      .steps.filter(({ op }) => op === 'path.mount-flags')
      .map(({ pointer, args }) => [pointer, (args as { attributes: number }).attributes]);
  assert.equal(flags(bind('noexec nosuid'), tmpfs), []);
  assert.equal(flags(bind('noexec'), bind('remount exec')), []);
  assert.equal(flags(bind('noexec'), bind('remount nodev')), [['/mounts/1', 4]]);
  assert.equal(flags(tmpfs, bind('nodev')), [['/mounts/1', 4]]);
});

test('what is mounted to make places is never what the container gets: kernel filesystems are stood in for', () => {
  const plan = compile({ mounts: [{ destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] }] });
  const made = plan.steps
    .filter(({ op }) => op === 'mount.filesystem')
    .map(({ args }) => (args as { type: string }).type);
  assert.equal(made, ['tmpfs']);
});

test('in the foreground the container is waited for and removed', () => {
  const plan = compile({}, { mode: 'run' });
  assert.ok(ascending(places(plan, 'self.subreaper', 'criu.exec', 'child.supervise')));
  assert.not(compile().steps.some(({ op }) => op === 'child.supervise'));
});

test('a network of its own gets its loopback back, a joined one is left alone', () => {
  const up = (linux: NonNullable<SpecChanges['linux']>): number =>
    places(compile({ linux }), 'child.loopback-up')[0] ?? -1;
  const own = compile({ linux: { namespaces: namespaces('mount', 'network') } });
  assert.ok(ascending(places(own, 'criu.until', 'child.loopback-up', 'file.remove')));
  assert.is(up({ namespaces: [{ type: 'mount' }, { type: 'network', path: '/run/netns/x' }] as never }), -1);
  assert.is(up({ namespaces: namespaces('mount') }), -1);
});

// security.md S52: an image is not to be trusted.
test('S52: only the standard streams are inherited, and only under the name of a pipe', () => {
  const target = { root: '/r', cgroup: undefined, mounts: [], external: [], joined: [] };
  const keys = (descriptors: string[]): unknown => {
    const { opts } = restoreMessage({ ...restore, descriptors }, target);
    return (opts as { inherit_fd: unknown }).inherit_fd;
  };
  assert.equal(keys(['/dev/null', 'pipe:[12]', 'pipe:[13]']), [
    { key: 'pipe:[12]', fd: 1 },
    { key: 'pipe:[13]', fd: 2 },
  ]);
  assert.equal(keys(['extRootNetNS', 'pipe:[1]:x', 'xpipe:[1]']), []);
  assert.equal(keys(['', '', '', 'pipe:[4]']), []);
});

test('joined namespaces: networks and pids by descriptor, others by path, cgroup not at all', () => {
  const list = [{ type: 'mount' }, { type: 'network', path: '/run/netns/x' }, { type: 'ipc', path: '/proc/9/ns/ipc' }];
  const plan = compile({ linux: { namespaces: list as never } });
  const opened = plan.steps.filter(({ op }) => op === 'file.open').map(({ args }) => (args as { path: string }).path);
  assert.equal(opened, ['/image', '/run/netns/x']);
  const { opts } = restoreMessage(restore, {
    root: '/r',
    cgroup: undefined,
    mounts: [],
    external: [{ type: 'network', path: '/run/netns/x' }],
    joined: [{ type: 'ipc', path: '/proc/9/ns/ipc' }],
  });
  assert.equal((opts as { inherit_fd: unknown }).inherit_fd, [{ key: 'extRootNetNS', fd: 5 }]);
  assert.equal((opts as { join_ns: unknown }).join_ns, [{ ns: 'ipc', ns_file: '/proc/9/ns/ipc' }]);
  const cgroup = [{ type: 'mount' }, { type: 'cgroup', path: '/x' }];
  assert.is(refusal(() => compile({ linux: { namespaces: cgroup as never } })).code, 'TSR_CRIU_NAMESPACE');
  assert.is(refusal(() => compile({ linux: { namespaces: namespaces('pid') } })).pointer, '/linux/namespaces');
});

test('cgroups of the image go below the new ones', () => {
  const cgroup = {
    driver: 'cgroupfs' as const,
    places: [
      { version: 2 as const, controllers: ['memory'], mountPoint: '/sys/fs/cgroup/unified', path: 'a/b' },
      { version: 1 as const, controllers: ['cpu', 'cpuacct'], mountPoint: '/sys/fs/cgroup/cpu', path: 'c' },
    ],
  };
  const { opts } = restoreMessage(restore, { root: '/r', cgroup, mounts: [], external: [], joined: [] });
  assert.equal((opts as { cg_root: unknown }).cg_root, [
    { ctrl: '', path: '/a/b' },
    { ctrl: 'cpu', path: '/c' },
    { ctrl: 'cpuacct', path: '/c' },
  ]);
});

test.run();
