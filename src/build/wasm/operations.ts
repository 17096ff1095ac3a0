/**
 * What the translator knows of WebAssembly, a row an operation: those that the pinned QuickJS module uses. Anything else is
 * refused by name (names.ts); a newer module that needs more gets a row here, and the tests run it on edge values.
 */
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64';

export const cType: Readonly<Record<ValueType, string>> = { i32: 'u32', i64: 'u64', f32: 'f32', f64: 'f64' };

const typeOfLetter: Readonly<Record<string, ValueType>> = { i: 'i32', j: 'i64', f: 'f32', d: 'f64' };

export interface Operation {
  readonly name: string;
  readonly operands: readonly ValueType[];
  readonly result: ValueType;
  /** C with A and B for the operands, each of which occurs once or has no effect. Its type in C is the result's exactly. */
  readonly c: string;
  /** It may trap, so it happens where it stands. */
  readonly traps: boolean;
}

/** Code; name; operands and result (i32 i, i64 j, f32 f, f64 d); C. The codes from 0xfc00 on are those after the byte 0xfc. */
const rows: readonly (readonly [number, string, string, string])[] = [
  [0x45, 'i32.eqz', 'i i', '(u32)!A'],
  [0x46, 'i32.eq', 'ii i', '(u32)(A == B)'],
  [0x47, 'i32.ne', 'ii i', '(u32)(A != B)'],
  [0x48, 'i32.lt_s', 'ii i', '(u32)((s32)A < (s32)B)'],
  [0x49, 'i32.lt_u', 'ii i', '(u32)(A < B)'],
  [0x4a, 'i32.gt_s', 'ii i', '(u32)((s32)A > (s32)B)'],
  [0x4b, 'i32.gt_u', 'ii i', '(u32)(A > B)'],
  [0x4c, 'i32.le_s', 'ii i', '(u32)((s32)A <= (s32)B)'],
  [0x4d, 'i32.le_u', 'ii i', '(u32)(A <= B)'],
  [0x4e, 'i32.ge_s', 'ii i', '(u32)((s32)A >= (s32)B)'],
  [0x4f, 'i32.ge_u', 'ii i', '(u32)(A >= B)'],
  [0x50, 'i64.eqz', 'j i', '(u32)!A'],
  [0x51, 'i64.eq', 'jj i', '(u32)(A == B)'],
  [0x52, 'i64.ne', 'jj i', '(u32)(A != B)'],
  [0x53, 'i64.lt_s', 'jj i', '(u32)((s64)A < (s64)B)'],
  [0x54, 'i64.lt_u', 'jj i', '(u32)(A < B)'],
  [0x55, 'i64.gt_s', 'jj i', '(u32)((s64)A > (s64)B)'],
  [0x56, 'i64.gt_u', 'jj i', '(u32)(A > B)'],
  [0x57, 'i64.le_s', 'jj i', '(u32)((s64)A <= (s64)B)'],
  [0x58, 'i64.le_u', 'jj i', '(u32)(A <= B)'],
  [0x59, 'i64.ge_s', 'jj i', '(u32)((s64)A >= (s64)B)'],
  [0x5a, 'i64.ge_u', 'jj i', '(u32)(A >= B)'],
  [0x5b, 'f32.eq', 'ff i', '(u32)(A == B)'],
  [0x61, 'f64.eq', 'dd i', '(u32)(A == B)'],
  [0x62, 'f64.ne', 'dd i', '(u32)(A != B)'],
  [0x63, 'f64.lt', 'dd i', '(u32)(A < B)'],
  [0x64, 'f64.gt', 'dd i', '(u32)(A > B)'],
  [0x65, 'f64.le', 'dd i', '(u32)(A <= B)'],
  [0x66, 'f64.ge', 'dd i', '(u32)(A >= B)'],
  [0x67, 'i32.clz', 'i i', 'clz32(A)'],
  [0x68, 'i32.ctz', 'i i', 'ctz32(A)'],
  [0x69, 'i32.popcnt', 'i i', 'popcnt32(A)'],
  [0x6a, 'i32.add', 'ii i', 'A + B'],
  [0x6b, 'i32.sub', 'ii i', 'A - B'],
  [0x6c, 'i32.mul', 'ii i', 'A * B'],
  [0x6d, 'i32.div_s', 'ii i', 'div_s32(A, B)'],
  [0x6e, 'i32.div_u', 'ii i', 'div_u32(A, B)'],
  [0x6f, 'i32.rem_s', 'ii i', 'rem_s32(A, B)'],
  [0x70, 'i32.rem_u', 'ii i', 'rem_u32(A, B)'],
  [0x71, 'i32.and', 'ii i', 'A & B'],
  [0x72, 'i32.or', 'ii i', 'A | B'],
  [0x73, 'i32.xor', 'ii i', 'A ^ B'],
  [0x74, 'i32.shl', 'ii i', 'A << (B & 31)'],
  [0x75, 'i32.shr_s', 'ii i', '(u32)((s32)A >> (B & 31))'],
  [0x76, 'i32.shr_u', 'ii i', 'A >> (B & 31)'],
  [0x77, 'i32.rotl', 'ii i', 'rotl32(A, B)'],
  [0x78, 'i32.rotr', 'ii i', 'rotr32(A, B)'],
  [0x79, 'i64.clz', 'j j', 'clz64(A)'],
  [0x7a, 'i64.ctz', 'j j', 'ctz64(A)'],
  [0x7c, 'i64.add', 'jj j', 'A + B'],
  [0x7d, 'i64.sub', 'jj j', 'A - B'],
  [0x7e, 'i64.mul', 'jj j', 'A * B'],
  [0x7f, 'i64.div_s', 'jj j', 'div_s64(A, B)'],
  [0x80, 'i64.div_u', 'jj j', 'div_u64(A, B)'],
  [0x81, 'i64.rem_s', 'jj j', 'rem_s64(A, B)'],
  [0x82, 'i64.rem_u', 'jj j', 'rem_u64(A, B)'],
  [0x83, 'i64.and', 'jj j', 'A & B'],
  [0x84, 'i64.or', 'jj j', 'A | B'],
  [0x85, 'i64.xor', 'jj j', 'A ^ B'],
  [0x86, 'i64.shl', 'jj j', 'A << (B & 63)'],
  [0x87, 'i64.shr_s', 'jj j', '(u64)((s64)A >> (B & 63))'],
  [0x88, 'i64.shr_u', 'jj j', 'A >> (B & 63)'],
  [0x89, 'i64.rotl', 'jj j', 'rotl64(A, B)'],
  [0x94, 'f32.mul', 'ff f', 'A * B'],
  [0x99, 'f64.abs', 'd d', 'abs_f64(A)'],
  [0x9a, 'f64.neg', 'd d', '-A'],
  [0x9b, 'f64.ceil', 'd d', 'ceil_f64(A)'],
  [0x9c, 'f64.floor', 'd d', 'floor_f64(A)'],
  [0x9d, 'f64.trunc', 'd d', 'trunc_f64(A)'],
  [0x9e, 'f64.nearest', 'd d', 'nearest_f64(A)'],
  [0x9f, 'f64.sqrt', 'd d', '__builtin_sqrt(A)'],
  [0xa0, 'f64.add', 'dd d', 'A + B'],
  [0xa1, 'f64.sub', 'dd d', 'A - B'],
  [0xa2, 'f64.mul', 'dd d', 'A * B'],
  [0xa3, 'f64.div', 'dd d', 'A / B'],
  [0xa6, 'f64.copysign', 'dd d', 'copysign_f64(A, B)'],
  [0xa7, 'i32.wrap_i64', 'j i', '(u32)A'],
  [0xac, 'i64.extend_i32_s', 'i j', '(u64)(s64)(s32)A'],
  [0xad, 'i64.extend_i32_u', 'i j', '(u64)A'],
  [0xb2, 'f32.convert_i32_s', 'i f', '(f32)(s32)A'],
  [0xb6, 'f32.demote_f64', 'd f', '(f32)A'],
  [0xb7, 'f64.convert_i32_s', 'i d', '(f64)(s32)A'],
  [0xb8, 'f64.convert_i32_u', 'i d', '(f64)A'],
  [0xb9, 'f64.convert_i64_s', 'j d', '(f64)(s64)A'],
  [0xba, 'f64.convert_i64_u', 'j d', '(f64)A'],
  [0xbb, 'f64.promote_f32', 'f d', '(f64)A'],
  [0xbc, 'i32.reinterpret_f32', 'f i', 'bits_f32(A)'],
  [0xbd, 'i64.reinterpret_f64', 'd j', 'bits_f64(A)'],
  [0xbe, 'f32.reinterpret_i32', 'i f', 'to_f32(A)'],
  [0xbf, 'f64.reinterpret_i64', 'j d', 'to_f64(A)'],
  [0xc0, 'i32.extend8_s', 'i i', '(u32)(s32)(s8)A'],
  [0xc1, 'i32.extend16_s', 'i i', '(u32)(s32)(s16)A'],
  [0xc3, 'i64.extend16_s', 'j j', '(u64)(s64)(s16)A'],
  [0xc4, 'i64.extend32_s', 'j j', '(u64)(s64)(s32)A'],
  [0xfc02, 'i32.trunc_sat_f64_s', 'd i', 'trunc_s32(A)'],
  [0xfc03, 'i32.trunc_sat_f64_u', 'd i', 'trunc_u32(A)'],
  [0xfc06, 'i64.trunc_sat_f64_s', 'd j', 'trunc_s64(A)'],
  [0xfc07, 'i64.trunc_sat_f64_u', 'd j', 'trunc_u64(A)'],
];

export const operations: ReadonlyMap<number, Operation> = new Map(
  rows.map(([code, name, types, c]) => {
    const [operands = '', result = ''] = types.split(' ');
    const traps = /\.(div|rem)_/.test(name);
    return [code, { name, operands: [...operands].map(typeNamed), result: typeNamed(result), c, traps }];
  }),
);

function typeNamed(letter: string): ValueType {
  return typeOfLetter[letter]!;
}

/** A load or a store: `cell` is what lies in memory, `cast` makes a loaded cell the value. */
export interface Access {
  readonly name: string;
  readonly type: ValueType;
  readonly cell: string;
  readonly cast: string;
}

const access = (name: string, cell: string, cast = ''): Access => ({
  name,
  type: name.slice(0, 3) as ValueType,
  cell,
  cast,
});

export const loads: ReadonlyMap<number, Access> = new Map([
  [0x28, access('i32.load', 'u32')],
  [0x29, access('i64.load', 'u64')],
  [0x2a, access('f32.load', 'f32')],
  [0x2b, access('f64.load', 'f64')],
  [0x2c, access('i32.load8_s', 's8', '(u32)(s32)')],
  [0x2d, access('i32.load8_u', 'u8')],
  [0x2e, access('i32.load16_s', 's16', '(u32)(s32)')],
  [0x2f, access('i32.load16_u', 'u16')],
  [0x30, access('i64.load8_s', 's8', '(u64)(s64)')],
  [0x31, access('i64.load8_u', 'u8')],
  [0x32, access('i64.load16_s', 's16', '(u64)(s64)')],
  [0x33, access('i64.load16_u', 'u16')],
  [0x34, access('i64.load32_s', 's32', '(u64)(s64)')],
  [0x35, access('i64.load32_u', 'u32')],
]);

export const stores: ReadonlyMap<number, Access> = new Map([
  [0x36, access('i32.store', 'u32')],
  [0x37, access('i64.store', 'u64')],
  [0x38, access('f32.store', 'f32')],
  [0x39, access('f64.store', 'f64')],
  [0x3a, access('i32.store8', 'u8')],
  [0x3b, access('i32.store16', 'u16')],
  [0x3c, access('i64.store8', 'u8')],
  [0x3d, access('i64.store16', 'u16')],
  [0x3e, access('i64.store32', 'u32')],
]);
