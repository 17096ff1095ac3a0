import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TsrunError } from '../errors/error.js';
import { tableOf } from './ps.js';

const answer =
  (output: string, status = 0, errno = '') =>
  () => ({ status, output, errors: 'ps: unhappy', errno });
const listing = 'UID   PID  PPID CMD\nroot    7     1 sh 12\nroot   12     7 cat 7\nroot  127     1 x\n';

test('keeps the header and the rows of the container’s processes', () => {
  assert.is(tableOf([12, 99], [], answer(listing)), 'UID   PID  PPID CMD\nroot   12     7 cat 7\n');
  assert.is(tableOf([], [], answer(listing)), 'UID   PID  PPID CMD\n');
});

test('asks ps for everything unless told what', () => {
  const asked: string[][] = [];
  const spy = (_: string, args: readonly string[]) => {
    asked.push([...args]);
    return answer(listing)();
  };
  tableOf([1], [], spy);
  tableOf([1], ['-o', 'pid'], spy);
  assert.equal(asked, [['-ef'], ['-o', 'pid']]);
});

test('says what is wrong with ps', () => {
  for (const [run, message] of [
    [answer('CMD\nsh\n'), "couldn't find PID field in ps output"],
    [answer('', 1), "'ps' of the host ended with status 1"],
    [answer('', 128, 'ENOENT'), "cannot run 'ps' of the host"],
  ] as const) {
    try {
      tableOf([1], [], run);
      assert.unreachable(message);
    } catch (error) {
      assert.ok(error instanceof TsrunError);
      assert.is(error.failure.message, message);
    }
  }
});

test.run();
