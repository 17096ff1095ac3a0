// Names, scheduling and clocks as the program sees them. The real kernel, through dist/tsrun. Needs root.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import type { Linux, Namespace, Process, Spec } from '../bundle/types.js';
import { containerSuite } from './test-container.js';

const { tests, test } = containerSuite('attributes');
const namespaces = (...types: string[]): Namespace[] => types.map((type) => ({ type })) as Namespace[];
const process_ = (changes: object): { process: Partial<Process> } => ({ process: changes as Partial<Process> });
const linux = (changes: object): { linux: Partial<Linux> } => ({ linux: changes as Partial<Linux> });
/** Field of /proc/self/stat of the program itself. */
const stat = (field: number): string => `read -r line </proc/self/stat; set -- $line; echo \${${field}}`;

test('hostname and domainname are those of the config', (container) => {
  const spec = { hostname: 'web', domainname: 'example.org' } as Partial<Spec>;
  const ran = container.run('cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname', { spec });
  assert.equal(ran, { status: 0, output: 'web\nexample.org', errors: '' });
});

test('personality LINUX32 makes it a 32-bit machine, with LINUX it stays what it is', (container) => {
  const script = 'cat /proc/self/personality; uname -m';
  const { output } = container.run(
    script,
    linux({ namespaces: namespaces('mount', 'pid'), personality: { domain: 'LINUX32' } }),
  );
  assert.match(output, /^00000008\n(i686|armv8l)$/);
  const plain = container.run(
    script,
    linux({ namespaces: namespaces('mount', 'pid'), personality: { domain: 'LINUX' } }),
  );
  assert.match(plain.output, /^00000000\n(x86_64|aarch64)$/);
});

test('the scheduler is set with all its parameters', (container) => {
  const batch = { policy: 'SCHED_BATCH', nice: 7 };
  assert.is(container.run(`${stat(41)}; ${stat(19)}`, process_({ scheduler: batch })).output, '3\n7');
  const idle = { policy: 'SCHED_IDLE' };
  assert.is(container.run(stat(41), process_({ scheduler: idle })).output, '5');
  const deadline = {
    policy: 'SCHED_DEADLINE',
    runtime: 1_000_000,
    deadline: 5_000_000,
    period: 10_000_000,
    flags: ['SCHED_FLAG_RESET_ON_FORK'],
  };
  const ran = container.run(`${stat(41)}; chrt -p $$`, process_({ scheduler: deadline }));
  assert.match(
    ran.output,
    /^6\n(?:.|\n)*SCHED_DEADLINE\|SCHED_RESET_ON_FORK(?:.|\n)*1000000\/5000000\/10000000/,
    ran.errors,
  );
});

test('a real-time policy takes its priority', (container) => {
  const fifo = { policy: 'SCHED_FIFO', priority: 12 };
  const ran = container.run(`${stat(41)}; ${stat(40)}`, process_({ scheduler: fifo }));
  // A v1 cpu cgroup without rt_runtime forbids it, to everybody.
  if (ran.status !== 0) assert.match(ran.errors, /\/process\/scheduler\): scheduler SCHED_FIFO: EPERM/);
  else assert.is(ran.output, '1\n12');
});

test('the I/O priority is set', (container) => {
  const show = 'ionice -p $$';
  const best = process_({ ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 6 } });
  assert.is(container.run(show, best).output, 'best-effort: prio 6');
  assert.is(container.run(show, process_({ ioPriority: { class: 'IOPRIO_CLASS_IDLE', priority: 0 } })).output, 'idle');
});

const noNuma = existsSync('/proc/self/numa_maps') ? undefined : 'the kernel has no NUMA';
test(
  'the memory policy holds for the program',
  (container) => {
    const show = "cut -d' ' -f2 /proc/self/numa_maps | sort | uniq -c | sort -rn | head -1 | sed 's/^ *[0-9]* //'";
    const policy = (memoryPolicy: object) => linux({ namespaces: namespaces('mount', 'pid'), memoryPolicy });
    assert.is(container.run(show, policy({ mode: 'MPOL_BIND', nodes: '0' })).output, 'bind:0');
    const preferred = { mode: 'MPOL_PREFERRED', nodes: '0', flags: ['MPOL_F_STATIC_NODES'] };
    assert.is(container.run(show, policy(preferred)).output, 'prefer=static:0');
    assert.is(container.run(show, policy({ mode: 'MPOL_INTERLEAVE', nodes: '0' })).output, 'interleave:0');
    assert.is(container.run(show, policy({ mode: 'MPOL_LOCAL' })).output, 'local');
    assert.is(container.run(show, policy({ mode: 'MPOL_DEFAULT' })).output, 'default');
    const beyond = container.run(show, policy({ mode: 'MPOL_BIND', nodes: '1000' }));
    assert.match(beyond.errors, /\/linux\/memoryPolicy\): memory policy MPOL_BIND on nodes 1000: EINVAL/);
  },
  noNuma,
);

test('execCPUAffinity is for exec, its final list for the program', (container) => {
  const show = 'grep Cpus_allowed_list /proc/self/status';
  const affinity = process_({ execCPUAffinity: { initial: '0', final: '0' } });
  assert.equal(container.create(`${show}; exec sleep 20`, affinity).errors, '');
  container.tsrun(['start', container.id]);
  const ran = container.tsrun(['exec', container.id, '/bin/sh', '-c', show]);
  assert.equal([ran.status, ran.output.replace(/\s+/, ' ')], [0, 'Cpus_allowed_list: 0'], ran.errors);
  const own = spawnSync('sh', ['-c', show], { encoding: 'utf8' }).stdout.trim();
  const pid = JSON.parse(container.tsrun(['state', container.id]).output).pid;
  const init = spawnSync('grep', ['Cpus_allowed_list', `/proc/${pid}/status`], { encoding: 'utf8' }).stdout.trim();
  assert.is(init, own);
});

test('S45: what the caller is pinned to holds neither for the container nor for an exec', (container) => {
  const all = readFileSync('/proc/self/status', 'utf8').match(/Cpus_allowed_list:\s*(.*)/)![1]!;
  const first = all.split(/[-,]/)[0]!;
  if (first === all) return; // a machine with one CPU cannot tell
  const show = 'grep Cpus_allowed_list /proc/self/status | tr -d "\\t " | cut -d: -f2';
  const pinned = ['taskset', '-c', first];
  assert.is(container.run(show, {}, pinned).output, all);
  container.prepare('exec sleep 20');
  const apart = ['sh', '-c', `exec ${pinned.join(' ')} "$@" >/dev/null 2>&1 </dev/null`, 'sh'];
  assert.is(container.tsrun(['run', '-d', '--bundle', container.folder, container.id], apart).status, 0);
  const exec = (): string => container.tsrun(['exec', container.id, '/bin/sh', '-c', show], pinned).output;
  assert.is(exec(), all);
  assert.is(exec(), all);
  assert.is(exec(), all, 'from a kept plan');
  if (!container.tsrun(['update', '--cpuset-cpus', first, container.id]).errors) assert.is(exec(), first);
});

test('time offsets move the clocks of the container alone', (container) => {
  const offsets = { monotonic: { secs: 100_000, nanosecs: 5 }, boottime: { secs: 864_000 } };
  const changes = linux({ namespaces: namespaces('mount', 'pid', 'time'), timeOffsets: offsets });
  const ran = container.run('cat /proc/self/timens_offsets; cut -d. -f1 /proc/uptime', changes);
  const [monotonic, boottime, uptime] = ran.output.split('\n');
  assert.match(monotonic!, /^monotonic +100000 +5$/, ran.errors);
  assert.match(boottime!, /^boottime +864000 +0$/);
  const host = Number(spawnSync('cut', ['-d.', '-f1', '/proc/uptime'], { encoding: 'utf8' }).stdout);
  const ahead = Number(uptime) - host;
  assert.ok(ahead > 863_000 && ahead < 865_000, `${ahead}`);
  // Backwards only as far as the clock has gone: else the kernel says ERANGE.
  const wrong = { ...changes.linux, timeOffsets: { boottime: { secs: -4_000_000_000 } } };
  assert.match(container.run('true', linux(wrong)).errors, /\/linux\/timeOffsets\):.*ERANGE/);
});

test('all of them survive the loss of privileges', (container) => {
  const all = {
    user: { uid: 1000, gid: 1000 },
    noNewPrivileges: true,
    scheduler: { policy: 'SCHED_BATCH', nice: -3 },
    ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 1 },
  };
  const ran = container.run(`id -u; ${stat(41)}; ${stat(19)}; ionice -p $$`, process_(all));
  assert.is(ran.output, '1000\n3\n-3\nbest-effort: prio 1', ran.errors);
});

tests.run();
