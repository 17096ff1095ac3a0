/* A process whose first thread has ended before the others: by its number the kernel shows no namespaces any more. */
#include "ops.h"

static const struct { u32 type; const char *file; } kinds[] = {{CLONE_NEWCGROUP, "ns/cgroup"}, {CLONE_NEWIPC, "ns/ipc"}, {CLONE_NEWUTS, "ns/uts"},
  {CLONE_NEWNET, "ns/net"}, {CLONE_NEWPID, "ns/pid"}, {CLONE_NEWTIME, "ns/time"}, {CLONE_NEWNS, "ns/mnt"}};

/* All of them or none. */
static int open_namespaces(int thread, u32 types, int *fds) {
  for (u32 i = 0; i < ARRAY(kinds); i++) {
    fds[i] = types & kinds[i].type ? (int)SYS(openat, thread, kinds[i].file, O_RDONLY | O_CLOEXEC) : -1;
    if (fds[i] >= 0 || !(types & kinds[i].type)) continue;
    while (i--)
      if (fds[i] >= 0) RAW(close, fds[i]);
    return -ESRCH;
  }
  return 0;
}

static int join_thread(int thread, u32 types) {
  int fds[ARRAY(kinds)], user = -1, result = 0, root = RAW(geteuid) == 0;
  if (types & CLONE_NEWUSER) user = (int)TRY(SYS(openat, thread, "ns/user", O_RDONLY | O_CLOEXEC));
  if (open_namespaces(thread, types, fds) < 0) return RAW(close, user), -ESRCH;
  /* Root has what it takes in all of them until it is in another user namespace; others have it only there. */
  if (user >= 0 && !root) result = (int)SYS(setns, user, CLONE_NEWUSER);
  for (u32 i = 0; result >= 0 && i < ARRAY(kinds); i++)
    if (fds[i] >= 0) result = (int)SYS(setns, fds[i], kinds[i].type);
  if (result >= 0 && user >= 0 && root) result = (int)SYS(setns, user, CLONE_NEWUSER);
  return result;
}

/* Through the first thread that still runs. Nothing has been joined when that is -ESRCH; any other failure ends the joiner. */
int join_through_threads(u32 pid, u32 types) {
  char path[40], digits[24];
  append(append(append(path, path + 40, "/proc/"), path + 40, number_to_text(digits + 24, pid)), path + 40, "/task");
  struct listing list = {.fd = (int)RAW(openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  int result = -ESRCH;
  for (struct dirent64 *entry; result == -ESRCH && list.fd >= 0 && (entry = next_entry(&list));) {
    int thread = (int)RAW(openat, list.fd, entry->name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (thread >= 0) result = join_thread(thread, types);
    if (thread >= 0) RAW(close, thread);
  }
  if (list.fd >= 0) RAW(close, list.fd);
  return result;
}
