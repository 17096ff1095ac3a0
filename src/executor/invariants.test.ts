// Invariants of the executor that no advisory has taught yet: what a review found that could go wrong (docs/security.md).
// Needs root.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { mountFlags } from '../generated/ops.js';
import { executorPath } from '../host/executor.js';
import type { Step } from '../plan/step.js';
import { errnoName } from '../tables/errnos.js';
import {
  bind,
  create,
  execute,
  filesystem,
  host,
  init,
  payload,
  prepareRoot,
  rootSuite,
  supervise,
  type TestRoot,
} from './test-plans.js';

const { tests, test } = rootSuite('invariants of the executor');

function run({ root, directory }: TestRoot, script: string, middle: readonly Step[], after: readonly Step[] = []) {
  const path = join(directory, 'out');
  const out = openSync(path, 'w');
  const steps = [create(), ...prepareRoot(root), ...middle, ...payload(script, after), supervise];
  const outcome = execute(steps, ['ignore', out, out]);
  closeSync(out);
  return { outcome, output: readFileSync(path, 'utf8').trim() };
}

test('S51: a passwd that leads to the log of the kernel takes nothing out of it', (place) => {
  mkdirSync(join(place.root, 'etc'));
  symlinkSync('/proc/kmsg', join(place.root, 'etc/passwd'));
  const mark = `tsrun-test-${process.pid}-${Date.now()}`; // a line without an end would not be in the log yet
  writeFileSync('/dev/kmsg', `${mark}\n`);
  assert.is(run(place, 'echo $HOME', [], [init('process.home', { uid: 0 })]).output, '/');
  const log = openSync('/proc/kmsg', 0o4000 /* O_NONBLOCK */);
  const text = Buffer.alloc(1 << 20);
  let seen = '';
  try {
    for (;;) seen += text.toString('latin1', 0, readSync(log, text));
  } catch {
    // EAGAIN: that was all
  }
  closeSync(log);
  assert.match(seen, mark);
});

test('S16: the name of a kernel parameter is taken whole or not at all', (place) => {
  // cut at the executor's room for it, this would be a parameter that exists
  const path = `kernel/${'./'.repeat(245)}domainname-of-another`;
  const { outcome } = run(place, 'cat /proc/sys/kernel/domainname', [init('sysctl.write', { path, value: 'wrong' })]);
  assert.is(outcome.status, 'step-failed');
  assert.is(errnoName(outcome.errno), 'ENAMETOOLONG');
});

test('S28: a seccomp program that is too long is refused, not cut', (place) => {
  const allow = [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f];
  const filter = new Uint8Array((65536 + 1) * 8).fill(0);
  for (let i = 0; i < filter.length; i += 8) filter.set(allow, i);
  const steps = [init('process.no-new-privileges', {}), init('process.seccomp', { flags: 0, dumpable: 0, filter })];
  assert.is(run(place, 'true', [], steps).outcome.status, 'step-failed');
});

test('S37: a plan that does not begin with the host is refused', (place) => {
  const outcome = execute([
    init('session.start', { terminal: 0 }),
    create(),
    ...prepareRoot(place.root),
    ...payload('true'),
  ]);
  assert.is(outcome.status, 'plan-refused');
});

test('S06: a procfs may go over another one, but not on anything in it', (place) => {
  for (const target of ['/proc/self', '/proc/sys', '/proc/self/attr'])
    assert.is(errnoName(run(place, 'true', [bind('/proc', target)]).outcome.errno), 'EPERM', target);
  assert.is(
    run(place, 'true', [bind('/proc', '/proc', { flags: mountFlags.strict | mountFlags.sourceIsProc })]).outcome.status,
    'ok',
  );
});

test('S07: a kernel parameter goes to the kernel, whatever the image has below /proc', (place) => {
  const fake = join(place.root, 'proc/sys/kernel');
  mkdirSync(fake, { recursive: true });
  writeFileSync(join(fake, 'domainname'), 'fake');
  const out = openSync(join(place.directory, 'out'), 'w');
  const noProc = prepareRoot(place.root).filter(({ args }) => (args as { target?: string }).target !== '/proc');
  const write = init('sysctl.write', { path: 'kernel/domainname', value: 'real' });
  execute(
    [create(), ...noProc, write, ...payload('domainname; cat /proc/sys/kernel/domainname'), supervise],
    ['ignore', out, out],
  );
  closeSync(out);
  assert.is(readFileSync(join(place.directory, 'out'), 'utf8').trim(), 'real\nfake');
});

test('S12, S13: what is protected in /proc is protected, though the name leads elsewhere at that moment', (place) => {
  mkdirSync(join(place.root, 'proc'));
  mkdirSync(join(place.root, 'other'));
  const hook = (script: string): Step =>
    host('hook.run', {
      timeoutMs: 5000,
      pidKind: 0,
      flags: 0,
      path: '/bin/sh',
      args: ['sh', '-c', `cd ${place.root} && ${script}`],
      env: ['PATH=/usr/bin:/bin'],
      stateBefore: '',
      stateAfter: '',
    });
  for (const there of ['ln -s /other proc', 'mkdir proc']) {
    const steps = [
      hook(`mv -T proc away && ${there}`),
      init('path.mask', { paths: ['/proc/version'] }),
      init('path.readonly', { paths: ['/proc/sys'] }),
      hook('rm -d proc && mv -T away proc'),
    ];
    const { output } = run(place, 'wc -c </proc/version; echo x 2>&1 >/proc/sys/kernel/domainname', steps);
    assert.match(output, /^0\n.*Read-only file system/, there);
  }
});

test('S10: a node of the image that is something else is refused, the right one is left as it is', (place) => {
  const make = init('device.make', { nodes: ['c 1:5 0600 7:7 /node'] });
  const node = join(place.root, 'node');
  for (const kind of [['c', '1', '3'], ['b', '1', '5'], ['p']]) {
    spawnSync('mknod', [node, ...kind]);
    assert.is(errnoName(run(place, 'true', [make]).outcome.errno), 'EEXIST', kind.join(' '));
    unlinkSync(node);
  }
  symlinkSync('/dev/zero', node);
  assert.is(errnoName(run(place, 'true', [make]).outcome.errno), 'EEXIST', 'symlink');
  unlinkSync(node);
  spawnSync('mknod', ['-m', '644', node, 'c', '1', '5']);
  assert.is(run(place, 'true', [make]).outcome.status, 'ok');
  assert.equal([statSync(node).uid, statSync(node).mode & 0o777], [0, 0o644]);
});

test('a tmpfs that copies what it hides keeps the numbers of devices, also large ones', (place) => {
  mkdirSync(join(place.root, 'full'));
  spawnSync('mknod', [join(place.root, 'full/node'), 'c', '300', '70000']);
  const copy = filesystem('tmpfs', '/full', { flags: mountFlags.copyUp });
  assert.is(run(place, 'stat -c %t:%T /full/node', [copy]).output, '12c:11170');
});

test('S04: options too long for fsconfig do not cost the attributes of the mount', (place) => {
  for (const name of ['upper', 'work', 'merged']) mkdirSync(join(place.root, name));
  const lower = join(place.directory, 'x'.repeat(200));
  for (const name of ['', 'a'.repeat(60), 'b'.repeat(60)]) mkdirSync(join(lower, name), { recursive: true });
  const layers = `lowerdir=${lower}/${'a'.repeat(60)}:${lower}/${'b'.repeat(60)}`;
  const overlay = filesystem('overlay', '/merged', { options: [layers], attributes: 1 | 2 | 4 | 8 });
  const { output, outcome } = run(place, 'grep /merged /proc/mounts', [overlay]);
  assert.match(output, / ro,nosuid,nodev,noexec,/, errnoName(outcome.errno));
});

test('R27: a file that answers EAGAIN for ever, as memory.reclaim may, is given up', (place) => {
  const file = join(place.directory, 'file');
  writeFileSync(file, '');
  const wrapper = join(place.directory, 'wrapper');
  const inner = `perl -e 'exec { shift } "tsrun:carry-out"' ${executorPath()}`; // bash would keep descriptors
  const strace = `strace -f -qq -o /dev/null -P ${file} -e trace=write -e inject=write:error=EAGAIN`;
  writeFileSync(wrapper, `#!/bin/sh\nexport PATH=/usr/bin:/bin\nexec timeout -s KILL 10 ${strace} ${inner}\n`);
  chmodSync(wrapper, 0o755);
  const self = process.env.TSRUN_SELF;
  process.env.TSRUN_SELF = wrapper;
  try {
    const outcome = execute(
      [host('resctrl.write', { pid: 0, path: file, value: 'x' })],
      ['ignore', 'ignore', 'ignore'],
    );
    assert.equal([outcome.status, errnoName(outcome.errno)], ['step-failed', 'EAGAIN']);
  } finally {
    if (self === undefined) delete process.env.TSRUN_SELF;
    else process.env.TSRUN_SELF = self;
  }
});

test('S31: a name cannot lead out of the directory of a cgroup', (place) => {
  const [hierarchy] = readFileSync('/proc/mounts', 'utf8').match(/^\S+ \S+ cgroup2? .*(pids|rw).*$/m) ?? [];
  const [, mount = '', type] = (hierarchy ?? '').split(' ');
  const open = {
    slot: 8,
    version: type === 'cgroup2' ? 2 : 1,
    flags: 0,
    root: mount,
    path: 'tsrun-test-s31',
    controllers: [],
  };
  try {
    const out = join(place.directory, 'outside');
    writeFileSync(out, 'untouched');
    for (const name of [`../${'../'.repeat(12)}${out}`, '../cgroup.procs', out]) {
      const outcome = execute([host('cgroup.open', open), host('cgroup.write', { slot: 8, file: name, value: '0' })]);
      assert.is(errnoName(outcome.errno), 'EXDEV', name);
      const each = host('cgroup.write-each', { slot: 8, file: name, values: ['0'] });
      assert.is(errnoName(execute([host('cgroup.open', open), each]).errno), 'EXDEV', name);
    }
    // Of a file that takes one after the other, the answer says which it has refused.
    const each = host('cgroup.write-each', { slot: 8, file: 'cgroup.procs', values: ['0', '0', 'none', '0'] });
    const { errno, item } = execute([host('cgroup.open', open), each]);
    assert.equal([errnoName(errno), item], ['EINVAL', 2]);
    assert.is(readFileSync(out, 'utf8'), 'untouched');
  } finally {
    rmdirSync(join(mount, 'tsrun-test-s31'));
  }
});

tests.run();
