/* The host's side of a hand-over: it says GO, and hears what those do whose steps come now. Answers of a process that has been inside a
   container are fixed in size and only index the plan (security.md S39). */
#include "walk.h"

static int range_has(u32 from, u32 to, int op) {
  for (; from < to; from++)
    if (G.steps[from].op == op) return 1;
  return 0;
}

/* Whether the child becomes another program. */
static int executes(u32 from, u32 to) { return range_has(from, to, OP_PROCESS_EXEC) || range_has(from, to, OP_CRIU_EXEC); }

void fail_with(u32 step, int error, int at) {
  G.failure.kind = KIND_FAIL;
  G.failure.step = step;
  G.failure.error = (u32)error;
  G.failure.where = (u32)at;
  G.failure.item = G.item;
}

/* Without a word: carry_out() reads the wait status. */
int died(u32 step) {
  fail_with(step, 0, 0);
  G.failure.kind = KIND_DONE;
  return -1;
}

/* What comes from inside is not what this program sends: whoever lives is killed, not waited for (S39). The child of a joiner
   that lies about it is nobody we know; with a process to its name, the container's cgroup will be emptied. */
static int lied(u32 step, int error) {
  if (!G.pid) G.pid = G.joiner, G.joiner = 0;
  fail_with(step, error, W_recvmsg);
  return -1;
}

/* A joiner has been inside when it names its child, so it is asked of the kernel (S39). */
static int is_child(int pid) {
  return pid > 1 && RAW(waitid, P_PID, pid, NULL, WEXITED | WNOHANG | WNOWAIT, NULL) == 0;
}

static int to_cgroup(int dir, int pid) { return write_number(dir, "cgroup.procs", (u64)pid); }

/* The joiner is in a cgroup that has no room for its child: it goes to the one above, and the child is moved in by us. */
static int make_room(u32 step) {
  struct record go = {.kind = KIND_GO};
  if (!G.joiner || G.full != NONE || step >= G.count || G.steps[step].op != OP_CHILD_CREATE) return -EBADMSG;
  G.full = G.steps[step].n[N_CHILD_CREATE_fullSlot];
  int above = (int)RAW(openat, slot(G.full), "..", O_PATH | O_DIRECTORY | O_CLOEXEC), moved = above < 0 ? above : to_cgroup(above, G.joiner);
  RAW(close, above);
  return moved < 0 ? -EAGAIN : send_record(G.socket, &go, -1);
}

/* The joiner has named its child, who waits where others have a step to do first. */
static int meet_child(const struct record *r, int host_next) {
  struct record go = {.kind = KIND_GO};
  int status;
  if (!G.joiner || !is_child(r->value)) return -EBADMSG;
  G.pid = r->value;
  RAW(close, G.pidfd);
  G.pidfd = (int)RAW(pidfd_open, G.pid, 0);
  wait_child(G.joiner, &status);
  G.joiner = 0;
  if (G.full == NONE) return 0;
  TRY(to_cgroup(slot(G.full), G.pid));
  return host_next ? 0 : send_record(G.socket, &go, -1);
}

/* The signals that a process has a handler for, ignores, or has blocked to read them: three masks of proc_pid_status(5), a line each. */
static u64 expected_signals(int pid) {
  static const char name[] = "\nSigBlk:\t";
  enum { LINE = sizeof "SigBlk:\t0123456789abcdef\n" - 1 };
  char path[40], digits[24], status[4096];
  u64 signals = 0;
  append(append(append(path, path + 40, "/proc/"), path + 40, number_to_text(digits + 24, (u64)pid)), path + 40, "/status");
  long got = read_small(AT_FDCWD, path, status, sizeof status);
  for (long at = 0; at + 3 * LINE < got; at++) {
    if (memcmp(status + at, name, sizeof name - 1)) continue;
    for (u32 line = 0; line < 3; line++) {
      u64 mask = 0;
      const char *digit = status + at + sizeof name - 1 + line * LINE;
      for (u32 i = 0; i < 16; i++, digit++) mask = mask << 4 | (u64)(*digit <= '9' ? *digit - '0' : (*digit | 0x20) - 'a' + 10);
      signals |= mask;
    }
    break;
  }
  return signals;
}

/*
 * A signal that was there before the payload is the runtime's: passed on it would be lost, for process 1 has no handler yet (R39). But on a
 * busy machine the payload may have come a long way before we see that it runs: what it expects is its own (R11).
 */
static int told_before(u32 next) {
  struct signalfd_siginfo info;
  if (next >= G.count || G.steps[next].op != OP_CHILD_SUPERVISE) return 0;
  while (RAW(read, self.signals, &info, sizeof info) == sizeof info) {
    u64 bit = 1ull << (info.ssi_signo - 1);
    if (info.ssi_signo == SIGCHLD) continue;
    if (expected_signals(G.pid) & bit) {
      RAW(kill, G.pid, info.ssi_signo);
    } else if (bit & STOPS) {
      self.stopped_by = (int)info.ssi_signo;
      fail_with(next, EINTR, where);
      G.failure.kind = KIND_GO;
      return 1;
    }
  }
  return 0;
}

/* The host's side of a hand-over: steps [from, to) are the child's. */
int host_waits(u32 from, u32 to) {
  struct record go = {.kind = KIND_GO}, answer;
  int executing = 0, done = 0;
  int hand = G.steps[from - 1].op == OP_SOURCE_OPEN || G.steps[from - 1].op == OP_DEVICE_OPEN ? G.pending : -1;
  int sent = send_record(G.socket, &go, hand), gone = sent < 0;
  if (hand >= 0) RAW(close, hand), G.pending = -1;
  /* It is there and would wait for ever; one that has gone has left a last word, or none. */
  if (gone && sent != -EPIPE && sent != -ECONNRESET) return fail_with(from, -sent, W_sendmsg), -1;
  if (to == G.count && (!executes(from, to) || range_has(from, to, OP_PROCESS_WAIT_START))) return gone ? died(from) : 0;
  for (;;) {
    int ready = wait_readable(G.socket, G.pidfd, -1);
    if (ready < 0) {
      fail_with(from, -ready, where);
      G.failure.kind = KIND_GO; /* no step to blame: we were asked to stop */
      return -1;
    }
    /* Dead, it may have left a last word; but somebody may hold a copy of its socket open for ever (R07). */
    int passed = -1, got = receive_record(G.socket, &answer, &passed, ready == 2 ? MSG_DONTWAIT : 0);
    if (got > 0 && passed >= 0) { /* the terminal of a foreground run */
      if (G.pending >= 0) RAW(close, G.pending);
      G.pending = passed;
      continue;
    }
    if (got < 0 && !(ready == 2 && got == -EAGAIN)) return lied(from, -got);
    if (got <= 0) {
      /* close-on-exec: the payload runs; unless a joiner has died without naming it */
      if (executing && !G.joiner) return told_before(to) ? -1 : (trace_executed(from, to), leave_devices(), 0);
      return died(from);
    }
    if (answer.kind == KIND_FAIL) {
      if (answer.step >= G.count || answer.error > 4095) answer.step = from;
      G.failure = answer;
      return -1;
    }
    if (answer.kind == KIND_CHILD) {
      int host_next = answer.step + 1 < G.count && G.steps[answer.step + 1].role == ROLE_HOST, met = meet_child(&answer, host_next);
      if (met == -EBADMSG) return lied(from, EBADMSG);
      if (met < 0) return fail_with(answer.step, -met, where), -1;
      if (done || host_next) return 0;
    } else if (answer.kind == KIND_FULL) {
      int made = make_room(answer.step);
      if (made == -EBADMSG) return lied(from, EBADMSG);
      if (made < 0) return fail_with(answer.step, EAGAIN, W_clone3), -1;
    } else if (answer.kind == KIND_DONE) {
      executing = executes(from, to); /* announced by op_process_exec(); its end of file comes next */
      done = !executing;
      G.listener = answer.value;
      /* init may be quicker than the joiner with the news of its birth */
      if (done && !(G.joiner && range_has(from, to, OP_CHILD_CREATE))) return 0;
    } else {
      return lied(from, EBADMSG);
    }
  }
}
