/*
 * One question about many files or processes: an engine that interprets feels each call. Paths are
 * texts with a NUL behind each, of which `dir` is where they begin. An answer
 * that is not a plain one says only so; TypeScript then asks about that one alone, and gets the error (src/host/small/many.ts).
 */
#include "engine.h"

#define LEAST_ROOM 4096
static char room[64 << 10];

enum { ODD = -1, NO_ROOM = -2 };

static int is_line(const char *at, u32 length) {
  for (u32 i = 0; i < length; i++)
    if ((u8)at[i] < ' ') return 0;
  return valid_utf8((const u8 *)at, length) == length;
}

/* The first line, and a tab where more of them follow. Odd: what does not end with the end of a line, or is no UTF-8 or has controls in it. */
static long first_line(int dir, const char *path, char *at, u32 left) {
  char rest[4096], last = 0;
  long fd = RAW(openat, dir, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC), got;
  if (fd < 0) return ODD;
  u32 length = 0, line = 0;
  do {
    got = RAW(read, fd, at + length, left - length);
    if (got > 0) length += (u32)got;
  } while (got > 0 && length < left && at[length - 1] != '\n'); /* files that are asked about come in one piece, or in whole lines */
  if (length) last = at[length - 1];
  while (line < length && at[line] != '\n') line++;
  if (length == left) /* Of what there is no room for, the end alone is looked at. */
    while ((got = RAW(read, fd, rest, sizeof rest)) > 0) last = rest[got - 1];
  RAW(close, fd);
  if (got < 0 || last != '\n') return ODD;
  if (line == length) return NO_ROOM;
  if (!is_line(at, line)) return ODD;
  if (line + 1 < length || length == left) at[line++] = '\t';
  return line;
}

/* Of as many files as there is room for, one at least: a line each, a CR alone for what is odd. */
u32 first_lines(int dir, const char *paths, u32 count) {
  u32 used = 0;
  for (u32 i = 0; i < count && sizeof room - used > LEAST_ROOM; i++, paths += str_length(paths) + 1) {
    long length = first_line(dir, paths, room + used + (i > 0), (u32)sizeof room - 2 - used);
    if (length == NO_ROOM && i) break;
    if (i) room[used++] = '\n';
    if (length < 0) room[used] = '\r', length = 1;
    used += (u32)length;
  }
  return new_text(room, used);
}

/* Mode and owner of each, no symlink followed; mode 0: ask about it. */
void look_at_all(int dir, const char *paths, u32 count, u32 *found) {
  struct statx st;
  for (u32 i = 0; i < count; i++, paths += str_length(paths) + 1, found += 2) {
    long result = RAW(statx, dir, paths, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st);
    found[0] = result < 0 ? 0 : st.stx_mode, found[1] = st.stx_uid;
  }
}

/* Whether somebody reads from a FIFO: 1, or 0 for nobody and for no FIFO there; 2: ask about it. */
void find_readers(int dir, const char *paths, u32 count, u32 *found) {
  struct statx st; /* that nothing is there, which is what is mostly so, is said in half of the time */
  for (u32 i = 0; i < count; i++, paths += str_length(paths) + 1) {
    long fd = RAW(statx, dir, paths, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st);
    if (fd >= 0) fd = RAW(openat, dir, paths, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) RAW(close, fd);
    found[i] = fd >= 0 ? 1 : fd == -ENXIO || fd == -ENOENT ? 0 : 2;
  }
}

/* start_time() of each number. */
void find_start_times(const u32 *pids, u32 count, double *found) {
  for (u32 i = 0; i < count; i++) found[i] = (double)start_time((int)pids[i]);
}

/* The next names of an open directory, a line each, '' at its end; or a negative errno, -EILSEQ for one that has no place in such a list. */
u32 next_names(int fd, long *error) {
  u32 used = 0;
  long got = RAW(getdents64, fd, room, sizeof room - 1);
  *error = got < 0 ? got : 0;
  for (long at = 0; at < got;) {
    struct dirent64 *entry = (struct dirent64 *)(room + at);
    const char *name = entry->name;
    u32 length = (u32)str_length(name);
    at += entry->reclen; /* before the names, which move to the front, are written over it */
    if (str_equal(name, ".") || str_equal(name, "..")) continue;
    if (!is_line(name, length)) *error = -EILSEQ;
    for (u32 i = 0; i < length; i++) room[used++] = name[i];
    room[used++] = '\n';
  }
  return *error ? 0 : new_text(room, used);
}
