import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loads, stores, type ValueType } from './operations.js';
import * as w from './test-encoder.js';
import type { Bytes, TestFunction } from './test-encoder.js';
import { type Call, sameAsNode } from './test-program.js';
import { encodeModule } from './test-encoder.js';
import { translate } from './translate.js';

const pages = 2;
const end = pages * 65536;
const integer: Readonly<Record<ValueType, ValueType>> = { i32: 'i32', i64: 'i64', f32: 'i32', f64: 'i64' };
const toBits = { i32: [], i64: [], f32: w.op('i32.reinterpret_f32'), f64: w.op('i64.reinterpret_f64') };
const fromBits = { i32: [], i64: [], f32: w.op('f32.reinterpret_i32'), f64: w.op('f64.reinterpret_i64') };
const offsets = [0, 1, 65536, end - 1, end, 0x7fffffff, 0x80000000, 0xffffffff];
const addresses = [
  0,
  3,
  8,
  100,
  65535,
  end - 8,
  end - 7,
  end - 4,
  end - 3,
  end - 2,
  end - 1,
  end,
  end + 65536,
  0x7fffffff,
  0xfffffff8,
  0xffffffff,
];
const bytes: Bytes = Array.from({ length: 256 }, (_, i) => (i * 167 + 129) & 0xff);
const data = [
  { at: 0, bytes },
  { at: end - 16, bytes: bytes.slice(0, 16) },
  { at: 65533, bytes: [1, 0xff, 0x80, 0, 0x22] },
  { at: 500, bytes: [] },
];
const id = (name: string, offset: number) => `${name.replace('.', '_')}_${offset}`;

const readers = [...loads.values()].flatMap(({ name, type }) =>
  offsets.map((offset): TestFunction => {
    const code = [...w.get(0), ...w.access(name, offset), ...toBits[type]];
    return { name: id(name, offset), params: ['i32'], result: integer[type], code };
  }),
);

test('loads of every width: any address, any offset, and the end of memory', () => {
  const calls = readers.flatMap(({ name }) => addresses.map((at): Call => ({ name, args: [BigInt(at)] })));
  sameAsNode({ functions: readers, data, pages }, calls);
});

test('stores of every width, and what they leave alone', () => {
  const writers = [...stores.values()].flatMap(({ name, type }) =>
    offsets.map((offset): TestFunction => {
      const code = [...w.get(0), ...w.get(1), ...fromBits[type], ...w.access(name, offset)];
      return { name: id(name, offset), params: ['i32', integer[type]], code };
    }),
  );
  const values = [0x0123456789abcdefn, 0xffffffffffffffffn, 0x7ff0000000000001n, 0x7f800001n];
  const calls = writers.flatMap(({ name }) =>
    addresses.map((at, i): Call => ({ name, args: [BigInt(at), values[i % values.length]!] })),
  );
  sameAsNode({ functions: writers, data, pages }, calls);
});

test('a load stays before the store that follows it', () => {
  const read = [...w.i32(64), ...w.access('i32.load')];
  const write = [...w.i32(66), ...w.get(0), ...w.access('i32.store16')];
  const code = [...read, ...write, ...read, ...w.op('i32.sub')];
  const functions: TestFunction[] = [{ name: 'swap', params: ['i32'], result: 'i32', code }];
  sameAsNode(
    { functions, data, pages },
    [7n, 0xffffn, 0n].map((value) => ({ name: 'swap', args: [value] })),
  );
});

/** Adds a number to the word at an address: what counting references looks like is another statement in C (COUNT in prelude.h). */
const adder = (name: string, by: number, op: 'i32.add' | 'i32.sub', offset = 0): TestFunction => {
  const code = [...w.get(0), ...w.get(0), ...w.access('i32.load', offset), ...w.i32(by), ...w.op(op)];
  return { name, params: ['i32'], code: [...code, ...w.access('i32.store', offset)] };
};
const counters = [
  adder('more', 1, 'i32.add'),
  adder('less', 1, 'i32.sub'),
  adder('minus', -1, 'i32.add'),
  adder('two', 2, 'i32.add'),
  adder('behind', 1, 'i32.add', 4),
];

test('counting up and down is exact wherever nothing lasts for ever', () => {
  const words = [0, 1, 0x40ffffff, 0x41000000, 0x42000000, 0xffffffff];
  const at = (i: number) => 512 + 8 * i;
  const given = words.map((word, i) => ({ at: at(i), bytes: [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff) }));
  const calls = counters.flatMap(({ name }) => words.map((_, i): Call => ({ name, args: [BigInt(at(i))] })));
  sameAsNode({ functions: counters, data: given, pages }, calls);
});

test('what looks like counting references says so, and nothing else does', () => {
  const source = translate(encodeModule({ functions: counters, pages })).sources.join('');
  assert.is(source.match(/\bCOUNT\(/g)?.length, 3);
  assert.is(source.match(/\bSTORE\(/g)?.length, 2);
});

test('memory is copied and filled, overlapping or not, and not at all where a part is out of bounds', () => {
  const three: TestFunction['params'] = ['i32', 'i32', 'i32'];
  const all = [...w.get(0), ...w.get(1), ...w.get(2)];
  const functions: TestFunction[] = [
    { name: 'copy', params: three, code: [...all, ...w.memoryCopy] },
    { name: 'fill', params: three, code: [...all, ...w.memoryFill] },
    { name: 'size', params: [], result: 'i32', code: w.memorySize },
    { name: 'word', params: ['i32'], result: 'i64', code: [...w.get(0), ...w.access('i64.load')] },
  ];
  const words = (from: number): Call[] =>
    Array.from({ length: 12 }, (_, i) => ({ name: 'word', args: [BigInt(from + i * 8)] }));
  const triples = [
    ...[
      [10, 12, 50],
      [12, 10, 50],
      [10, 10, 5],
      [300, 0, 80],
      [0, 300, 0],
      [end, 0, 0],
      [0, end, 0],
      [end + 1, 0, 0],
    ],
    ...[
      [0, end + 1, 0],
      [end - 8, 0, 9],
      [0, end - 8, 9],
      [end - 8, 0, 8],
      [0, 1, 0xffffffff],
      [0xffffffff, 0, 1],
    ],
    ...[
      [0xffffffff, 0, 0xffffffff],
      [40, 0x1ff, 20],
      [60, 0x80, 1],
      [0, 0, end + 1],
      [65530, 0, 12],
    ],
  ];
  const calls = triples.flatMap((triple): Call[] => {
    const args = triple.map(BigInt);
    return [{ name: 'copy', args }, ...words(0), { name: 'fill', args }, ...words(10)];
  });
  sameAsNode({ functions, data, pages }, [{ name: 'size', args: [] }, ...calls]);
});

test('data is placed before the start function runs', () => {
  const functions: TestFunction[] = [
    { name: 'begin', params: [], code: [...w.i32(8), ...w.i32(0), ...w.access('i32.load'), ...w.access('i32.store')] },
    { name: 'read', params: [], result: 'i64', code: [...w.i32(8), ...w.access('i64.load')] },
  ];
  for (const units of [1, 2]) sameAsNode({ functions, data, pages, start: 0 }, [{ name: 'read', args: [] }], units);
});

test.run();
