/* What init does to itself: identity, confinement, descriptors, and at last execve. */
#include "ops.h"

/* All that execve needs is made ready before a filter could forbid it (S28). */
static int prepare_exec(u32 at) {
  u32 args, env;
  if (G.argv) return 0;
  while (at < G.count && G.steps[at].op != OP_PROCESS_EXEC) at++;
  if (at == G.count) return 0;
  const struct step *exec = &G.steps[at];
  G.argv = pointers(text(exec, S_PROCESS_EXEC_args), length(exec, S_PROCESS_EXEC_args), 0, &args);
  G.envp = pointers(text(exec, S_PROCESS_EXEC_env), length(exec, S_PROCESS_EXEC_env), 1, &env);
  if (!G.argv || !G.envp) return -ENOMEM;
  if (G.home[0]) G.envp[env] = G.home;
  return check_directory();
}

int op_process_seccomp(const struct step *s) {
  if (length(s, S_PROCESS_SECCOMP_filter) / 8 > 4096 /* BPF_MAXINSNS */) return -E2BIG; /* its count has sixteen bits */
  struct { u16 count; const void *filter; } program = {(u16)(length(s, S_PROCESS_SECCOMP_filter) / 8), text(s, S_PROCESS_SECCOMP_filter)};
  TRY(prepare_exec(G.step));
  if (G.step + 1 < G.count && s[1].op == OP_PROCESS_EXEC) announce();
  else if (RAW(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) TRY(set_effective(~0ull)); /* the kernel wants CAP_SYS_ADMIN */
  /* For a host without privileges, which could not fetch the listener otherwise; behind the filter prctl may be trapped. */
  if (s->n[N_PROCESS_SECCOMP_dumpable]) RAW(prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
  G.listener = (int)TRY(SYS(seccomp, SECCOMP_SET_MODE_FILTER, s->n[N_PROCESS_SECCOMP_flags], &program));
  self.filtered = 1;
  return 0;
}

static int is_executable(const char *path) {
  struct statx st;
  TRY(SYS(statx, AT_FDCWD, path, AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS, &st));
  if (S_ISDIR(st.stx_mode)) return -EISDIR;
  long result = SYS(faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS);
  if (result == -ENOSYS) result = SYS(faccessat, AT_FDCWD, path, X_OK);
  TRY(result);
  return S_ISREG(st.stx_mode) ? 0 : -EACCES;
}

/* Of the program that is to be executed, from before there was a filter that might not let us look. */
static char description[DESCRIPTION_LIMIT];

/* execvp's search, with the final identity and root, and at create: a missing command is create's error (S20). */
int op_process_find(const struct step *s) {
  const char *candidates = text(s, S_PROCESS_FIND_candidates);
  u32 size = length(s, S_PROCESS_FIND_candidates);
  int worst = -ENOENT;
  for (u32 at = 0; at < size; at += (u32)str_length(candidates + at) + 1) {
    int result = is_executable(candidates + at);
    if (result == 0) {
      G.exec_path = candidates + at;
      if (!self.filtered) describe_program(G.exec_path, description, sizeof description);
      return 0;
    }
    if (result != -ENOENT && result != -ENOTDIR) worst = result;
  }
  return worst;
}

static u8 callers[4096]; /* by descriptor: what the caller had open, and what --preserve-fds may so mean */

/* Once, when nothing of ours is below 200 but `ours`; from there on the caller's have no gap. */
void note_callers(int from_three, int plan, int go) {
  for (int fd = 3; fd < (int)sizeof callers; fd++) callers[fd] = fd >= 200 ? fd < 3 + from_three : fd != plan && fd != go && RAW(fcntl, fd, F_GETFD) >= 0;
}

/* Everything but stdio, the preserved descriptors and our own (close-on-exec) channels goes now (S18, S24). */
int op_process_close_fds(const struct step *s) {
  forget_environment();
  int keep[4] = {G.socket, slot(0), slot(1), -1};
  u32 from = 3 + G.plan->preserve_fds;
  if (from > sizeof callers) from = sizeof callers;
  for (u32 fd = 3; fd < from; fd++) { /* a gap may hold something of ours by now */
    if (callers[fd]) RAW(fcntl, fd, F_SETFD, 0);
    else if ((int)fd != keep[0] && (int)fd != keep[1] && (int)fd != keep[2]) RAW(close, fd);
  }
  for (;;) {
    u32 next = ~0u;
    for (u32 i = 0; i < ARRAY(keep); i++)
      if (keep[i] >= 0 && (u32)keep[i] >= from && (u32)keep[i] < next) next = (u32)keep[i];
    if (next == from) {
      from++;
      continue;
    }
    long result = SYS(close_range, from, next == ~0u ? ~0u : next - 1, 0);
    TRY(result);
    if (next == ~0u) break;
    from = next + 1;
  }
  self.root = self.proc = G.null = G.mask = -1;
  return 0;
}

static void end_by(int signal) { RAW(exit_group, 128 + signal); }

/* To process 1 of a namespace the kernel brings only what it has a handler for. execve resets them. */
int op_process_end_on(const struct step *s) {
  u64 signals = wide(s, N_PROCESS_END_ON_signals);
  /* SA_RESTORER: without it x86-64 runs no handler; this one never returns. */
  struct { void (*handler)(int); unsigned long flags; void (*restorer)(int); u64 mask; } action = {end_by, SA_RESTORER, end_by, ~0ull};
  for (int i = 1; i <= 64; i++)
    if (signals >> (i - 1) & 1) TRY(SYS(rt_sigaction, i, &action, NULL, 8));
  return 0;
}

int op_process_wait_start(const struct step *s) {
  char byte;
  long got;
  G.reply = slot(s->n[N_PROCESS_WAIT_START_replySlot]);
  G.started = 1;
  RAW(close, G.socket);
  G.socket = -1;
  trace_leave();
  /* For a caller without privileges, who could not join us otherwise. A filter that is on already may mind prctl. */
  int dumpable = s->n[N_PROCESS_WAIT_START_dumpable] && !self.filtered;
  if (dumpable) RAW(prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
  while ((got = SYS(read, slot(s->n[N_PROCESS_WAIT_START_fifoSlot]), &byte, 1)) == -EINTR) {}
  if (dumpable) RAW(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  RAW(close, slot(s->n[N_PROCESS_WAIT_START_fifoSlot]));
  return got < 0 ? (int)got : 0;
}

int op_process_exec(const struct step *s) {
  TRY(prepare_exec((u32)(s - G.steps)));
  if (!G.exec_path) return -ENOENT;
  announce();
  trace_begun(TRACE_EXECVE, G.step);
  int result = (int)SYS(execve, G.exec_path, G.argv, G.envp), at = where;
  trace_done(TRACE_EXECVE, G.step, result);
  if (!self.filtered) describe_program(G.exec_path, description, sizeof description);
  G.failure.text_length = (u32)str_length(description);
  memcpy(G.failure.text, description, G.failure.text_length);
  where = at;
  return result;
}
