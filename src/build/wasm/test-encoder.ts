/** Writes small WebAssembly modules for tests. */
import { Code } from './instruction.js';
import { loads, operations, stores, type ValueType } from './operations.js';

export type Bytes = readonly number[];

export interface TestFunction {
  /** Exported by it. */
  readonly name: string;
  readonly params: readonly ValueType[];
  readonly result?: ValueType;
  readonly locals?: readonly ValueType[];
  readonly code: Bytes;
}

export interface TestModule {
  /** Functions of the host, before ours; all take an i32 and give one. */
  readonly imports?: readonly string[];
  readonly functions: readonly TestFunction[];
  /** Function indexes; `undefined` is an empty slot. */
  readonly table?: readonly (number | undefined)[];
  readonly globals?: readonly { readonly type: 'i32' | 'i64'; readonly value: bigint }[];
  readonly data?: readonly { readonly at: number; readonly bytes: Bytes }[];
  readonly start?: number;
  readonly pages?: number;
}

export function unsigned(value: number | bigint): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt(value); ; ) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if (rest === 0n) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

export function signed(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if (rest === ((low & 0x40) === 0 ? 0n : -1n)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

const little = (value: bigint, size: number): number[] =>
  Array.from({ length: size }, (_, i) => Number((value >> BigInt(i * 8)) & 0xffn));

const typeByte: Readonly<Record<ValueType, number>> = { i32: 127, i64: 126, f32: 125, f64: 124 };
const blockByte = (result?: ValueType): number => (result === undefined ? 0x40 : typeByte[result]);

const codes = new Map([...operations, ...loads, ...stores].map(([code, { name }]) => [name, code]));
const opcode = (name: string): number[] => {
  const code = codes.get(name);
  if (code === undefined) throw new RangeError(name);
  return code < 0x100 ? [code] : [0xfc, code & 0xff];
};

export const op = (name: string): number[] => opcode(name);
export const access = (name: string, offset = 0): number[] => [...opcode(name), 0, ...unsigned(offset)];
/** A constant of these bits. */
export function constant(type: ValueType, bits: bigint): number[] {
  if (type === 'i32') return [Code.i32Const, ...signed(BigInt.asIntN(32, bits))];
  if (type === 'i64') return [Code.i64Const, ...signed(BigInt.asIntN(64, bits))];
  return type === 'f32' ? [Code.f32Const, ...little(bits, 4)] : [Code.f64Const, ...little(bits, 8)];
}
export const i32 = (value: number): number[] => constant('i32', BigInt(value));
export const get = (local: number): number[] => [Code.localGet, ...unsigned(local)];
export const set = (local: number): number[] => [Code.localSet, ...unsigned(local)];
export const tee = (local: number): number[] => [Code.localTee, ...unsigned(local)];
export const getGlobal = (index: number): number[] => [Code.globalGet, ...unsigned(index)];
export const setGlobal = (index: number): number[] => [Code.globalSet, ...unsigned(index)];
export const block = (result: ValueType | undefined, ...body: Bytes[]): number[] => [
  ...[Code.block, blockByte(result)],
  ...body.flat(),
  Code.end,
];
export const loop = (result: ValueType | undefined, ...body: Bytes[]): number[] => [
  ...[Code.loop, blockByte(result)],
  ...body.flat(),
  Code.end,
];
export const when = (result: ValueType | undefined, yes: Bytes, no?: Bytes): number[] => [
  ...[Code.if, blockByte(result)],
  ...yes,
  ...(no === undefined ? [] : [Code.else, ...no]),
  Code.end,
];
export const br = (depth: number): number[] => [Code.br, depth];
export const brIf = (depth: number): number[] => [Code.brIf, depth];
export const brTable = (...depths: number[]): number[] => [Code.brTable, depths.length - 1, ...depths];
export const call = (index: number): number[] => [Code.call, ...unsigned(index)];
export const callIndirect = (type: number): number[] => [Code.callIndirect, ...unsigned(type), 0];
export const select: Bytes = [Code.select];
export const drop: Bytes = [Code.drop];
export const leave: Bytes = [Code.return];
export const unreachable: Bytes = [Code.unreachable];
export const nop: Bytes = [Code.nop];
export const memorySize: Bytes = [Code.memorySize, 0];
export const memoryCopy: Bytes = [0xfc, Code.memoryCopy & 0xff, 0, 0];
export const memoryFill: Bytes = [0xfc, Code.memoryFill & 0xff, 0];

const vector = (items: readonly Bytes[]): number[] => [...unsigned(items.length), ...items.flat()];
const text = (value: string): number[] => [...unsigned(Buffer.byteLength(value)), ...Buffer.from(value)];
const section = (id: number, items: readonly Bytes[]): number[] => {
  const body = vector(items);
  return items.length === 0 ? [] : [id, ...unsigned(body.length), ...body];
};

/** Type 0 is that of imports; function number i of ours has type i + 1, and may share it with others. */
function types({ functions }: TestModule): number[][] {
  const list = functions.map(({ params, result }) => [
    0x60,
    ...vector(params.map((type) => [typeByte[type]])),
    ...vector(result === undefined ? [] : [[typeByte[result]]]),
  ]);
  return [[0x60, 1, 127, 1, 127], ...list];
}

function elements(table: readonly (number | undefined)[]): number[][] {
  return table.flatMap((index, i) => (index === undefined ? [] : [[0, ...i32(i), Code.end, 1, ...unsigned(index)]]));
}

function body({ locals = [], code }: TestFunction): number[] {
  const bytes = [...vector(locals.map((type) => [1, typeByte[type]])), ...code, Code.end];
  return [...unsigned(bytes.length), ...bytes];
}

export function encodeModule(module: TestModule): Uint8Array {
  const { imports = [], functions, table = [], globals = [], data = [], start, pages = 1 } = module;
  const memory = [...text('a'), ...text('memory'), 2, 0, ...unsigned(pages)];
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types(module)),
    ...section(2, [...imports.map((name) => [...text('a'), ...text(name), 0, 0]), memory]),
    ...section(
      3,
      functions.map((_, i) => unsigned(i + 1)),
    ),
    ...section(4, table.length === 0 ? [] : [[0x70, 0, ...unsigned(table.length)]]),
    ...section(
      6,
      globals.map(({ type, value }) => [typeByte[type], 1, ...constant(type, value), Code.end]),
    ),
    ...section(
      7,
      functions.map(({ name }, i) => [...text(name), 0, ...unsigned(imports.length + i)]),
    ),
    ...(start === undefined ? [] : [8, unsigned(start).length, ...unsigned(start)]),
    ...section(9, elements(table)),
    ...section(10, functions.map(body)),
    ...section(
      11,
      data.map(({ at, bytes }) => [0, ...i32(at), Code.end, ...unsigned(bytes.length), ...bytes]),
    ),
  ]);
}
