import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { TsrunError } from '../errors/error.js';
import { readTextFile } from './read.js';
import { loadBundleConfig } from './spec-document.js';
import { smallest } from './test-config.js';
import { folderSuite } from '../test-fixtures.js';

const { tests, test } = folderSuite('read');

/** What loading says: `TSR_CODE message`, or 'ok'. */
function outcome(path: string): string {
  try {
    loadBundleConfig(path);
    return 'ok';
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    return `${error.failure.code} ${error.failure.message}`;
  }
}

function outcomeOf(dir: string, content: string | Uint8Array): string {
  const path = join(dir, 'config.json');
  writeFileSync(path, content);
  return outcome(path);
}

test('reads a regular file, also an indented one', (dir) => {
  assert.is(outcomeOf(dir, JSON.stringify(smallest())), 'ok');
  assert.is(outcomeOf(dir, `\n\t${JSON.stringify(smallest(), null, '\t')}\r\n `), 'ok');
});

test('says in the words that callers know when the file is missing', (dir) => {
  assert.is(outcome(join(dir, 'config.json')), 'TSR_CONFIG_READ JSON specification file config.json not found');
  try {
    loadBundleConfig(join(dir, 'nothing/config.json'));
    assert.unreachable();
  } catch (error) {
    assert.match((error as TsrunError).failure.hint ?? '', /^there is no directory '.*\/nothing'$/);
  }
  assert.match(outcome(join(dir, 'other.json')), /^TSR_CONFIG_READ cannot read '.*other\.json'$/);
});

test('refuses a FIFO, a directory, a device and a socket at once, without waiting', async (dir) => {
  const fifo = join(dir, 'fifo');
  spawnSync('mkfifo', [fifo]);
  const started = performance.now();
  assert.match(outcome(fifo), /^TSR_CONFIG_NOT_FILE .* is a fifo, not a regular file$/);
  assert.match(outcome(dir), /^TSR_CONFIG_NOT_FILE .* is a directory/);
  assert.match(outcome('/dev/zero'), /^TSR_CONFIG_NOT_FILE .* is a device/);
  const server = createServer().listen(join(dir, 'socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  assert.match(outcome(join(dir, 'socket')), /^TSR_CONFIG_READ cannot read/);
  server.close();
  assert.ok(performance.now() - started < 5000, 'takes long');
});

test('refuses a FIFO that has a writer, too', async (dir) => {
  const fifo = join(dir, 'fifo');
  spawnSync('mkfifo', [fifo]);
  const writer = spawn('sh', ['-c', `echo '{}' > ${fifo}`]);
  const reader = openSync(fifo, 0o4000);
  assert.match(outcome(fifo), /is a fifo/);
  closeSync(reader);
  writer.kill();
});

test('a process file may be a stream, and has some seconds to come to its end', async (dir) => {
  const fifo = join(dir, 'fifo');
  spawnSync('mkfifo', [fifo]);
  const read = (path: string, patienceMs = 10_000): string => {
    try {
      return readTextFile(path, { stream: true, patienceMs }).text;
    } catch (error) {
      if (!(error instanceof TsrunError)) throw error;
      return `${error.failure.code} ${error.failure.message}`;
    }
  };
  assert.match(read(fifo, 50), /^TSR_CONFIG_READ '.*fifo' has not come to its end in 0.05 seconds$/);
  const slow = spawn('sh', ['-c', `{ printf '{"a"'; sleep 0.2; printf ':1}'; } > ${fifo}`]);
  assert.is(read(fifo), '{"a":1}');
  const never = spawn('sh', ['-c', `exec sleep 5 > ${fifo}`]);
  assert.match(read(fifo, 300), /has not come to its end/);
  never.kill();
  slow.kill();
  assert.match(read('/dev/zero'), /^TSR_CONFIG_TOO_LARGE '\/dev\/zero' is larger than 64 MiB$/);
  assert.match(read(dir), /^TSR_CONFIG_NOT_FILE .* is a directory/);
  assert.is(read('/dev/fd/999'), "TSR_CONFIG_READ cannot read '/dev/fd/999'");
  const path = join(dir, 'file');
  writeFileSync(path, '{}');
  const fd = openSync(path, 'r');
  for (let i = 0; i < 2; i++) assert.is(read(`/dev/fd/${fd}`), '{}', 'each time from its beginning');
  closeSync(fd);
});

test('refuses a terabyte without reading it', (dir) => {
  const path = join(dir, 'config.json');
  writeFileSync(path, '{');
  truncateSync(path, 1e12);
  const started = performance.now();
  assert.match(outcome(path), /^TSR_CONFIG_TOO_LARGE .* is larger than 64 MiB$/);
  assert.ok(performance.now() - started < 2000, 'takes long');
});

test('takes a string of 50 MB', (dir) => {
  const config = { ...smallest(), annotations: { big: 'x'.repeat(50_000_000) } };
  assert.is(outcomeOf(dir, JSON.stringify(config)), 'ok');
});

test('reads a file that is longer than its size says, as those of procfs are', () => {
  assert.match(
    outcome('/proc/self/status'),
    /^TSR_CONFIG_SYNTAX .* is not JSON: a value was expected at line 1, column 1/,
  );
});

test('refuses what is no UTF-8 and says where', (dir) => {
  const text = Buffer.from(JSON.stringify({ ...smallest(), hostname: 'ä' }));
  const at = text.indexOf(0xc3);
  text[at + 1] = 0x41;
  assert.match(outcomeOf(dir, text), new RegExp(`^TSR_CONFIG_ENCODING .* is not UTF-8: byte 0xc3 at offset ${at}$`));
  assert.match(outcomeOf(dir, Buffer.from('{"é":"\xed\xa0\x80"}', 'latin1')), /byte 0xe9 at offset 2$/);
  assert.match(outcomeOf(dir, Buffer.from('{"a":"\xed\xa0\x80"}', 'latin1')), /byte 0xed at offset 6$/);
});

test('refuses a byte order mark and UTF-16', (dir) => {
  const text = JSON.stringify(smallest());
  assert.match(outcomeOf(dir, `\ufeff${text}`), /^TSR_CONFIG_ENCODING .* starts with a byte order mark$/);
  assert.match(outcomeOf(dir, Buffer.from(`\ufeff${text}`, 'utf16le')), /^TSR_CONFIG_ENCODING .* looks like UTF-16$/);
  assert.match(outcomeOf(dir, Buffer.from(text, 'utf16le')), /looks like UTF-16$/);
  assert.match(outcomeOf(dir, Buffer.from(text, 'utf16le').swap16()), /looks like UTF-16$/);
});

test('refuses an empty file', (dir) => {
  assert.match(
    outcomeOf(dir, ''),
    /^TSR_CONFIG_SYNTAX .* is not JSON: the file is empty at line 1, column 1 \(offset 0\)$/,
  );
  assert.match(outcomeOf(dir, ' \n'), /the file is empty at line 2, column 1 \(offset 2\)$/);
});

tests.run();
