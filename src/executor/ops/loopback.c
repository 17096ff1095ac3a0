/* The loopback of a new network namespace. */
#include "ops.h"

/* A new network namespace has a loopback that is down; every payload expects 127.0.0.1 (runc, crun). */
static int loopback_up(void) {
  struct { char name[16]; short flags; char rest[22]; } request = {.name = "lo"};
  int fd = (int)TRY(SYS(socket, AF_INET, SOCK_DGRAM | O_CLOEXEC, 0));
  long result = SYS(ioctl, fd, SIOCGIFFLAGS, &request);
  request.flags |= IFF_UP;
  if (result >= 0) result = SYS(ioctl, fd, SIOCSIFFLAGS, &request);
  RAW(close, fd);
  return (int)result;
}

int op_net_loopback_up(const struct step *s) { return loopback_up(); }

/* The same for a process that others have made: in its network namespace for a moment. */
int op_child_loopback_up(const struct step *s) {
  char path[64];
  int own = (int)TRY(SYS(openat, AT_FDCWD, "/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  proc_path(path, sizeof path, "ns/net");
  int theirs = (int)SYS(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  int result = theirs < 0 ? theirs : (int)SYS(setns, theirs, CLONE_NEWNET);
  if (theirs >= 0) RAW(close, theirs);
  if (result >= 0) {
    result = loopback_up();
    int back = (int)SYS(setns, own, CLONE_NEWNET);
    if (result >= 0) result = back;
  }
  RAW(close, own);
  return result;
}
