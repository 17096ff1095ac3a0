/* What init does to itself: identity, confinement, descriptors, and at last execve. */
#include "sys.h"

/* Nothing may be mounted on the way, should the procfs be one that others could get at (CVE-2025-52881, S07). */
int op_label(const struct step *s) {
  char path[256];
  struct open_how how = {.flags = O_WRONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};
  int proc = TRY(trusted_proc());
  const char *files[] = {text(s, S_PROCESS_LABEL_file), text(s, S_PROCESS_LABEL_fallback)};
  int result = -ENOENT;
  for (int i = 0; i < 2 && result == -ENOENT && *files[i]; i++) {
    append(append(path, path + sizeof path, "thread-self/attr/"), path + sizeof path, files[i]);
    int fd = (int)SYS(openat2, proc, path, &how, sizeof how);
    result = fd < 0 ? fd : (int)SYS(write, fd, text(s, S_PROCESS_LABEL_value), length(s, S_PROCESS_LABEL_value));
    if (fd >= 0) RAW(close, fd);
  }
  return result < 0 ? result : 0;
}

/* The kernel's getcwd says "(unreachable)" when the directory is outside the root (CVE-2024-21626, S19). */
static int check_directory(void) {
  static char path[4200];
  TRY(SYS(getcwd, path, sizeof path));
  if (path[0] == '/') return 0;
  return -ENOENT;
}

int op_directory(const struct step *s) {
  const char *path = text(s, S_PROCESS_DIRECTORY_path);
  static int entered;
  /* 2: again as the final user, when root was not let in (a home on FUSE or NFS) */
  if (s->n[N_PROCESS_DIRECTORY_create] & 2 && entered) return 0;
  if (s->n[N_PROCESS_DIRECTORY_create] & 1) {
    int fd = make_directories(path, 0755);
    if (fd >= 0) RAW(close, fd);
    else if (fd != -EACCES && fd != -EPERM && fd != -EROFS && fd != -ENOTDIR) return fd;
  }
  TRY(SYS(chdir, path));
  TRY(check_directory());
  entered = 1;
  return 0;
}

/* Effective = `wanted` of what is permitted. */
static int set_effective(u64 wanted) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  TRY(SYS(capget, &header, data));
  data[0].effective = data[0].permitted & (u32)wanted;
  data[1].effective = data[1].permitted & (u32)(wanted >> 32);
  return (int)SYS(capset, &header, data);
}

/* The rights that the payload will have, while those for the rest of the set-up stay permitted. */
int op_effective(u64 caps) { return set_effective(caps); }

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

/* Says that what ends the channel next is execve and not death. */
void announce(void) {
  struct record r = {.kind = KIND_DONE, .step = G.step};
  if (G.socket >= 0 && !G.announced) send_record(G.socket, &r, -1);
  G.announced = 1;
}

int op_seccomp(const struct step *s) {
  if (length(s, S_PROCESS_SECCOMP_filter) / 8 > 4096 /* BPF_MAXINSNS */) return -E2BIG; /* its count has sixteen bits */
  struct { u16 count; const void *filter; } program = {(u16)(length(s, S_PROCESS_SECCOMP_filter) / 8), text(s, S_PROCESS_SECCOMP_filter)};
  TRY(prepare_exec(G.step));
  if (G.step + 1 < G.count && s[1].op == OP_PROCESS_EXEC) announce();
  else if (RAW(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) TRY(set_effective(~0ull)); /* the kernel wants CAP_SYS_ADMIN */
  /* For a host without privileges, which could not fetch the listener otherwise; behind the filter prctl may be trapped. */
  if (s->n[N_PROCESS_SECCOMP_dumpable]) RAW(prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
  G.listener = (int)TRY(SYS(seccomp, SECCOMP_SET_MODE_FILTER, s->n[N_PROCESS_SECCOMP_flags], &program));
  G.filtered = 1;
  return 0;
}

int op_user(const struct step *s) {
  u32 uid = s->n[N_PROCESS_USER_uid], gid = s->n[N_PROCESS_USER_gid];
  TRY(SYS(setresgid, gid, gid, gid));
  TRY(SYS(prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0));
  TRY(SYS(setresuid, uid, uid, uid));
  return (int)SYS(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0); /* the kernel has set it to what fs.suid_dumpable says (S22) */
}

/* Every capability not in `keep` leaves the bounding set, known to our table or not (S25). */
int op_bounding(u64 keep) {
  for (u32 cap = 0; cap < 64; cap++) {
    if (keep >> cap & 1) continue;
    long result = SYS(prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);
    if (result == -EINVAL) return 0; /* beyond the kernel's last one */
    TRY(result);
  }
  return 0;
}

int op_capabilities(const struct step *s) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  u64 effective = wide(s, N_PROCESS_CAPABILITIES_effective), permitted = wide(s, N_PROCESS_CAPABILITIES_permitted);
  u64 inheritable = wide(s, N_PROCESS_CAPABILITIES_inheritable);
  struct __user_cap_data_struct data[2] = {{(u32)effective, (u32)permitted, (u32)inheritable},
    {(u32)(effective >> 32), (u32)(permitted >> 32), (u32)(inheritable >> 32)}};
  TRY(SYS(capset, &header, data));
  return (int)SYS(prctl, PR_SET_KEEPCAPS, 0, 0, 0, 0);
}

int op_ambient(u64 caps) {
  TRY(SYS(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
  for (u32 cap = 0; cap < 64; cap++)
    if (caps >> cap & 1) TRY(SYS(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0));
  return 0;
}

/* One character of /etc/passwd at a time: name:password:uid:gid:comment:home:shell. */
struct passwd_reader { int field; u64 uid; int digits, bad; u32 size; char home[256]; };

static int passwd_line_ends(struct passwd_reader *p, u32 uid) {
  int found = p->field >= 6 && !p->bad && p->digits && p->uid == uid && p->size && p->size < sizeof p->home;
  if (!found) *p = (struct passwd_reader){0};
  return found;
}

static int passwd_feed(struct passwd_reader *p, char c, u32 uid) {
  if (c == '\n') return passwd_line_ends(p, uid);
  if (c == ':') p->field++;
  else if (p->field == 2 && c >= '0' && c <= '9' && p->digits < 12) p->uid = p->uid * 10 + (u64)(c - '0'), p->digits++;
  else if (p->field == 2) p->bad = 1;
  else if (p->field == 5 && p->size < sizeof p->home) p->home[p->size++] = c;
  return 0;
}

static int is_passwd(int fd, struct statx *st) {
  return stat_fd(fd, st) >= 0 && (st->stx_mode & 0170000) == 0100000 && st->stx_size > 0;
}

/* HOME from the container's own passwd, read after the pivot: a regular file, bounded (S51). Failing that "/". Files of
   procfs have no size, and reading the kernel's log would take it away from the host. */
int op_home(const struct step *s) {
  static char buffer[4096];
  struct passwd_reader p = {0};
  struct statx st;
  u32 uid = s->n[N_PROCESS_HOME_uid];
  int found = 0;
  long total = 0, got = 0;
  int probe = (int)RAW(openat, AT_FDCWD, "/etc/passwd", O_PATH | O_CLOEXEC);
  int regular = probe >= 0 && is_passwd(probe, &st);
  if (probe >= 0) RAW(close, probe);
  int fd = regular ? (int)RAW(openat, AT_FDCWD, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
  if (fd >= 0 && !is_passwd(fd, &st)) RAW(close, fd), fd = -1;
  while (fd >= 0 && !found && total < (16 << 20) && (got = RAW(read, fd, buffer, sizeof buffer)) > 0) {
    total += got;
    for (long i = 0; i < got && !found; i++) found = passwd_feed(&p, buffer[i], uid);
  }
  if (fd >= 0 && !found) found = passwd_feed(&p, '\n', uid);
  if (fd >= 0) RAW(close, fd);
  char *at = append(G.home, G.home + sizeof G.home, "HOME=");
  if (found) p.home[p.size] = 0;
  append(at, G.home + sizeof G.home, found ? p.home : "/");
  return 0;
}

static int is_executable(const char *path) {
  struct statx st;
  TRY(SYS(statx, AT_FDCWD, path, AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS, &st));
  if ((st.stx_mode & 0170000) == 0040000) return -EISDIR;
  long result = SYS(faccessat2, AT_FDCWD, path, 1 /* X_OK */, AT_EACCESS);
  if (result == -ENOSYS) result = SYS(faccessat, AT_FDCWD, path, 1);
  TRY(result);
  return (st.stx_mode & 0170000) == 0100000 ? 0 : -EACCES;
}

/* Of the program that is to be executed, from before there was a filter that might not let us look. */
static char description[DESCRIPTION_LIMIT];

/* execvp's search, with the final identity and root, and at create: a missing command is create's error (S20). */
int op_find(const struct step *s) {
  const char *candidates = text(s, S_PROCESS_FIND_candidates);
  u32 size = length(s, S_PROCESS_FIND_candidates);
  int worst = -ENOENT;
  for (u32 at = 0; at < size; at += (u32)str_length(candidates + at) + 1) {
    int result = is_executable(candidates + at);
    if (result == 0) {
      G.exec_path = candidates + at;
      if (!G.filtered) describe_program(G.exec_path, description, sizeof description);
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
int op_close_fds(void) {
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
  G.root = G.proc = G.null = G.mask = -1;
  return 0;
}

static void end_by(int signal) { RAW(exit_group, 128 + signal); }

/* To process 1 of a namespace the kernel brings only what it has a handler for. execve resets them. */
int op_end_on(u64 signals) {
  /* 0x04000000: SA_RESTORER, without which x86-64 runs no handler; this one never returns. */
  struct { void (*handler)(int); unsigned long flags; void (*restorer)(int); u64 mask; } action = {end_by, 0x04000000, end_by, ~0ull};
  for (int i = 1; i <= 64; i++)
    if (signals >> (i - 1) & 1) TRY(SYS(rt_sigaction, i, &action, NULL, 8));
  return 0;
}

int op_wait_start(const struct step *s) {
  char byte;
  long got;
  G.reply = slot(s->n[N_PROCESS_WAIT_START_replySlot]);
  G.started = 1;
  RAW(close, G.socket);
  G.socket = -1;
  trace_leave();
  /* For a caller without privileges, who could not join us otherwise. A filter that is on already may mind prctl. */
  int dumpable = s->n[N_PROCESS_WAIT_START_dumpable] && !G.filtered;
  if (dumpable) RAW(prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
  while ((got = SYS(read, slot(s->n[N_PROCESS_WAIT_START_fifoSlot]), &byte, 1)) == -EINTR) {}
  if (dumpable) RAW(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  RAW(close, slot(s->n[N_PROCESS_WAIT_START_fifoSlot]));
  return got < 0 ? (int)got : 0;
}

char **pointers(const char *strings, u32 bytes, u32 extra, u32 *count) {
  u32 total = 0, i = 0;
  for (u32 at = 0; at < bytes; at++) total += !strings[at];
  char **list = pages((total + extra + 1) * sizeof(char *));
  if (!list) return NULL;
  for (u32 at = 0; at < bytes; at += (u32)str_length(strings + at) + 1) list[i++] = (char *)strings + at;
  *count = total;
  return list;
}

int op_exec(const struct step *s) {
  TRY(prepare_exec((u32)(s - G.steps)));
  if (!G.exec_path) return -ENOENT;
  announce();
  trace_begun(TRACE_EXECVE, G.step);
  int result = (int)SYS(execve, G.exec_path, G.argv, G.envp), at = where;
  trace_done(TRACE_EXECVE, G.step, result);
  if (!G.filtered) describe_program(G.exec_path, description, sizeof description);
  G.failure.text_length = (u32)str_length(description);
  memcpy(G.failure.text, description, G.failure.text_length);
  where = at;
  return result;
}
