import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TsrunError } from '../errors/error.js';
import { isContainerId } from './ids.js';
import { findDirectory, openContainer, removeState } from './store.js';
import { cleanUp, makeRoot } from './test-container.js';

const good = ['web', 'a', '0', '_', '+', '-x', 'a+b', 'a.b', 'a..b', '__proto__', 'constructor', 'x'.repeat(255)];
export const badIds = [
  '',
  '.',
  '..',
  '../x',
  'a/b',
  '/',
  'a b',
  'a\n',
  '\n',
  'é',
  'a:b',
  'a\0b',
  '.hidden',
  'a\udcff',
  'x'.repeat(256),
  'x'.repeat(5000),
];

test.after(cleanUp);

test('takes the ids engines use and refuses the rest', () => {
  for (const id of good) assert.ok(isContainerId(id), id);
  for (const id of badIds) assert.not(isContainerId(id), JSON.stringify(id));
});

test('no id leads out of the state root, in any call', () => {
  const root = makeRoot();
  mkdirSync(`${root}/state/inner`, { recursive: true });
  writeFileSync(`${root}/canary`, '');
  for (const call of [findDirectory, openContainer, removeState]) {
    for (const id of badIds) {
      const code = id === '' ? 'TSR_ID_EMPTY' : 'TSR_ID_FORMAT';
      assert.throws(
        () => call(`${root}/state`, id),
        (error: unknown) => error instanceof TsrunError && error.failure.code === code,
      );
    }
  }
  assert.equal(readdirSync(root).sort(), ['canary', 'state']);
  assert.equal(readdirSync(`${root}/state`), ['inner']);
});

test('a symlink in the state root is no container', () => {
  const root = makeRoot();
  mkdirSync(`${root}/elsewhere`);
  writeFileSync(`${root}/elsewhere/state.json`, '{}');
  mkdirSync(`${root}/state`);
  symlinkSync('../elsewhere', `${root}/state/web`);
  for (const call of [findDirectory, openContainer, removeState]) {
    assert.throws(
      () => call(`${root}/state`, 'web'),
      (error: unknown) => error instanceof TsrunError && error.failure.code === 'TSR_STATE_FOREIGN',
    );
  }
  assert.equal(readdirSync(`${root}/elsewhere`), ['state.json']);
});

test.run();
