/* sd_notify: what the container says to its own socket goes on to the service manager that started us. */
#include "ops.h"

static struct { int socket; const char *manager; } own = {-1, NULL};

/* `@` is how an abstract address is written. The size counts, for there a NUL is a character like any other. */
static int fill_address(struct sockaddr_un *address, const char *path) {
  usize size = str_length(path);
  if (size >= sizeof address->sun_path) return -ENAMETOOLONG;
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  memcpy(address->sun_path, path, size);
  if (path[0] != '@') return sizeof *address;
  address->sun_path[0] = 0;
  return (int)(sizeof address->sun_family + size);
}

/* The socket that the container knows as /run/notify/notify.sock, for everybody in it to write to. */
int op_notify_listen(const struct step *s) {
  struct sockaddr_un address;
  char path[64], digits[24], *end = path + sizeof path;
  int dir = (int)TRY(SYS(openat, AT_FDCWD, text(s, S_NOTIFY_LISTEN_directory), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  RAW(unlinkat, dir, "notify.sock", 0);
  append(append(append(path, end, "/proc/self/fd/"), end, number_to_text(digits + 24, (u64)dir)), end, "/notify.sock");
  TRY(fill_address(&address, path));
  int fd = high(TRY(SYS(socket, AF_UNIX, SOCK_DGRAM | O_CLOEXEC, 0)));
  long mask = RAW(umask, 0);
  long result = SYS(bind, fd, &address, sizeof address);
  RAW(umask, mask);
  RAW(close, dir);
  if (result < 0) return RAW(close, fd), (int)result;
  own.socket = fd, own.manager = text(s, S_NOTIFY_LISTEN_manager);
  return 0;
}

int notify_socket(void) { return own.socket; }

/* 1 when a message says that the container is ready. */
static int says_ready(void) {
  char message[4096];
  long got = RAW(recvfrom, own.socket, message, sizeof message, MSG_DONTWAIT, 0, 0);
  for (long i = 0; i + 6 <= got; i++)
    if ((i == 0 || message[i - 1] == '\n') && message[i] == 'R' && message[i + 1] == 'E' && message[i + 2] == 'A' && message[i + 3] == 'D' &&
        message[i + 4] == 'Y' && message[i + 5] == '=')
      return 1;
  return 0;
}

/* One message, perhaps with a descriptor, perhaps in the name of another process: the manager listens to the command it
   started, and that is not always us. */
static int tell(const char *message, int passed, u32 sender) {
  struct { usize length; int level, type; int value[4]; } control[2] = {0};
  struct sockaddr_un address;
  struct message_part part = {message, str_length(message)};
  int size = TRY(fill_address(&address, own.manager));
  u32 count = 0;
  if (sender) { /* the longer one first: the next begins where it ends, a multiple of eight */
    control[count].length = 28, control[count].level = SOL_SOCKET, control[count].type = SCM_CREDENTIALS;
    control[count].value[0] = (int)sender, control[count].value[1] = (int)RAW(geteuid), control[count].value[2] = (int)RAW(getegid);
    count++;
  }
  if (passed >= 0) control[count].length = 20, control[count].level = SOL_SOCKET, control[count].type = SCM_RIGHTS, control[count++].value[0] = passed;
  struct message header = {&address, (u32)size, &part, 1, count ? control : NULL, (sender ? 32 : 0) + (passed >= 0 ? 24 : 0), 0};
  int fd = (int)TRY(SYS(socket, AF_UNIX, SOCK_DGRAM | O_CLOEXEC, 0));
  long result = SYS(sendmsg, fd, &header, MSG_NOSIGNAL);
  RAW(close, fd);
  return result == -EPERM && sender ? tell(message, passed, 0) : result < 0 ? (int)result : 0;
}

/* Returns when the manager has read everything before: it closes the descriptor then. */
static int wait_for_manager(u32 sender) {
  int pair[2];
  TRY(SYS(pipe2, pair, O_CLOEXEC));
  int result = tell("BARRIER=1", pair[1], sender);
  RAW(close, pair[1]);
  if (result >= 0) wait_readable(pair[0], -1, 30000);
  RAW(close, pair[0]);
  return result;
}

static int tell_ready(int pid, u32 sender) {
  char message[40] = "MAINPID=", digits[24];
  append(append(message + 8, message + 40, number_to_text(digits + 24, (u64)pid)), message + 40, "\n");
  TRY(tell("READY=1\n", -1, sender));
  return tell(message, -1, sender);
}

/* In a foreground run: called when there is something to read. */
void notify_pass_on(void) {
  if (!says_ready()) return;
  tell_ready(G.pid, 0);
  RAW(close, own.socket);
  own.socket = -1;
}

/* Until the container is ready, or its first process has ended. A manager that does not listen is no reason to fail. */
int op_notify_forward(const struct step *s) {
  u32 pid = s->n[N_NOTIFY_FORWARD_pid], sender = s->n[N_NOTIFY_FORWARD_sender];
  int pidfd = pid ? open_process(pid, wide(s, N_NOTIFY_FORWARD_startTime)) : G.pidfd;
  if (pidfd == -ESRCH) return 0;
  TRY(pidfd);
  for (;;) {
    int ready = TRY(wait_readable(own.socket, pidfd, -1));
    if (ready == 2) return 0;
    if (says_ready()) break;
  }
  if (tell_ready(pid ? (int)pid : G.pid, sender) >= 0) wait_for_manager(sender);
  return 0;
}
