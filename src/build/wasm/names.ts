/** Operations that are not translated, so that a refusal can say their names. */
const ranges: readonly (readonly [number, string])[] = [
  [0x06, 'try catch throw rethrow throw_ref'],
  [0x12, 'return_call return_call_indirect call_ref return_call_ref'],
  [0x18, 'delegate catch_all'],
  [0x1c, 'select_t'],
  [0x1f, 'try_table'],
  [0x25, 'table.get table.set'],
  [0x40, 'memory.grow'],
  [0x5c, 'f32.ne f32.lt f32.gt f32.le f32.ge'],
  [0x7b, 'i64.popcnt'],
  [0x8a, 'i64.rotr f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt f32.add f32.sub'],
  [0x95, 'f32.div f32.min f32.max f32.copysign'],
  [0xa4, 'f64.min f64.max'],
  [0xa8, 'i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u'],
  [0xae, 'i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u'],
  [0xb3, 'f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u'],
  [0xc2, 'i64.extend8_s'],
  [0xd0, 'ref.null ref.is_null ref.func'],
  [0xfc00, 'i32.trunc_sat_f32_s i32.trunc_sat_f32_u'],
  [0xfc04, 'i64.trunc_sat_f32_s i64.trunc_sat_f32_u'],
  [0xfc08, 'memory.init data.drop'],
  [0xfc0c, 'table.init elem.drop table.copy table.grow table.size table.fill'],
];

const prefixes: Readonly<Record<number, string>> = { 251: 'garbage collection', 253: 'SIMD', 254: 'threads' };

export function nameOfRefused(code: number): string {
  for (const [first, names] of ranges) {
    const name = names.split(' ')[code - first];
    if (name !== undefined) return name;
  }
  const prefix = prefixes[code];
  return `operation 0x${code.toString(16)}${prefix === undefined ? '' : ` (${prefix})`}`;
}
