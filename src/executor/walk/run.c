/*
 * Carries a plan out. Every process walks the same list; a step of another role is a hand-over:
 *
 *   host:   own steps ── GO ──▶            waits            ◀── DONE / FAIL ── own steps …
 *   init:        waits     ── own steps (from the first after its creation) ──      waits
 *
 * A joiner enters existing namespaces, creates init as the host's child (CLONE_PARENT), says CHILD and ends.
 * Answers of a process that has been inside a container are fixed in size and only index the plan (security.md S39).
 */
#include "walk.h"
#include "../../generated/op-table.h"

static teller *tell;

static u32 next_own(u32 from) {
  while (from < G.count && G.steps[from].role != G.role) from++;
  return from;
}

static int tolerated(const struct step *s, int error) {
  for (int i = 0; i < 4; i++)
    if (s->tolerate[i] && s->tolerate[i] == error) return 1;
  return 0;
}

static void fill_outcome(struct outcome *out, int result) {
  out->magic = OUTCOME_MAGIC;
  out->pid = (u32)G.pid;
  out->step = G.failure.step;
  out->error = G.failure.error;
  out->where = G.failure.where;
  out->item = G.failure.item;
  out->value = result == 0 ? G.exit_code : G.failure.value;
  out->status = result == 0 ? STATUS_OK : STATUS_STEP_FAILED;
  if (result == 0) return;
  if (G.failure.kind == KIND_GO) out->status = STATUS_INTERRUPTED, out->value = self.stopped_by;
  if (G.failure.kind == KIND_DONE) out->status = STATUS_CHILD_DIED;
  if (G.replied) out->status = STATUS_REPLIED;
  out->text_length = G.failure.text_length;
  memcpy(out->text, G.failure.text, TEXT_LIMIT);
}

/* A hook whose failure does not stop the plan: it is said at once. */
static void remark(u32 step, int error) {
  struct outcome out;
  fail_with(step, error, where);
  fill_outcome(&out, -1);
  out.status = STATUS_REMARK;
  tell(&out);
  G.failure.text_length = 0;
}

/* Walks the plan from `from` on. 0, or -1 with G.failure filled. */
static int run_plan(u32 from) {
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
    G.step = k, G.item = 0;
    if (s->op == OP_CHILD_SUPERVISE) trace_tell(k, tell); /* it may go on for days */
    trace_begun(TRACE_STEP, k);
    int result = handlers[s->op](s);
    trace_moved(s);
    trace_done(TRACE_STEP, k, result);
    if (result < 0 && !tolerated(s, -result)) {
      int failed = where;
      /* Nobody is there to fetch it from: ESRCH, and EBADF before Linux 6.9. Who is killed loses its files before it counts as dead. */
      if (s->op == OP_SECCOMP_SEND_LISTENER && wait_readable(G.pidfd, -1, result == -ESRCH || result == -EBADF ? 100 : 0) == 1) return died(k);
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
static void __attribute__((noreturn)) child_main(u32 step, int wait_for_go) {
  if (wait_for_go) child_waits(0), step = next_own(step);
  if (!self.filtered) RAW(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0); /* else it is born so, and a filter may mind */
  if (run_plan(step) < 0) {
    G.failure.kind = KIND_FAIL;
    if (G.started) RAW(write, G.reply, &G.failure, sizeof G.failure);
    else send_record(G.socket, &G.failure, -1);
    if (self.filtered && G.recorder >= 0) RAW(prctl, PR_TSRUN_NOT_EXECUTED, 0, 0, 0, 0);
  }
  RAW(exit_group, 1);
  __builtin_unreachable();
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
    if (pid > 1 && pid != G.joiner && pid != G.pid && pid != G.guard) RAW(kill, pid, SIGKILL), wait_child(pid, &status);
  }
}

/* Carries out the plan behind `plan_fd`; after a failure no process of ours is left. `directory`: where a kept plan was found, or -1. */
int carry_out(int plan_fd, int directory, teller *to, struct outcome *out) {
  u64 all = ~0ull;
  int error = 0, status = 0;
  for (u32 i = 0; i < ARRAY(G.slots); i++) G.slots[i] = -1;
  G.slots[SLOT_STATE] = directory;
  if (plan_load(plan_fd, &error) < 0) {
    *out = (struct outcome){.magic = OUTCOME_MAGIC, .status = STATUS_PLAN_REFUSED, .error = (u32)error, .where = (u32)where};
    return -1;
  }
  RAW(rt_sigprocmask, SIG_BLOCK, &all, 0, 8);
  tell = to, G.child_main = child_main;
  trace_begin();
  self.signals = (int)SYS(signalfd4, -1, &all, 8, O_NONBLOCK | O_CLOEXEC);
  G.role = ROLE_HOST;
  /* Deaf to signals it would wait for ever. */
  if (self.signals < 0) fail_with(0, -self.signals, W_signalfd4);
  int result = self.signals < 0 ? -1 : run_plan(0);
  if (result < 0) {
    criu_dismiss();
    give_devices_back();
    if (G.joiner && !G.pid) end_unknown_children();
    int victims[2] = {G.joiner, G.reaped ? 0 : G.pid};
    for (int i = 0; i < 2; i++) {
      if (!victims[i]) continue;
      if (G.failure.kind != KIND_DONE) RAW(kill, victims[i], SIGKILL);
      wait_child(victims[i], &status);
    }
    record_dismiss();
  }
  fill_outcome(out, result);
  if (result == 0) trace_tell(G.count, tell);
  if (out->status == STATUS_CHILD_DIED) out->value = status;
  return result;
}
