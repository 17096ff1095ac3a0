import { mayHaveBadStrings } from './parse.js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { config130, faultsOf, type Json, pointersOf, put } from './test-config.js';
import { validateConfig } from './spec-document.js';

const get = (document: Json, pointer: string): Json =>
  pointer
    .split('/')
    .slice(1)
    .reduce((here, part) => here[part.replaceAll('~1', '/').replaceAll('~0', '~')], document);

/** Every string of a config with every key. */
const strings = pointersOf(config130()).filter((pointer) => typeof get(config130(), pointer) === 'string');

test('refuses NUL in any string of the config, also when the config did not come from text', () => {
  assert.ok(strings.length > 100);
  for (const pointer of strings) {
    const changed = put(config130(), pointer, `${get(config130(), pointer)}\0x`);
    const faults = faultsOf(JSON.stringify(changed)).filter((fault) => fault.pointer === pointer);
    // Where only some values are allowed, the schema has said no before.
    assert.ok(
      faults.some(({ code }) => ['TSR_CONFIG_NUL', 'TSR_CONFIG_NAME', 'TSR_CONFIG_FORMAT'].includes(code)),
      pointer,
    );
    assert.ok(
      validateConfig(changed).errors.some((fault) => fault.pointer === pointer),
      pointer,
    );
  }
});

test('refuses half of a surrogate pair: it would become another path, or a raw byte', () => {
  for (const half of ['\\ud800', '\\uDFFF', 'a\\uD83d', '\\udc80b', '\\ude00\\ud83d']) {
    const text = JSON.stringify(config130()).replace('"true"', `"${half}"`);
    assert.equal(
      faultsOf(text).map(({ code, pointer }) => `${code} ${pointer}`),
      ['TSR_CONFIG_SURROGATE /process/args/2'],
      half,
    );
  }
  const text = JSON.stringify(config130()).replace('"true"', '"\\ud83d\\ude00"');
  assert.equal(faultsOf(text), []);
});

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test('a whole pair is no reason to look closer; what could hold half of one is', () => {
  for (const text of ['\\ud83d\\ude00', 'x\\uD83D\\uDE00\\ud83d\\ude01', '\\u00e9\\ud7ff\\ue000', '\\\\u00e9'])
    assert.not(mayHaveBadStrings(bytesOf(`"${text}"`)), text);
  const pieces = ['\\', '\\\\', '\\u', 'ud83d', '\\ud83d', '\\ude00', '\\uDBff', '\\udCaB', '\\ud7ff', 'x', '\\u0000'];
  let parsed = 0;
  for (let i = 0; i < 11 ** 4; i++) {
    const text = `"${[1, 11, 121, 1331].map((unit) => pieces[Math.floor(i / unit) % 11]).join('')}"`;
    if (mayHaveBadStrings(bytesOf(text))) continue;
    try {
      const value = JSON.parse(text) as string;
      parsed++;
      assert.not(/\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value), text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  assert.ok(parsed > 400, `${parsed} texts`);
});

test('looks at the names of maps, too', () => {
  for (const pointer of [
    '/annotations',
    '/linux/sysctl',
    '/linux/resources/unified',
    '/linux/resources/rdma',
    '/linux/netDevices',
  ]) {
    const config = config130();
    const map = get(config, pointer);
    map['a\0b'] = Object.values(map)[0];
    assert.ok(
      faultsOf(JSON.stringify(config)).some(
        (fault) => fault.code === 'TSR_CONFIG_NUL' && fault.pointer === `${pointer}/a\0b`,
      ),
      pointer,
    );
  }
});

test('leaves unknown keys alone', () => {
  const config = { ...config130(), unknown: { 'a\0': ['\0', '\ud800'] } };
  assert.equal(faultsOf(JSON.stringify(config)), []);
});

test.run();
