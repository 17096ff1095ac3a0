/*
 * Without pivot_root the host's tree stays below the container's, out of reach of paths. But a user namespace made in there
 * may mount a procfs or sysfs of its own only as long as a full one is to be found in its mount namespace, and would then
 * see what is masked in the container's (runc#1962, security.md S44). So each that is not in the root goes.
 */
#include "ops.h"

#define MOUNTINFO_LIMIT (8u << 20)

/* The whole of a file without a size; terminated. Negative errno when it is longer than the limit. */
static long read_whole(const char *path, char *buffer, usize limit) {
  int fd = (int)TRY(SYS(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC));
  usize size = 0;
  long got;
  while (size < limit && ((got = SYS(read, fd, buffer + size, limit - size)) > 0 || got == -EINTR)) size += got > 0 ? (usize)got : 0;
  RAW(close, fd);
  if (size == limit) return -E2BIG;
  buffer[size] = 0;
  return got < 0 ? got : (long)size;
}

/* Ends the field at `at` and returns the next one; NULL at the end of the line. */
static char *next_field(char *at) {
  while (*at && *at != ' ') at++;
  if (!*at) return NULL;
  *at = 0;
  return at + 1;
}

static int octal(char c) { return c >= '0' && c <= '7' ? c - '0' : -1; }

/* mountinfo writes blanks and the like as three octal digits. */
static void unescape(char *at) {
  char *to = at;
  for (; *at; at++)
    if (at[0] == '\\' && octal(at[1]) >= 0 && octal(at[2]) >= 0 && octal(at[3]) >= 0) {
      *to++ = (char)(octal(at[1]) * 64 + octal(at[2]) * 8 + octal(at[3]));
      at += 3;
    } else {
      *to++ = *at;
    }
  *to = 0;
}

static int is_below(const char *path, const char *root) {
  while (*root && *path == *root) path++, root++;
  return !*root && (*path == '/' || !*path);
}

/* 36 35 98:0 /root /mount/point options [optional...] - type source options */
static const char *shown_by(char *line) {
  char *field = line, *point = NULL;
  for (int i = 0; i < 4 && field; i++) field = next_field(field);
  for (point = field; field && !(field[0] == '-' && field[1] == ' ');) field = next_field(field);
  char *type = field ? next_field(field) : NULL;
  if (type) next_field(type);
  if (!type || (!str_equal(type, "proc") && !str_equal(type, "sysfs"))) return NULL;
  unescape(point);
  return point;
}

/* What cannot be detached, for a user namespace has it locked, is covered. What is gone went with another. */
static int hide(const char *path) {
  if (RAW(umount2, path, MNT_DETACH | UMOUNT_NOFOLLOW) >= 0) return 0;
  long result = SYS(mount, "tmpfs", path, "tmpfs", MS_RDONLY, "size=1,nr_inodes=2");
  return result < 0 && result != -ENOENT ? (int)result : 0;
}

int hide_host_mounts(void) {
  static char root[4200], link[40];
  char digits[24];
  append(append(link, link + sizeof link, "/proc/self/fd/"), link + sizeof link, number_to_text(digits + sizeof digits, (u64)self.root));
  long size = TRY(SYS(readlinkat, AT_FDCWD, link, root, sizeof root - 1));
  root[size] = 0;
  char *text = pages(MOUNTINFO_LIMIT + 1);
  if (!text) return -ENOMEM;
  TRY(read_whole("/proc/self/mountinfo", text, MOUNTINFO_LIMIT));
  for (char *line = text; *line;) {
    char *end = line;
    while (*end && *end != '\n') end++;
    char *next = *end ? end + 1 : end;
    *end = 0;
    const char *point = shown_by(line);
    if (point && !is_below(point, root)) TRY(hide(point));
    line = next;
  }
  return (int)RAW(munmap, text, MOUNTINFO_LIMIT + 1);
}
