import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TsrunError } from '../errors/error.js';
import { findCriu } from '../linux/criu.js';
import { preparePlace, quoteLog } from './criu.js';
import { folderFor, needsRoot, unless } from '../test-fixtures.js';

const folder = folderFor(test, 'criu');

/** A directory with a program that only knows its version. */
function installed(name: string, version: string): string {
  const directory = join(folder, name);
  mkdirSync(directory);
  writeFileSync(join(directory, 'criu'), `#!/bin/sh\necho '${version}'\n`);
  chmodSync(join(directory, 'criu'), 0o755);
  return directory;
}

function codeOf(directory: string): string {
  try {
    findCriu([directory]);
    return '';
  } catch (error) {
    return error instanceof TsrunError ? error.failure.code : String(error);
  }
}

// Needs root: CRIU does, and a group is given away.
unless(test, needsRoot)('images of a user namespace: its group may pass, nobody may list', () => {
  const path = process.env.PATH;
  process.env.PATH = installed('found', 'Version: 4.2.1');
  try {
    const images = join(folder, 'images');
    preparePlace({ images, work: join(folder, 'work') }, {}, 100000);
    const { uid, gid, mode } = statSync(images);
    assert.equal([uid, gid, mode & 0o777], [0, 100000, 0o710]);
    assert.is(statSync(join(folder, 'work')).mode & 0o777, 0o700);
  } finally {
    process.env.PATH = path;
  }
});

test('without CRIU, or with one that is too old, there is one clear reason', () => {
  assert.is(codeOf(join(folder, 'nowhere')), 'TSR_CRIU_MISSING');
  assert.is(codeOf(installed('old', 'Version: 3.16.1')), 'TSR_CRIU_VERSION');
  assert.is(codeOf(installed('ancient', 'Version: 2.99')), 'TSR_CRIU_VERSION');
  assert.is(codeOf(installed('other', 'hello')), 'TSR_CRIU_VERSION');
  assert.is(findCriu([installed('new', 'Version: 4.1')]), join(folder, 'new', 'criu'));
  assert.is(findCriu([installed('enough', 'Version: 3.17.1')]), join(folder, 'enough', 'criu'));
  assert.is(codeOf('relative'), 'TSR_CRIU_MISSING', 'the working directory is nobody to trust');
});

test('of a log its errors are shown, else its last line', () => {
  const log = [
    '(00.000001) Version: 3.17.1',
    "(00.006612) Error (criu/files-reg.c:1031): Can't lookup mount=23 for fd=1 path=/data/log",
    '(00.006613) Unlock network',
    '(00.012345) Error (criu/cr-dump.c:2053): Dumping FAILED.',
    '',
  ];
  assert.is(quoteLog(log.join('\n')), "Can't lookup mount=23 for fd=1 path=/data/log | Dumping FAILED.");
  assert.is(quoteLog('(00.000001) one\n(00.000002) two\n'), 'two');
  assert.is(quoteLog(''), '');
});

test.run();
