import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeMessage } from './message.js';

const shape = { number: 1, on: 2, text: 3, inner: [150, { value: 1 }] } as const;
const hex = (message: Parameters<typeof encodeMessage>[0]): string =>
  Buffer.from(encodeMessage(message, shape)).toString('hex');

test('numbers take seven bits a byte, least first', () => {
  assert.is(hex({ number: 0 }), '0800');
  assert.is(hex({ number: 150 }), '089601');
  // CLONE_NEWNET, beyond what JavaScript shifts without a sign
  assert.is(hex({ number: 0x40000000 }), '088080808004');
  assert.is(hex({ number: 0xffffffff }), '08ffffffff0f');
});

test('switches, texts, messages and lists; what is undefined is left out', () => {
  assert.is(hex({ on: true, text: undefined }), '1001');
  assert.is(hex({ text: 'ä' }), '1a02c3a4');
  assert.is(hex({ text: ['a', ''] }), '1a01611a00');
  assert.is(hex({ inner: [{ value: 1 }, {}] }), 'b209020801b20900');
  assert.is(hex({ text: '\udcff' }), '1a01ff', 'a path may be no UTF-8');
});

test('a field that the table does not have is a mistake of ours', () => {
  assert.throws(() => hex({ nonsense: 1 }), /nonsense/);
});

test.run();
