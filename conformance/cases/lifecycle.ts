import { existsSync, readFileSync } from 'node:fs';
import { readJsonSync, writeJsonSync } from 'fs-extra/esm';
import { type Add, type Case, expect, same, topic } from '../harness.js';

function addState(test: Add): void {
  const shows = ['runtime.state.returns', 'runtime.state.status', 'runtime.operations'];
  test('state-created', shows, async (box) => {
    await box.created('sleep 30');
    same(await box.status(), 'created', 'status');
  });
  test('state-running', shows, async (box) => {
    await box.started('sleep 30');
    await box.untilStatus('running');
  });
  test('state-stopped', shows, async (box) => {
    await box.started('true');
    await box.untilStatus('stopped');
  });
  test('state-has-the-required-properties', ['runtime.state.schema'], async (box) => {
    await box.created('sleep 30');
    const state = await box.state();
    for (const key of ['ociVersion', 'id', 'status', 'bundle'])
      expect(typeof state[key] === 'string', `${key}: ${JSON.stringify(state[key])}`);
    expect(Number.isInteger(state.pid), `pid: ${JSON.stringify(state.pid)}`);
  });
  test('state-ociVersion-is-semver', ['runtime.state.schema'], async (box) => {
    await box.created('sleep 30');
    const { ociVersion } = await box.state();
    expect(/^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$/.test(String(ociVersion)), String(ociVersion));
  });
  test('state-id-and-bundle', ['runtime.state.annotations'], async (box) => {
    await box.created('sleep 30');
    const { id, bundle } = await box.state();
    same([id, bundle], [box.id, box.bundle], 'id and bundle');
  });
  test('state-annotations', ['runtime.state.annotations'], async (box) => {
    const annotations = { 'com.example.key': 'value', other: 'a=b', __proto: 'x', empty: '' };
    await box.created('sleep 30', { '/annotations': annotations });
    same(
      Object.entries((await box.state()).annotations ?? {}).sort(),
      Object.entries(annotations).sort(),
      'annotations',
    );
  });
  test('state-no-annotations', ['runtime.state.annotations'], async (box) => {
    await box.created('sleep 30');
    const { annotations } = await box.state();
    expect(annotations === undefined || Object.keys(annotations as object).length === 0, JSON.stringify(annotations));
  });
  test('state-pid-of-created', ['runtime.state.pid'], async (box) => {
    await box.created('sleep 30');
    const { pid } = await box.state();
    expect(existsSync(`/proc/${pid}`), `no process ${pid}`);
    same(readFileSync(box.path('pid'), 'utf8'), String(pid), 'pid file');
  });
  test('state-pid-of-running', ['runtime.state.pid'], async (box) => {
    await box.started('exec sleep 31');
    const { pid } = await box.state();
    await box.until('the program', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('sleep\x0031'));
  });
  test('state-of-unknown', ['runtime.state.unknown'], (box) => box.error('state', 'nosuch').then(() => undefined));
  test('state-without-id', ['runtime.state.needs-id'], (box) => box.error('state').then(() => undefined));
  test('list-names-it', ['runtime.scope'], async (box) => {
    await box.created('sleep 30');
    expect((await box.ok('list', '-q')).stdout.split('\n').includes(box.id), 'it is not listed');
  });
}

function addCreateAndStart(test: Add): void {
  test('create-does-not-run-the-program', ['runtime.lifecycle.not-run', 'runtime.create.args-later'], async (box) => {
    await box.created('echo ran');
    await new Promise((done) => setTimeout(done, 150));
    same(box.output(), '', 'output after create');
    await box.ok('start', box.id);
    await box.untilOutput('ran');
  });
  test(
    'start-runs-the-program',
    ['runtime.lifecycle.program', 'runtime.start.runs', 'runtime.operations'],
    async (box) => {
      await box.started('echo ran');
      await box.untilOutput('ran');
    },
  );
  test('create-applies-the-mounts', ['runtime.create.properties', 'runtime.create.new'], async (box) => {
    await box.created('true', { '/mounts/-': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs' } });
    const { pid } = await box.state();
    expect(readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(' /mnt '), 'no mount on /mnt before start');
  });
  test('create-applies-the-host-name', ['runtime.create.properties'], async (box) => {
    await box.created('true', { '/hostname': 'early' });
    const out = await box.spawned('nsenter', ['--uts', '-t', String((await box.state()).pid), 'hostname']);
    same(out.stdout.trim(), 'early', 'host name before start');
  });
  test('config-edits-after-create', ['runtime.lifecycle.config-edits'], async (box) => {
    await box.created('echo first');
    box.configure('echo second');
    await box.ok('start', box.id);
    await box.untilOutput('first');
  });
  test('config-broken-after-create', ['runtime.lifecycle.config-edits'], async (box) => {
    await box.created('echo first');
    box.configureText('{');
    await box.ok('start', box.id);
    await box.untilOutput('first');
    await box.untilStatus('stopped');
    await box.ok('delete', box.id);
  });
  test('config-removed-after-create', ['runtime.lifecycle.config-edits'], async (box) => {
    await box.created('echo first');
    await box.spawned('rm', [`${box.bundle}/config.json`]);
    await box.ok('start', box.id);
    await box.untilOutput('first');
    await box.untilStatus('stopped');
    await box.ok('delete', box.id);
  });
  test('create-without-id', ['runtime.create.needs-arguments'], async (box) => {
    box.configure('true');
    await box.error('create', '--bundle', box.bundle);
  });
  test('create-of-no-bundle', ['runtime.create.needs-arguments'], (box) =>
    box.error('create', '--bundle', box.path('nosuch'), 'x').then(() => undefined),
  );
  test('create-of-empty-bundle', ['runtime.create.needs-arguments', 'runtime.errors.clean'], (box) =>
    box.refusedBundle(),
  );
  test('start-without-id', ['runtime.start.needs-id'], (box) => box.error('start').then(() => undefined));
  test('start-of-unknown', ['runtime.start.not-created'], (box) => box.error('start', 'nosuch').then(() => undefined));
  test('start-of-running', ['runtime.start.not-created'], async (box) => {
    await box.started('echo once; sleep 30');
    await box.untilOutput('once');
    await box.error('start', box.id);
    same([await box.status(), box.output()], ['running', 'once\n'], 'status and output');
  });
  test('start-of-stopped', ['runtime.start.not-created'], async (box) => {
    await box.started('echo once');
    await box.untilStatus('stopped');
    await box.error('start', box.id);
    same([await box.status(), box.output()], ['stopped', 'once\n'], 'status and output');
  });
  test('start-of-killed-created', ['runtime.start.not-created'], async (box) => {
    await box.created('echo ran');
    await box.ok('kill', box.id, 'KILL');
    await box.untilStatus('stopped');
    await box.error('start', box.id);
    same(box.output(), '', 'output');
  });
  test('start-twice-at-once', ['runtime.start.not-created'], async (box) => {
    await box.created('echo once; sleep 30');
    const results = await Promise.all([box.command(['start', box.id]), box.command(['start', box.id])]);
    same(results.filter((result) => result.code === 0).length, 1, 'successful starts');
    await box.untilOutput('once');
    same(box.output(), 'once\n', 'output');
  });
  test('no-process', ['runtime.start.no-process'], async (box) => {
    await box.works();
    box.configure('true', { '/process': undefined });
    const created = await box.create();
    if (created.code === 0) await box.error('start', box.id);
  });
  test('no-process-before-start', ['config.process.required-at-start', 'runtime.errors.clean'], async (box) => {
    const hook = { path: '/bin/touch', args: ['touch', '/tmp/hook'] };
    const mount = { destination: '/mnt', type: 'tmpfs', source: 'tmpfs' };
    await box.created('true', { '/process': undefined, '/hooks': { startContainer: [hook] }, '/mounts/-': mount });
    const { pid } = await box.state();
    expect(readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(' /mnt '), 'no mount on /mnt');
    await box.error('start', box.id);
    same(await box.status(), 'created', 'status after start');
    expect(!existsSync(`${box.rootfs}/tmp/hook`), 'the startContainer hook ran');
    await box.ok('kill', box.id, 'KILL');
    await box.untilStatus('stopped');
    await box.ok('delete', box.id);
    same(box.leftovers(), [], 'left behind');
  });
}

function addKillAndDelete(test: Add): void {
  test('kill-without-id', ['runtime.kill.needs-id'], (box) => box.error('kill').then(() => undefined));
  test('kill-of-unknown', ['runtime.kill.not-running'], (box) =>
    box.error('kill', 'nosuch', 'TERM').then(() => undefined),
  );
  test('kill-of-stopped', ['runtime.kill.not-running', 'runtime.operations'], async (box) => {
    await box.started('true');
    await box.untilStatus('stopped');
    await box.error('kill', box.id, 'TERM');
    same(await box.status(), 'stopped', 'status');
  });
  test('delete-without-id', ['runtime.delete.needs-id'], (box) => box.error('delete').then(() => undefined));
  test('delete-of-unknown', ['runtime.delete.not-stopped'], (box) =>
    box.error('delete', 'nosuch').then(() => undefined),
  );
  test(
    'delete-of-stopped',
    ['runtime.delete.resources', 'runtime.lifecycle.destroyed', 'runtime.operations'],
    async (box) => {
      await box.started('true');
      await box.untilStatus('stopped');
      await box.ok('delete', box.id);
      await box.error('state', box.id);
      same(box.leftovers(), [], 'left behind');
    },
  );
  test('delete-of-running', ['runtime.delete.not-stopped'], async (box) => {
    await box.started('sleep 30');
    await box.error('delete', box.id);
    same(await box.status(), 'running', 'status');
  });
  test('delete-of-created', ['runtime.delete.not-stopped'], async (box) => {
    await box.created('echo ran');
    await box.error('delete', box.id);
    same(await box.status(), 'created', 'status');
    await box.ok('start', box.id);
    await box.untilOutput('ran');
  });
  test('delete-force-of-created', [], async (box) => {
    await box.created('sleep 30');
    const { pid } = await box.state();
    await box.ok('delete', '--force', box.id);
    await box.until('the process gone', () => !existsSync(`/proc/${pid}`));
    same(box.leftovers(), [], 'left behind');
  });
  test('delete-force-of-running', [], async (box) => {
    await box.started('sleep 30');
    const { pid } = await box.state();
    await box.ok('delete', '--force', box.id);
    await box.until('the process gone', () => !existsSync(`/proc/${pid}`));
    same(box.leftovers(), [], 'left behind');
  });
  test('delete-force-of-unknown', [], async (box) => {
    await box.error('delete', 'nosuch');
    await box.ok('delete', '--force', 'nosuch');
  });
  test('delete-twice', ['runtime.delete.not-stopped'], async (box) => {
    await box.started('true');
    await box.untilStatus('stopped');
    await box.ok('delete', box.id);
    await box.error('delete', box.id);
  });
  test('delete-keeps-the-bundle', ['runtime.delete.others'], async (box) => {
    await box.sh('echo x >/tmp/kept');
    same(box.read(`${box.rootfs}/tmp/kept`), 'x', 'content');
    expect(existsSync(`${box.bundle}/config.json`), 'config.json is gone');
  });
  test('delete-ends-children-without-pid-namespace', ['runtime.delete.resources'], async (box) => {
    const list = [{ type: 'mount' }, { type: 'uts' }, { type: 'ipc' }];
    await box.started('sleep 654 & echo up; exec sleep 30', { '/linux/namespaces': list });
    await box.untilOutput('up');
    await box.ok('delete', '--force', box.id);
    const left = (
      await box.spawned('sh', ['-c', "grep -lz '^654$' /proc/[0-9]*/cmdline 2>/dev/null || true"])
    ).stdout.trim();
    same(left, '', 'children');
  });
}

function addExec(test: Add): void {
  test('exec-runs-inside', [], async (box) => {
    await box.started('sleep 30', { '/hostname': 'inside' });
    same((await box.ok('exec', box.id, 'hostname')).stdout.trim(), 'inside', 'host name');
  });
  for (const code of [0, 1, 7, 255]) {
    test(`exec-exit-status-${code}`, [], async (box) => {
      await box.started('sleep 30');
      const result = await box.command(['exec', box.id, 'sh', '-c', `echo ran; exit ${code}`]);
      same([result.code, result.stdout], [code, 'ran\n'], 'exit status and output');
    });
  }
  test('exec-process-file', [], async (box) => {
    await box.started('sleep 30');
    const process = {
      user: { uid: 5, gid: 6 },
      args: ['sh', '-c', 'echo $(id -u) $(pwd) $A'],
      env: ['PATH=/bin', 'A=b'],
      cwd: '/tmp',
    };
    writeJsonSync(box.path('process.json'), process);
    same(
      (await box.ok('exec', '--process', box.path('process.json'), box.id)).stdout.trim(),
      '5 /tmp b',
      'user, folder and variable',
    );
  });
  test('exec-env-cwd-user', [], async (box) => {
    await box.started('sleep 30');
    const result = await box.ok(
      'exec',
      '--env',
      'A=b',
      '--cwd',
      '/tmp',
      '--user',
      '5:6',
      box.id,
      'sh',
      '-c',
      'echo $(id -u):$(id -g) $(pwd) $A',
    );
    same(result.stdout.trim(), '5:6 /tmp b', 'user, folder and variable');
  });
  test('exec-of-stopped', [], async (box) => {
    await box.started('true');
    await box.untilStatus('stopped');
    await box.error('exec', box.id, 'true');
  });
  test('exec-missing-program', [], async (box) => {
    await box.started('sleep 30');
    await box.error('exec', box.id, 'nosuch');
    same(await box.status(), 'running', 'status');
  });
  for (const slug of ['version', 'help']) {
    test(`option-${slug}`, [], async (box) => {
      const result = await box.spawned(box.runtime, [`--${slug}`]);
      expect(result.code === 0 && result.stdout !== '', `exit status ${result.code}`);
    });
  }
  test('unknown-command', [], (box) => box.error('nosuchcommand').then(() => undefined));
  test('spec-gives-a-config-that-runs', [], async (box) => {
    await box.spawned('rm', ['-f', `${box.bundle}/config.json`]);
    await box.ok('spec', '--bundle', box.bundle);
    const config = readJsonSync(`${box.bundle}/config.json`);
    config.process.terminal = false;
    config.process.args = ['/bin/echo', 'well'];
    config.linux.cgroupsPath = box.cgroup;
    config.mounts = config.mounts.filter((mount: { type: string }) => mount.type !== 'cgroup');
    box.configureText(JSON.stringify(config));
    const result = await box.runBundle();
    same(
      [result.code, result.stdout.trim()],
      [0, 'well'],
      `exit status and output (${result.stderr.trim().slice(0, 200)})`,
    );
  });
}

const ids = [{ containerID: 0, hostID: 100000, size: 65536 }];
const mappedUser = {
  '/linux/namespaces': [{ type: 'pid' }, { type: 'mount' }, { type: 'user' }],
  '/linux/uidMappings': ids,
  '/linux/gidMappings': ids,
};

export function lifecycleCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('lifecycle', cases);
  // A host whose mounts are all nosuid: nothing of the runtime may count on setuid bits or file capabilities.
  for (const [slug, changes] of [
    ['nosuid-host', {}],
    ['nosuid-host-user-namespace', mappedUser],
  ] as const) {
    test(slug, ['runtime.operations'], async (box) => {
      // All in one mount namespace: the emulated machine takes seconds to remount everything.
      const script = `awk '{ print $5 }' /proc/self/mountinfo | while read -r m; do mount -o remount,bind,nosuid "$m"; done 2>/dev/null
set -e
[ -z "$(awk '$5 == "/" && $6 !~ /nosuid/' /proc/self/mountinfo)" ]
create='create --bundle . ID' start='start ID' exec='exec ID true' delete='delete --force ID'
for words in "$create" "$start" "$exec" "$delete"; do echo "$words"; "$@" \${words//ID/${box.id}} </dev/null >&2; done
sed -i 's/sleep 600/echo well/' config.json
"$@" run --bundle . ${box.id}`;
      await box.created('sleep 600', changes); // known to the box, which looks for what is left of it
      await box.ok('delete', '--force', box.id);
      const words = ['--mount', 'bash', '-c', script, 'bash', box.runtime, '--root', box.root];
      const result = await box.spawned('unshare', words);
      expect(result.code === 0, `${result.code} after '${result.stdout.trim()}': ${result.stderr.trim()}`);
      expect(result.stdout.endsWith('well\n'), result.stdout);
    });
  }
  addState(test);
  addCreateAndStart(test);
  addKillAndDelete(test);
  addExec(test);
  return cases;
}
