import { type Case, expect, same, topic } from '../harness.js';

const bad: ReadonlyArray<readonly [string, string]> = [
  ['empty', ''],
  ['dot', '.'],
  ['dots', '..'],
  ['climbing', '../x'],
  ['slash', 'a/b'],
  ['absolute', '/x'],
  ['space', 'a b'],
  ['newline', 'a\nb'],
  ['tab', 'a\tb'],
  ['not-ascii', 'é'],
  ['colon', 'a:b'],
  ['at', 'a@b'],
  ['star', '*'],
  ['backslash', 'a\\b'],
  ['dollar', '$x'],
  ['too-long', 'a'.repeat(5000)],
];
const good = ['a', 'A', '0', 'a.b', 'a_b', 'a+b', 'a-b', '9lives', '__proto__', 'constructor', 'x'.repeat(128)];

export function idCases(): Case[] {
  const cases: Case[] = [];
  const test = topic('ids', cases);
  for (const [slug, id] of bad) {
    test(`refused-${slug}`, ['runtime.create.id-invalid'], async (box) => {
      await box.works();
      box.configure('true');
      const result = await box.create(id);
      expect(result.code !== 0, 'create accepts it');
      same(box.leftovers('*'), [], 'left behind');
      same(
        (await box.spawned('ls', ['-A', box.root])).stdout
          .split('\n')
          .filter((name) => name !== '' && !name.startsWith('.')),
        [],
        'state',
      );
    });
  }
  for (const command of ['state', 'start', 'kill', 'delete']) {
    for (const [slug, id] of [
      ['dots', '..'],
      ['climbing', '../x'],
      ['empty', ''],
    ] as const) {
      test(`${command}-refuses-${slug}`, [], async (box) => {
        await box.error(command, id);
        expect((await box.spawned('test', ['-d', box.root])).code === 0, 'the state root is gone');
      });
    }
  }
  test('force-delete-of-dots', ['runtime.delete.others'], async (box) => {
    await box.created('sleep 30');
    await box.command(['delete', '--force', '..']);
    same(await box.status(), 'created', 'status of another container');
    expect(
      (await box.spawned('test', ['-f', `${box.rootfs}/bin/busybox`])).code === 0,
      'the folder above the state root was deleted',
    );
  });
  for (const id of good) {
    test(`accepted-${id.slice(0, 12)}`, ['runtime.create.new'], async (box) => {
      box.configure('echo in');
      const result = await box.runBundle(id);
      same([result.code, result.stdout.trim()], [0, 'in'], `exit status and output (${result.stderr.trim()})`);
    });
  }
  test('taken', ['runtime.create.id-taken', 'runtime.state.id-unique'], async (box) => {
    await box.created('sleep 30');
    const { pid } = await box.state();
    const result = await box.create();
    expect(result.code !== 0, 'create accepts it');
    same([await box.status(), (await box.state()).pid], ['created', pid], 'the first container');
  });
  test('free-again-after-delete', ['runtime.delete.resources'], async (box) => {
    for (let round = 0; round < 2; round++) {
      await box.created('true');
      same(await box.status(), 'created', 'status');
      await box.ok('delete', '--force', box.id);
      await box.error('state', box.id);
    }
  });
  test('same-id-in-another-root', [], async (box) => {
    await box.created('sleep 30');
    const result = await box.spawned(box.runtime, ['--root', box.path('other'), 'state', box.id]);
    expect(result.code !== 0, 'it is known there, too');
  });
  return cases;
}
