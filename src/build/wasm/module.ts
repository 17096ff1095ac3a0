import type { ValueType } from './operations.js';
import { Reader } from './reader.js';

export interface FunctionType {
  readonly params: readonly ValueType[];
  /** At most one. */
  readonly result: ValueType | undefined;
}

export interface WasmFunction {
  readonly type: FunctionType;
  /** Module and name, if it is imported. */
  readonly imported?: readonly [string, string];
}

/** A module, without what is in its functions. Memory is the host's: the module has to import it. */
export interface Module {
  /** Equal types are one object. */
  readonly types: FunctionType[];
  readonly functions: WasmFunction[];
  readonly globals: { readonly type: ValueType; readonly value: bigint }[];
  readonly exports: { readonly name: string; readonly index: number }[];
  start: number | undefined;
  /** Function indexes by slot; holes are slots that hold nothing. */
  table: (number | undefined)[];
  readonly data: { readonly at: number; readonly bytes: Uint8Array }[];
  /** Where the bodies are, in the order of the functions that are not imported. */
  readonly bodies: { readonly from: number; readonly to: number }[];
}

export class Refused extends Error {
  constructor(what: string, at: number) {
    super(`${what} at 0x${at.toString(16)} is not translated`);
  }
}

const valueTypes: Readonly<Record<number, ValueType>> = { 127: 'i32', 126: 'i64', 125: 'f32', 124: 'f64' };

export function readValueType(reader: Reader): ValueType {
  const byte = reader.byte();
  const type = valueTypes[byte];
  if (type === undefined) throw new Refused(`type 0x${byte.toString(16)}`, reader.at - 1);
  return type;
}

function readType(reader: Reader, types: FunctionType[]): void {
  const at = reader.at;
  if (reader.byte() !== 0x60) throw new Refused('a type that is no function', at);
  const params = reader.list(() => readValueType(reader));
  const results = reader.list(() => readValueType(reader));
  if (results.length > 1) throw new Refused('a function with several results', at);
  const same = types.find((type) => type.result === results[0] && `${type.params}` === `${params}`);
  types.push(same ?? { params, result: results[0] });
}

function readImport(reader: Reader, { types, functions }: Module): void {
  const at = reader.at;
  const imported = [reader.name(), reader.name()] as const;
  const kind = reader.byte();
  if (kind === 0) functions.push({ type: types[reader.u32()]!, imported });
  else if (kind === 2) readLimits(reader);
  else throw new Refused(`the import ${imported.join('.')}, neither function nor memory,`, at);
}

/** The smallest size; the largest is the host's affair. */
function readLimits(reader: Reader): number {
  const flags = reader.byte();
  if (flags > 1) throw new Refused(`limits with flags ${flags}`, reader.at - 1);
  const smallest = reader.u32();
  if (flags === 1) reader.u32();
  return smallest;
}

function readConstant(reader: Reader): bigint {
  const at = reader.at;
  const code = reader.byte();
  if (code !== 0x41 && code !== 0x42) throw new Refused(`an initial value by 0x${code.toString(16)}`, at);
  const value = reader.signed(code === 0x41 ? 32 : 64);
  if (reader.byte() !== 0x0b) throw new Refused('a computed initial value', at);
  return value;
}

/** Active segments of memory or table 0 only. */
function readPlace(reader: Reader): number {
  const at = reader.at;
  const flags = reader.u32();
  if (flags !== 0) throw new Refused(`a segment with flags ${flags}`, at);
  return Number(readConstant(reader));
}

function readTable(reader: Reader, module: Module): void {
  const at = reader.at;
  if (reader.byte() !== 0x70 || module.table.length > 0)
    throw new Refused('a table other than the first of functions', at);
  module.table = new Array(readLimits(reader)).fill(undefined);
}

function readElements(reader: Reader, module: Module): void {
  const start = reader.at;
  const at = readPlace(reader);
  const indexes = reader.list(() => reader.u32());
  if (at + indexes.length > module.table.length) throw new Refused('a segment that does not fit the table', start);
  for (const [i, index] of indexes.entries()) module.table[at + i] = index;
}

function readSection(id: number, reader: Reader, module: Module): void {
  const { types, functions } = module;
  const each = (item: () => void) => void reader.list(item);
  const at = reader.at;
  if (id === 1) each(() => readType(reader, types));
  else if (id === 2) each(() => readImport(reader, module));
  else if (id === 3) each(() => functions.push({ type: types[reader.u32()]! }));
  else if (id === 4) each(() => readTable(reader, module));
  else if (id === 6)
    each(() => {
      const type = readValueType(reader);
      reader.byte();
      module.globals.push({ type, value: readConstant(reader) });
    });
  else if (id === 7)
    each(() => {
      const name = reader.name();
      const kind = reader.byte();
      const index = reader.u32();
      if (kind === 0) module.exports.push({ name, index });
    });
  else if (id === 8) module.start = reader.u32();
  else if (id === 9) each(() => readElements(reader, module));
  else if (id === 10)
    each(() => {
      const length = reader.u32();
      module.bodies.push({ from: reader.at, to: reader.at + length });
      reader.at += length;
    });
  else if (id === 11) each(() => module.data.push({ at: readPlace(reader), bytes: reader.take(reader.u32()) }));
  else if (id !== 0 && id !== 12) throw new Refused(`section ${id}`, at);
}

export function readModule(bytes: Uint8Array): Module {
  const module: Module = {
    types: [],
    functions: [],
    globals: [],
    exports: [],
    start: undefined,
    table: [],
    data: [],
    bodies: [],
  };
  const reader = new Reader(bytes, 8);
  while (reader.at < bytes.length) {
    const id = reader.byte();
    const end = reader.u32() + reader.at;
    readSection(id, reader, module);
    reader.at = end;
  }
  return module;
}
