/* Foreground run: signals go in, the exit status comes out, a terminal is copied both ways. */
#include "ops.h"

#define LINGER 10000000 /* ns */

struct copy { char buffer[4096]; u32 from, to; };
static struct termios saved;
static int raw_mode;
static long said[2]; /* when the terminal last said something */

static void make_raw(void) {
  struct termios raw;
  if (RAW(ioctl, 0, TCGETS, &saved) < 0) return;
  raw = saved;
  raw.c_iflag &= ~(u32)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  raw.c_oflag &= ~(u32)OPOST;
  raw.c_lflag &= ~(u32)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  raw.c_cflag = (raw.c_cflag & ~(u32)(CSIZE | PARENB)) | CS8;
  raw_mode = RAW(ioctl, 0, TCSETS, &raw) >= 0;
}

static void resize(int terminal) {
  struct terminal_size size;
  if (terminal >= 0 && caller_size(&size) >= 0) RAW(ioctl, terminal, TIOCSWINSZ, &size);
}

/* All signals but a few are the payload's business; cli-contract section 5. */
static void forward(const struct signalfd_siginfo *info, int terminal) {
  int signal = (int)info->ssi_signo;
  if (signal == SIGWINCH) resize(terminal);
  else if (signal != SIGCHLD && signal != SIGPIPE && signal != SIGURG) RAW(kill, G.pid, signal);
}

/* Reaps whatever has ended; 1 when the main process is among them. */
static int reap(int *status) {
  int some, pid, done = 0;
  while ((pid = (int)RAW(wait4, -1, &some, WNOHANG, 0)) > 0) {
    if (pid == G.pid) *status = some, done = 1;
    if (pid == G.guard) G.guard = 0;
  }
  return done;
}

/* Moves bytes one way; 0 at the end of input. */
static int fill(struct copy *c, int from) {
  long got = RAW(read, from, c->buffer, sizeof c->buffer);
  if (got == -EAGAIN || got == -EINTR) return 1;
  if (got <= 0) return 0;
  c->from = 0, c->to = (u32)got;
  return 1;
}

static void drain(struct copy *c, int to) {
  long got = RAW(write, to, c->buffer + c->from, c->to - c->from);
  if (got > 0) c->from += (u32)got;
  else if (got != -EAGAIN && got != -EINTR) c->from = c->to; /* nobody reads any more */
}

static void say(struct copy *c) {
  drain(c, 1);
  RAW(clock_gettime, CLOCK_MONOTONIC, said);
}

/*
 * CRI-O starts `exec` on a terminal of its own, copies from that beside its wait for us, and closes it as soon as we are gone: what it has not read by then is lost, and
 * a slave cannot ask whether the master was read. So we do not go at once when something was said just now.
 */
static void linger(void) {
  struct termios terminal;
  if (RAW(ioctl, 1, TCGETS, &terminal) < 0) return;
  long now[2], since = 0;
  for (;;) {
    RAW(clock_gettime, CLOCK_MONOTONIC, now);
    since = (now[0] - said[0]) * 1000000000 + now[1] - said[1];
    if (since >= LINGER) return;
    long rest[2] = {0, LINGER - since};
    RAW(nanosleep, rest, NULL);
  }
}

/* What is left in the terminal when the payload is gone. */
static void last_words(struct copy *c, int terminal) {
  for (;;) {
    while (c->from < c->to) {
      struct pollfd poll = {1, POLLOUT, 0};
      RAW(ppoll, &poll, 1, NULL, 0, 0);
      say(c);
    }
    if (!fill(c, terminal) || c->from == c->to) return;
  }
}

static int terminal_of(const struct step *s) {
  int terminal = s->n[N_CHILD_SUPERVISE_terminal] ? G.pending : -1;
  G.pending = -1;
  if (terminal < 0) return -1;
  RAW(fcntl, terminal, F_SETFL, O_NONBLOCK);
  resize(terminal);
  make_raw();
  return terminal;
}

int op_child_supervise(const struct step *s) {
  static struct copy in, out;
  int terminal = terminal_of(s), input = terminal >= 0 ? 0 : -1, output = terminal, recorder = G.recorder, status = 0, done = reap(&status);
  while (!done) {
    int input_pending = in.from < in.to, output_pending = out.from < out.to;
    short wanted = (short)((input_pending ? POLLOUT : 0) | (output_pending ? 0 : POLLIN));
    struct pollfd polls[6] = {{self.signals, POLLIN, 0},
      {input_pending ? -1 : input, POLLIN, 0},
      {wanted ? output : -1, wanted, 0}, /* a hang-up is told without being asked for, again and again (R31) */
      {output_pending ? 1 : -1, POLLOUT, 0},
      {notify_socket(), POLLIN, 0},
      {recorder, POLLIN, 0}};
    long got = SYS(ppoll, polls, 6, NULL, 0, 0);
    if (got < 0 && got != -EINTR) return (int)got;
    struct signalfd_siginfo info;
    if (polls[0].revents)
      while (RAW(read, self.signals, &info, sizeof info) == sizeof info) forward(&info, terminal);
    if (polls[1].revents && !fill(&in, input)) input = -1;
    if (polls[2].revents & POLLOUT) drain(&in, terminal);
    if (polls[2].revents & (POLLIN | POLLHUP | POLLERR) && !output_pending && !fill(&out, terminal)) output = -1;
    if (polls[3].revents) say(&out);
    if (polls[4].revents) notify_pass_on();
    if (polls[5].revents) RAW(kill, G.pid, SIGKILL), recorder = -1; /* it has died: from now on every call would fail */
    done = reap(&status);
  }
  if (terminal >= 0) last_words(&out, terminal), RAW(close, terminal);
  if (raw_mode) RAW(ioctl, 0, TCSETS, &saved), raw_mode = 0;
  if (terminal >= 0) linger();
  G.reaped = 1;
  G.exit_code = exit_status(status);
  return 0;
}
