/*
 * The seccomp recorder: an agent that lets every call go on and notes its number and architecture. Two processes with one table of
 * descriptors: the recorder, and above it one that does nothing as long as that lives; if it is killed, every call behind the filter
 * would fail from then on, so the container is ended (docs/decisions/0012). It lives as long as somebody has the filter, listens beside
 * the record (an exec sends its listener there, too), and has TypeScript write the profile in the end. What it notes comes from the
 * kernel alone. To let a call go on is no decision about security: its arguments may change after that.
 */
#include "ops.h"

#define MOST 512 /* execs at one time; others wait to be accepted */
#define X32_BIT 0x40000000u
#define X32_TOKEN 0x4000003eu /* as libseccomp names it: the kernel says x86-64 */
#define SYNC_WAKE_UP 1 /* SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP, 6.6 */
#define SET_FLAGS 0x40082104u /* SECCOMP_IOCTL_NOTIF_SET_FLAGS */

enum { CONTROL = 3, LISTENING, STATE, OUT, ALIVE, MAIN, FREE };
enum { FIRST = 2 }; /* in `polls`, behind CONTROL and LISTENING */

struct architecture { u32 arch; u8 seen[128]; };
static struct architecture kinds[4];
static struct pollfd polls[FIRST + MOST];
static u8 is_client[FIRST + MOST]; /* its listener is still to come */
static u32 count;
static u32 main_pid;
static int main_listener = -1; /* the first; -2 when it has gone */
static enum { NOTHING, EXECUTING, RAN } main_did;
static char said[TEXT_LIMIT]; /* what the writer had to say */
static u32 said_length;

static void note(u32 arch, u32 number) {
  if (arch == AUDIT_ARCH_X86_64 && number & X32_BIT) arch = X32_TOKEN, number &= ~X32_BIT;
  if (number >= 1024) return; /* there is no such call; 32-bit ARM's private ones the profile has without being asked */
  for (u32 i = 0; i < ARRAY(kinds); i++) {
    if (!kinds[i].arch) kinds[i].arch = arch;
    if (kinds[i].arch != arch) continue;
    kinds[i].seen[number / 8] |= (u8)(1 << number % 8);
    return;
  }
}

/* Whether the container's program has come to run: an execve that failed is followed by a word of ours (child_main). */
static int is_failure(const struct seccomp_notif *asked) {
  if (asked->pid != main_pid || main_did == RAN) return 0;
  int executes = asked->data.nr == __NR_execve || asked->data.nr == __NR_execveat;
  if (main_did == NOTHING) return main_did = executes ? EXECUTING : NOTHING, 0;
  int failed = asked->data.nr == __NR_prctl && asked->data.args[0] == PR_TSRUN_NOT_EXECUTED;
  main_did = failed ? NOTHING : RAN;
  return failed;
}

/*
 * Whom the guard is to end: who asks first, and waits for us. As long as that is true its number is nobody else's. MAIN is the lowest
 * that is free then, so a limit of descriptors is no matter.
 */
static void know_main(int listener, const struct seccomp_notif *asked) {
  RAW(close, MAIN);
  int pidfd = (int)RAW(pidfd_open, asked->pid, 0);
  if (pidfd >= 0 && pidfd != MAIN) RAW(dup3, pidfd, MAIN, O_CLOEXEC), RAW(close, pidfd);
  if (pidfd >= 0 && RAW(ioctl, listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &asked->id) >= 0) main_pid = asked->pid;
  else RAW(dup3, 0, MAIN, O_CLOEXEC);
}

static void let_go_on(int listener) {
  struct seccomp_notif asked = {0};
  if (RAW(ioctl, listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0) return; /* it was killed meanwhile */
  if (!main_pid && listener == main_listener) know_main(listener, &asked);
  if (!is_failure(&asked)) note(asked.data.arch, (u32)asked.data.nr);
  struct seccomp_notif_resp answer = {.id = asked.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
  RAW(ioctl, listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

static void remove_at(u32 at) {
  RAW(close, polls[at].fd);
  if (polls[at].fd == main_listener) main_listener = -2;
  count--;
  polls[at] = polls[FIRST + count], is_client[at] = is_client[FIRST + count];
  polls[1].fd = LISTENING;
}

static void accept_client(void) {
  int client = count < MOST ? (int)RAW(accept4, LISTENING, 0, 0, O_CLOEXEC) : -1;
  if (client == -EMFILE || client == -ENFILE) { /* it is turned away, and does not wait for ever */
    RAW(close, 0);
    if (RAW(accept4, LISTENING, 0, 0, O_CLOEXEC) == 0) RAW(close, 0);
    return (void)RAW(dup3, 1, 0, 0);
  }
  if (client < 0) return (void)(polls[1].fd = -1); /* until one has gone */
  polls[FIRST + count] = (struct pollfd){client, POLLIN, 0};
  is_client[FIRST + count++] = 1;
}

/* The listener of a process. The first is the container's. */
static void take_listener(u32 at) {
  char words[24];
  int listener;
  if (receive_message(polls[at].fd, words, sizeof words, MSG_DONTWAIT, &listener) <= 0 || listener < 0) return remove_at(at);
  RAW(close, polls[at].fd);
  polls[at].fd = listener, is_client[at] = 0;
  RAW(ioctl, listener, SET_FLAGS, SYNC_WAKE_UP);
  if (main_listener == -1) main_listener = listener;
}

/* Whoever still has the filter; until the last has gone, or CONTROL has something to say: 1. */
static int attend(void) {
  polls[0] = (struct pollfd){polls[0].fd, POLLIN, 0}, polls[1] = (struct pollfd){LISTENING, POLLIN, 0};
  for (;;) {
    struct timespec none = {0, 0};
    int last = polls[0].fd < 0 && !count;
    long got = RAW(ppoll, polls, FIRST + count, last ? &none : NULL, 0, 0);
    if (got < 0) continue;
    if (got == 0) return 0;
    for (u32 at = FIRST; at < FIRST + count; at++) {
      short happened = polls[at].revents;
      if (!happened) continue;
      if (is_client[at]) take_listener(at);
      else if (happened & POLLIN) let_go_on(polls[at].fd);
      else remove_at(at--);
    }
    if (polls[1].fd >= 0 && polls[1].revents) accept_client();
    if (polls[0].fd >= 0 && polls[0].revents) return 1;
  }
}

/* Exit status of the writer, with what it said in `said`. */
static int write_profile(const struct step *s) {
  int notes = (int)RAW(memfd_create, "calls", MFD_CLOEXEC), answer = (int)RAW(memfd_create, "said", MFD_CLOEXEC), status = 1;
  RAW(write, notes, kinds, sizeof kinds);
  RAW(write, notes, text(s, S_SECCOMP_RECORD_merge), length(s, S_SECCOMP_RECORD_merge));
  RAW(lseek, notes, 0, 0);
  const char *argv[] = {"tsrun", "seccomp-profile", "--", text(s, S_SECCOMP_RECORD_name), NULL}, *envp[] = {NULL};
  long pid = fork_with(0, -1, NULL);
  if (pid == 0) {
    reset_signals();
    RAW(dup3, notes, 0, 0), RAW(dup3, answer, 1, 0);
    /* By its directory, as it was before there was a container: no link that somebody makes meanwhile leads elsewhere. */
    if (RAW(fchdir, OUT) == 0) RAW(execve, self_path + 11, argv, envp);
    RAW(exit_group, 1);
  }
  if (pid > 0) wait_child((int)pid, &status);
  RAW(lseek, answer, 0, 0);
  long got = RAW(read, answer, said, sizeof said);
  said_length = got > 0 ? (u32)got : 0;
  RAW(close, notes), RAW(close, answer);
  return status;
}

/* For `delete`, which finds what is to be said in a file, and whether there is a profile by the name of the FIFO. */
static void leave_word(const char *words, u32 size) {
  int fd = size ? (int)RAW(openat, STATE, "recorder.log", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;
  if (fd >= 0) RAW(write, fd, words, size), RAW(close, fd);
}

static void tell_host(char status) {
  struct message_part parts[2] = {{&status, 1}, {said, said_length}};
  struct message message = {.parts = parts, .count = 2};
  RAW(sendmsg, CONTROL, &message, MSG_NOSIGNAL);
}

static void be_recorder(const struct step *s) {
  static const char idle[] = "no seccomp profile was written: the container's program was not started";
  static const char broken[] = "no seccomp profile was written: the recorder could not start its writer, or that was killed";
  char order = 0;
  int host = attend(), failed = 0;
  if (host && RAW(read, CONTROL, &order, 1) == 1 && order == RECORD_DISMISS) RAW(exit_group, 0);
  /* The host has gone, or waits for us: then whoever is left is not waited for. */
  polls[0].fd = -1;
  if (!order) attend();
  if (main_pid && main_did == EXECUTING) main_did = RAN; /* its program makes no call but those that are not shown */
  if (main_did == RAN) failed = write_profile(s) != 0;
  if (order) tell_host((char)(main_did == RAN ? failed : 1));
  else if (main_did == RAN && failed && !said_length) leave_word(broken, sizeof broken - 1);
  else if (main_did == RAN) leave_word(said, said_length);
  else leave_word(idle, sizeof idle - 1);
  if (!failed) RAW(unlinkat, STATE, "recorder.fifo", 0);
  if (order) RAW(close, CONTROL), attend(); /* what a foreground run has left */
  RAW(unlinkat, STATE, "recorder.sock", 0);
  RAW(exit_group, failed);
}

/* Ends with the recorder; before its time, the container ends as well. */
static void be_guard(long recorder) {
  int status = 0;
  wait_child((int)recorder, &status);
  if (status & 0x7f) RAW(pidfd_send_signal, MAIN, SIGKILL, NULL, 0);
  RAW(exit_group, status >> 8 & 0xff);
}

/* Two for each exec at one time, whatever limit the caller has; without the right to that, as many as there may be. */
static void raise_limit(void) {
  struct rlimit64 limit = {FREE + 2 * MOST, FREE + 2 * MOST}, now;
  if (RAW(prlimit64, 0, RLIMIT_NOFILE, NULL, &now) < 0 || now.rlim_cur >= limit.rlim_cur) return;
  if (now.rlim_max > limit.rlim_max) limit.rlim_max = now.rlim_max;
  if (RAW(prlimit64, 0, RLIMIT_NOFILE, &limit, NULL) >= 0) return;
  now.rlim_cur = now.rlim_max;
  RAW(prlimit64, 0, RLIMIT_NOFILE, &now, NULL);
}

static void be_both(const struct step *s, const int from[MAIN - CONTROL]) {
  int null = high(RAW(openat, AT_FDCWD, "/dev/null", O_RDWR));
  RAW(setsid);
  RAW(chdir, "/");
  raise_limit();
  for (int i = 0; i < 3; i++) RAW(dup3, null, i, 0); /* nobody who waits for the end of these waits for us */
  int moved[MAIN - CONTROL]; /* under a small RLIMIT_NOFILE one may have the number that another is to get */
  for (u32 i = 0; i < ARRAY(moved); i++) moved[i] = (int)RAW(fcntl, from[i], F_DUPFD_CLOEXEC, FREE);
  for (u32 i = 0; i < ARRAY(moved); i++) RAW(dup3, moved[i], CONTROL + i, O_CLOEXEC);
  RAW(dup3, null, MAIN, O_CLOEXEC); /* taken, until it is the container's process */
  RAW(close_range, FREE, ~0u, 0);
  polls[0].fd = CONTROL;
  long recorder = fork_with(CLONE_FILES, -1, NULL);
  if (recorder == 0) be_recorder(s);
  if (recorder > 0) be_guard(recorder);
  RAW(exit_group, 1);
}

static int listen_in(int state) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char digits[24], *end = address.sun_path + sizeof address.sun_path;
  append(append(append(address.sun_path, end, "/proc/self/fd/"), end, number_to_text(digits + 24, (u64)state)), end, "/recorder.sock");
  int fd = high(TRY(SYS(socket, AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0)));
  TRY(SYS(bind, fd, &address, sizeof address));
  TRY(RAW(listen, fd, 64));
  return fd;
}

/* Whether the profile can be written in the end is found out before anything is made: by a file of the name that it gets first. */
static int open_writable(const char *path, const char *name) {
  char probe[512], digits[24], *end = probe + sizeof probe;
  int fd = high(TRY(SYS(openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC)));
  append(append(append(append(probe, end, "."), end, name), end, "."), end, number_to_text(digits + sizeof digits, (u64)RAW(getpid)));
  int file = (int)TRY(SYS(openat, fd, probe, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  RAW(unlinkat, fd, probe, 0);
  RAW(close, file);
  return fd;
}

int op_seccomp_record(const struct step *s) {
  int pair[2], fds[MAIN - CONTROL];
  fds[OUT - CONTROL] = (int)TRY(open_writable(text(s, S_SECCOMP_RECORD_directory), text(s, S_SECCOMP_RECORD_name)));
  fds[STATE - CONTROL] = high(TRY(SYS(openat, AT_FDCWD, text(s, S_SECCOMP_RECORD_state), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)));
  fds[LISTENING - CONTROL] = (int)TRY(listen_in(fds[STATE - CONTROL]));
  TRY(SYS(mknodat, fds[STATE - CONTROL], "recorder.fifo", S_IFIFO | 0600, 0));
  fds[ALIVE - CONTROL] = high(TRY(SYS(openat, fds[STATE - CONTROL], "recorder.fifo", O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)));
  TRY(SYS(socketpair, AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0, pair));
  fds[0] = high(pair[1]), G.recorder = high(pair[0]);
  long pid = TRY(fork_with(0, -1, NULL));
  if (pid == 0) be_both(s, fds);
  for (u32 i = 0; i < ARRAY(fds); i++) RAW(close, fds[i]);
  G.guard = (int)pid;
  return 0;
}

/* A foreground run has seen its program end. */
int op_seccomp_record_end(const struct step *s) {
  char answer[1 + TEXT_LIMIT], order = RECORD_END;
  RAW(sendto, G.recorder, &order, 1, MSG_NOSIGNAL, 0, 0);
  /* No signal is looked at: the program has ended, and the recorder answers or is gone, which can be read, too. */
  struct pollfd answered = {G.recorder, POLLIN, 0};
  long ready;
  while ((ready = SYS(ppoll, &answered, 1, NULL, 0, 0)) == -EINTR) {}
  TRY(ready);
  long got = RAW(recvfrom, G.recorder, answer, sizeof answer, 0, 0, 0);
  RAW(close, G.recorder);
  G.recorder = -1;
  if (got < 1) return -EPIPE; /* it was killed */
  G.failure.text_length = (u32)got - 1;
  memcpy(G.failure.text, answer + 1, G.failure.text_length);
  if (answer[0]) return -EIO;
  if (got > 1) RAW(write, 2, G.failure.text, G.failure.text_length);
  G.failure.text_length = 0;
  return 0;
}

/* The plan has failed: no profile. */
void record_dismiss(void) {
  struct timespec limit = {1, 0};
  struct pollfd poll = {G.recorder, POLLIN, 0};
  char order = RECORD_DISMISS;
  int status;
  if (G.recorder < 0) return;
  RAW(sendto, G.recorder, &order, 1, MSG_NOSIGNAL, 0, 0);
  RAW(ppoll, &poll, 1, &limit, 0, 0);
  if (G.guard) RAW(kill, G.guard, SIGKILL), wait_child(G.guard, &status); /* 0: reaped already, and the number may be another's */
  RAW(close, G.recorder);
  G.recorder = -1;
}
