// What only a host with every capability and AppArmor can show: the VM has both, containers and sandboxes usually lack one.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type Add, type Box, same, skip } from '../harness.js';

const sysResource = 24n;

function needsSysResource(): void {
  const own = /CapEff:\s*([0-9a-f]+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  if (((BigInt(`0x${own}`) >> sysResource) & 1n) === 0n) skip('CAP_SYS_RESOURCE is missing here');
}

export function addOomScores(test: Add): void {
  for (const value of [-1, -500, -1000]) {
    test(`oomScoreAdj-${value}`, ['config.process.oom-set'], async (box) => {
      needsSysResource();
      const changes = { '/process/oomScoreAdj': value };
      same(await box.sh('cat /proc/self/oom_score_adj', changes), String(value), 'oom_score_adj');
    });
  }
}

/** Hard limits above those of the runtime, which is started with low ones. */
export function addRaisedLimits(test: Add): void {
  for (const [type, flag, soft, hard] of [
    ['NOFILE', 'n', 600, 700],
    ['CORE', 'c', 4096, 8192],
    ['MEMLOCK', 'l', 1048576, 2097152],
  ] as const) {
    test(`${type}-above-that-of-the-runtime`, ['config.rlimits.soft', 'config.rlimits.hard'], async (box) => {
      needsSysResource();
      box.configure(`echo $(ulimit -S${flag}) $(ulimit -H${flag})`, {
        '/process/rlimits': [{ type: `RLIMIT_${type}`, soft, hard }],
      });
      const low = { NOFILE: 256, CORE: 1, MEMLOCK: 64 }[type];
      const wrapper = ['bash', '-c', `ulimit -S${flag} ${low} && ulimit -H${flag} ${low} && exec "$@"`, 'bash'];
      const result = await box.command(['run', '--bundle', box.bundle, box.id], { wrapper });
      // ulimit counts in blocks of 512 (core) or 1024 bytes (memory).
      const unit = { NOFILE: 1, CORE: 512, MEMLOCK: 1024 }[type];
      same(result.stdout.trim(), `${soft / unit} ${hard / unit}`, `limits (${result.stderr.trim().slice(0, 200)})`);
    });
  }
}

/** The two limits that are zero unless somebody raises them. */
export function addPriorityLimits(test: Add): void {
  for (const [type, title] of [
    ['NICE', 'Max nice priority'],
    ['RTPRIO', 'Max realtime priority'],
  ] as const) {
    test(`${type}-above-that-of-the-runtime`, ['config.rlimits.soft', 'config.rlimits.hard'], async (box) => {
      needsSysResource();
      const rlimits = [{ type: `RLIMIT_${type}`, soft: 5, hard: 10 }];
      const out = await box.sh(`grep '${title}' /proc/self/limits`, { '/process/rlimits': rlimits });
      same(out.slice(title.length).trim().split(/\s+/), ['5', '10'], 'soft and hard limit');
    });
  }
}

/** A profile that allows all but writing to one file; loaded for the time of the case. */
function loadProfile(box: Box): string {
  if (!existsSync('/sys/kernel/security/apparmor/.load')) skip('no AppArmor here');
  const name = `conformance-${box.id}`;
  const rules = 'file, capability, network, mount, umount, pivot_root, signal, ptrace, unix, dbus, deny /tmp/denied w,';
  writeFileSync(box.path('profile'), `profile ${name} flags=(attach_disconnected) { ${rules} }\n`);
  const loaded = spawnSync('apparmor_parser', ['--add', '--skip-cache', box.path('profile')], { encoding: 'utf8' });
  if (loaded.status !== 0) skip(`apparmor_parser: ${loaded.stderr ?? loaded.error?.message}`);
  box.later(() => spawnSync('apparmor_parser', ['--remove', box.path('profile')]));
  return name;
}

export function addAppArmor(test: Add): void {
  const probe = 'cat /proc/self/attr/current; touch /tmp/denied 2>/dev/null || echo refused';
  test('apparmor-profile', [], async (box) => {
    const name = loadProfile(box);
    const out = await box.sh(probe, { '/process/apparmorProfile': name });
    same(out.split('\n'), [`${name} (enforce)`, 'refused'], 'profile, and writing');
  });
  test('apparmor-profile-of-exec', [], async (box) => {
    const name = loadProfile(box);
    await box.started('sleep 30', { '/process/apparmorProfile': name });
    const { stdout } = await box.ok('exec', box.id, 'sh', '-c', probe);
    same(stdout.trim().split('\n'), [`${name} (enforce)`, 'refused'], 'profile, and writing');
  });
  test('apparmor-profile-of-exec-alone', [], async (box) => {
    const name = loadProfile(box);
    await box.started('sleep 30');
    const own = await box.ok('exec', '--apparmor', name, box.id, 'sh', '-c', probe);
    same(own.stdout.trim().split('\n'), [`${name} (enforce)`, 'refused'], 'profile, and writing');
    const other = await box.ok('exec', box.id, 'sh', '-c', probe);
    same(other.stdout.trim(), 'unconfined', 'an exec without one');
  });
  test('apparmor-profile-with-no-new-privileges', [], async (box) => {
    const name = loadProfile(box);
    await box.started('sleep 30', { '/process/apparmorProfile': name, '/process/noNewPrivileges': true });
    const { stdout } = await box.ok('exec', box.id, 'sh', '-c', probe);
    same(stdout.trim().split('\n'), [`${name} (enforce)`, 'refused'], 'profile, and writing');
  });
  test('apparmor-profile-of-a-hook', [], async (box) => {
    const name = loadProfile(box);
    const hook = { path: '/bin/sh', args: ['sh', '-c', 'cat /proc/self/attr/current >/tmp/label'] };
    const changes = { '/process/apparmorProfile': name, '/hooks': { startContainer: [hook] } };
    same((await box.sh('cat /tmp/label', changes)).trim(), `${name} (enforce)`, 'profile of a startContainer hook');
  });
  test('apparmor-profile-missing', ['runtime.create.cannot-apply', 'runtime.errors.clean'], (box) =>
    box.refused({ '/process/apparmorProfile': 'no-such-profile-is-loaded' }),
  );
}

/**
 * Without a policy the kernel knows the labels of its own by name and enforces nothing: enough to see who has which.
 * The VM: VM_APPEND="quiet selinux=1 lsm=selinux,capability".
 */
function needsBareSelinux(box: Box): void {
  const place = '/sys/fs/selinux';
  if (!existsSync(place)) skip('no SELinux here');
  if (!existsSync(`${place}/enforce`)) {
    if (spawnSync('mount', ['-t', 'selinuxfs', 'selinuxfs', place]).status !== 0) skip('no selinuxfs here');
    box.later(() => spawnSync('umount', [place]));
  }
  if (!readFileSync('/proc/self/attr/current', 'utf8').startsWith('kernel')) skip('SELinux has a policy here');
}

export function addSelinux(test: Add): void {
  const probe = "tr -d '\\0' </proc/self/attr/current; echo";
  test('selinux-label', [], async (box) => {
    needsBareSelinux(box);
    same(await box.sh(probe, { '/process/selinuxLabel': 'port' }), 'port', 'label');
  });
  test('selinux-label-of-exec', [], async (box) => {
    needsBareSelinux(box);
    await box.started('sleep 30', { '/process/selinuxLabel': 'port' });
    same((await box.ok('exec', box.id, 'sh', '-c', probe)).stdout.trim(), 'port', 'that of the container');
    const own = await box.ok('exec', '--process-label', 'netif', box.id, 'sh', '-c', probe);
    same(own.stdout.trim(), 'netif', 'one of its own');
  });
  test('selinux-label-of-a-hook', [], async (box) => {
    needsBareSelinux(box);
    const hook = { path: '/bin/sh', args: ['sh', '-c', `{ ${probe}; } >/tmp/label`] };
    const changes = { '/process/selinuxLabel': 'port', '/hooks': { startContainer: [hook] } };
    same((await box.sh('cat /tmp/label', changes)).trim(), 'port', 'label of a startContainer hook');
  });
}
