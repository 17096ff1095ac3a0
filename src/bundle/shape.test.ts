import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { specShape } from '../generated/config-shapes.js';
import { explainShape, type AjvError, type AjvValidator } from './explain.js';
import { validateSpec } from '../generated/validators.js';
import { conforms, forgetPrototypes, newWalk } from './shape.js';
import { config130, type Json, mutants, smallest } from './test-config.js';

const schema = JSON.parse(readFileSync('schemas/config.schema.json', 'utf8'));
const ask = (value: unknown) => conforms(value, specShape, newWalk());

/** Every kind of wrong value a key can have. */
const replacements: readonly unknown[] = [
  ...[undefined, null, true, 0, -2, 1.5, 600, 70000, 2_147_484, 2 ** 32, 2 ** 53 - 1],
  ...['', 'x', '/x', 'SCMP_ACT_ALOW', 'rwmr', 'MB:\n', '__proto__', [], [null], ['x'], {}, { x: 1 }],
];

test('accepts a config with every key and one with hardly any', () => {
  assert.ok(ask(config130()));
  assert.ok(ask(smallest()));
});

test('the tables and ajv agree on every config with one key changed', () => {
  const validate = validateSpec as AjvValidator;
  let refused = 0;
  let accepted = 0;
  const config = config130();
  for (const [pointer, value] of mutants(config, replacements)) {
    const expected = validate(config);
    assert.is(ask(config), expected, `${pointer} = ${JSON.stringify(value)}`);
    if (expected) accepted += 1;
    else refused += 1;
  }
  assert.ok(
    refused > 2500 && accepted > 300,
    `${refused} refused, ${accepted} accepted: the mutants test both answers`,
  );
});

test('the tables and ajv agree at the bounds of every number', () => {
  const bounds = [
    5,
    7,
    100,
    511,
    999,
    1000,
    4095,
    65535,
    1048575,
    2147483,
    999_999_999,
    2 ** 31 - 1,
    2 ** 32 - 2,
    2 ** 32 - 1,
  ];
  const values = [-(2 ** 31), -1000, -1, 0, 1, ...bounds, 2 ** 53 - 2].flatMap((bound) => [
    bound - 1,
    bound,
    bound + 1,
  ]);
  const config = config130();
  let refused = 0;
  for (const [pointer, value] of mutants(config, values)) {
    const expected = (validateSpec as AjvValidator)(config);
    assert.is(ask(config), expected, `${pointer} = ${value}`);
    refused += expected ? 0 : 1;
  }
  assert.ok(refused > 1000);
});

test('the committed validators are what ajv makes of the schema today', () => {
  const { $schema: _, ...plain } = schema;
  const validate = new Ajv({ allErrors: true }).compile(plain);
  const config = config130();
  for (const [pointer, value] of mutants(config, [null, 'x', -2])) {
    assert.is((validateSpec as AjvValidator)(config), validate(config), `${pointer} = ${JSON.stringify(value)}`);
  }
});

test('every refusal has an explanation in words of our own, at the key that was changed or below it', () => {
  const config = config130();
  for (const [pointer, value] of mutants(config, [undefined, null, -2, 2 ** 53 - 1, 'x', [], [null], {}])) {
    const failures = explainShape(config, validateSpec as AjvValidator);
    for (const failure of failures) {
      assert.not.match(failure.message, /must match|breaks the rule/, `${pointer} = ${JSON.stringify(value)}`);
      const at = failure.pointer ?? '';
      assert.ok(at === pointer || at.startsWith(`${pointer}/`) || pointer.startsWith(at), `${pointer}: blamed ${at}`);
    }
  }
});

test('a keyword the explanations do not know is noticed', () => {
  const odd = Object.assign(() => false, {
    errors: [{ instancePath: '/x', keyword: 'not', params: {} }] as AjvError[],
  });
  assert.match(explainShape({}, odd)[0]!.message, /breaks the rule 'not'/);
});

test('maps lose their prototype, and names of Object.prototype are nothing special', () => {
  const before = Object.getOwnPropertyNames(Object.prototype).join();
  const config = JSON.parse(
    '{"ociVersion":"1.0.2","root":{"path":"r","__proto__":{"polluted":1}},"annotations":{"__proto__":"a","constructor":"b"}}',
  );
  const walk = newWalk();
  assert.ok(conforms(config, specShape, walk));
  assert.is(Object.getPrototypeOf(config.annotations), null);
  assert.equal(Object.keys(config.annotations), ['__proto__', 'constructor']);
  assert.is(config.annotations.toString, undefined);
  assert.equal([walk.unknown, walk.withPrototype], [true, [config.root]]);
  forgetPrototypes(walk);
  assert.not.ok(Object.hasOwn(config.root, '__proto__'));
  assert.is(({} as Json).polluted, undefined);
  assert.is(Object.getOwnPropertyNames(Object.prototype).join(), before);
});

test.run();
