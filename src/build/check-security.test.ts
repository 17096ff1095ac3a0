import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSecurity } from './check-security.js';

const text = readFileSync('docs/security.md', 'utf8');

test('every row of docs/security.md has its tests', () => {
  assert.equal(checkSecurity(text), []);
});

test('a row without a test, with the wrong one, or that is not there, is named', () => {
  assert.match(
    checkSecurity(text.replace(/^\| S03 .*$/m, '| S03 | always | `executor/none.test.ts` |')).join(),
    'executor/none.test.ts',
  );
  assert.match(
    checkSecurity(text.replace(/^\| S03 .*$/m, '| S03 | always | `state/ids.test.ts` |')).join(),
    'S03: not in',
  );
  assert.match(checkSecurity(text.replace(/^\| S03 .*$/m, '| S03 | always |  |')).join(), 'S03: no test');
  assert.match(checkSecurity(text.replace(/^\| S03 .*$/m, '')).join(), 'S03 has no row');
  assert.match(checkSecurity(text.replace(/^\| CVE-2019-5736 .*$/m, '')).join(), /CVE-2019-5736 of .* has no row/);
});

test.run();
