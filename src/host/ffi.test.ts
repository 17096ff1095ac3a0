import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TsrunError } from '../errors/error.js';
import { isLoaded, lastErrno, openLibrary } from './ffi.js';

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof TsrunError) return error.failure.code;
  }
  return '';
};

test('loads nothing before it is asked', () => {
  assert.is(isLoaded(), false);
  assert.is(openLibrary(null).bind<number>('getpid', 'int', [])(), process.pid);
  assert.is(isLoaded(), true);
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
