import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkRooms, contentsOf, rooms } from './executor-rooms.js';

interface Copy {
  folder: string;
  base: string;
}
const test = suite<Copy>('rooms of the executor');
test.before.each((copy) => {
  copy.folder = mkdtempSync(join(tmpdir(), 'tsrun-rooms-'));
  copy.base = join(copy.folder, 'src/executor');
  for (const part of ['executor', 'generated', 'engine'])
    cpSync(join('src', part), join(copy.folder, 'src', part), { recursive: true });
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

const flags = ['-std=gnu11', '-ffreestanding', '-fno-stack-protector', '-Werror'];
const succeeds = (...args: string[]): boolean => {
  const { status, error } = spawnSync('cc', [...flags, ...args]);
  if (error) throw error;
  return status === 0;
};

test('each room uses those below it', ({ base }) => {
  assert.equal(checkRooms(), []);
  assert.equal(checkRooms(base), []);
});

test('an include from above, a second header, and a file outside are named', ({ base }) => {
  appendFileSync(join(base, 'kernel/str.c'), '#include "../ops/ops.h"\n');
  appendFileSync(join(base, 'ops/path.c'), '#include "../../engine/engine.h"\n');
  writeFileSync(join(base, 'walk/more.h'), '');
  writeFileSync(join(base, 'loose.c'), '');
  assert.equal(
    checkRooms(base).map((line) => line.replace(`${base}/`, '')),
    [
      'loose.c: belongs in a room (entry, walk, ops, kernel)',
      'walk/more.h: a room has one header',
      'ops: may not include of engine',
      'kernel: may not include of ops',
    ],
  );
});

test('a handler without an operation does not compile', ({ base }) => {
  const path = join(base, 'ops/path.c');
  assert.ok(succeeds('-fsyntax-only', path));
  appendFileSync(path, 'int op_path_nothing(const struct step *s) { return s->op; }\n');
  assert.not(succeeds('-fsyntax-only', path));
});

test('an operation without a handler does not link', ({ folder, base }) => {
  const files = rooms.flatMap((room) => contentsOf(room, base).files.map((name) => join(base, room, name)));
  const program = ['-nostdlib', '-static', '-o', join(folder, 'executor'), ...files];
  assert.ok(succeeds(...program));
  const table = join(folder, 'src/generated/op-table.h');
  writeFileSync(table, readFileSync(table, 'utf8').replace('= op_path_mask,', '= op_path_nothing,'));
  appendFileSync(join(folder, 'src/generated/handlers.h'), 'int op_path_nothing(const struct step *s);\n');
  assert.not(succeeds(...program));
});

test.run();
