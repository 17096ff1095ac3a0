/* Other processes, and sockets to those who wait for a word of ours. */
#include "ops.h"

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
  struct sockaddr_un address = {.sun_family = AF_UNIX};
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
  int fd = high(SYS(socket, AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0));
  long result = fd < 0 ? fd : SYS(connect, fd, &address, sizeof address);
  if (place >= 0) RAW(close, place);
  if (result < 0 && fd >= 0) RAW(close, fd);
  TRY(result);
  G.slots[s->n[N_SOCKET_CONNECT_slot]] = fd;
  return 0;
}

int op_socket_send_pidfd(const struct step *s) {
  return give_descriptor(slot(s->n[N_SOCKET_SEND_PIDFD_slot]), text(s, S_SOCKET_SEND_PIDFD_text), length(s, S_SOCKET_SEND_PIDFD_text), G.pidfd);
}
