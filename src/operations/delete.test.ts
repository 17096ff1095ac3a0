import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Failure, TsrunError } from '../errors/error.js';
import type { Hook, State } from '../generated/config-types.js';
import { encodeProvisional } from '../state/record.js';
import { startTimeOf } from '../state/status.js';
import { cleanUp, createContainer, draftOf, makeRoot, publish, startProcess, until } from '../state/test-container.js';
import type { CgroupRecord } from '../tables/cgroup.js';
import { type DeleteTools, deleteContainer } from './delete.js';
import { FakeCgroups, someCgroup } from './test-tools.js';

test.after(cleanUp);

const gone = { pid: 2 ** 22 + 1, startTime: 1 };
const sharedPidns = [{ type: 'mount' }];
const withCgroup = (change = {}) => draftOf('web', { cgroup: someCgroup, ...change });

function makeTools(change: Partial<DeleteTools> = {}) {
  const cgroups = new FakeCgroups();
  const warnings: Failure[] = [];
  const hooks: [readonly Hook[], State, string][] = [];
  const runHooks = (...call: [readonly Hook[], State, string]) => void hooks.push(call);
  const tools: DeleteTools = { cgroups, runHooks, warn: (failure) => void warnings.push(failure), ...change };
  return { tools, cgroups, warnings, hooks };
}

const messageOf = async (call: Promise<void>): Promise<string> =>
  call.then(
    () => '',
    (error: Error) => error.message,
  );

test('a stopped container goes: cgroup, state, then the poststop hooks with its last state', async () => {
  const root = makeRoot();
  const hook = { path: '/bin/true' };
  publish(root, withCgroup({ hooks: { poststop: [hook] } }), gone);
  const { tools, cgroups, hooks, warnings } = makeTools({
    runHooks: (list, state, pointer) => {
      assert.not(existsSync(`${root}/web`), 'the state is gone before the hook runs');
      hooks.push([list, state, pointer]);
    },
  });
  await deleteContainer(root, 'web', false, tools);
  assert.equal(cgroups.calls, ['remove tsrun-test/web']);
  assert.is(hooks.length, 1);
  assert.equal(hooks[0]?.[0], [hook]);
  assert.is(hooks[0]?.[1].status, 'stopped');
  assert.is(hooks[0]?.[1].pid, 0);
  assert.equal(warnings, []);
});

test('the unit of a container ends before its cgroups go, and a silent bus is a warning', async () => {
  for (const busError of [undefined, new TsrunError({ code: 'TSR_BUS_CONNECT', message: 'no bus' })]) {
    const root = makeRoot();
    const unit = { name: 'test-web.scope', slice: 'system.slice', user: false };
    publish(root, draftOf('web', { cgroup: { ...someCgroup, driver: 'systemd', unit } }), gone);
    const { tools, cgroups, warnings } = makeTools({
      stopUnit: async (cgroup) => {
        cgroups.calls.push(`stop ${cgroup.unit?.name}`);
        if (busError) throw busError;
      },
    });
    await deleteContainer(root, 'web', false, tools);
    assert.equal(cgroups.calls, ['stop test-web.scope', 'remove tsrun-test/web']);
    assert.equal(
      warnings.map(({ code }) => code),
      busError ? ['TSR_BUS_CONNECT'] : [],
    );
  }
});

test('a failed poststop hook is a warning, and the next one runs', async () => {
  const root = makeRoot();
  publish(root, withCgroup({ hooks: { poststop: [{ path: '/a' }, { path: '/b' }] } }), gone);
  const ran: string[] = [];
  const { tools, warnings } = makeTools({
    runHooks: ([hook], _state, _pointer, first) => {
      ran.push(`${first} ${hook!.path}`);
      if (hook!.path === '/a') throw new TsrunError({ code: 'TSR_TEST', message: 'hook failed' });
    },
  });
  await deleteContainer(root, 'web', false, tools);
  assert.equal(ran, ['0 /a', '1 /b']);
  assert.equal(warnings, [{ code: 'TSR_TEST', message: 'hook failed' }]);
});

test('a created container is left alone without force, and killed with it', async () => {
  const root = makeRoot();
  const init = createContainer(root, withCgroup());
  const { tools } = makeTools();
  assert.is(
    await messageOf(deleteContainer(root, 'web', false, tools)),
    'cannot delete container web that is not stopped: created',
  );
  assert.is(startTimeOf(init.pid), init.startTime);
  await deleteContainer(root, 'web', true, tools);
  assert.is(startTimeOf(init.pid), undefined);
  assert.equal(readdirSync(root), []);
});

test('a running or paused one needs force, and is left alone without', async () => {
  const root = makeRoot();
  const init = startProcess('sleep', ['60']);
  publish(root, withCgroup(), init);
  const { tools, cgroups } = makeTools();
  assert.is(
    await messageOf(deleteContainer(root, 'web', false, tools)),
    'cannot delete container web that is not stopped: running',
  );
  cgroups.frozen = true;
  assert.is(
    await messageOf(deleteContainer(root, 'web', false, tools)),
    'cannot delete container web that is not stopped: paused',
  );
  assert.ok(startTimeOf(init.pid) !== undefined);
  assert.equal(cgroups.calls, []);
  await deleteContainer(root, 'web', true, tools);
  assert.is(startTimeOf(init.pid), undefined);
  assert.equal(cgroups.calls, ['thaw', 'remove tsrun-test/web']);
  assert.equal(readdirSync(root), []);
});

test('a missing one is an error without force and none with it', async () => {
  const root = makeRoot();
  const { tools } = makeTools();
  assert.is(await messageOf(deleteContainer(root, 'web', false, tools)), 'container does not exist');
  await deleteContainer(root, 'web', true, tools);
  await deleteContainer(`${root}/none`, 'web', true, tools);
  mkdirSync(`${root}/web`);
  assert.is(await messageOf(deleteContainer(root, 'web', false, tools)), 'container does not exist');
  assert.equal(readdirSync(root), [], 'the claim of a killed create is gone');
});

test('what a shared pid namespace leaves in the cgroup is killed', async () => {
  const root = makeRoot();
  publish(root, withCgroup({ namespaces: sharedPidns }), gone);
  const left = startProcess('sleep', ['60']);
  const { tools, cgroups } = makeTools();
  cgroups.pids = [left.pid];
  await deleteContainer(root, 'web', false, tools);
  assert.equal(cgroups.calls, ['kill', 'remove tsrun-test/web']);
});

test('a record of another boot touches neither processes nor cgroups', async () => {
  const root = makeRoot();
  const bystander = startProcess('sleep', ['60']);
  publish(root, withCgroup({ bootId: 'another', namespaces: sharedPidns }), bystander);
  const { tools, cgroups } = makeTools();
  cgroups.pids = [bystander.pid];
  await deleteContainer(root, 'web', false, tools);
  assert.equal(cgroups.calls, []);
  assert.ok(startTimeOf(bystander.pid) !== undefined);
  assert.equal(readdirSync(root), []);
});

test('force aborts a creation: the creator and its young, nobody older in the same cgroup', async () => {
  const root = makeRoot();
  const older = startProcess('sleep', ['60']);
  // The clock of start times ticks every 10 ms.
  spawnSync('sleep', ['0.05']);
  const creator = startProcess('sleep', ['60']);
  const child = startProcess('sleep', ['60']);
  mkdirSync(`${root}/web`);
  const draft = withCgroup({ creator: { pid: creator.pid, startTime: creator.startTime } });
  writeFileSync(`${root}/web/provisional.json`, encodeProvisional(draft));
  const { tools, cgroups } = makeTools();
  cgroups.pids = [older.pid, child.pid];
  assert.is(
    await messageOf(deleteContainer(root, 'web', false, tools)),
    'cannot delete container web that is not stopped: creating',
  );
  assert.ok(startTimeOf(creator.pid) !== undefined);
  await deleteContainer(root, 'web', true, tools);
  assert.is(startTimeOf(creator.pid), undefined);
  assert.is(startTimeOf(child.pid), undefined);
  assert.ok(startTimeOf(older.pid) !== undefined);
  assert.equal(cgroups.calls, [], 'and their cgroup stays');
  assert.equal(readdirSync(root), []);
});

test('what a killed create has published while making the container is killed too', async () => {
  const root = makeRoot();
  const init = startProcess('sleep', ['60']);
  publish(root, withCgroup({ creator: gone }), init, 'creating');
  const { tools } = makeTools();
  await deleteContainer(root, 'web', true, tools);
  assert.is(startTimeOf(init.pid), undefined);
  assert.equal(readdirSync(root), []);
});

const damages: [string, string][] = [
  ['truncated', ''],
  ['cut', encodeProvisional(withCgroup()).slice(0, 100)],
  ['garbage', '\0\xff\x7f'],
  ['empty object', '{}'],
  ['pid as text', '{"version":1,"status":"ready","pid":"1"}'],
];
for (const [name, text] of damages) {
  test(`R22: a damaged record (${name}): an error without force, everything gone with it`, async () => {
    const root = makeRoot();
    const directory = publish(root, withCgroup(), gone);
    writeFileSync(`${directory}/state.json`, text);
    const init = startProcess('sleep', ['60']);
    const { tools, cgroups } = makeTools();
    cgroups.pids = [init.pid];
    assert.match(await messageOf(deleteContainer(root, 'web', false, tools)), 'is damaged');
    assert.ok(startTimeOf(init.pid) !== undefined);
    await deleteContainer(root, 'web', true, tools);
    assert.equal(cgroups.calls, ['kill', 'remove tsrun-test/web'], 'found through the provisional record');
    assert.equal(readdirSync(root), []);
  });
}

test('with both records lost the cgroup is worked out from the kept config', async () => {
  const root = makeRoot();
  const asked: string[] = [];
  const deriveCgroup = async (id: string, config: string): Promise<CgroupRecord> => {
    asked.push(id, config);
    return someCgroup;
  };
  for (const text of ['garbage', undefined]) {
    const directory = publish(root, withCgroup(), gone);
    for (const file of ['state.json', 'provisional.json']) {
      renameSync(`${directory}/${file}`, `${root}/lost`);
      if (text !== undefined) writeFileSync(`${directory}/${file}`, text);
    }
    writeFileSync(`${directory}/config.json`, '{"linux":{}}');
    const { tools, cgroups } = makeTools({ deriveCgroup });
    await deleteContainer(root, 'web', true, tools);
    assert.equal(cgroups.calls, ['kill', 'remove tsrun-test/web']);
    assert.equal(readdirSync(root), ['lost']);
  }
  assert.equal(asked, ['web', '{"linux":{}}', 'web', '{"linux":{}}']);
});

test('a record of a newer format: its process and cgroup are found all the same', async () => {
  const root = makeRoot();
  const init = startProcess('sleep', ['60']);
  const newer = {
    version: 99,
    pid: init.pid,
    startTime: init.startTime,
    cgroup: someCgroup,
    bootId: draftOf('web').bootId,
  };
  const directory = publish(root, draftOf('web'), gone);
  writeFileSync(
    `${directory}/state.json`,
    JSON.stringify({ ...newer, pidNamespaceInode: draftOf('web').pidNamespaceInode }),
  );
  const { tools, cgroups } = makeTools();
  assert.match(await messageOf(deleteContainer(root, 'web', false, tools)), 'created by a newer tsrun');
  await deleteContainer(root, 'web', true, tools);
  assert.is(startTimeOf(init.pid), undefined);
  assert.equal(cgroups.calls, ['kill', 'remove tsrun-test/web']);
});

test('a damaged record of another boot kills nobody', async () => {
  const root = makeRoot();
  const bystander = startProcess('sleep', ['60']);
  const directory = publish(root, withCgroup({ bootId: 'another' }), gone);
  writeFileSync(`${directory}/state.json`, JSON.stringify({ version: 99, ...bystander, child: 0, cgroup: someCgroup }));
  const { tools, cgroups } = makeTools();
  await deleteContainer(root, 'web', true, tools);
  assert.equal(cgroups.calls, []);
  assert.ok(startTimeOf(bystander.pid) !== undefined);
});

test('eight deletes at once: the work is done once, nobody complains of anything but its absence', async () => {
  for (const force of [false, true]) {
    const root = makeRoot();
    const init = createContainer(root, withCgroup({ hooks: { poststop: [{ path: '/bin/true' }] } }));
    if (!force) process.kill(init.pid, 'SIGKILL');
    if (!force) await until(() => startTimeOf(init.pid) === undefined, 'it ended');
    const module = new URL('./delete.js', import.meta.url).href;
    const script = `import { deleteContainer } from '${module}';
      const cgroups = { isFrozen: () => false, thaw() {}, tryFreeze: () => false, processes: () => [], signalAll() {}, killAll() {}, remove() {} };
      const tools = { cgroups, runHooks: () => console.log('hook'), warn: (f) => console.log('warning', f) };
      deleteContainer('${root}', 'web', ${force}, tools).then(() => console.log('done'), (error) => console.log(error.message));`;
    const shell = `for i in $(seq 8); do "$0" --input-type=module -e "$1" & done; wait`;
    const { stdout } = spawnSync('sh', ['-c', shell, process.execPath, script], { encoding: 'utf8' });
    const lines = stdout.trim().split('\n');
    assert.is(lines.filter((line) => line === 'hook').length, 1, stdout);
    assert.ok(lines.includes('done'));
    for (const line of lines)
      assert.ok(['hook', 'done', ...(force ? [] : ['container does not exist'])].includes(line), line);
    assert.equal(readdirSync(root), []);
  }
});

test('R40: deleting in a loop under a create leaves nothing behind', async () => {
  const root = makeRoot();
  const { tools } = makeTools();
  for (let round = 0; round < 50; round++) {
    mkdirSync(`${root}/web`);
    if (round % 3 > 0) writeFileSync(`${root}/web/provisional.json`, encodeProvisional(withCgroup()));
    if (round % 3 > 1) writeFileSync(`${root}/web/.state.json.tsrun`, '{');
    await deleteContainer(root, 'web', true, tools);
    assert.equal(readdirSync(root), []);
  }
});

test('R40: a record that a creation writes while its directory is cleared is not taken away unread', async () => {
  const root = makeRoot();
  const directory = `${root}/web`;
  mkdirSync(directory);
  // Left by nobody in particular: what is asked for then is the moment in which the creation goes on.
  writeFileSync(`${directory}/config.json`, '{}');
  const { child: _, ...identity } = startProcess('sleep', ['60']);
  const { tools, cgroups } = makeTools({
    deriveCgroup: async () => {
      writeFileSync(`${directory}/provisional.json`, encodeProvisional(withCgroup({ creator: identity })));
      return undefined;
    },
  });
  await deleteContainer(root, 'web', true, tools);
  assert.not(existsSync(directory));
  assert.is(startTimeOf(identity.pid), undefined, 'the creator is stopped');
  assert.ok(cgroups.calls.includes('remove tsrun-test/web'), cgroups.calls.join());
});

test.run();
