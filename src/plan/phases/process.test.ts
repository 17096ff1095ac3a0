import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile, namespaces, only, pick, places, refusal } from '../test-inputs.js';
import { candidatesOf, capabilityMask } from './process.js';

const env = (list: string[] | undefined, options = {}) =>
  only(compile({ process: list === undefined ? {} : { env: list } }, options), 'process.exec').args.env;

test('of two values of a name the last one wins, in place', () => {
  assert.equal(env(['A=1', 'B=2', 'A=3', 'HOME=/h']), ['A=3', 'B=2', 'HOME=/h']);
  assert.equal(env(['__proto__=1', 'constructor=2']), ['__proto__=1', 'constructor=2']);
  assert.equal(env(undefined), []);
});

test("HOME comes from the container's passwd when it is missing or empty, before rights go", () => {
  const plan = compile({ process: { env: ['HOME=', 'A=1'], user: { uid: 7, gid: 7 } } });
  assert.is(only(plan, 'process.home').args.uid, 7);
  assert.equal(only(plan, 'process.exec').args.env, ['A=1']);
  const [home, user] = places(plan, 'process.home', 'process.user');
  assert.ok(home! < user!);
  assert.equal(pick(compile({ process: { env: ['HOME=/root'] } }), 'process.home'), []);
});

test('socket activation is told to the process, and its descriptors are kept', () => {
  const options = { listenFds: 2, listenFdNames: 'a:b', preserveFds: 3 };
  assert.equal(env(['LISTEN_FDS=9', 'HOME=/'], options), [
    'LISTEN_FDS=2',
    'HOME=/',
    'LISTEN_PID=1',
    'LISTEN_FDNAMES=a:b',
  ]);
  assert.is(compile({}, options).preserveFds, 5);
  assert.equal(env(['LISTEN_FDS=9']), ['LISTEN_FDS=9']);
});

test('the program is looked up as execvp does, in absolute directories of the own PATH', () => {
  assert.equal(candidatesOf('./run', ['PATH=/bin']), ['./run']);
  assert.equal(candidatesOf('/bin/run', []), ['/bin/run']);
  assert.equal(candidatesOf('run', ['A=1', 'PATH=/bin:/usr/bin/']), ['/bin/run', '/usr/bin//run']);
  assert.equal(candidatesOf('run', ['PATH=::.:bin:/bin']), ['/bin/run']);
  assert.equal(candidatesOf('run', []), []);
  assert.equal(only(compile({ process: { args: ['sh'], env: ['PATH=/a'] } }), 'process.find').args.candidates, [
    '/a/sh',
  ]);
});

test('capability names become bits; unknown ones are left out', () => {
  assert.is(capabilityMask(undefined), 0n);
  assert.is(capabilityMask([]), 0n);
  assert.is(capabilityMask(['CAP_CHOWN', 'CAP_CHOWN', 'CAP_NOPE', 'constructor']), 1n);
  assert.is(
    capabilityMask(['CAP_SETFCAP', 'CAP_MAC_OVERRIDE', 'CAP_CHECKPOINT_RESTORE']),
    (1n << 31n) | (1n << 32n) | (1n << 40n),
  );
});

test('all five sets are set; without capabilities they are empty', () => {
  const none = compile();
  assert.is(only(none, 'process.bounding').args.caps, 0n);
  assert.equal(only(none, 'process.capabilities').args, { effective: 0n, permitted: 0n, inheritable: 0n });
  assert.is(only(none, 'process.ambient').args.caps, 0n);
  const capabilities = {
    bounding: ['CAP_CHOWN', 'CAP_KILL'],
    effective: ['CAP_CHOWN'],
    permitted: ['CAP_CHOWN', 'CAP_KILL'],
    inheritable: ['CAP_KILL', 'CAP_SETUID'],
    ambient: ['CAP_KILL', 'CAP_CHOWN', 'CAP_SETUID'],
  };
  const plan = compile({ process: { capabilities } });
  assert.is(only(plan, 'process.bounding').args.caps, 0x21n);
  assert.equal(only(plan, 'process.capabilities').args, { effective: 1n, permitted: 0x21n, inheritable: 0xa0n });
  // Ambient is what is permitted and inheritable: the kernel raises nothing else.
  assert.is(only(plan, 'process.ambient').args.caps, 0x20n);
  assert.equal(
    plan.warnings.map(({ code, pointer, message }) => [code, pointer, message.split(' left')[0]]),
    [['TSR_CAPABILITY_AMBIENT', '/process/capabilities/ambient', 'CAP_CHOWN, CAP_SETUID']],
  );
});

test('groups are always replaced, unless the annotation says to keep them', () => {
  assert.equal(only(compile(), 'process.groups').args.groups, new Uint8Array(0));
  const user = { uid: 0, gid: 0, additionalGids: [5, 0x01020304] };
  const { args } = only(compile({ process: { user } }), 'process.groups');
  assert.equal([...(args.groups as Uint8Array)], [5, 0, 0, 0, 4, 3, 2, 1]);
  const annotations = { 'run.oci.keep_original_groups': '1' };
  assert.equal(pick(compile({ annotations }), 'process.groups'), []);
  assert.equal(only(compile({}, {}, { inUserNamespace: true }), 'process.groups').tolerate, ['EPERM']);
  assert.is(only(compile(), 'process.groups').tolerate, undefined);
});

test("the umask is the config's or 0022, never the caller's", () => {
  assert.is(only(compile(), 'process.umask').args.mask, 0o022);
  const plan = compile({ process: { user: { uid: 0, gid: 0, umask: 0o77 } } });
  assert.equal([only(plan, 'process.umask').args.mask, only(plan, 'process.umask').summary], [0o77, 'set umask 0077']);
  assert.is(only(compile({ process: { user: { uid: 0, gid: 0, umask: 0 } } }), 'process.umask').args.mask, 0);
});

const seccomp = { filter: new Uint8Array(24), flags: 2, rules: 0, allowed: [] };
const profile = { namespaces: namespaces('mount'), seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } } as const;

test('a filter without no_new_privs is loaded while that is allowed', () => {
  const plan = compile({ linux: profile }, { seccomp });
  const [closed, filter, drop] = places(plan, 'process.close-fds', 'process.seccomp', 'process.capabilities');
  assert.ok(closed! < filter! && filter! < drop!);
  assert.equal(pick(plan, 'process.no-new-privileges'), []);
  const { args } = only(plan, 'process.seccomp');
  assert.equal([args.flags, args.filter], [2, seccomp.filter]);
});

test('a filter with no_new_privs is the last thing before the program', () => {
  const plan = compile({ linux: profile, process: { noNewPrivileges: true } }, { seccomp });
  const ops = plan.steps.map(({ op }) => op);
  assert.equal(ops.slice(-2), ['process.seccomp', 'process.exec']);
  const [drop, nnp] = places(plan, 'process.capabilities', 'process.no-new-privileges');
  assert.ok(drop! < nnp!);
});

test('S28: what runs in the container before the program has all that confines the program', () => {
  const hooks = { startContainer: [{ path: '/hook' }] };
  for (const noNewPrivileges of [true, false]) {
    const process = {
      noNewPrivileges,
      rlimits: [{ type: 'RLIMIT_NOFILE' as const, soft: 9, hard: 9 }],
      apparmorProfile: 'p',
    };
    const plan = compile({ linux: profile, process, hooks }, { seccomp });
    const ops = plan.steps.map(({ op }) => op);
    assert.is(ops.lastIndexOf('hook.run'), ops.length - 2);
    for (const op of [
      'label',
      'user',
      'groups',
      'bounding',
      'capabilities',
      'ambient',
      'umask',
      'seccomp',
      'close-fds',
    ])
      assert.is(ops.filter((one) => one === `process.${op}`).length, 1, op);
    assert.is(ops.includes('process.no-new-privileges'), noNewPrivileges);
    assert.ok(ops.includes('child.rlimit'));
  }
});

test('a profile that was not compiled stops the plan', () => {
  const { code, pointer } = refusal(() => compile({ linux: profile }));
  assert.equal([code, pointer], ['TSR_PLAN_SECCOMP', '/linux/seccomp']);
});

test('labels take effect at exec', () => {
  const plan = compile({ process: { apparmorProfile: 'web', selinuxLabel: 'a:b:c:s0' } });
  assert.equal(
    pick(plan, 'process.label').map(({ args }) => Object.values(args)),
    [
      ['keycreate', '', 'a:b:c:s0'],
      ['apparmor/exec', 'exec', 'exec web'],
      ['exec', '', 'a:b:c:s0'],
    ],
  );
  assert.equal(pick(compile({ process: { apparmorProfile: '', selinuxLabel: '' } }), 'process.label'), []);
  const lsm = { apparmor: false, selinux: false };
  for (const [key, code] of [
    ['apparmorProfile', 'TSR_APPARMOR_OFF'],
    ['selinuxLabel', 'TSR_SELINUX_OFF'],
  ] as const) {
    const refused = refusal(() => compile({ process: { [key]: 'x' } }, {}, { lsm }));
    assert.equal([refused.code, refused.pointer], [code, `/process/${key}`]);
  }
});

test('a session keyring of its own, but for --no-new-keyring', () => {
  const { args, tolerate } = only(compile(), 'keyring.join');
  assert.equal([args.name, tolerate], ['_ses.web', ['ENOSYS']]);
  assert.equal(pick(compile({}, { noNewKeyring: true }), 'keyring.', 'process.label'), []);
});

test('the working directory is made while the root is writable, and entered with rights', () => {
  const plan = compile({ process: { cwd: '/app' }, root: { path: 'rootfs', readonly: true } });
  const [pivot, directory, readonly, user] = places(
    plan,
    'root.pivot',
    'process.directory',
    'root.readonly',
    'process.user',
  );
  assert.ok(pivot! < directory! && directory! < readonly! && readonly! < user!);
  // Again as the user, where root was not let in.
  const [first, again] = pick(plan, 'process.directory');
  assert.equal(first?.args, { create: 1, path: '/app' });
  assert.equal(first?.tolerate, ['EPERM', 'EACCES']);
  assert.equal(again?.args, { create: 2, path: '/app' });
});

test('args may not be empty', () => {
  assert.is(refusal(() => compile({ process: { args: [] } })).code, 'TSR_PROCESS_ARGS');
});

test('what the runtime has not got itself is left out of the sets, with a warning', () => {
  const all = ['CAP_KILL', 'CAP_SYS_RESOURCE'];
  const capabilities = { bounding: all, effective: all, permitted: all };
  const plan = compile({ process: { capabilities } }, {}, { capabilities: ~(1n << 24n) & 0x1ffffffffffn });
  assert.equal(only(plan, 'process.capabilities').args, { effective: 1n << 5n, permitted: 1n << 5n, inheritable: 0n });
  assert.equal(
    plan.warnings.map(({ code, pointer }) => `${code} ${pointer}`),
    ['effective', 'permitted'].map((set) => `TSR_CAPABILITY_UNAVAILABLE /process/capabilities/${set}`),
  );
});

test.run();
