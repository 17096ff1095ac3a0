/* Records between the processes of a plan, and descriptors for others (SCM_RIGHTS). */
#include "kernel.h"

struct rights { usize length; int level, type, fd, pad; };

/* With a descriptor, or -1. */
long send_message(int fd, const void *bytes, usize size, int passed) {
  struct message_part part = {bytes, size};
  struct rights rights = {sizeof rights - sizeof(int), SOL_SOCKET, SCM_RIGHTS, passed, 0};
  struct message message = {.parts = &part, .count = 1};
  if (passed >= 0) message.control = &rights, message.control_length = sizeof rights;
  long got;
  while ((got = SYS(sendmsg, fd, &message, MSG_NOSIGNAL)) == -EINTR) {}
  return got;
}

/* *passed: the descriptor that has come along, closed on exec, or -1. A message that is longer than `size` is -EMSGSIZE. */
long receive_message(int fd, void *bytes, usize size, u32 flags, int *passed) {
  struct message_part part = {bytes, size};
  struct rights rights = {0};
  struct message message = {.parts = &part, .count = 1, .control = &rights, .control_length = sizeof rights};
  long got;
  *passed = -1;
  while ((got = SYS(recvmsg, fd, &message, MSG_CMSG_CLOEXEC | flags)) == -EINTR) {}
  if (got < 0) return got;
  if (message.control_length >= sizeof rights - sizeof(int) && rights.level == SOL_SOCKET && rights.type == SCM_RIGHTS) *passed = rights.fd;
  if (!(message.flags & MSG_TRUNC)) return got;
  RAW(close, *passed), *passed = -1;
  return -EMSGSIZE;
}

int send_record(int fd, const struct record *r, int passed) {
  long got = self.filtered ? SYS(write, fd, r, sizeof *r) : send_message(fd, r, sizeof *r, passed);
  return got < 0 ? (int)got : 0;
}

/* 1 with a record, 0 at end of file, negative errno. `flags`: MSG_DONTWAIT when the sender is known to be gone. */
int receive_record(int fd, struct record *r, int *passed, u32 flags) {
  int came = -1;
  if (self.filtered) return RAW(read, fd, r, sizeof *r) == sizeof *r;
  long got = receive_message(fd, r, sizeof *r, flags, &came);
  if (got == 0 || got == -ECONNRESET) return 0;
  if (got == -EMSGSIZE) return -EBADMSG;
  TRY(got);
  int sound = got == sizeof *r && r->text_length <= TEXT_LIMIT;
  if (came >= 0 && passed && sound) *passed = came;
  else if (came >= 0) RAW(close, came);
  return sound ? 1 : -EBADMSG;
}

/* One message, one descriptor, and the socket is done (cli-contract section 5). */
int send_descriptor(int to, const char *message_text, u32 size, int fd) {
  long sent = send_message(to, message_text, size, fd);
  RAW(close, to);
  return sent < 0 ? (int)sent : 0;
}
