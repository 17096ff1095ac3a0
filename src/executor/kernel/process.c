/* Processes: fork, wait, signals, descriptors by number and by pid. */
#include "kernel.h"

struct self self = NO_SELF;
int where;
char self_path[4200] = "TSRUN_SELF=";

void default_actions(void) {
  struct { void *handler; unsigned long flags; void *restorer; u64 mask; } action = {0};
  for (int i = 1; i <= 64; i++)
    if (i != SIGKILL && i != SIGSTOP) RAW(rt_sigaction, i, &action, 0, 8);
}

void reset_signals(void) {
  default_actions();
  u64 none = 0;
  RAW(rt_sigprocmask, SIG_SETMASK, &none, 0, 8);
}

/*
 * A fork that needs no libc; the child continues here with 0. `cgroup`: a descriptor to be born in, or -1. Filters cannot see the
 * flags of clone3 and refuse it; whoever may fork behind one may call clone.
 */
long fork_with(u64 flags, int cgroup, int *pidfd) {
  struct clone_args args = {.flags = flags, .exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD};
  if (pidfd) args.flags |= CLONE_PIDFD, args.pidfd = (u64)(usize)pidfd;
  if (cgroup >= 0) args.flags |= CLONE_INTO_CGROUP, args.cgroup = (u64)cgroup;
  return self.filtered ? SYS(clone, args.flags | args.exit_signal, 0, args.pidfd, 0, 0) : SYS(clone3, &args, sizeof args);
}

int wait_child(int pid, int *status) {
  long got;
  while ((got = SYS(wait4, pid, status, 0, 0)) == -EINTR) {}
  return got < 0 ? (int)got : 0;
}

/* What a shell says of a wait status. */
int exit_status(int status) { return (status & 0x7f) ? 128 + (status & 0x7f) : status >> 8 & 0xff; }

/* A signal that asks the command to stop: 1 and its number in self.stopped_by. */
int stop_asked(void) {
  struct signalfd_siginfo info;
  while (RAW(read, self.signals, &info, sizeof info) == sizeof info) {
    if (1ull << (info.ssi_signo - 1) & STOPS) {
      self.stopped_by = (int)info.ssi_signo;
      return 1;
    }
  }
  return 0;
}

/* Waits until fd (1) or pidfd (2) is ready, 0 at the deadline, -EINTR when a signal asks us to stop (R39). */
int wait_readable(int fd, int pidfd, int timeout_ms) {
  struct timespec timeout = {timeout_ms / 1000, (timeout_ms % 1000) * 1000000L};
  for (;;) {
    struct pollfd polls[3] = {{fd, POLLIN, 0}, {pidfd, POLLIN, 0}, {self.signals, POLLIN, 0}};
    long got = SYS(ppoll, polls, 3, timeout_ms < 0 ? NULL : &timeout, 0, 0);
    if (got == -EINTR) continue;
    if (got <= 0) return (int)got;
    if (polls[0].revents) return 1;
    if (polls[1].revents) return 2;
    if (polls[2].revents && stop_asked()) return -EINTR;
  }
}

/*
 * Field 22 of /proc/<pid>/stat, behind the last ')' of the name; 0 when there is no such process or it is a zombie. One whose first
 * thread alone has ended looks like that, too; field 20 counts those that run on.
 */
u64 start_time(int pid) {
  char path[40], digits[24], stat[1024];
  append(append(append(path, path + 40, "/proc/"), path + 40, number_to_text(digits + 24, (u64)pid)), path + 40, "/stat");
  long got = read_small(AT_FDCWD, path, stat, sizeof stat);
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
  return state == 'Z' && threads < 2 ? 0 : value;
}

/* The descriptor first, the comparison after: a recycled pid is never signalled (R21). */
int open_process(u32 pid, u64 start) {
  int fd = (int)SYS(pidfd_open, pid, 0);
  if (fd == -EINVAL) return -ESRCH;
  TRY(fd);
  if (start && start_time((int)pid) != start) return RAW(close, fd), -ESRCH;
  return fd;
}
