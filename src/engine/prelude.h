/* What C that was made from WebAssembly needs (src/build/wasm), for its host, too. No libc. */
#pragma once

typedef unsigned char u8;
typedef signed char s8;
typedef unsigned short u16;
typedef short s16;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;
typedef long long s64;
typedef float f32;
typedef double f64;

/* The linear memory is at one address, since a snapshot of it holds no other and since a base in a register costs 3 %. An
   access is at most 8 GiB behind it, all of which the host reserves: what is out of bounds faults. */
#define WASM_BASE 0x60000000ul
#define WASM_RESERVED (1ul << 33)
#define WASM_PAGE 65536u
#define WASM_AT(address) ((void *)(WASM_BASE + (u64)(u32)(address)))

/* Given by the host. Other names with wasm_ are imports and exports of the module. */
extern u32 wasm_pages;
__attribute__((noreturn, cold)) void wasm_trap(void);
void *memcpy(void *, const void *, __SIZE_TYPE__);
void *memmove(void *, const void *, __SIZE_TYPE__);
void *memset(void *, int, __SIZE_TYPE__);

#define CELL(type) typedef type cell_##type __attribute__((aligned(1), may_alias))
CELL(u8); CELL(s8); CELL(u16); CELL(s16); CELL(u32); CELL(s32); CELL(u64); CELL(f32); CELL(f64);
#undef CELL
#define LOAD(type, address, offset) (*(const cell_##type *)(WASM_BASE + (u64)(address) + (offset)))
#define STORE(type, address, offset, value) (*(cell_##type *)(WASM_BASE + (u64)(address) + (offset)) = (type)(value))

/* A store that looks like the counting of references: of what is for ever nothing is counted, so that its page needs no copy. For
   ever is what lies below `wasm_lasting` and has a first word that no counting leads to, nor a few missed ones out of. */
extern u32 wasm_lasting;
#define LASTING 0x41000000u
#define COUNT(address, value) do { \
  u32 counted = (address); \
  if (counted >= wasm_lasting || LOAD(u32, counted, 0) >> 25 != LASTING >> 25) STORE(u32, counted, 0, value); \
} while (0)

struct table_entry { u32 type; void (*function)(void); };
static inline void (*table_target(const struct table_entry *table, u32 size, u32 index, u32 type))(void) {
  if (index >= size || table[index].type != type) wasm_trap();
  return table[index].function;
}
static inline void memory_inside(u32 from, u32 size) {
  if ((u64)from + size > (u64)wasm_pages * WASM_PAGE) wasm_trap();
}
static inline void memory_copy(u32 to, u32 from, u32 size) {
  memory_inside(to, size), memory_inside(from, size);
  memmove(WASM_AT(to), WASM_AT(from), size);
}
static inline void memory_fill(u32 to, u32 value, u32 size) {
  memory_inside(to, size);
  memset(WASM_AT(to), (int)(u8)value, size);
}

static inline u32 bits_f32(f32 a) { u32 bits; __builtin_memcpy(&bits, &a, 4); return bits; }
static inline u64 bits_f64(f64 a) { u64 bits; __builtin_memcpy(&bits, &a, 8); return bits; }
static inline f32 to_f32(u32 bits) { f32 a; __builtin_memcpy(&a, &bits, 4); return a; }
static inline f64 to_f64(u64 bits) { f64 a; __builtin_memcpy(&a, &bits, 8); return a; }

#define DIVISION(bits, min) \
  static inline u##bits div_s##bits(u##bits a, u##bits b) { if (b == 0 || (a == (min) && b == (u##bits)-1)) wasm_trap(); return (u##bits)((s##bits)a / (s##bits)b); } \
  static inline u##bits div_u##bits(u##bits a, u##bits b) { if (b == 0) wasm_trap(); return a / b; } \
  static inline u##bits rem_s##bits(u##bits a, u##bits b) { if (b == 0) wasm_trap(); return b == (u##bits)-1 ? 0 : (u##bits)((s##bits)a % (s##bits)b); } \
  static inline u##bits rem_u##bits(u##bits a, u##bits b) { if (b == 0) wasm_trap(); return a % b; }
DIVISION(32, 1u << 31)
DIVISION(64, 1ull << 63)
#undef DIVISION
static inline u32 rotl32(u32 a, u32 b) { return a << (b & 31) | a >> (-b & 31); }
static inline u32 rotr32(u32 a, u32 b) { return a >> (b & 31) | a << (-b & 31); }
static inline u64 rotl64(u64 a, u64 b) { return a << (b & 63) | a >> (-b & 63); }
static inline u32 clz32(u32 a) { return a == 0 ? 32 : (u32)__builtin_clz(a); }
static inline u32 ctz32(u32 a) { return a == 0 ? 32 : (u32)__builtin_ctz(a); }
static inline u64 clz64(u64 a) { return a == 0 ? 64 : (u64)__builtin_clzll(a); }
static inline u64 ctz64(u64 a) { return a == 0 ? 64 : (u64)__builtin_ctzll(a); }
static inline u32 popcnt32(u32 a) { u32 n = 0; for (; a != 0; a &= a - 1) n++; return n; } /* the builtin would ask libgcc */

#define SIGN (1ull << 63)
#define INTEGRAL 4503599627370496.0 /* from 2^52 on an f64 has no fraction */
static inline f64 abs_f64(f64 a) { return to_f64(bits_f64(a) & ~SIGN); }
static inline f64 copysign_f64(f64 a, f64 b) { return to_f64((bits_f64(a) & ~SIGN) | (bits_f64(b) & SIGN)); }
static inline f64 trunc_f64(f64 a) { return abs_f64(a) < INTEGRAL ? copysign_f64((f64)(s64)a, a) : a; }
static inline f64 floor_f64(f64 a) { f64 t = trunc_f64(a); return t > a ? t - 1 : t; }
static inline f64 ceil_f64(f64 a) { f64 t = trunc_f64(a); return t < a ? copysign_f64(t + 1, a) : t; }
static inline f64 nearest_f64(f64 a) {
  f64 big = copysign_f64(INTEGRAL, a);
  return abs_f64(a) < INTEGRAL ? copysign_f64(a + big - big, a) : a;
}
/* Saturating; NaN gives 0. */
static inline u32 trunc_s32(f64 a) { return a != a ? 0 : a <= -2147483648.0 ? 1u << 31 : a >= 2147483647.0 ? ~(1u << 31) : (u32)(s32)a; }
static inline u32 trunc_u32(f64 a) { return !(a > 0) ? 0 : a >= 4294967295.0 ? ~0u : (u32)a; }
static inline u64 trunc_s64(f64 a) { return a != a ? 0 : a <= -9223372036854775808.0 ? SIGN : a >= 9223372036854775808.0 ? ~SIGN : (u64)(s64)a; }
static inline u64 trunc_u64(f64 a) { return !(a > 0) ? 0 : a >= 18446744073709551616.0 ? ~0ull : (u64)a; }
#undef SIGN
#undef INTEGRAL
