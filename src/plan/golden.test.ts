import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodePlan } from './encode.js';
import { printPlan } from './print.js';
import { bundles, planOf } from './test-bundles.js';

/** What `tsrun plan` prints for each sample bundle is kept beside it. */
for (const name of bundles) {
  test(`the plan of bundle '${name}' is as written down`, () => {
    const plan = planOf(name);
    encodePlan(plan);
    const file = `bundles/${name}/plan.txt`;
    const text = printPlan(plan);
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, text);
    const hint = 'if the change is wanted: UPDATE_GOLDEN=1 npm test -- src/plan/golden';
    assert.is(text, existsSync(file) ? readFileSync(file, 'utf8') : '', hint);
  });
}

test('there are sample bundles', () => {
  assert.ok(bundles.length >= 9);
});

test.run();
