/*
 * What a program's file says of itself: its first line, or its machine and loader. Looked at on a descriptor, by who will execute it and
 * sees the same tree; it decides nothing. When execve fails, TypeScript makes a sentence of it (src/errors/explain/program.ts).
 */
#include "ops.h"

struct elf { char head[1024]; long size; int fd; };

static u64 number_at(const struct elf *e, usize at, usize size) {
  u64 value = 0;
  if (at + size > (usize)e->size) return 0;
  memcpy(&value, e->head + at, size); /* little endian, as both of our architectures are */
  return value;
}

/* Where the loader's name is; programs of 64 and of 32 bits. 0: there is none, or not where we look. */
static u64 find_loader(const struct elf *e, u64 *size) {
  int wide = e->head[4] == 2;
  usize table = number_at(e, wide ? 32 : 28, wide ? 8 : 4), each = number_at(e, wide ? 54 : 42, 2), count = number_at(e, wide ? 56 : 44, 2);
  for (usize i = 0; i < count && table < sizeof e->head; i++, table += each)
    if (number_at(e, table, 4) == 3 /* PT_INTERP */) {
      *size = number_at(e, table + (wide ? 32 : 16), wide ? 8 : 4);
      return number_at(e, table + (wide ? 8 : 4), wide ? 8 : 4);
    }
  return 0;
}

/*
 * `d` a directory, `x` no program for this user, `0` empty, `#!…` the first line, `eMACHINE LOADER`, `f` anything else; "" when it
 * cannot be read. `to` has room for `size`.
 */
void describe_program(const char *path, char *to, usize size) {
  struct elf e = {.fd = -1};
  struct statx st;
  char digits[24], *end = to + size;
  u64 length = 0;
  *to = 0;
  if (RAW(statx, AT_FDCWD, path, 0, STATX_BASIC_STATS, &st) < 0) return;
  u32 type = st.stx_mode & S_IFMT;
  if (type != S_IFREG || !(st.stx_mode & 0111)) {
    append(to, end, type == S_IFDIR ? "d" : "x");
    return;
  }
  e.fd = (int)RAW(openat, AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (e.fd < 0) return;
  e.size = RAW(read, e.fd, e.head, sizeof e.head);
  if (e.size <= 0) append(to, end, e.size == 0 ? "0" : "");
  else if (e.head[0] == '#' && e.size > 1 && e.head[1] == '!') {
    usize i = 0;
    for (; i < (usize)e.size && i < size - 1 && e.head[i] && e.head[i] != '\n'; i++) to[i] = e.head[i];
    to[i] = 0;
  } else if (e.size > 20 && !memcmp(e.head, "\177ELF", 4)) {
    to = append(append(append(to, end, "e"), end, number_to_text(digits + sizeof digits, number_at(&e, 18, 2))), end, " ");
    u64 at = find_loader(&e, &length);
    if (at && length > 1 && length < (u64)(end - to)) {
      long got = RAW(pread64, e.fd, to, length - 1, at);
      to[got > 0 ? got : 0] = 0;
    }
  } else append(to, end, "f");
  RAW(close, e.fd);
}
