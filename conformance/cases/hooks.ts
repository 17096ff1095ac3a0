import { chmodSync, existsSync, readlinkSync, writeFileSync } from 'node:fs';
import { bind, type Changes } from '../config.js';
import { type Add, type Box, type Case, expect, limit, same, topic } from '../harness.js';

/** Kind, the command that calls it, and whether it runs in the container's namespaces. */
const kinds = [
  ['prestart', 'create', false],
  ['createRuntime', 'create', false],
  ['createContainer', 'create', true],
  ['startContainer', 'start', true],
  ['poststart', 'start', false],
  ['poststop', 'delete', false],
] as const;
type Kind = (typeof kinds)[number][0];

const during: Record<Kind, readonly string[]> = {
  prestart: ['creating', 'created'],
  createRuntime: ['creating'],
  createContainer: ['creating'],
  startContainer: ['created'],
  poststart: ['running'],
  poststop: ['stopped'],
};

/** The folder that both sides see under one name, so that a hook can leave traces wherever it runs. */
function shared(box: Box): Changes {
  return { '/mounts/3': bind(box.dir, box.dir, 'bind', 'rw') };
}

/** The container's shell for startContainer, the host's for the others: both are called /bin/sh. */
function shell(script: string, more: object = {}): object {
  return { path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/usr/bin:/bin'], ...more };
}

async function through(box: Box, kind: Kind, hooks: readonly object[], changes: Changes = {}): Promise<void> {
  await box.created('sleep 30', { ...shared(box), [`/hooks/${kind}`]: hooks, ...changes });
  await box.ok('start', box.id);
  await box.ok('kill', box.id, 'KILL');
  await box.untilStatus('stopped');
  await box.ok('delete', box.id);
}

function addKind([kind, when, inside]: (typeof kinds)[number], test: Add): void {
  const life = `runtime.lifecycle.${kind}`;
  test(`${kind}-when`, [`config.hooks.${kind}.when`, life], async (box) => {
    const trace = box.path('trace');
    await box.created('sleep 30', { ...shared(box), [`/hooks/${kind}`]: [shell(`echo ran >>${trace}`)] });
    same(existsSync(trace), when === 'create', 'after create');
    await box.ok('start', box.id);
    // startContainer's trace is written before the program, which runs a little after start has answered.
    if (when === 'start') await box.until('the hook', () => existsSync(trace));
    same(existsSync(trace), when !== 'delete', 'after start');
    await box.ok('kill', box.id, 'KILL');
    await box.untilStatus('stopped');
    same(existsSync(trace), when !== 'delete', 'before delete');
    await box.ok('delete', box.id);
    same(box.read(trace), 'ran', 'traces');
  });
  test(`${kind}-state`, ['config.hooks.state', 'runtime.state.pid'], async (box) => {
    const annotations = { 'com.example.a': 'b' };
    await through(box, kind, [shell(`cat >${box.path('state.json')}`)], { '/annotations': annotations });
    const state = JSON.parse(box.read(box.path('state.json')));
    same([state.id, state.bundle, state.annotations], [box.id, box.bundle, annotations], 'id, bundle and annotations');
    expect(during[kind].includes(state.status), `status '${state.status}', wanted ${during[kind].join(' or ')}`);
    expect(/^\d+\.\d+\.\d+/.test(state.ociVersion), `ociVersion '${state.ociVersion}'`);
    if (kind !== 'poststop') expect(inside ? state.pid === 1 : state.pid > 1, `pid ${state.pid}`);
  });
  if (kind === 'prestart') {
    // Steps 2 and 3 of the lifecycle in this order: crun and runtime-tools' hooks_stdin say so, runc does not; so both words pass.
    test('prestart-state-of-1.1', ['config.hooks.state'], async (box) => {
      const hook = [shell(`cat >${box.path('state.json')}`)];
      await through(box, kind, hook, { '/ociVersion': '1.1.0' });
      const { status } = JSON.parse(box.read(box.path('state.json')));
      expect(during.prestart.includes(status), `status '${status}'`);
    });
  }
  test(`${kind}-namespace`, [`config.hooks.${kind}.namespace`], async (box) => {
    await through(box, kind, [shell(`readlink /proc/self/ns/uts >${box.path('trace')}; true`)]);
    const own = readlinkSync('/proc/self/ns/uts');
    same(box.read(box.path('trace')) === own, !inside, "in the runtime's UTS namespace");
  });
  test(`${kind}-path`, [`config.hooks.${kind}.path`], async (box) => {
    // One name, two programs: which of them runs tells where the name was looked up.
    const program = box.path('which');
    writeFileSync(program, `#!/bin/sh\necho host >${box.path('trace')}\n`);
    chmodSync(program, 0o755);
    const own = `${box.rootfs}/which`;
    writeFileSync(own, `#!/bin/sh\necho container >${box.path('trace')}\n`);
    chmodSync(own, 0o755);
    await through(box, kind, [{ path: kind === 'startContainer' ? '/which' : program }]);
    same(box.read(box.path('trace')), kind === 'startContainer' ? 'container' : 'host', 'the program that ran');
  });
  test(`${kind}-args-and-env`, ['config.hooks.args-env'], async (box) => {
    const script = `echo "$0 $1 $A $HOME" >${box.path('trace')}`;
    await through(box, kind, [
      { path: '/bin/sh', args: [kind === 'startContainer' ? 'sh' : 'name', '-c', script, 'zero', 'one'], env: ['A=b'] },
    ]);
    same(box.read(box.path('trace')), 'zero one b ', 'arguments and environment');
  });
  // The text is silent; both peers agree of late. createContainer is crun's way.
  if (kind !== 'startContainer')
    test(`${kind}-surroundings`, [], async (box) => {
      const script = `{ pwd; echo "$PATH"; } >${box.path('trace')}`;
      await through(box, kind, [{ path: '/bin/sh', args: ['sh', '-c', script] }]);
      same(box.read(box.path('trace')), `${box.bundle}\n${process.env.PATH}`, 'directory and PATH');
    });
  test(`${kind}-order`, ['config.hooks.order'], async (box) => {
    await through(
      box,
      kind,
      [1, 2, 3].map((number) => shell(`echo ${number} >>${box.path('trace')}`)),
    );
    same(box.read(box.path('trace')), '1\n2\n3', 'order');
  });
  addFailures(kind, when, test);
}

async function failing(box: Box, kind: Kind, when: string, hook: object): Promise<void> {
  const later = shell(`echo later >>${box.path('later')}`);
  await box.works();
  // Only for poststart does the version matter; see addByVersion.
  const version = kind === 'poststart' ? { '/ociVersion': '1.3.0' } : {};
  const changes = { ...version, ...shared(box), [`/hooks/${kind}`]: [hook, later] };
  box.configure(`echo ran >${box.path('ran')}; sleep 30`, changes);
  const created = await box.create();
  if (when === 'create') {
    expect(created.code !== 0, 'create succeeds');
    same(box.leftovers(), [], 'left behind');
    same(existsSync(box.path('later')), false, 'the hook after it ran');
    return;
  }
  expect(created.code === 0, `create exits with ${created.code}: ${created.stderr}`);
  const started = await box.command(['start', box.id]);
  if (when === 'start') {
    expect(started.code !== 0, 'start succeeds');
    if (kind === 'startContainer') same(existsSync(box.path('ran')), false, 'the program ran');
    await box.until('the container gone or stopped', async () => {
      const result = await box.command(['state', box.id]);
      return result.code !== 0 || JSON.parse(result.stdout).status === 'stopped';
    });
    return;
  }
  await box.ok('kill', box.id, 'KILL');
  await box.untilStatus('stopped');
  await box.ok('delete', box.id);
  same(box.read(box.path('later')), 'later', 'the hook after it');
  same(box.leftovers(), [], 'left behind');
}

function addFailures(kind: Kind, when: string, test: Add): void {
  const life = `runtime.lifecycle.${kind}`;
  test(`${kind}-fails`, [life, ...(when === 'create' ? ['runtime.errors.clean'] : [])], (box) =>
    failing(box, kind, when, shell('exit 3')),
  );
  test(`${kind}-missing`, [life], (box) => failing(box, kind, when, { path: '/nosuch/hook' }));
  test(`${kind}-timeout`, ['config.hooks.timeout', life], async (box) => {
    // One that is not aborted takes longer than any command may.
    await failing(box, kind, when, shell(`exec sleep ${(2 * limit) / 1000}`, { timeout: 1 }));
  });
  for (const [slug, value, proof] of [
    ['relative', { path: 'bin/true' }, 'config.hooks.path-absolute'],
    ['empty-path', { path: '' }, 'config.hooks.path-absolute'],
    ['no-path', {}, 'config.valid-values'],
    ['timeout-zero', { path: '/bin/true', timeout: 0 }, 'config.hooks.timeout-positive'],
    ['timeout-negative', { path: '/bin/true', timeout: -1 }, 'config.hooks.timeout-positive'],
    ['timeout-string', { path: '/bin/true', timeout: '5' }, 'config.valid-values'],
  ] as const) {
    test(`${kind}-refused-${slug}`, [proof], (box) => box.refused({ [`/hooks/${kind}`]: [value] }));
  }
}

/** What poststart and poststop failures mean depends on the version that the configuration was written for. */
function addByVersion(test: Add): void {
  const bad = shell('exit 3');
  for (const version of ['1.0.2', '1.2.1']) {
    test(`poststart-fails-${version}`, ['runtime.lifecycle.poststart', 'runtime.warnings.continue'], async (box) => {
      // Up to 1.2 it is a warning: "the remaining hooks and lifecycle continue as if the hook had succeeded".
      const hooks = [bad, shell(`echo later >>${box.path('later')}`)];
      await box.created('sleep 30', { '/ociVersion': version, '/hooks/poststart': hooks });
      const started = await box.ok('start', box.id);
      expect(started.stderr.trim() !== '', 'no warning');
      same([box.read(box.path('later')), await box.status()], ['later', 'running'], 'the hook after it, and status');
    });
  }
  test('poststart-fails-then-poststop', ['runtime.lifecycle.poststart'], async (box) => {
    // 1.3: "generate an error, stop the container, and continue the lifecycle at step 12", of which poststop is a part.
    const hooks = { '/hooks/poststart': [bad], '/hooks/poststop': [shell(`echo ran >>${box.path('trace')}`)] };
    await box.created('sleep 30', { '/ociVersion': '1.3.0', ...hooks });
    const { pid } = await box.state();
    await box.error('start', box.id);
    await box.until('the process gone', () => !existsSync(`/proc/${pid}`));
    await box.command(['delete', box.id]);
    same(box.read(box.path('trace')), 'ran', 'poststop');
    same(box.leftovers(), [], 'left behind');
  });
  for (const version of ['1.0.2', '1.3.0']) {
    test(`poststop-fails-${version}`, ['runtime.lifecycle.poststop', 'runtime.warnings.continue'], async (box) => {
      const hooks = [bad, shell(`echo later >>${box.path('later')}`)];
      await box.started('true', { '/ociVersion': version, '/hooks/poststop': hooks });
      await box.untilStatus('stopped');
      const deleted = await box.ok('delete', box.id);
      expect(deleted.stderr.trim() !== '', 'no warning');
      same(box.read(box.path('later')), 'later', 'the hook after it');
      same(box.leftovers(), [], 'left behind');
    });
  }
}

export function hookCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('hooks', cases);
  for (const kind of kinds) addKind(kind, test);
  addByVersion(test);
  test(
    'order-of-kinds',
    ['config.hooks.prestart.first', 'config.hooks.createContainer.after', 'runtime.lifecycle.program'],
    async (box) => {
      const trace = box.path('trace');
      const changes = Object.fromEntries(kinds.map(([kind]) => [`/hooks/${kind}`, [shell(`echo ${kind} >>${trace}`)]]));
      await box.created(`echo program >>${trace}; sleep 30`, { ...shared(box), ...changes });
      await box.ok('start', box.id);
      await box.until(
        'the program',
        () => box.read(trace).includes('program') && box.read(trace).includes('poststart'),
      );
      await box.ok('delete', '--force', box.id);
      const lines = box.read(trace).split('\n');
      same(
        lines.filter((line) => line !== 'program'),
        kinds.map(([kind]) => kind),
        'order',
      );
      expect(lines.indexOf('program') > lines.indexOf('startContainer'), `the program came first: ${lines.join(' ')}`);
    },
  );
  test(
    'create-hooks-before-pivot',
    ['config.hooks.prestart.when', 'config.hooks.createRuntime.when', 'config.hooks.createContainer.when'],
    async (box) => {
      const trace = box.path('trace');
      const hook = [shell(`test -e ${box.rootfs}/bin/busybox && echo host >>${trace}`)];
      await through(box, 'createContainer', hook, { '/hooks/prestart': hook, '/hooks/createRuntime': hook });
      same(box.read(trace), 'host\nhost\nhost', "the host's files");
    },
  );
  return cases;
}
