/*
 * Carries a plan out. Every process walks the same list; a step of another role is a hand-over:
 *
 *   host:   own steps ── GO ──▶            waits            ◀── DONE / FAIL ── own steps …
 *   init:        waits     ── own steps (from the first after its creation) ──      waits
 *
 * A joiner enters existing namespaces, creates init as the host's child (CLONE_PARENT), says CHILD and ends.
 * Answers of a process that has been inside a container are fixed in size and only index the plan (security.md S39).
 */
#include "sys.h"

struct state G = NO_STATE;
int where;

int send_record(int fd, const struct record *r, int passed) {
  if (G.filtered) return (int)SYS(write, fd, r, sizeof *r);
  struct iovec { void *base; usize length; } iov = {(void *)r, sizeof *r};
  struct { struct { usize length; int level, type; } header; int fd; int pad; } control = {{sizeof(usize) + 12, 1, 1}, passed, 0};
  struct { void *name; u32 name_length; struct iovec *iov; usize iov_count; void *control; usize control_length; int flags; } message =
    {0, 0, &iov, 1, passed < 0 ? NULL : &control, passed < 0 ? 0 : sizeof control, 0};
  long got;
  while ((got = SYS(sendmsg, fd, &message, 0x4000 /* MSG_NOSIGNAL */)) == -EINTR) {}
  return got < 0 ? (int)got : 0;
}

/* 1 with a record, 0 at end of file, negative errno. `flags`: MSG_DONTWAIT when the sender is known to be gone. */
int receive_record(int fd, struct record *r, int *passed, u32 flags) {
  if (G.filtered) return RAW(read, fd, r, sizeof *r) == sizeof *r;
  struct iovec { void *base; usize length; } iov = {r, sizeof *r};
  struct { struct { usize length; int level, type; } header; int fd; int pad; } control;
  struct { void *name; u32 name_length; struct iovec *iov; usize iov_count; void *control; usize control_length; int flags; } message =
    {0, 0, &iov, 1, &control, sizeof control, 0};
  long got;
  while ((got = SYS(recvmsg, fd, &message, 0x40000000 /* MSG_CMSG_CLOEXEC */ | flags)) == -EINTR) {}
  if (got == 0 || got == -ECONNRESET) return 0;
  TRY(got);
  int sound = got == sizeof *r && r->text_length <= TEXT_LIMIT;
  if (message.control_length >= sizeof control.header + 4 && control.header.level == 1 && control.header.type == 1) {
    if (passed && sound) *passed = control.fd;
    else RAW(close, control.fd);
  }
  return sound ? 1 : -EBADMSG;
}

/*
 * A fork that needs no libc; the child continues here with 0. `cgroup`: a descriptor to be born in, or -1. Filters cannot see the
 * flags of clone3 and refuse it; whoever may fork behind one may call clone.
 */
long fork_with(u64 flags, int cgroup, int *pidfd) {
  struct clone_args args = {.flags = flags, .exit_signal = flags & CLONE_PARENT ? 0 : 17 /* SIGCHLD */};
  if (pidfd) args.flags |= CLONE_PIDFD, args.pidfd = (u64)(usize)pidfd;
  if (cgroup >= 0) args.flags |= CLONE_INTO_CGROUP, args.cgroup = (u64)cgroup;
  return G.filtered ? SYS(clone, args.flags | args.exit_signal, 0, args.pidfd, 0, 0) : SYS(clone3, &args, sizeof args);
}

int wait_child(int pid, int *status) {
  long got;
  while ((got = SYS(wait4, pid, status, 0, 0)) == -EINTR) {}
  return got < 0 ? (int)got : 0;
}

/* A signal that asks the command to stop: 1 and its number in *number. */
static int interrupted(int *number) {
  struct signalfd_siginfo info;
  while (RAW(read, G.signals, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == 1 || info.ssi_signo == 2 || info.ssi_signo == 3 || info.ssi_signo == 15) {
      *number = (int)info.ssi_signo;
      return 1;
    }
  }
  return 0;
}

static int interrupt_signal;

/* Waits until fd (1) or pidfd (2) is ready, 0 at the deadline, -EINTR when a signal asks us to stop (R39). */
int wait_readable(int fd, int pidfd, int timeout_ms) {
  struct timespec timeout = {timeout_ms / 1000, (timeout_ms % 1000) * 1000000L};
  for (;;) {
    struct pollfd polls[3] = {{fd, POLLIN, 0}, {pidfd, POLLIN, 0}, {G.signals, POLLIN, 0}};
    long got = SYS(ppoll, polls, 3, timeout_ms < 0 ? NULL : &timeout, 0, 0);
    if (got == -EINTR) continue;
    if (got <= 0) return (int)got;
    if (polls[0].revents) return 1;
    if (polls[1].revents) return 2;
    if (polls[2].revents && interrupted(&interrupt_signal)) return -EINTR;
  }
}

static u32 next_own(u32 from) {
  while (from < G.count && G.steps[from].role != G.role) from++;
  return from;
}

static int range_has(u32 from, u32 to, int op) {
  for (; from < to; from++)
    if (G.steps[from].op == op) return 1;
  return 0;
}

/* Whether the child becomes another program. */
static int executes(u32 from, u32 to) { return range_has(from, to, OP_PROCESS_EXEC) || range_has(from, to, OP_CRIU_EXEC); }

static void fail_with(u32 step, int error, int at) {
  G.failure.kind = KIND_FAIL;
  G.failure.step = step;
  G.failure.error = (u32)error;
  G.failure.where = (u32)at;
}

/* Without a word: carry_out() reads the wait status. */
static int died(u32 step) {
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
  return pid > 1 && RAW(waitid, 1 /* P_PID */, pid, NULL, 4 /* WEXITED */ | 1 /* WNOHANG */ | 0x01000000 /* WNOWAIT */, NULL) == 0;
}

static int to_cgroup(int dir, int pid) {
  char digits[24], *text = number_to_text(digits + sizeof digits, (u64)pid);
  return write_file(dir, "cgroup.procs", text, str_length(text));
}

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

/* A signal that was there before the payload is the runtime's: passed on it would be lost, for process 1 has no handler yet (R39). */
static int told_before(u32 next) {
  if (next >= G.count || G.steps[next].op != OP_CHILD_SUPERVISE || !interrupted(&interrupt_signal)) return 0;
  fail_with(next, EINTR, where);
  G.failure.kind = KIND_GO;
  return 1;
}

/* The host's side of a hand-over: steps [from, to) are the child's. */
static int host_waits(u32 from, u32 to) {
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
    int passed = -1, got = receive_record(G.socket, &answer, &passed, ready == 2 ? 0x40 /* MSG_DONTWAIT */ : 0);
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
      executing = executes(from, to); /* announced by op_exec(); its end of file comes next */
      done = !executing;
      G.listener = answer.value;
      /* init may be quicker than the joiner with the news of its birth */
      if (done && !(G.joiner && range_has(from, to, OP_CHILD_CREATE))) return 0;
    } else {
      return lied(from, EBADMSG);
    }
  }
}

/* The child's side. It ends silently when the host is gone: nobody is left to start it (R08). */
void child_waits(int announce) {
  struct record r = {.kind = KIND_DONE, .step = G.step, .value = G.listener};
  trace_begun(TRACE_WAIT, G.step);
  if (announce && send_record(G.socket, &r, -1) < 0) RAW(exit_group, 1);
  int got = receive_record(G.socket, &r, &G.pending, 0);
  if (got == 1 && r.kind == KIND_TAKEN) RAW(close, G.listener), G.listener = 0, got = receive_record(G.socket, &r, &G.pending, 0);
  if (got != 1 || r.kind != KIND_GO) RAW(exit_group, 1);
  trace_done(TRACE_WAIT, G.step, 0);
}

static int tolerated(const struct step *s, int error) {
  for (int i = 0; i < 4; i++)
    if (s->tolerate[i] && s->tolerate[i] == error) return 1;
  return 0;
}

static void fill_outcome(struct outcome *out, int result);

/* A hook whose failure does not stop the plan: it is said at once. */
static void remark(u32 step, int error) {
  struct outcome out;
  fail_with(step, error, where);
  fill_outcome(&out, -1);
  out.status = STATUS_REMARK;
  tell_remark(&out);
  G.failure.text_length = 0;
}

/* Walks the plan from `from` on. 0, or -1 with G.failure filled. */
int run_plan(u32 from) {
  for (u32 k = from; k < G.count;) {
    const struct step *s = &G.steps[k];
    if (s->role != G.role) {
      u32 next = next_own(k);
      if (G.role == ROLE_HOST) {
        trace_begun(TRACE_WAIT, k);
        int met = host_waits(k, next);
        trace_done(TRACE_WAIT, k, 0);
        if (met < 0) return -1;
      } else {
        child_waits(1);
      }
      k = next;
      continue;
    }
    G.step = k;
    if (s->op == OP_CHILD_SUPERVISE) trace_tell(k); /* it may go on for days */
    trace_begun(TRACE_STEP, k);
    int result = perform(s);
    trace_moved(s);
    trace_done(TRACE_STEP, k, result);
    if (result < 0 && !tolerated(s, -result)) {
      int failed = where;
      /* Nobody is there to fetch it from: ESRCH, and EBADF before Linux 6.9. */
      if (s->op == OP_SECCOMP_SEND_LISTENER && wait_readable(G.pidfd, -1, 0) == 1) return died(k);
      if (!G.replied) fail_with(k, -result, failed);
      return -1;
    }
    if (result < 0 && s->flags & STEP_OR_END) return 0;
    if (result < 0 && s->op == OP_HOOK_RUN) remark(k, -result);
    k += result >= 0 && s->flags & STEP_OR_ELSE_NEXT ? 2 : 1;
  }
  return 0;
}

/* What a new process does; it never returns to its caller's frame. */
void child_main(u32 step, int wait_for_go) {
  if (wait_for_go) child_waits(0), step = next_own(step);
  if (!G.filtered) RAW(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0); /* else it is born so, and a filter may mind */
  if (run_plan(step) < 0) {
    G.failure.kind = KIND_FAIL;
    if (G.started) RAW(write, G.reply, &G.failure, sizeof G.failure);
    else send_record(G.socket, &G.failure, -1);
    if (G.filtered && G.recorder >= 0) RAW(prctl, PR_TSRUN_NOT_EXECUTED, 0, 0, 0, 0);
  }
  RAW(exit_group, 1);
  __builtin_unreachable();
}

static void fill_outcome(struct outcome *out, int result) {
  out->magic = OUTCOME_MAGIC;
  out->pid = (u32)G.pid;
  out->step = G.failure.step;
  out->error = G.failure.error;
  out->where = G.failure.where;
  out->value = result == 0 ? G.exit_code : G.failure.value;
  out->status = result == 0 ? STATUS_OK : STATUS_STEP_FAILED;
  if (result == 0) return;
  if (G.failure.kind == KIND_GO) out->status = STATUS_INTERRUPTED, out->value = interrupt_signal;
  if (G.failure.kind == KIND_DONE) out->status = STATUS_CHILD_DIED;
  if (G.replied) out->status = STATUS_REPLIED;
  out->text_length = G.failure.text_length;
  memcpy(out->text, G.failure.text, TEXT_LIMIT);
}

/*
 * A joiner that is killed between having its child and naming it leaves a process that nobody knows, and that goes on: its parent are
 * we. Whatever other children there are (an engine that has handed over) are done with.
 */
static void end_unknown_children(void) {
  char list[512];
  int status;
  long got = read_small(AT_FDCWD, "/proc/thread-self/children", list, sizeof list);
  for (char *at = list; got > 0 && *at;) {
    int pid = 0;
    while (*at >= '0' && *at <= '9') pid = pid * 10 + (*at++ - '0');
    while (*at && (*at < '0' || *at > '9')) at++;
    if (pid > 1 && pid != G.joiner && pid != G.pid && pid != G.guard) RAW(kill, pid, 9), wait_child(pid, &status);
  }
}

/* Carries out the plan behind `plan_fd`; after a failure no process of ours is left. `directory`: where a kept plan was found, or -1. */
int carry_out(int plan_fd, int directory, struct outcome *out) {
  u64 all = ~0ull;
  int error = 0, status = 0;
  for (u32 i = 0; i < ARRAY(G.slots); i++) G.slots[i] = -1;
  G.slots[SLOT_STATE] = directory;
  if (plan_load(plan_fd, &error) < 0) {
    *out = (struct outcome){.magic = OUTCOME_MAGIC, .status = STATUS_PLAN_REFUSED, .error = (u32)error, .where = (u32)where};
    return -1;
  }
  RAW(rt_sigprocmask, 0 /* SIG_BLOCK */, &all, 0, 8);
  trace_begin();
  G.signals = (int)SYS(signalfd4, -1, &all, 8, O_NONBLOCK | O_CLOEXEC);
  G.role = ROLE_HOST;
  /* Deaf to signals it would wait for ever. */
  if (G.signals < 0) fail_with(0, -G.signals, W_signalfd4);
  int result = G.signals < 0 ? -1 : run_plan(0);
  if (result < 0) {
    criu_dismiss();
    give_devices_back();
    if (G.joiner && !G.pid) end_unknown_children();
    int victims[2] = {G.joiner, G.reaped ? 0 : G.pid};
    for (int i = 0; i < 2; i++) {
      if (!victims[i]) continue;
      if (G.failure.kind != KIND_DONE) RAW(kill, victims[i], 9);
      wait_child(victims[i], &status);
    }
    record_dismiss();
  }
  fill_outcome(out, result);
  if (result == 0) trace_tell(G.count);
  if (out->status == STATUS_CHILD_DIED) out->value = status;
  return result;
}
