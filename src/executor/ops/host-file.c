/* Files of the host: the record, pid files, FIFOs, resctrl. */
#include "ops.h"

static int write_all(int fd, const char *data, usize size) {
  while (size) {
    long got = SYS(write, fd, data, size);
    if (got == -EINTR) continue;
    TRY(got);
    data += got, size -= (usize)got;
  }
  return 0;
}

static int write_parts(const struct step *s, int fd) {
  char digits[24];
  TRY(write_all(fd, text(s, S_FILE_PUBLISH_before), length(s, S_FILE_PUBLISH_before)));
  char *pid = number_to_text(digits + sizeof digits, (u64)G.pid);
  TRY(write_all(fd, pid, str_length(pid)));
  if (!length(s, S_FILE_PUBLISH_between) && !length(s, S_FILE_PUBLISH_after)) return 0;
  TRY(write_all(fd, text(s, S_FILE_PUBLISH_between), length(s, S_FILE_PUBLISH_between)));
  G.start = (u64)TRY(start_time(G.pid));
  char *start = number_to_text(digits + sizeof digits, G.start);
  TRY(write_all(fd, start, str_length(start)));
  return write_all(fd, text(s, S_FILE_PUBLISH_after), length(s, S_FILE_PUBLISH_after));
}

/* /dev/null, a terminal, or a FIFO that somebody reads: written to, where a file would be replaced. -1: none of these. */
static long open_stream(const char *path) {
  struct statx st;
  if (RAW(statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st) < 0) return -1;
  u32 type = st.stx_mode & S_IFMT;
  if (type != S_IFCHR && type != S_IFIFO) return -1;
  return RAW(openat, AT_FDCWD, path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
}

/* A reader sees the old file or the whole new one. */
int op_file_publish(const struct step *s) {
  static char temporary[4300];
  const char *path = text(s, S_FILE_PUBLISH_path);
  if (s->n[N_FILE_PUBLISH_descriptor] != ~0u) return write_parts(s, (int)s->n[N_FILE_PUBLISH_descriptor]);
  long stream = open_stream(path);
  if (stream >= 0) {
    int written = write_parts(s, (int)stream);
    RAW(close, stream);
    return written;
  }
  usize cut = str_length(path);
  while (cut > 0 && path[cut - 1] != '/') cut--;
  memcpy(temporary, path, cut);
  temporary[cut] = '.';
  append(append(temporary + cut + 1, temporary + sizeof temporary, path + cut), temporary + sizeof temporary, ".tsrun");
  long fd = 0;
  for (int i = 0; i < 2; i++) {
    fd = SYS(openat, AT_FDCWD, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, s->n[N_FILE_PUBLISH_mode]);
    if (fd != -EEXIST) break;
    RAW(unlinkat, AT_FDCWD, temporary, 0);
  }
  TRY(fd);
  int result = write_parts(s, (int)fd);
  RAW(close, fd);
  if (result >= 0) result = (int)SYS(renameat2, AT_FDCWD, temporary, AT_FDCWD, path, 0);
  if (result < 0) RAW(unlinkat, AT_FDCWD, temporary, 0);
  return result;
}

/* Whether the record that lies there names the process that was ours: another container may have been made since. */
int op_state_ours(const struct step *s) {
  char expected[256], found[256], digits[24], *at = expected, *end = expected + sizeof expected;
  if (length(s, S_STATE_OURS_before) + length(s, S_STATE_OURS_between) > sizeof expected - 50) return -E2BIG;
  at = append_bytes(at, text(s, S_STATE_OURS_before), length(s, S_STATE_OURS_before));
  at = append(at, end, number_to_text(digits + sizeof digits, (u64)G.pid));
  at = append_bytes(at, text(s, S_STATE_OURS_between), length(s, S_STATE_OURS_between));
  at = append(at, end, number_to_text(digits + sizeof digits, G.start));
  long got = TRY(read_small(AT_FDCWD, text(s, S_STATE_OURS_path), found, sizeof found));
  return got > at - expected && !memcmp(found, expected, (usize)(at - expected)) && found[at - expected] == ',' ? 0 : -ESTALE;
}

/*
 * Removes these files and the directory they are in. More than once if need be: an exec that has come just before the end may be
 * writing down that it was there. Of those who do the same at the same time the one that gets the last of the files has done it; for the
 * others it is gone (R03).
 */
int remove_files(int dir, const char *names, u32 size, const char *path) {
  int gone = 0;
  for (int i = 0;; i++) {
    for (u32 at = 0; at < size; at += (u32)str_length(names + at) + 1) {
      long result = SYS(unlinkat, dir, names + at, 0);
      if (result < 0 && result != -ENOENT) return (int)result;
      if (i == 0) gone = result < 0;
    }
    long result = SYS(unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
    if (result == 0 || result == -ENOENT) return gone || (result < 0 && !size) ? -ENOENT : 0;
    if (result != -ENOTEMPTY || i == 20) return (int)result;
    struct timespec moment = {0, 1000000};
    RAW(nanosleep, &moment, NULL);
  }
}

int op_file_remove(const struct step *s) {
  const char *path = text(s, S_FILE_REMOVE_directory);
  int dir = (int)TRY(SYS(openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  int result = remove_files(dir, text(s, S_FILE_REMOVE_names), length(s, S_FILE_REMOVE_names), path);
  RAW(close, dir);
  return result;
}

/* For the plan's later steps, or for a program that the plan executes. */
int op_file_open(const struct step *s) { return keep_open(s->n[N_FILE_OPEN_slot], text(s, S_FILE_OPEN_path)); }

/* Keeps what is in a file as the text of a failure that leaves none of its own: a process that dies without a word. */
int op_file_note(const struct step *s) {
  int fd = (int)TRY(SYS(openat, AT_FDCWD, text(s, S_FILE_NOTE_path), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  long got = RAW(read, fd, G.failure.text, TEXT_LIMIT);
  RAW(close, fd);
  G.failure.text_length = got > 0 ? (u32)got : 0;
  return 0;
}

/* A descriptor of the caller's, who waits for something to be read from it. Nobody reads any more: not our loss. */
int op_file_tell(const struct step *s) {
  RAW(write, s->n[N_FILE_TELL_descriptor], text(s, S_FILE_TELL_value), length(s, S_FILE_TELL_value));
  RAW(close, s->n[N_FILE_TELL_descriptor]);
  return 0;
}

int op_fifo_make(const struct step *s) {
  const char *path = text(s, S_FIFO_MAKE_path);
  TRY(SYS(mknodat, AT_FDCWD, path, S_IFIFO | s->n[N_FIFO_MAKE_mode], 0));
  int fd = (int)TRY(SYS(openat, AT_FDCWD, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (s->n[N_FIFO_MAKE_slot] >= ARRAY(G.slots)) return -EBADF;
  G.slots[s->n[N_FIFO_MAKE_slot]] = high(fd);
  return 0;
}

int op_resctrl_make(const struct step *s) { return (int)SYS(mkdirat, AT_FDCWD, text(s, S_RESCTRL_MAKE_path), 0755); }

int op_resctrl_write(const struct step *s) {
  const char *path = text(s, S_RESCTRL_WRITE_path);
  if (s->n[N_RESCTRL_WRITE_pid]) return write_number(AT_FDCWD, path, (u64)G.pid);
  return write_file(AT_FDCWD, path, text(s, S_RESCTRL_WRITE_value), length(s, S_RESCTRL_WRITE_value));
}
