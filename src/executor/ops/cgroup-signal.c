/* One signal for everybody in cgroups that stand still, however many they are. */
#include "ops.h"

#define BATCH 128

struct members { u32 pid[BATCH]; int fd[BATCH]; u8 still[BATCH]; u32 count; };

/* The numbers of a list, one after the other; 0 at its end, and for a process of another pid namespace. */
struct numbers { int fd; long got, at; char buffer[4096]; };
static u32 next_number(struct numbers *from) {
  for (u32 number = 0, any = 0;;) {
    if (from->at == from->got) {
      from->at = 0, from->got = SYS(read, from->fd, from->buffer, sizeof from->buffer);
      if (from->got == -ENODEV) from->got = 0; /* removed since it was opened */
      if (from->got <= 0) return from->at = from->got, from->got < 0 ? 0 : number;
    }
    char c = from->buffer[from->at++];
    if (c >= '0' && c <= '9') number = number * 10 + (u32)(c - '0'), any = 1;
    else if (any && number) return number;
    else number = any = 0;
  }
}

static void close_members(struct members *m) {
  for (u32 i = 0; i < m->count; i++)
    if (m->fd[i] >= 0) RAW(close, m->fd[i]);
  m->count = 0;
}

/* Negative: 0 in `result` where the cgroup has gone, with whoever was in it. */
static int open_list(const char *list, int *result) {
  int fd = (int)SYS(openat, AT_FDCWD, list, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  *result = fd >= 0 || fd == -ENOENT || fd == -ENODEV ? 0 : fd;
  return fd;
}

/* Whoever is in the list after its descriptor was opened is the one that the descriptor stands for (R21): nobody comes into a frozen cgroup. */
static int signal_members(struct members *m, const char *list, u32 signal) {
  int result;
  struct numbers now = {.fd = open_list(list, &result)};
  if (now.fd < 0) return close_members(m), result;
  for (u32 pid, i = 0; (pid = next_number(&now));)
    for (u32 looked = 0; looked < m->count; looked++, i = (i + 1) % m->count)
      if (m->pid[i] == pid) {
        m->still[i] = 1;
        break;
      }
  RAW(close, now.fd);
  result = (int)now.got;
  for (u32 i = 0; i < m->count && result >= 0; i++) {
    long sent = m->still[i] && m->fd[i] >= 0 ? SYS(pidfd_send_signal, m->fd[i], signal, NULL, 0) : 0;
    if (sent < 0 && sent != -ESRCH) result = (int)sent;
  }
  close_members(m);
  return result;
}

static int signal_list(const char *list, u32 signal) {
  static struct members m;
  int result;
  struct numbers all = {.fd = open_list(list, &result)};
  if (all.fd < 0) return result;
  for (u32 pid = 1; pid && result >= 0;) {
    for (m.count = 0; m.count < BATCH && (pid = next_number(&all)); m.count++) {
      m.pid[m.count] = pid, m.still[m.count] = 0;
      m.fd[m.count] = (int)RAW(pidfd_open, pid, 0); /* who has ended, or is a thread, is left out */
    }
    result = signal_members(&m, list, signal);
  }
  RAW(close, all.fd);
  return all.got < 0 ? (int)all.got : result;
}

int op_cgroup_signal(const struct step *s) {
  const char *lists = text(s, S_CGROUP_SIGNAL_lists);
  for (u32 at = 0; at < length(s, S_CGROUP_SIGNAL_lists); at += (u32)str_length(lists + at) + 1) TRY(signal_list(lists + at, s->n[N_CGROUP_SIGNAL_signal]));
  return 0;
}
