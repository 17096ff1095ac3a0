import { test } from 'uvu';
import { operations, type Operation, type ValueType } from './operations.js';
import { access, constant, get, i32, op, type Bytes, type TestFunction } from './test-encoder.js';
import { type Call, sameAsNode } from './test-program.js';

const max32 = 0xffffffffn;
const max64 = 0xffffffffffffffffn;

/** Around what overflows, what a shift leaves of its count, what 8 and 16 bits hold. */
const i32Edges = [0n, 1n, 2n, 7n, 31n, 32n, 33n, 63n, 64n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xff80n, 0x12345678n];
const i64Edges = [...i32Edges, 65n, 0x7fffffffn, 0x80000000n, max32, 1n << 32n, (1n << 53n) + 1n, 0x123456789abcdef0n];
const both = (edges: readonly bigint[], max: bigint) => [...new Set(edges.flatMap((value) => [value, max ^ value]))];
const minOf = (max: bigint) => [(max >> 1n) - 1n, max >> 1n, (max >> 1n) + 1n, (max >> 1n) + 2n, max - 1n];

const bitsOf = (value: number): bigint => new BigUint64Array(new Float64Array([value]).buffer)[0]!;
const bitsOf32 = (value: number): bigint => BigInt(new Uint32Array(new Float32Array([value]).buffer)[0]!);

/** Halves, the last integers of each size and their neighbours, and what a conversion to f32 or to integers rounds. */
const numbers = [
  ...[
    0, 1, 1.5, 2, 2.5, 3.5, 0.1, 0.49999999999999994, 0.5, 0.9999999999999999, 1e-310, 5e-324, 2.2250738585072014e-308,
  ],
  ...[
    Number.MAX_VALUE,
    1e300,
    Number.POSITIVE_INFINITY,
    3.4028234663852886e38,
    3.4028235677973366e38,
    1.401298464324817e-45,
  ],
  ...[7.006492321624085e-46, 1.1754943508222875e-38, 16777217, 4503599627370495.5, 4503599627370496, 4503599627370497],
  ...[2 ** 53, 2147483646.5, 2147483647, 2147483647.5, 2147483648, 2147483648.5, 2147483649, 4294967294.5, 4294967295],
  ...[4294967295.5, 4294967296, 2 ** 63 - 1024, 2 ** 63, 2 ** 63 + 2048, 2 ** 64 - 2048, 2 ** 64, 1e20],
];
const nan64 = [0x7ff8000000000000n, 0x7ff0000000000001n, 0x7ff4dead0000beefn, 0xfff8000000000000n, 0xffffffffffffffffn];
const nan32 = [0x7fc00000n, 0x7f800001n, 0x7fa0beefn, 0xffc00000n, 0xffffffffn];

const edges: Readonly<Record<ValueType, readonly bigint[]>> = {
  i32: [...new Set([...both(i32Edges, max32), ...minOf(max32)])],
  i64: [...new Set([...both(i64Edges, max64), ...minOf(max64)])],
  f32: [...new Set([...numbers.flatMap((value) => [bitsOf32(value), bitsOf32(-value)]), ...nan32])],
  f64: [...numbers.flatMap((value) => [bitsOf(value), bitsOf(-value)]), ...nan64],
};

const integer: Readonly<Record<ValueType, ValueType>> = { i32: 'i32', i64: 'i64', f32: 'i32', f64: 'i64' };
const fromBits: Readonly<Record<ValueType, Bytes>> = {
  ...{ i32: [], i64: [] },
  ...{ f32: op('f32.reinterpret_i32'), f64: op('f64.reinterpret_i64') },
};
const toBits: Readonly<Record<ValueType, Bytes>> = {
  ...{ i32: [], i64: [] },
  ...{ f32: op('i32.reinterpret_f32'), f64: op('i64.reinterpret_f64') },
};

const identifier = (name: string) => name.replace('.', '_');
/** These move bits; of the others the specification leaves the bits of a NaN open. */
const movesBits = /abs|neg|copysign|reinterpret/;

const asFunction = ({ name, operands, result }: Operation): TestFunction => ({
  name: identifier(name),
  params: operands.map((type) => integer[type]),
  result: integer[result],
  code: [...operands.flatMap((type, i) => [...get(i), ...fromBits[type]]), ...op(name), ...toBits[result]],
});

function argumentsOf({ operands }: Operation): bigint[][] {
  const [a, b] = operands.map((type) => edges[type]);
  return b === undefined ? a!.map((value) => [value]) : a!.flatMap((x) => b.map((y) => [x, y]));
}

test('every operation on edge values', () => {
  const all = [...operations.values()];
  const calls = all.flatMap((operation): Call[] => {
    const { name, result } = operation;
    const anyNaN = movesBits.test(name) || result === 'i32' || result === 'i64' ? undefined : result;
    return argumentsOf(operation).map((args) => ({ name: identifier(name), args, anyNaN }));
  });
  sameAsNode({ functions: all.map(asFunction) }, calls);
});

test('a result is unsigned, of its own width, whatever is made of it', () => {
  const all = [...operations.values()].filter(({ result }) => result === 'i32');
  const functions = all.map(({ name, operands }): TestFunction => {
    const one = (first: number) => [
      ...operands.flatMap((type, i) => [...get(first + i), ...fromBits[type]]),
      ...op(name),
    ];
    const extend = op('i64.extend_i32_u');
    // The difference of two truths may be -1, which as a signed number would grow another sign.
    const difference = [...one(0), ...one(operands.length), ...op('i32.sub'), ...extend];
    const params = [...operands, ...operands].map((type) => integer[type]);
    const code = [...difference, ...one(0), ...extend, ...op('i64.sub')];
    return { name: identifier(name), params, result: 'i64', code };
  });
  const calls = all.flatMap((operation) => {
    const list = argumentsOf(operation);
    const few = list.filter((_, i) => i % 17 === 0 || list.length < 100);
    return few.map(
      (args, i): Call => ({ name: identifier(operation.name), args: [...args, ...few[(i * 7 + 1) % few.length]!] }),
    );
  });
  sameAsNode({ functions }, calls);
});

/** Writes the result for constant operands to memory: the compiler computes it, or has to. */
function ofConstants(operation: Operation): TestFunction {
  const { name, operands, result, traps } = operation;
  const few = argumentsOf(operation).filter(
    (args, i) => (args.length === 1 || i % 37 === 0) && !(traps && isTrap(args)),
  );
  const size = result === 'i64' || result === 'f64' ? 8 : 4;
  const code = few.flatMap((args, i) => [
    ...i32(0),
    ...args.flatMap((bits, k) => constant(operands[k]!, bits)),
    ...op(name),
    ...access(`${result}.store`, i * size),
  ]);
  return { name: identifier(name), params: [], code };
}

const isTrap = ([a, b]: readonly bigint[]): boolean => b === 0n || (a !== 0n && (a! & (a! - 1n)) === 0n);

test('every operation on constants', () => {
  const exact = [...operations.values()].filter(
    ({ name, result }) => movesBits.test(name) || result === 'i32' || result === 'i64',
  );
  const sum: TestFunction = {
    name: 'sum',
    params: ['i32'],
    result: 'i64',
    code: [...get(0), ...access('i64.load')],
  };
  const calls = exact.flatMap(({ name }): Call[] => [
    { name: identifier(name), args: [] },
    ...Array.from({ length: 64 }, (_, i) => ({ name: 'sum', args: [BigInt(i * 8)] })),
  ]);
  sameAsNode({ functions: [...exact.map(ofConstants), sum] }, calls);
});

test('floats are computed on constants', () => {
  const all = [...operations.values()].filter(
    ({ name, result }) => !movesBits.test(name) && (result === 'f32' || result === 'f64'),
  );
  const calls: Call[] = [];
  const functions = all.flatMap(({ name, operands, result }, k) =>
    argumentsOf({ name, operands, result, c: '', traps: false })
      .filter((args, i) => args.length === 1 || i % 41 === k % 41)
      .map((args, i): TestFunction => {
        const code = [...args.flatMap((bits, at) => constant(operands[at]!, bits)), ...op(name), ...toBits[result]];
        const own = `${identifier(name)}_${i}`;
        calls.push({ name: own, args: [], anyNaN: result as 'f32' | 'f64' });
        return { name: own, params: [], result: integer[result], code };
      }),
  );
  sameAsNode({ functions }, calls);
});

test('constants keep their bits', () => {
  const types: ValueType[] = ['i32', 'i64', 'f32', 'f64'];
  const functions = types.flatMap((type) =>
    edges[type].map((bits, i): TestFunction => {
      const code = [...constant(type, bits), ...toBits[type]];
      return { name: `${type}_${i}`, params: [], result: integer[type], code };
    }),
  );
  sameAsNode(
    { functions },
    functions.map(({ name }) => ({ name, args: [] })),
  );
});

test.run();
