/* Descriptors, small files, directories. */
#include "kernel.h"

int stat_fd(int fd, struct statx *st) {
  return (int)SYS(statx, fd, "", AT_EMPTY_PATH | AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS | STATX_MNT_ID, st);
}

/* Our own descriptors stay out of the range that --preserve-fds may hand to the container. */
int high(long fd) {
  if (fd < 0) return (int)fd;
  long moved = RAW(fcntl, fd, F_DUPFD_CLOEXEC, 200);
  if (moved < 0 && fd >= 3) return RAW(fcntl, fd, F_SETFD, FD_CLOEXEC), (int)fd; /* a small RLIMIT_NOFILE: no second one for the way */
  if (moved < 0) moved = RAW(fcntl, fd, F_DUPFD_CLOEXEC, 3);
  RAW(close, fd);
  return (int)moved;
}

long read_small(int dir, const char *name, char *buffer, usize size) {
  int fd = (int)TRY(SYS(openat, dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  long got = SYS(read, fd, buffer, size - 1);
  RAW(close, fd);
  buffer[got < 0 ? 0 : got] = 0;
  return got;
}

/* Below a directory of ours no name leads out of it, whatever is in it (S31). */
int open_to_write(int dir, const char *name) {
  struct open_how how = {.flags = O_WRONLY | O_NOFOLLOW | O_CLOEXEC};
  if (dir != AT_FDCWD) how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  return (int)SYS(openat2, dir, name, &how, sizeof how);
}

/* The whole of a value in one call. A file may answer EAGAIN for ever, such as memory.reclaim that cannot get as much as it was asked for:
   a few times is patience enough (R27). */
int write_value(int fd, const char *value, usize size) {
  struct timespec pause = {0, 30000000};
  long result = -EAGAIN;
  for (int tries = 0; tries < 5 && (result == -EAGAIN || result == -EINTR); tries++) {
    if (tries && result == -EAGAIN) RAW(nanosleep, &pause, NULL);
    result = SYS(write, fd, value, size);
  }
  return result < 0 ? (int)result : (usize)result < size ? -EIO : 0;
}

int write_file(int dir, const char *name, const char *value, usize size) {
  int fd = TRY(open_to_write(dir, name));
  int result = write_value(fd, value, size);
  RAW(close, fd);
  return result;
}

int write_number(int dir, const char *name, u64 value) {
  char digits[24], *text = number_to_text(digits + sizeof digits, value);
  return write_file(dir, name, text, str_length(text));
}

/* As the kernel wants it from mknod(2): twelve bits and twenty, the low eight of the latter first. */
u32 device_number(u32 major, u32 minor) {
  return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffu) << 12;
}

/* The next name but `.` and `..`; NULL at the end and after an error. */
struct dirent64 *next_entry(struct listing *list) {
  for (;;) {
    if (list->at >= list->got) {
      list->at = 0;
      list->got = RAW(getdents64, list->fd, list->buffer, sizeof list->buffer);
      if (list->got < 0) where = W_getdents64;
      if (list->got <= 0) return NULL;
    }
    struct dirent64 *entry = (struct dirent64 *)(list->buffer + list->at);
    list->at += entry->reclen;
    if (!str_equal(entry->name, ".") && !str_equal(entry->name, "..")) return entry;
  }
}
