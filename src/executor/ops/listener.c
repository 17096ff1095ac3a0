/* The listener of a seccomp filter, for the agent that was asked for. */
#include "ops.h"

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
int op_seccomp_send_listener(const struct step *s) {
  char digits[24], *pid = number_to_text(digits + sizeof digits, (u64)G.pid);
  u32 pid_size = (u32)str_length(pid), number = s->n[N_SECCOMP_SEND_LISTENER_slot];
  char *message = pages(length(s, 0) + length(s, 1) + length(s, 2) + 2 * pid_size);
  if (!message) return -ENOMEM;
  char *at = append_bytes(append_bytes(message, text(s, 0), length(s, 0)), pid, pid_size);
  at = append_bytes(at, text(s, 1), length(s, 1));
  if (length(s, 2)) at = append_bytes(append_bytes(at, pid, pid_size), text(s, 2), length(s, 2));
  int fd = (int)TRY(SYS(pidfd_getfd, G.pidfd, G.listener, 0));
  int result = s->n[N_SECCOMP_SEND_LISTENER_release] ? let_release(fd) : 0;
  if (result >= 0) result = give_descriptor(slot(number), message, (u32)(at - message), fd);
  int failed = where;
  RAW(close, fd);
  where = failed;
  return result;
}
