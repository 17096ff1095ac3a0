// One test for each published advisory of a peer that only the whole program can repeat (security.md section 1): what the
// engine makes of a config or a command line, and the executor of that. Needs root and dist/tsrun.
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Namespace, Process, Seccomp } from '../bundle/types.js';
import { containerSuite, type Ran, type TestContainer } from './test-container.js';
import { buildHelper, startSwapper } from './test-swapper.js';

const { tests: advisories, test } = containerSuite('advisories of the whole program');
const start = (container: TestContainer, script: string, process: Partial<Process> = {}): void => {
  assert.is(container.create(script, { process }).status, 0);
  assert.is(container.tsrun(['start', container.id]).status, 0);
};
const run = (container: TestContainer): Ran => container.tsrun(['run', '--bundle', container.folder, container.id]);
const ownNamespaces: Namespace[] = (['mount', 'pid', 'uts', 'ipc', 'network', 'cgroup'] as const).map((type) => ({
  type,
}));
const capsOf = (text: string): string[] => [...text.matchAll(/^Cap\w+:\s+(\S+)$/gm)].map(([, caps]) => caps ?? '');

for (const name of ['proc', 'sys']) {
  test(`CVE-2019-19921, CVE-2023-27561, CVE-2023-28642, CVE-2025-54867 (S06): /${name} that is a symbolic link is refused`, (container) => {
    const mounts = [{ destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] }];
    container.prepare('true', { mounts });
    const place = join(container.folder, 'rootfs', name);
    const elsewhere = join(container.folder, 'rootfs/elsewhere');
    mkdirSync(elsewhere);
    rmSync(place, { recursive: true });
    symlinkSync('/elsewhere', place);
    const { status, errors } = run(container);
    assert.is(status, 1);
    assert.match(errors, `/${name}`);
    assert.equal(readdirSync(elsewhere), []);
  });
}

test('CVE-2022-24769, CVE-2022-29162, CVE-2022-27650 (S25): neither run nor exec --cap makes a capability inheritable', async (container) => {
  const caps = ['CAP_KILL', 'CAP_CHOWN'] as const;
  const capabilities = { bounding: caps, effective: caps, permitted: caps };
  start(container, 'cat /proc/self/status; sleep 60', { capabilities });
  const none = '0000000000000000';
  for (const more of [[], ['--cap', 'CAP_NET_RAW']]) {
    const { output } = container.tsrun(['exec', ...more, container.id, 'grep', 'Cap', '/proc/self/status']);
    assert.is(capsOf(output)[0], none, 'inheritable');
    assert.is(capsOf(output)[4], none, 'ambient');
    assert.is.not(capsOf(output)[2], none, 'effective');
  }
  let log = '';
  for (let i = 0; i < 500 && !log.includes('CapAmb'); i++) {
    log = readFileSync(join(container.folder, 'log'), 'utf8');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.is(capsOf(log)[0], none);
});

test('CVE-2026-30892 (S26): exec --user 1 is user 1, and what is no plain number is refused', (container) => {
  start(container, 'sleep 60');
  const as = (user: string): Ran => container.tsrun(['exec', '--user', user, container.id, 'id', '-u']);
  assert.is(as('1').output, '1');
  for (const user of ['', '+1', '-1', '0x1', '1e3', ' 1', '1:', ':1', '4294967296', 'root'])
    assert.is(as(user).status, 255, `'${user}'`);
});

test('runc#1962 (S44): with --no-pivot a user namespace inside gets no procfs without the masks', (container) => {
  const script = 'unshare --user --map-root-user --mount --pid --fork mount -t proc proc /proc; echo "status $?"';
  // not root: mapping that would take CAP_SETFCAP, and nothing would be seen of the mount
  const process = { user: { uid: 1000, gid: 1000 } };
  container.prepare(script, { process, linux: { maskedPaths: ['/proc/kcore'], readonlyPaths: ['/proc/sys'] } });
  const { output, errors } = container.tsrun(['run', '--no-pivot', '--bundle', container.folder, container.id]);
  assert.match(output, /^status [1-9]/m, errors);
  assert.match(`${output}${errors}`, /permitted|denied/);
});

test('GHSA-3q8j-pf29-vwv8 (S12, S13): a path that is exchanged while it is made read-only is protected where it was found', (container) => {
  const volume = join(container.folder, 'volume');
  mkdirSync(join(volume, 'a'), { recursive: true });
  symlinkSync('/decoy', join(volume, 'b'));
  container.prepare('cat /proc/self/mountinfo', {
    mounts: [{ destination: '/volume', source: volume, options: ['rbind'] }],
    linux: { readonlyPaths: ['/volume/a'] },
  });
  mkdirSync(join(container.folder, 'rootfs/decoy'));
  const swapper = startSwapper(buildHelper('swap', container.folder), volume, 'a', 'b');
  const seen = new Set<string>();
  try {
    for (let round = 0; round < 40; round++) {
      const { output } = run(container);
      // Under either name, for the exchange goes on: what is mounted on a place is what was there, and read-only.
      for (const [, root = '', point = '', options = ''] of output.matchAll(
        /^\S+ \S+ \S+ (\S+) (\/volume\/\S*|\/decoy) (\S+)/gm,
      )) {
        const kind = point === '/decoy' ? 'decoy' : 'volume';
        seen.add(kind);
        assert.match(root, kind === 'decoy' ? /\/rootfs\/decoy$/ : /\/volume\/[ab]$/, `${root} on ${point}`);
        assert.match(options, /^ro\b/);
      }
    }
  } finally {
    swapper.kill('SIGKILL');
  }
  assert.equal([...seen].sort(), ['decoy', 'volume'], 'the exchange came in between');
});

test('GHSA-5g49-rx9x-qfc6 (S31): sizes and keys that become names of cgroup files are no paths', (container) => {
  const resources = [
    ['hugepageLimits', [{ pageSize: '../../x', limit: 1 }]],
    ['unified', { '../../cgroup.procs': '1' }],
    ['rdma', { '../x': { hcaHandles: 1 } }],
  ] as const;
  for (const [key, value] of resources) {
    const { status, errors } = container.run('true', { linux: { resources: { [key]: value } } });
    assert.is(status, 1, key);
    assert.match(errors, `/linux/resources/${key}`);
  }
});

test('GHSA-g54h-m393-cpwq (S34): a device that no rule names is denied, also when there are no rules', (container) => {
  const capabilities = { bounding: ['CAP_MKNOD'], effective: ['CAP_MKNOD'], permitted: ['CAP_MKNOD'] } as const;
  const script = 'mknod /dev/other c 1 11 && ! head -c 1 /dev/other && mknod /dev/mine c 1 3 && head -c 1 /dev/mine';
  const { status, errors } = container.run(script, { process: { capabilities } });
  assert.is(status, 0, errors);
  assert.match(errors, /other.*not permitted/);
});

test('CVE-2015-8709 (S22): a process on its way in cannot be looked into by others of its user', (container) => {
  const look =
    'while :; do for p in /proc/[0-9]*; do for f in $p/fd/* $p/exe $p/cwd; do readlink $f; done; done 2>/dev/null >>/dev/shm/seen; done';
  const mounts = [{ destination: '/dev/shm', type: 'tmpfs', source: 'tmpfs' }];
  assert.is(container.create(look, { mounts }).status, 0);
  assert.is(container.tsrun(['start', container.id]).status, 0);
  // Long enough inside to be found, before it has given up what it is.
  const slow = [
    'strace',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    'trace=execve',
    '-e',
    'inject=execve:delay_enter=500000',
  ];
  assert.is(container.tsrun(['exec', container.id, 'true'], slow).status, 0);
  const { output } = container.tsrun(['exec', container.id, 'sort', '-u', '/dev/shm/seen']);
  assert.match(output, '/dev/shm/seen', 'the looker sees itself');
  // its own output goes to a file of ours
  const others = output.split('\n').filter((line) => line !== join(container.folder, 'log'));
  assert.not.match(others.join('\n'), container.folder);
  assert.not.match(others.join('\n'), /memfd:|\/sys\/fs\/cgroup/);
});

/** Writes down what it can see of every process that is still the runtime's: descriptors, directories, rights, user. */
const watcher = `
import os
seen, out = set(), open('/dev/shm/seen', 'w')
def note(line):
    if line not in seen:
        seen.add(line)
        print(line, file=out, flush=True)
while True:
    for pid in os.listdir('/proc'):
        if not pid.isdigit() or int(pid) == os.getpid(): continue
        try:
            if 'memfd:tsrun' not in os.readlink(f'/proc/{pid}/exe'): continue
            links = [f'{kind} {os.readlink(f"/proc/{pid}/{kind}")}' for kind in ('cwd', 'root')]
            links += [f'fd{min(int(fd), 3)} {os.readlink(f"/proc/{pid}/fd/{fd}")}' for fd in os.listdir(f'/proc/{pid}/fd')]
            status = open(f'/proc/{pid}/status').read()
            # the program itself may have come meanwhile
            if 'memfd:tsrun' not in os.readlink(f'/proc/{pid}/exe'): continue
            for line in links: note(line)
            for line in status.splitlines():
                if line.startswith(('CapPrm', 'CapBnd', 'Uid', 'Gid', 'Groups')): note(' '.join(line.split()))
        except OSError: pass
`;

/** Long enough in each state to be found in it. */
const slowly = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'inject=all:delay_exit=3000'];

test('CVE-2016-9962 (S22, S24): on its way in a process has nothing of the host’s and no more rights than its program, whoever watches', (container) => {
  const script = join(container.folder, 'watcher.py');
  writeFileSync(script, watcher);
  const watching = ['CAP_SYS_PTRACE', 'CAP_DAC_OVERRIDE', 'CAP_KILL'];
  const capabilities = { bounding: watching, effective: watching, permitted: watching };
  const mounts = [
    { destination: '/dev/shm', type: 'tmpfs', source: 'tmpfs' },
    { destination: '/watch', source: container.folder, options: ['bind', 'ro'] },
  ];
  const filters = [
    undefined,
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }] },
  ];
  for (const seccomp of filters) {
    const linux = seccomp ? { seccomp: seccomp as Seccomp } : {};
    const all = { mounts, linux: { namespaces: ownNamespaces, ...linux }, process: { capabilities } };
    assert.is(container.create('exec python3 /watch/watcher.py', all).status, 0);
    assert.is(container.tsrun(['start', container.id]).status, 0);
    const caller = ['bash', '-c', 'exec 9</etc/shadow; exec "$@"', 'bash', ...slowly];
    const exec = ['exec', '--user', '1000:1000', '--cap', 'CAP_KILL', container.id];
    for (let round = 0; round < 3; round++) assert.is(container.tsrun([...exec, 'true'], caller).status, 0);
    const { output } = container.tsrun([...exec, 'sort', '/dev/shm/seen']);
    const lines = output
      .split('\n')
      .filter((line) => !/^fd[012] /.test(line))
      .map((line) => line.replace(/socket:\[\d+\]/, 'socket'));
    assert.match(output, /^fd0 /m, 'the watcher has seen it');
    const rights = `0000000000${(0x80022).toString(16).padStart(6, '0')}`;
    assert.equal(
      [...new Set(lines)],
      [
        `CapBnd: ${rights}`,
        `CapPrm: ${rights}`,
        'Gid: 1000 1000 1000 1000',
        'Groups:',
        'Uid: 1000 1000 1000 1000',
        'cwd /',
        'fd3 socket',
        'root /',
      ],
    );
    container.tsrun(['delete', '--force', container.id]);
  }
});

test('CVE-2016-9962 (S24): a container that waits for start shows its two fifos and nothing else of the host’s', (container) => {
  const watching = ['CAP_SYS_PTRACE'];
  assert.is(container.create('true', { process: { capabilities: { bounding: watching } } }).status, 0);
  const look = [
    'exec',
    '--cap',
    'CAP_SYS_PTRACE',
    container.id,
    'sh',
    '-c',
    'readlink /proc/1/cwd /proc/1/root /proc/1/fd/*',
  ];
  const { output, errors } = container.tsrun(look);
  const state = join(container.folder, 'state', container.id);
  const expected = [
    '/',
    '/',
    ...['null', 'log', 'log'].map((name) => (name === 'log' ? join(container.folder, name) : `/dev/${name}`)),
  ];
  assert.equal(output.split('\n').sort(), [...expected, `${state}/exec.fifo`, `${state}/reply.fifo`].sort(), errors);
});

test('CVE-2021-43784 (S37): a text longer than 64 KiB stays in its field', (container) => {
  const long = 'x'.repeat(70_000);
  const process = {
    env: ['PATH=/usr/bin:/bin', `LONG=${long}`],
    args: ['/bin/sh', '-c', 'printf %s "$LONG" | wc -c; printf %s "$1" | wc -c; echo $2', 'sh', long, 'end'],
  };
  assert.is(container.run('', { process }).output, '70000\n70000\nend');
});

advisories.run();
