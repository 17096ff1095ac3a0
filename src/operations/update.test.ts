import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { resourcesFromInput, withoutNulls } from './update.js';

test('members that are null are taken out, whatever stands around them', () => {
  for (const [text, left] of [
    ['{"a":null}', '{}'],
    ['{"a":null,"b":1}', '{"b":1}'],
    ['{"b":1,"a":null}', '{"b":1}'],
    ['{"a":null,"b":null}', '{}'],
    ['{"b":1 , "a" : null , "c":{"d":null} }', '{"b":1,"c":{}}'],
    ['{"b":"x, \\"null\\": null,}","a":null}', '{"b":"x, \\"null\\": null,}"}'],
    ['{"a":{"b":null,"c":null},"d":2}', '{"a":{},"d":2}'],
  ] as const) {
    assert.is(JSON.stringify(JSON.parse(withoutNulls(text))), left, text);
  }
  assert.is(withoutNulls('{"a":[null]}'), '{"a":[null]}');
});

test('large numbers survive beside nulls', () => {
  const text = '{"memory":{"limit":9223372036854775807,"swap":null},"cpu":null}';
  const { resources } = resourcesFromInput(new TextEncoder().encode(text));
  assert.is(resources.memory?.limit, 9223372036854775807n);
  assert.equal(Object.keys(resources), ['memory']);
});

test.run();
