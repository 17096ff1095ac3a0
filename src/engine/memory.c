/* What compiled code calls, quicker than the executor's byte loops: the engine copies a lot, and mostly little. */
typedef unsigned long word __attribute__((may_alias, aligned(1)));
typedef unsigned char u8;
typedef unsigned long usize;

void *memcpy(void *restrict to, const void *restrict from, usize size) {
  u8 *d = to;
  const u8 *s = from;
#if defined(__x86_64__)
  if (size >= 512) {
    __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(size)::"memory");
    return to;
  }
#endif
  for (; size >= 8; size -= 8, d += 8, s += 8) *(word *)d = *(const word *)s;
  while (size--) *d++ = *s++;
  return to;
}

void *memmove(void *to, const void *from, usize size) {
  u8 *d = to;
  const u8 *s = from;
  if (d <= s || d >= s + size) {
    if (d + 8 <= s || d >= s + size) return memcpy(to, from, size);
    while (size--) *d++ = *s++;
    return to;
  }
  if (d >= s + 8)
    for (; size >= 8; size -= 8) *(word *)(d + size - 8) = *(const word *)(s + size - 8);
  while (size--) d[size] = s[size];
  return to;
}

void *memset(void *to, int value, usize size) {
  u8 *d = to;
#if defined(__x86_64__)
  if (size >= 256) {
    __asm__ volatile("rep stosb" : "+D"(d), "+c"(size) : "a"(value) : "memory");
    return to;
  }
#endif
  unsigned long pattern = 0x0101010101010101ul * (u8)value;
  for (; size >= 8; size -= 8, d += 8) *(word *)d = pattern;
  while (size--) *d++ = (u8)value;
  return to;
}
