import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TsrunError } from '../errors/error.js';
import { lastErrno, openLibrary } from './ffi.js';

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof TsrunError) return error.failure.code;
  }
  return '';
};

test('loads nothing before it is asked', () => {
  // In a process of its own: other tests have asked before.
  const module = JSON.stringify(new URL('./ffi.js', import.meta.url).href);
  const script = `import { isLoaded, openLibrary } from ${module};
    const before = isLoaded();
    const pid = openLibrary(null).bind('getpid', 'int', [])();
    console.log(before, pid === process.pid, isLoaded());`;
  const result = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env: {} });
  assert.equal([result.stdout, result.stderr], ['false true true\n', '']);
});

test('tells the errno of a failed call', () => {
  const close = openLibrary(null).bind<number>('close', 'int', ['int']);
  assert.is(close(-1), -1);
  assert.is(lastErrno(), 9);
});

test('passes strings, bytes and 64-bit numbers exactly', () => {
  const libc = openLibrary(null);
  assert.is(libc.bind<number>('strlen', 'size_t', ['str'])('fünf'), 5);
  const bytes = new Uint8Array([1, 2, 3, 4]);
  libc.bind('memset', 'void *', ['void *', 'int', 'size_t'])(bytes, 7, 3);
  assert.equal([...bytes], [7, 7, 7, 4]);
  const read = libc.bind<bigint>('strtoull', 'uint64_t', ['str', 'void *', 'int']);
  assert.is(BigInt(read('18446744073709551615', null, 10)), 2n ** 64n - 1n);
});

test('says which library or symbol is missing', () => {
  assert.is(
    codeOf(() => openLibrary('/nowhere/libnone.so.9')),
    'TSR_FFI_LIBRARY',
  );
  assert.is(openLibrary(null).bindIfThere('tsrun_no_such_symbol', 'int', []), undefined);
  assert.is(openLibrary(null).bindIfThere<number>('getppid', 'int', [])?.(), process.ppid);
});

test.run();
