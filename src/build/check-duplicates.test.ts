// What counts as the same thing said twice (npm run check).
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { duplicatesIn } from './check-duplicates.js';

const lines = (count: number, word = 'line'): string =>
  Array.from({ length: count }, (_, index) => `  ${word} ${index};\n`).join('');
const found = (...sources: string[]): string[] =>
  duplicatesIn(new Map(sources.map((source, index) => [`${'abc'[index]}.ts`, source])));

test('nine lines that stand twice are named, at both places and to their end', () => {
  assert.equal(found(lines(8), lines(8)), []);
  assert.equal(found(lines(9), `head\n${lines(9)}`), ['b.ts:2-10 is a.ts:1-9, 9 lines']);
  assert.equal(found(`a\n${lines(12)}b\n`, `c\n${lines(12)}d\n`), ['b.ts:2-13 is a.ts:2-13, 12 lines']);
  assert.equal(found(lines(9), lines(9), lines(9)), ['b.ts:1-9 is a.ts:1-9, 9 lines', 'c.ts:1-9 is a.ts:1-9, 9 lines']);
});

test('indentation and blank lines hide nothing', () => {
  assert.equal(found(lines(9), lines(9).replaceAll('  ', '\t').replaceAll('\n', '\n\n')), [
    'b.ts:1-17 is a.ts:1-9, 9 lines',
  ]);
});

test('in one file, too, but a run is not its own copy', () => {
  assert.equal(found(`${lines(9)}between\n${lines(9)}`), ['a.ts:11-19 is a.ts:1-9, 9 lines']);
  assert.equal(found('the same\n'.repeat(17)), []);
  assert.equal(found('the same\n'.repeat(18)), ['a.ts:10-18 is a.ts:1-9, 9 lines']);
});

test('imports, and brackets alone, are no run', () => {
  const names = Array.from({ length: 12 }, (_, index) => `  name${index},\n`).join('');
  const imports = `import {\n${names}} from './x.js';\nimport type { A } from './a.js';\n#include <stdio.h>\n`;
  assert.equal(found(`${imports}one();\n`, `${imports}two();\n`), []);
  assert.equal(found(`one();\n${'}\n'.repeat(9)}`, `two();\n${'}\n'.repeat(9)}`), []);
  assert.equal(found(`${imports}${lines(5)}`, `${imports}${lines(5)}`), []);
});

test.run();
