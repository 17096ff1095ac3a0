import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { consoleFlags } from '../generated/ops.js';
import { MS } from '../tables/mount-options.js';
import { processorClock } from '../test-fixtures.js';
import { compileCreate } from './compile.js';
import { encodePlan } from './encode.js';
import { noDescriptor, step } from './step.js';
import { compile, namespaces, only, pick, places, refusal, testHost, testOptions, testSpec } from './test-inputs.js';

const hook = (name: string) => [{ path: `/hooks/${name}`, args: [name, 'x'], env: ['A=1'], timeout: 3 }];
const names = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const;
const hooks = Object.fromEntries(names.map((name) => [name, hook(name)]));
const marker = (name: string) => step('host', 'cgroup.join', { slot: 8 }, '', name);

/** The operations and marks in their order. */
const orderOf = (plan: ReturnType<typeof compile>, ...wanted: string[]): string[] =>
  plan.steps.map(({ op, summary }) => (op === 'cgroup.join' ? summary : op)).filter((name) => wanted.includes(name));

test('create is done in the one order that works', () => {
  const order = [
    'self.time-offsets',
    'open cgroup',
    'fifo.make',
    'fifo.make',
    'socket.connect',
    'child.create',
    'join cgroup',
    'child.write-proc',
    'child.write-proc',
    'child.write-proc',
    'file.publish',
    'cgroup.enter',
    'process.affinity',
    'session.start',
    'ns.become-root',
    'keyring.join',
    'ns.unshare',
    'host.name',
    'root.prepare',
    'mount.filesystem',
    'console.open',
    'sysctl.write',
    'path.readonly',
    'path.mask',
    'root.pivot',
    'root.propagation',
    'stdio.null',
    'stdio.own',
    'process.directory',
    'root.readonly',
    'child.rlimit',
    'process.end-on',
    'process.umask',
    'process.bounding',
    'process.home',
    'process.groups',
    'process.user',
    'process.directory',
    'process.effective',
    'process.find',
    'process.close-fds',
    'process.capabilities',
    'process.ambient',
    'process.no-new-privileges',
    'file.publish',
    'file.publish',
    'process.wait-start',
    'process.seccomp',
    'process.exec',
  ];
  const map = [{ containerID: 0, hostID: 100000, size: 65536 }];
  const plan = compile(
    {
      hostname: 'web',
      root: { path: 'rootfs', readonly: true },
      mounts: [{ destination: '/proc', type: 'proc' }],
      process: {
        terminal: true,
        noNewPrivileges: true,
        oomScoreAdj: 5,
        rlimits: [{ type: 'RLIMIT_CPU', soft: 1, hard: 2 }],
      },
      linux: {
        namespaces: namespaces('mount', 'pid', 'uts', 'user', 'cgroup', 'time'),
        uidMappings: map,
        gidMappings: map,
        rootfsPropagation: 'shared',
        seccomp: { defaultAction: 'SCMP_ACT_ALLOW' },
        sysctl: { 'kernel.domainname': 'x' },
        maskedPaths: ['/proc/kcore'],
        readonlyPaths: ['/proc/sys'],
      },
    },
    {
      consoleSocket: '/s',
      pidFile: '/run/pid',
      seccomp: { filter: new Uint8Array(8), flags: 0, rules: 0, allowed: [] },
      cgroup: {
        record: { driver: 'cgroupfs', places: [] },
        open: [marker('open cgroup')],
        join: [marker('join cgroup')],
        enter: [step('init', 'cgroup.enter', { slot: 9, file: 'tasks' }, '', 'enter')],
        remove: [],
      },
    },
  );
  assert.equal(orderOf(plan, ...order), order);
  encodePlan(plan);
});

test('hooks run where the specification says, with the state of that moment', () => {
  const run = compile({ hooks }, { mode: 'run' });
  const seen = run.steps.flatMap((s) => (s.op === 'hook.run' ? [s] : []));
  assert.equal(
    seen.map(({ pointer, role, args }) => [
      pointer,
      role,
      args.pidKind,
      /"status":"(\w+)"/.exec(String(args.stateBefore))?.[1],
    ]),
    [
      ['/hooks/prestart/0', 'host', 1, 'created'],
      ['/hooks/createRuntime/0', 'host', 1, 'creating'],
      ['/hooks/createContainer/0', 'init', 2, 'creating'],
      ['/hooks/startContainer/0', 'init', 2, 'created'],
      ['/hooks/poststart/0', 'host', 1, 'running'],
      ['/hooks/poststop/0', 'host', 0, 'stopped'],
    ],
  );
  const { args, summary } = seen[0]!;
  assert.equal([args.path, args.args, args.env, args.timeoutMs], ['/hooks/prestart', ['prestart', 'x'], ['A=1'], 3000]);
  assert.is(summary, 'run prestart hook #0 /hooks/prestart');
  const order = orderOf(
    run,
    'root.prepare',
    'hook.run',
    'root.pivot',
    'process.find',
    'process.exec',
    'child.supervise',
  );
  assert.equal(order, [
    'root.prepare',
    'hook.run',
    'hook.run',
    'hook.run',
    'root.pivot',
    'process.find',
    'hook.run',
    'process.exec',
    'hook.run',
    'child.supervise',
    'hook.run',
  ]);
});

test('create leaves poststart to start, and poststop to delete', () => {
  const create = compile({ hooks });
  const pointers = pick(create, 'hook.run').map(({ pointer }) => pointer);
  assert.equal(pointers, [
    '/hooks/prestart/0',
    '/hooks/createRuntime/0',
    '/hooks/createContainer/0',
    '/hooks/startContainer/0',
  ]);
  assert.is(create.steps.at(-1)!.op, 'process.exec');
  assert.is(pick(compile({ hooks }, { mode: 'run', keep: true }), 'hook.run').length, 5);
});

test('a hook has its own argv and environment, startContainer at least that of the process', () => {
  const bare = [{ path: '/h' }];
  const plan = compile({ process: { env: ['A=1'] }, hooks: { prestart: bare, startContainer: bare } });
  const [first, last] = plan.steps.flatMap((s) => (s.op === 'hook.run' ? [s.args] : []));
  assert.equal([first!.args, first!.env, first!.timeoutMs], [['/h'], [], 0]);
  assert.equal([last!.args, last!.env], [['/h'], ['A=1']]);
});

test('create waits for start; run does not, and tidies up', () => {
  assert.equal(
    places(compile(), 'process.wait-start', 'process.end-on', 'fifo.make').map((at) => at >= 0),
    [true, true, true],
  );
  const remove = [marker('remove cgroup')];
  const cgroup = { record: { driver: 'cgroupfs', places: [] }, open: [], join: [], remove } as const;
  const run = compile({}, { mode: 'run', cgroup });
  assert.equal(pick(run, 'process.wait-start', 'process.end-on', 'fifo.make'), []);
  assert.equal(orderOf(run, 'process.exec', 'child.supervise', 'remove cgroup', 'file.remove'), [
    'process.exec',
    'child.supervise',
    'remove cgroup',
    'file.remove',
  ]);
  assert.equal(pick(compile({}, { mode: 'run', cgroup, keep: true }), 'file.remove', 'cgroup.'), []);
  const detached = compile({}, { mode: 'run-detached', cgroup });
  assert.equal(pick(detached, 'file.remove', 'cgroup.', 'child.supervise', 'self.subreaper', 'process.wait-start'), []);
  assert.is(pick(run, 'self.subreaper').length, 1);
  assert.equal(pick(compile({}, { mode: 'run', noSubreaper: true }), 'self.subreaper'), []);
});

test('S22: init is dumpable, while it waits and for the listener, only without root and alone in its namespaces', () => {
  const agent = { path: '/agent', before: '', between: '', after: '' };
  const dumpable = (uid: number, list: ReturnType<typeof namespaces>): number[] => {
    const mappings = [{ containerID: 0, hostID: 1000, size: 1 }];
    const linux = { namespaces: list, uidMappings: mappings, gidMappings: mappings };
    const seccomp = { filter: new Uint8Array(8), flags: 0, rules: 0, allowed: [], agent };
    const plan = compile({ linux }, { seccomp }, { uid, gid: uid });
    return plan.steps.flatMap((s) =>
      s.op === 'process.wait-start' || s.op === 'process.seccomp' ? [s.args.dumpable] : [],
    );
  };
  const own = namespaces('user', 'pid', 'mount');
  assert.equal(
    [dumpable(1000, own), dumpable(0, own)],
    [
      [1, 1],
      [0, 0],
    ],
  );
  assert.equal(dumpable(1000, [...namespaces('user', 'mount'), { type: 'pid', path: '/proc/9/ns/pid' }]), [0, 0]);
  assert.equal(dumpable(1000, namespaces('user', 'mount')), [0, 0]);
  assert.is(
    only(compile({}, { seccomp: { filter: new Uint8Array(8), flags: 0, rules: 0, allowed: [] } }), 'process.seccomp')
      .args.dumpable,
    0,
  );
});

test('the state is saved as soon as there is a pid, and the pid file is the last of all', () => {
  const plan = compile({}, { pidFile: '/run/web.pid' });
  const descriptor = noDescriptor;
  assert.equal(
    pick(plan, 'file.publish').map(({ args }) => args),
    [
      { mode: 0o600, descriptor, path: '/run/tsrun/web/state.json', ...testOptions.creating },
      { mode: 0o600, descriptor, path: '/run/tsrun/web/state.json', ...testOptions.ready },
      { mode: 0o644, descriptor, path: '/run/web.pid', before: '', between: '', after: '' },
    ],
  );
  const last = plan.steps.filter(({ role }) => role === 'host').at(-1);
  assert.is(last?.summary, 'write the pid to /run/web.pid');
});

test('the texts about terminals are those that engines know', () => {
  const { message, code } = refusal(() => compile({ process: { terminal: true } }));
  assert.is(message, 'a detached container with a terminal needs --console-socket, or nobody could read it');
  assert.is(code, 'TSR_CONSOLE_SOCKET');
  const other = '--console-socket is for a detached container with a terminal';
  assert.is(refusal(() => compile({}, { consoleSocket: '/s' })).message, other);
  const foreground = { consoleSocket: '/s', mode: 'run' } as const;
  assert.is(refusal(() => compile({ process: { terminal: true } }, foreground)).message, other);
});

test('a process that is born in its v2 cgroup says so', () => {
  const places = [{ version: 2, controllers: [], mountPoint: '/sys/fs/cgroup', path: 'web' }] as const;
  const cgroup = { record: { driver: 'cgroupfs', places }, open: [], join: [], remove: [] } as const;
  assert.is(only(compile({}, { cgroup }), 'child.create').args.cgroupSlot, 8);
});

test('root propagation is prepared, and the kinds that hinder a pivot come after it', () => {
  const plan = (name?: string) => compile({ linux: name ? { rootfsPropagation: name as 'slave' } : {} });
  const prepared = (name?: string) => only(plan(name), 'root.prepare').args.propagation;
  assert.is(prepared(), MS.SLAVE | MS.REC);
  assert.is(prepared('private'), MS.PRIVATE);
  assert.is(prepared('rshared'), MS.SHARED | MS.REC);
  assert.equal(pick(plan('rslave'), 'root.propagation'), []);
  const parent = (name?: string) => only(plan(name), 'root.prepare').args.parent;
  assert.equal(
    [parent(), parent('shared'), parent('slave'), parent('rslave')],
    [MS.PRIVATE, MS.PRIVATE, MS.SLAVE, MS.SLAVE],
  );
  assert.equal(only(plan('rshared'), 'root.propagation').args, { propagation: MS.SHARED, recursive: 1 });
  assert.equal(only(plan('unbindable'), 'root.propagation').args, { propagation: MS.UNBINDABLE, recursive: 0 });
});

test('the root is where the bundle says', () => {
  const at = (path: string) => only(compile({ root: { path } }), 'root.prepare').args.path;
  assert.equal([at('rootfs'), at('/abs/root/'), at('a//')], ['/bundle/rootfs', '/abs/root', '/bundle/a']);
  assert.is(pick(compile({}, { noPivot: true }), 'root.move', 'root.pivot')[0]!.op, 'root.move');
});

test('without a mount namespace nothing is mounted, and that is said', () => {
  const config = {
    root: { path: 'rootfs' },
    mounts: [{ destination: '/proc', type: 'proc' }],
    linux: { namespaces: namespaces('pid'), devices: [{ path: '/dev/a', type: 'p' as const }] },
  };
  const plan = compile(config);
  assert.is(only(plan, 'root.open').args.path, '/bundle/rootfs');
  assert.equal(pick(plan, 'mount.', 'path.', 'device.', 'root.prepare', 'root.pivot', 'root.readonly'), []);
  assert.equal(
    plan.warnings.map(({ code, message }) => [code, message]),
    [
      [
        'TSR_NAMESPACE_NO_MOUNTS',
        'there is no mount namespace: mounts, devices left out, nothing is mounted on the host',
      ],
    ],
  );
  const [root, directory, user] = places(plan, 'root.open', 'process.directory', 'process.user');
  assert.ok(root! < directory! && directory! < user!);
  // What is to be kept from the process is not left out.
  for (const [pointer, more] of [
    ['/linux/maskedPaths', { linux: { ...config.linux, maskedPaths: ['/proc/kcore'] } }],
    ['/linux/readonlyPaths', { linux: { ...config.linux, readonlyPaths: ['/proc/sys'] } }],
    ['/root/readonly', { root: { path: 'rootfs', readonly: true } }],
  ] as const) {
    const refused = refusal(() => compile({ ...config, ...more }));
    assert.equal([refused.code, refused.pointer], ['TSR_NAMESPACE_NEEDED', pointer]);
  }
  const terminal = compile({ ...config, process: { terminal: true } }, { mode: 'run' });
  assert.is(only(terminal, 'console.open').args.flags, consoleFlags.host);
  const [console, chroot] = places(terminal, 'console.open', 'root.open');
  assert.ok(console! < chroot!);
  const own = [{ type: 'mount', path: '/proc/1/ns/mnt' }] as const;
  const joined = compile({ linux: { namespaces: own } }, { alreadyIn: new Set(['mount' as const]) });
  assert.equal(
    pick(joined, 'root.').map(({ op }) => op),
    ['root.open'],
  );
});

test('masked paths are gone through once, however many they are', () => {
  const maskedPaths = Array.from({ length: 100_000 }, (_, index) => `/proc/${index % 99_999}`);
  const spent = processorClock();
  assert.is(pick(compile({ linux: { maskedPaths } }), 'path.mask').length, 100_000);
  assert.ok(spent() < 5000);
});

test('read-only paths count once, and come before masked ones, of which the executor sees what is masked already', () => {
  const linux = { maskedPaths: ['/a', '/b', '/a'], readonlyPaths: ['/c', '/c'] };
  assert.equal(
    pick(compile({ linux }), 'path.readonly', 'path.mask').map(({ pointer, summary }) => [pointer, summary]),
    [
      ['/linux/readonlyPaths/0', 'make /c read-only'],
      ['/linux/maskedPaths/0', 'mask /a'],
      ['/linux/maskedPaths/1', 'mask /b'],
      ['/linux/maskedPaths/2', 'mask /a'],
    ],
  );
});

test("kernel parameters are files, and never the host's", () => {
  const sysctl = { 'net.ipv4.conf.eth0/1.x': '1', 'net/a~b': '2' };
  const linux = { namespaces: namespaces('mount', 'network'), sysctl };
  assert.equal(
    pick(compile({ linux }), 'sysctl.write').map(({ args, pointer }) => [...Object.values(args), pointer]),
    [
      ['net/ipv4/conf/eth0.1/x', '1', '/linux/sysctl/net.ipv4.conf.eth0~11.x'],
      ['net/a~b', '2', '/linux/sysctl/net~1a~0b'],
    ],
  );
  const joined = [...namespaces('mount'), { type: 'network', path: '/proc/1/ns/net' }] as const;
  const own = { alreadyIn: new Set(['network' as const]) };
  const refused = refusal(() => compile({ linux: { namespaces: joined, sysctl: { 'net.a': '1' } } }, own));
  assert.equal([refused.code, refused.pointer], ['TSR_SYSCTL_NAMESPACE', '/linux/sysctl/net.a']);
});

test('what the host or the caller does not have is refused with its pointer', () => {
  for (const intelRdt of [{}, { closID: 'x' }]) {
    const refused = refusal(() => compile({ linux: { intelRdt } }));
    assert.equal([refused.code, refused.pointer], ['TSR_RDT_ABSENT', '/linux/intelRdt']);
  }
  compile({ linux: { netDevices: {} } });
});

test('no process is enough for create, where init waits and finds nothing, but not for run', () => {
  const { process: _, ...bare } = testSpec();
  assert.is(refusal(() => compileCreate(bare, testHost, { ...testOptions, mode: 'run' })).code, 'TSR_PROCESS_REQUIRED');
  const plan = compileCreate(bare, testHost, { ...testOptions, mode: 'create' });
  assert.equal(
    plan.steps.slice(-2).map(({ op }) => op),
    ['process.wait-start', 'process.exec'],
  );
  assert.equal(only(plan, 'process.exec').args.args, []);
  assert.equal(pick(plan, 'process.find'), []);
  assert.is(only(plan, 'process.capabilities').args.permitted, 0n);
});

test('an alternative is in the same role as the step it stands in for', () => {
  const mounts = [
    { destination: '/sys', type: 'sysfs' },
    { destination: '/sys/fs/cgroup', type: 'cgroup' },
  ];
  const plan = compile({ mounts, linux: { namespaces: namespaces('mount', 'cgroup') } }, {}, { inUserNamespace: true });
  let found = 0;
  plan.steps.forEach((s, index) => {
    if (!s.orElseNext) return;
    found++;
    assert.is(plan.steps[index + 1]?.role, s.role);
  });
  assert.is(found, 2);
});

test('S01: the compiler knows no host: no import leads out of plan, tables, errors and the wire (T-STRACE)', () => {
  const sources = ['src/plan', 'src/plan/phases'].flatMap((dir) => readdirSync(dir).map((name) => `${dir}/${name}`));
  const globals = /\b(?:globalThis|Bun|Buffer|Date\.|new Date|Math\.random|performance\.)/;
  for (const file of sources.filter((name) => /\.ts$/.test(name) && !/test/.test(name))) {
    const text = readFileSync(file, 'utf8');
    for (const [, kind, from] of text.matchAll(/^import (type )?.*? ?from '([^']+)'/gm)) {
      const allowed = kind
        ? /^\.{1,2}\//
        : /^(?:\.\/|\.\.\/(?:\.\.\/)?(?:tables|errors|generated|phases)\/|\.\.\/[a-z-]+\.js$)/;
      assert.match(from!, allowed, `${file} imports ${from}`);
    }
    assert.not.match(text, globals, file);
  }
});

test.run();
