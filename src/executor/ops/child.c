/* The host makes the next process, and does to it what takes the rights of the host. */
#include "ops.h"

/* Of the child, whichever we have. */
void proc_path(char *path, usize size, const char *file) {
  char digits[24];
  char *at = append(append(path, path + size, "/proc/"), path + size, number_to_text(digits + sizeof digits, (u64)child()));
  append(append(at, path + size, "/"), path + size, file);
}

/* Whether somebody but the host needs the environment of the caller. */
static int inside_hooks(void) {
  for (u32 i = G.step; i < G.count; i++)
    if (G.steps[i].op == OP_HOOK_RUN && G.steps[i].role != ROLE_HOST && G.steps[i].n[N_HOOK_RUN_flags] & HOOK_CALLERS_ENVIRONMENT) return 1;
  return 0;
}

/* A new process, which has what its maker had but for the maker's role. */
static void be_born(const struct step *s, int from_joiner, int parent_end, int child_end) {
  u32 next = G.step + 1;
  if (!from_joiner) {
    RAW(close, parent_end);
    RAW(close, self.signals);
    G.socket = child_end, self.signals = -1;
    reset_signals();
    if (!inside_hooks()) forget_environment();
    RAW(umask, 0); /* modes of nodes and mount points are the plan's, not the caller's */
  }
  G.role = s->n[N_CHILD_CREATE_asJoiner] ? ROLE_JOINER : ROLE_INIT;
  trace_born();
  G.child_main(next, !from_joiner || next == G.count || G.steps[next].role != G.role || G.full != NONE);
}

/* A joiner's last act. Unknown to the host its child would wait for ever, and the host for it. */
static void name_child(long pid) {
  struct record r = {.kind = KIND_CHILD, .step = G.step, .value = (int)pid};
  trace_done(TRACE_STEP, G.step, 0);
  if (send_record(G.socket, &r, -1) < 0) RAW(kill, pid, SIGKILL), RAW(exit_group, 1);
  RAW(exit_group, 0);
}

/* A cgroup without room for another process lets an exec in all the same, as with runc: it is born outside, and moved. */
static long bear_outside(const struct step *s, u64 flags, int *pidfd) {
  struct record full = {.kind = KIND_FULL, .step = G.step};
  if (G.full != NONE || (G.role == ROLE_HOST && !s->n[N_CHILD_CREATE_asJoiner])) return -EAGAIN;
  G.full = s->n[G.role == ROLE_HOST ? N_CHILD_CREATE_cgroupSlot : N_CHILD_CREATE_fullSlot];
  if (G.full == NONE) return -EAGAIN;
  if (G.role == ROLE_JOINER && send_record(G.socket, &full, -1) < 0) return -EAGAIN;
  if (G.role == ROLE_JOINER) child_waits(0);
  return fork_with(flags, -1, pidfd);
}

int op_child_create(const struct step *s) {
  int pair[2] = {-1, -1}, pidfd = -1, cgroup = slot(s->n[N_CHILD_CREATE_cgroupSlot]), from_joiner = G.role == ROLE_JOINER;
  int *wanted = from_joiner ? NULL : &pidfd;
  u64 flags = s->n[N_CHILD_CREATE_namespaces] | (from_joiner ? CLONE_PARENT : 0);
  if (!from_joiner) {
    TRY(SYS(socketpair, AF_UNIX, SOCK_SEQPACKET | O_CLOEXEC, 0, pair));
    pair[0] = high(pair[0]), pair[1] = high(pair[1]);
  }
  /* Without privileges the host may only write our id maps while we count as dumpable; nobody hostile is near yet. Unlike
     with a joiner, which is nobody in the user namespace it has entered: its child is seen there at once (S22). */
  int shown = !self.filtered && RAW(geteuid) != 0 && (!from_joiner || flags & CLONE_NEWUSER);
  if (shown) RAW(prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
  long pid = fork_with(flags, cgroup, wanted);
  if (pid == -EAGAIN) pid = bear_outside(s, flags, wanted);
  if (pid == 0) be_born(s, from_joiner, pair[0], pair[1]);
  if (shown) RAW(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (pid < 0) return RAW(close, pair[0]), RAW(close, pair[1]), (int)pid;
  if (from_joiner) name_child(pid);
  RAW(close, pair[1]);
  G.socket = pair[0];
  G.pidfd = high(pidfd);
  *(s->n[N_CHILD_CREATE_asJoiner] ? &G.joiner : &G.pid) = (int)pid;
  return 0;
}

int op_child_write_proc(const struct step *s) {
  char path[256];
  proc_path(path, sizeof path, text(s, S_CHILD_WRITE_PROC_file));
  return write_file(AT_FDCWD, path, text(s, S_CHILD_WRITE_PROC_value), length(s, S_CHILD_WRITE_PROC_value));
}

/* `raise`: only the ceiling, and only up; the process itself then has what is to be. */
int op_child_rlimit(const struct step *s) {
  u32 resource = s->n[N_CHILD_RLIMIT_resource];
  struct rlimit64 limit = {wide(s, N_CHILD_RLIMIT_soft), wide(s, N_CHILD_RLIMIT_hard)}, now;
  if (s->n[N_CHILD_RLIMIT_raise]) {
    TRY(SYS(prlimit64, child(), resource, NULL, &now));
    if (limit.rlim_max <= now.rlim_max) return 0;
    limit.rlim_cur = limit.rlim_max;
  }
  return (int)SYS(prlimit64, child(), resource, &limit, NULL);
}
