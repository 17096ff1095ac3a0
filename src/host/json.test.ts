import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findObject, isPlain } from './json.js';

const find = (text: string, ...path: string[]): string | undefined => {
  const span = findObject(new TextEncoder().encode(text), path);
  return span && new TextDecoder().decode(new TextEncoder().encode(text).subarray(span.begin, span.end));
};

test('the object at a path, wherever it stands', () => {
  const rows: [text: string, found: string | undefined][] = [
    ['{"a":{"b":{"c":1}}}', '{"c":1}'],
    ['{ "a" :\n\t{ "x":[{"b":{}}], "b" : { "c":"}{\\"" } } , "b":{} }', '{ "c":"}{\\"" }'],
    ['{"x":{"a":{"b":{}}},"a":{"b":{"d":[{},{"e":{}}]}}}', '{"d":[{},{"e":{}}]}'],
    ['{"é\\\\":"\\\\","a":{"b":{}}}', '{}'],
    ['{"b":{"a":{}}}', undefined],
    ['{"a":{"b":1}}', undefined],
    ['{"a":[{"b":{}}]}', undefined],
    ['{"a":{"c":{"b":{}}}}', undefined],
    ['{"a":{"b":{},"b":{}}}', undefined],
    ['{"a":{"b":{}},"a":{"b":{}}}', undefined],
    ['{"a":{"b":{', undefined],
    ['{"a":{"b":{"', undefined],
    ['{"a":{"b":{}}}}', undefined],
    ['{"x":"a","a":"b","b":{}}', undefined],
    ['[]', undefined],
    ['', undefined],
  ];
  for (const [text, found] of rows) assert.is(find(text, 'a', 'b'), found, text);
  assert.is(find('{"aa":{},"a":{"x":1},"b":{}}', 'a'), '{"x":1}');
});

test('plain is what JSON writes as it is', () => {
  for (let code = 0; code < 300; code++) {
    const text = String.fromCharCode(code);
    assert.is(isPlain(text), code < 127 && JSON.stringify(text) === `"${text}"`, `character ${code}`);
  }
});

test.run();
