/* The few string and memory functions that the compiler and we call. */
#include "sys.h"

#if !defined(HOSTED) && !defined(ENGINE) /* the engine has its own: src/engine/memory.c */
void *memset(void *to, int value, usize size) {
  u8 *p = to;
  while (size--) *p++ = (u8)value;
  return to;
}
void *memcpy(void *restrict to, const void *restrict from, usize size) {
  u8 *p = to;
  const u8 *q = from;
  while (size--) *p++ = *q++;
  return to;
}
#endif
#ifndef HOSTED
int memcmp(const void *a, const void *b, usize size) {
  const u8 *p = a, *q = b;
  for (; size--; p++, q++)
    if (*p != *q) return *p - *q;
  return 0;
}
#endif

usize str_length(const char *s) {
  usize n = 0;
  while (s[n]) n++;
  return n;
}
int str_equal(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}
int starts_with(const char *s, const char *prefix) {
  while (*prefix && *s == *prefix) s++, prefix++;
  return !*prefix;
}
/* Writes the digits before `end` and returns the first. */
char *number_to_text(char *end, u64 value) {
  *--end = 0;
  do *--end = (char)('0' + value % 10);
  while (value /= 10);
  return end;
}
/* Appends within [at, end); always terminated; a text that does not fit is cut. */
char *append(char *at, const char *end, const char *s) {
  while (*s && at + 1 < end) *at++ = *s++;
  *at = 0;
  return at;
}
/* Zeroed memory of our own; there is no heap. NULL when the kernel has none. */
void *pages(usize size) {
  long p = SYS(mmap, 0, size, 3, 0x22, -1, 0);
  return p < 0 && p > -4096 ? NULL : (void *)p;
}
