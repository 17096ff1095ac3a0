/* Steps of the host: published files, other processes. */
#include "sys.h"

long read_small(int dir, const char *name, char *buffer, usize size) {
  int fd = (int)TRY(SYS(openat, dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  long got = SYS(read, fd, buffer, size - 1);
  RAW(close, fd);
  buffer[got < 0 ? 0 : got] = 0;
  return got;
}

/*
 * Field 22 of /proc/<pid>/stat, behind the last ')' of the name; 0 when there is no such process or it is a zombie. One whose first
 * thread alone has ended looks like that, too; field 20 counts those that run on. Negative when that cannot be known: a process must
 * not be taken for gone because there was no descriptor left.
 */
long start_time(int pid) {
  char path[40], digits[24], stat[1024];
  append(append(append(path, path + 40, "/proc/"), path + 40, number_to_text(digits + 24, (u64)pid)), path + 40, "/stat");
  long got = read_small(AT_FDCWD, path, stat, sizeof stat);
  if (got < 0 && got != -ENOENT && got != -ESRCH) return got;
  if (got <= 0) return 0;
  char *at = stat + got;
  while (at > stat && *at != ')') at--;
  if (at == stat || at[2] == 'X') return 0;
  char state = at[2];
  u64 threads = 0, value = 0;
  for (int field = 2; *at && field < 22; at++) {
    if (*at == ' ') field++;
    else if (field == 20) threads = threads * 10 + (u64)(*at - '0');
  }
  for (; *at >= '0' && *at <= '9'; at++) value = value * 10 + (u64)(*at - '0');
  return state == 'Z' && threads < 2 ? 0 : (long)value;
}

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
  u32 type = st.stx_mode & 0170000;
  if (type != 0020000 && type != 0010000) return -1;
  return RAW(openat, AT_FDCWD, path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | 0400 /* O_NOCTTY */ | O_CLOEXEC);
}

/* A reader sees the old file or the whole new one. */
int op_publish(const struct step *s) {
  static char temporary[4300];
  const char *path = text(s, S_FILE_PUBLISH_path);
  if (s->n[N_FILE_PUBLISH_descriptor] != ~0u) return write_parts(s, (int)s->n[N_FILE_PUBLISH_descriptor]);
  long stream = open_stream(path);
  if (stream >= 0) {
    int written = write_parts(s, (int)stream), at = where;
    RAW(close, stream);
    where = at;
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
  int at = where;
  if (result < 0) RAW(unlinkat, AT_FDCWD, temporary, 0);
  where = at;
  return result;
}

static char *append_bytes(char *at, const char *data, u32 size) {
  memcpy(at, data, size);
  return at + size;
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
    long result = SYS(unlinkat, AT_FDCWD, path, 0x200 /* AT_REMOVEDIR */);
    if (result == 0 || result == -ENOENT) return gone || (result < 0 && !size) ? -ENOENT : 0;
    if (result != -ENOTEMPTY || i == 20) return (int)result;
    struct timespec moment = {0, 1000000};
    RAW(nanosleep, &moment, NULL);
  }
}

int op_file_remove(const struct step *s) {
  const char *path = text(s, S_FILE_REMOVE_directory);
  int dir = (int)TRY(SYS(openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  int result = remove_files(dir, text(s, S_FILE_REMOVE_names), length(s, S_FILE_REMOVE_names), path), at = where;
  RAW(close, dir);
  where = at;
  return result;
}

/* The descriptor first, the comparison after: a recycled pid is never signalled (R21). */
int open_process(u32 pid, u64 start) {
  int fd = (int)SYS(pidfd_open, pid, 0);
  if (fd == -EINVAL) return -ESRCH;
  TRY(fd);
  long now = start ? start_time((int)pid) : 0;
  if (now < 0 || (u64)now != start) return RAW(close, fd), now < 0 ? (int)now : -ESRCH;
  return fd;
}

int op_process_signal(const struct step *s) {
  int fd = TRY(open_process(s->n[N_PROCESS_SIGNAL_pid], wide(s, N_PROCESS_SIGNAL_startTime)));
  long result = SYS(pidfd_send_signal, fd, s->n[N_PROCESS_SIGNAL_signal], NULL, 0);
  RAW(close, fd);
  return (int)result;
}

int op_process_wait(const struct step *s) {
  int fd = open_process(s->n[N_PROCESS_WAIT_pid], wide(s, N_PROCESS_WAIT_startTime));
  if (fd == -ESRCH) return 0;
  TRY(fd);
  int ready = wait_readable(fd, -1, (int)s->n[N_PROCESS_WAIT_timeoutMs]);
  RAW(close, fd);
  return ready == 0 ? -ETIMEDOUT : ready < 0 ? ready : 0;
}

int op_socket_connect(const struct step *s) {
  struct sockaddr_un address = {.sun_family = 1};
  const char *path = text(s, S_SOCKET_CONNECT_path);
  static char through[64];
  int place = -1;
  if (s->n[N_SOCKET_CONNECT_slot] >= ARRAY(G.slots)) return -EBADF;
  if (length(s, S_SOCKET_CONNECT_path) >= sizeof address.sun_path) { /* a long path goes through its descriptor */
    char digits[24];
    place = (int)TRY(SYS(openat, AT_FDCWD, path, O_PATH | O_CLOEXEC));
    append(append(through, through + 64, "/proc/self/fd/"), through + 64, number_to_text(digits + 24, (u64)place));
    path = through;
  }
  append(address.sun_path, address.sun_path + sizeof address.sun_path, path);
  int fd = high(SYS(socket, 1, 1 | O_CLOEXEC, 0));
  long result = fd < 0 ? fd : SYS(connect, fd, &address, sizeof address);
  int at = where;
  if (place >= 0) RAW(close, place);
  if (result < 0 && fd >= 0) RAW(close, fd);
  where = at;
  TRY(result);
  G.slots[s->n[N_SOCKET_CONNECT_slot]] = fd;
  return 0;
}

/* Keeps a descriptor: of a user namespace, for the mounts that are mapped through it, or of what another program is to find. */
static int keep_open(u32 number, const char *path) {
  if (number >= ARRAY(G.slots)) return -EBADF;
  G.slots[number] = high(TRY(SYS(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC)));
  return 0;
}

int op_userns_open(const struct step *s) {
  return keep_open(s->n[N_USERNS_OPEN_slot], text(s, S_USERNS_OPEN_path));
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

static char *join_path(char *path, usize size, int pid, const char *file) {
  char digits[24];
  append(append(append(path, path + size, "/proc/"), path + size, number_to_text(digits + 24, (u64)pid)), path + size, file);
  return path;
}

/* A user namespace without processes: its first one lives until the maps are written and a descriptor is had. */
int op_userns_make(const struct step *s) {
  char path[40];
  RAW(prctl, PR_SET_DUMPABLE, 1, 0, 0, 0); /* or its files in /proc would take CAP_SYS_PTRACE; nobody hostile is near */
  long pid = fork_with(CLONE_NEWUSER, -1, NULL);
  if (pid == 0) {
    struct timespec long_enough = {10, 0};
    RAW(prctl, PR_SET_PDEATHSIG, 9, 0, 0, 0);
    RAW(nanosleep, &long_enough, NULL);
    RAW(exit_group, 1);
  }
  RAW(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  TRY(pid);
  int status, result = write_file(AT_FDCWD, join_path(path, 40, (int)pid, "/uid_map"), text(s, S_USERNS_MAKE_uidMap), length(s, S_USERNS_MAKE_uidMap));
  if (result >= 0) result = write_file(AT_FDCWD, join_path(path, 40, (int)pid, "/gid_map"), text(s, S_USERNS_MAKE_gidMap), length(s, S_USERNS_MAKE_gidMap));
  if (result >= 0) result = keep_open(s->n[N_USERNS_MAKE_slot], join_path(path, 40, (int)pid, "/ns/user"));
  int at = where;
  RAW(kill, pid, 9);
  wait_child((int)pid, &status);
  where = at;
  return result;
}

/*
 * Init gives up its own, letting it read that and close it: then nobody but the recorder has the listener, and if that dies, be it
 * before it has looked at what was sent, init's calls fail, where they would wait for ever.
 */
static int let_release(int listener) {
  struct record taken = {.kind = KIND_TAKEN};
  TRY(send_record(G.socket, &taken, -1));
  for (;;) {
    struct timespec none = {0, 0};
    struct pollfd asks = {listener, POLLIN, 0};
    struct seccomp_notif asked = {0};
    if (TRY(wait_readable(listener, G.pidfd, -1)) == 2) return -ESRCH;
    RAW(ppoll, &asks, 1, &none, 0, 0);
    if (asks.revents & POLLHUP) return -ESRCH;
    if (!(asks.revents & POLLIN) || RAW(ioctl, listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0) continue;
    struct seccomp_notif_resp answer = {.id = asked.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    if (RAW(ioctl, listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) >= 0 && asked.data.nr == __NR_close) return 0;
  }
}

/*
 * The listener of init's filter for the agent. Init only says its number: the filter may already trap every call
 * that could hand it over (S50). The pid is written before `between`, and again before `after` unless that is empty.
 */
int op_send_listener(const struct step *s) {
  char digits[24], *pid = number_to_text(digits + sizeof digits, (u64)G.pid);
  u32 pid_size = (u32)str_length(pid), number = s->n[N_SECCOMP_SEND_LISTENER_slot];
  char *message = pages(length(s, 0) + length(s, 1) + length(s, 2) + 2 * pid_size);
  if (!message) return -ENOMEM;
  char *at = append_bytes(append_bytes(message, text(s, 0), length(s, 0)), pid, pid_size);
  at = append_bytes(at, text(s, 1), length(s, 1));
  if (length(s, 2)) at = append_bytes(append_bytes(at, pid, pid_size), text(s, 2), length(s, 2));
  int fd = (int)TRY(SYS(pidfd_getfd, G.pidfd, G.listener, 0));
  int result = s->n[N_SECCOMP_SEND_LISTENER_release] ? let_release(fd) : 0;
  if (result >= 0) result = send_descriptor(slot(number), message, (u32)(at - message), fd);
  int failed = where;
  RAW(close, fd);
  where = failed;
  return result;
}
