import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mangled } from './declare.js';
import { encodeModule } from './test-encoder.js';
import * as w from './test-encoder.js';
import { translate } from './translate.js';

const pinned = 'node_modules/@jitl/quickjs-ng-wasmfile-release-sync/dist/emscripten-module.wasm';
const oneFunction = (code: w.Bytes, result?: 'i32') =>
  encodeModule({ functions: [{ name: 'f', params: ['i32'], code, ...(result === undefined ? {} : { result }) }] });

test('what is not translated is refused by name and offset', () => {
  const grow = oneFunction([...w.get(0), 0x40, 0], 'i32');
  assert.throws(() => translate(grow), `memory.grow at 0x${grow.lastIndexOf(0x40).toString(16)} is not translated`);
  const popcnt = oneFunction([...w.constant('i64', 1n), 0x7b, ...w.drop]);
  assert.throws(() => translate(popcnt), /^i64\.popcnt at 0x[0-9a-f]+ is not translated$/);
  const dead = oneFunction([...w.leave, ...w.constant('i64', 1n), 0x7b, ...w.drop]);
  assert.throws(() => translate(dead), /^i64\.popcnt at/);
  const simd = oneFunction([0xfd, 0x0c, ...new Array(16).fill(0), ...w.drop]);
  assert.throws(() => translate(simd), /^operation 0xfd \(SIMD\) at/);
  const tableSize = encodeModule({
    functions: [{ name: 'f', params: [], result: 'i32', code: [0xfc, 16, 0] }],
    table: [0],
  });
  assert.throws(() => translate(tableSize), /^table\.size at/);
});

test('bytes that are no module are refused', () => {
  assert.throws(() => translate(new Uint8Array([0, 0x61, 0x73, 0x6d])), 'this is no valid WebAssembly module');
  assert.throws(() => translate(oneFunction(w.op('i32.add'))), 'this is no valid WebAssembly module');
});

test('a memory of its own is refused: the host has it', () => {
  const own = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 0, 1]);
  assert.throws(() => translate(own), /^section 5 at 0xa is not translated$/);
});

test('names become C, and different ones stay different', () => {
  assert.is(mangled('aZ_9'), 'aZ5A_9');
  assert.is(mangled('$'), 'Z24');
  assert.is(mangled('é'), 'ZC3ZA9');
  assert.is.not(mangled('Z24'), mangled('$'));
});

test('imports and exports are told to the host', () => {
  const { imports, exports, header } = translate(
    encodeModule({
      imports: ['x'],
      functions: [{ name: '$', params: ['i64', 'f64'], result: 'f32', code: w.unreachable }],
    }),
  );
  assert.equal(imports, [{ module: 'a', name: 'x', params: ['i32'], result: 'i32', cName: 'wasm_import_x' }]);
  assert.equal(exports, [{ name: '$', params: ['i64', 'f64'], result: 'f32', cName: 'wasm_Z24' }]);
  assert.match(header, 'u32 wasm_import_x(u32);\nf32 wasm_Z24(u64, f64);');
});

const hash = (texts: readonly string[]) => createHash('sha256').update(texts.join('\0')).digest('hex');

test('the pinned module is translated whole, and twice to the same bytes', () => {
  if (!existsSync(pinned)) return;
  const bytes = readFileSync(pinned);
  for (const units of [1, 4]) {
    const { sources } = translate(bytes, units);
    assert.is(sources.length, units);
    assert.is(hash(sources), hash(translate(Uint8Array.from(bytes), units).sources));
  }
});

test('every function is in exactly one unit', () => {
  const functions = Array.from({ length: 20 }, (_, i) => ({ name: `e${i}`, params: [], code: w.call((i + 7) % 20) }));
  const { sources } = translate(encodeModule({ functions }), 4);
  const definitions = sources.flatMap((source) => source.match(/fn\d+\(void\) \{/g) ?? []);
  assert.is(definitions.length, 20);
  assert.is(new Set(definitions).size, 20);
});

test.run();
