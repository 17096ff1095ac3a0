import { type FunctionType, readValueType, Refused } from './module.js';
import { nameOfRefused } from './names.js';
import { loads, operations, stores } from './operations.js';
import type { Reader } from './reader.js';

/** Codes of what is no plain operation on values. */
export const Code = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  memorySize: 0x3f,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  memoryCopy: 0xfc0a,
  memoryFill: 0xfc0b,
} as const;

export interface Instruction {
  readonly at: number;
  /** Two bytes for those behind the prefix 0xfc. */
  readonly code: number;
  /** The index of a label, function, type, local or global; the offset of a load or store. */
  readonly index: number;
  /** All labels of a `br_table`, the default last. */
  readonly labels: readonly number[];
  /** The type of a block. */
  readonly block: FunctionType['result'];
  /** Bits of a constant. */
  readonly bits: bigint;
}

const bare = new Set<number>([
  ...[Code.unreachable, Code.nop, Code.else, Code.end, Code.return, Code.drop, Code.select],
  ...operations.keys(),
]);
const indexed = new Set<number>([
  ...[Code.br, Code.brIf, Code.call, Code.localGet, Code.localSet, Code.localTee, Code.globalGet, Code.globalSet],
]);

function readBlockType(reader: Reader): FunctionType['result'] {
  if (reader.bytes[reader.at] === 0x40) {
    reader.at++;
    return undefined;
  }
  const byte = reader.bytes[reader.at]!;
  if (byte < 0x40) throw new Refused('a block with parameters or several results', reader.at);
  return readValueType(reader);
}

function readConstant(code: number, reader: Reader): bigint {
  if (code === Code.i32Const) return reader.signed(32);
  if (code === Code.i64Const) return reader.signed(64);
  return code === Code.f32Const ? BigInt(reader.fixed32()) : reader.fixed64();
}

/** Index of the only memory or table there can be. */
function skipZero(reader: Reader): void {
  if (reader.u32() !== 0) throw new Refused('a second memory or table', reader.at - 1);
}

function readIndex(code: number, reader: Reader): number {
  if (indexed.has(code)) return reader.u32();
  if (loads.has(code) || stores.has(code)) {
    const alignment = reader.u32();
    if (alignment > 3) throw new Refused(`an alignment of ${alignment}`, reader.at - 1);
    return reader.u32();
  }
  if (code === Code.callIndirect) {
    const type = reader.u32();
    skipZero(reader);
    return type;
  }
  return -1;
}

/** Refuses what is not translated, also where it cannot be reached. */
export function readInstruction(reader: Reader): Instruction {
  const at = reader.at;
  const first = reader.byte();
  const code = first === 0xfc ? 0xfc00 + reader.u32() : first;
  const instruction = { at, code, index: -1, labels: [], block: undefined, bits: 0n };
  if (bare.has(code)) return instruction;
  const index = readIndex(code, reader);
  if (index !== -1) return { ...instruction, index };
  if (code >= Code.i32Const && code <= Code.f64Const) return { ...instruction, bits: readConstant(code, reader) };
  if (code >= Code.block && code <= Code.if) return { ...instruction, block: readBlockType(reader) };
  if (code === Code.brTable) {
    const labels = reader.list(() => reader.u32());
    return { ...instruction, labels: [...labels, reader.u32()] };
  }
  if (code !== Code.memorySize && code !== Code.memoryCopy && code !== Code.memoryFill)
    throw new Refused(nameOfRefused(code), at);
  skipZero(reader);
  if (code === Code.memoryCopy) skipZero(reader);
  return instruction;
}
