import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { processorClock } from '../test-fixtures.js';
import { compilePattern } from './pattern.js';

const found = (pattern: string, id: string): boolean => compilePattern(pattern)(id);

test('finds what the language finds, whatever the pattern and the id', () => {
  const pieces = [
    'a',
    'b',
    '.',
    '-',
    '[ab]',
    '[^a]',
    '[a-c-]',
    '\\d',
    '\\W',
    '\\.',
    '(',
    '(?:',
    ')',
    '|',
    '*',
    '+',
    '?',
    '{2}',
    '{1,}',
    '{0,2}',
    '^',
    '$',
    '\\b',
    '\\B',
  ];
  let seed = 7;
  const random = (limit: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * limit);
  };
  let compared = 0;
  for (let round = 0; round < 20_000; round++) {
    const pattern = Array.from({ length: 1 + random(7) }, () => pieces[random(pieces.length)]).join('');
    let real: RegExp;
    try {
      real = new RegExp(pattern, 'u');
    } catch {
      assert.throws(() => compilePattern(pattern), undefined, pattern);
      continue;
    }
    const ours = compilePattern(pattern);
    for (let i = 0; i < 5; i++) {
      const id = Array.from({ length: random(8) }, () => 'abc1.-_'[random(7)]).join('');
      assert.is(ours(id), real.test(id), `${pattern} in ${id}`);
      compared += 1;
    }
  }
  assert.ok(compared > 10_000);
});

test('no pattern takes longer than its length times that of the id', () => {
  const id = 'a'.repeat(255);
  const spent = processorClock();
  for (const pattern of [
    '(a+)+b',
    '(a|a)*b',
    '(a*)*b',
    'a*a*a*a*a*a*a*a*a*b',
    '(a?){200}a{200}b',
    '((a{1,9}){1,9}){1,9}b',
  ])
    assert.not(found(pattern, id), pattern);
  assert.ok(spent() < 2000, `${spent()} ms`);
});

test('classes of POSIX, as crun has them', () => {
  assert.ok(found('^web-[[:digit:]]+$', 'web-12'));
  assert.ok(found('[[:upper:]_]', 'a_'));
  assert.not(found('^[^[:alnum:]]', 'a'));
});

test('what going back would take, or is too long, is refused in words', () => {
  for (const [pattern, why] of [
    ['(?=a)', /not supported/],
    ['(a)\\1', /not supported/],
    ['(a', /unterminated/],
    ['[a', /unterminated/],
    ['a**', /nothing to repeat/],
    ['[b-a]', /out of order/],
    ['a)', /unmatched/],
    ['((a{99}){99}){99}', /too long/],
    ['[[:nosuch:]]', /no class/],
  ] as const)
    assert.throws(
      () => compilePattern(pattern),
      (error: Error) => error instanceof SyntaxError && why.test(error.message),
      pattern,
    );
});

test.run();
