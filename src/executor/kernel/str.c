/* The few string and memory functions that the compiler and we call. */
#include "kernel.h"

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

char *append_bytes(char *at, const char *data, u32 size) {
  memcpy(at, data, size);
  return at + size;
}
/* Zeroed memory of our own; there is no heap. NULL when the kernel has none. */
void *pages(usize size) {
  long p = SYS(mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return p < 0 && p > -4096 ? NULL : (void *)p;
}

char **pointers(const char *strings, u32 bytes, u32 extra, u32 *count) {
  u32 total = 0, i = 0;
  for (u32 at = 0; at < bytes; at++) total += !strings[at];
  char **list = pages((total + extra + 1) * sizeof(char *));
  if (!list) return NULL;
  for (u32 at = 0; at < bytes; at += (u32)str_length(strings + at) + 1) list[i++] = (char *)strings + at;
  *count = total;
  return list;
}
