/*
 * tsrun's entry. This program is three things, one after the other:
 *   1. the file `dist/tsrun`: copies itself into a sealed memfd and starts again from there, so that nothing inside a
 *      container can ever reach the file on the host through /proc/self/exe (CVE-2019-5736, security.md S21);
 *   2. the launcher: starts the engine (`tsrun-engine`, JavaScript) with a clean environment, before 1, for its start is most
 *      of the time that a command takes; after 1 it waits for the plan;
 *   3. the executor: carries that plan out. When it fails the engine is started once more, to say why and roll back.
 * Started by TypeScript itself (argv[0] "tsrun:carry-out"), it only does 3: plan on descriptor 0, outcome to 1.
 */
#include "sys.h"

#define CARRY_OUT "tsrun:carry-out"
#define ENGINE_SUFFIX "-engine"
static char *environment[64];
static char self_path[4200] = "TSRUN_SELF=", early_text[100] = "TSRUN_EARLY=";

/* Everything else the caller has in its environment would steer the JavaScript engine (security.md S46). */
static const char *const passed[] = {"XDG_RUNTIME_DIR=", "NOTIFY_SOCKET=", "LISTEN_FDS=", "LISTEN_PID=", "LISTEN_FDNAMES=",
  "DBUS_SESSION_BUS_ADDRESS=", "DBUS_SYSTEM_BUS_ADDRESS=", "PATH=", "HOME=", "USER=", "TERM=", "TSRUN_DEBUG=", NULL};

static int starts_with(const char *s, const char *prefix) {
  while (*prefix && *s == *prefix) s++, prefix++;
  return !*prefix;
}

static void say(const char *message) {
  RAW(write, 2, message, str_length(message));
  RAW(write, 2, "\n", 1);
}

/* The allow-listed part of the environment; with `extra` entries behind it. */
static char **clean_environment(char **from, const char *const *extra) {
  u32 count = 0;
  for (; *from && count < ARRAY(environment) - 5; from++) /* four more and the end */
    for (int i = 0; passed[i]; i++)
      if (starts_with(*from, passed[i])) {
        environment[count++] = *from;
        break;
      }
  for (; *extra; extra++) environment[count++] = (char *)*extra;
  environment[count] = NULL;
  return environment;
}

static int is_sealed(int fd) {
  long seals = RAW(fcntl, fd, F_GET_SEALS), all = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  return seals > 0 && (seals & all) == all;
}

/* Starts this program again from a sealed copy in memory. Returns only on failure. */
static int restart_sealed(int exe, char **argv, char **envp) {
  struct statx st;
  TRY(stat_fd(exe, &st));
  long copy = SYS(memfd_create, "tsrun", MFD_CLOEXEC | MFD_ALLOW_SEALING | 0x0010 /* MFD_EXEC, 6.3 */);
  if (copy == -EINVAL) copy = SYS(memfd_create, "tsrun", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  TRY(copy);
  for (usize left = st.stx_size; left > 0;) {
    long sent = TRY(SYS(sendfile, copy, exe, 0, left));
    if (sent == 0) return -EIO;
    left -= (usize)sent;
  }
  TRY(SYS(fcntl, copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
  return (int)SYS(execveat, copy, "", argv, envp, AT_EMPTY_PATH);
}

/* Our own descriptors stay out of the range that --preserve-fds may hand to the container. */
int high(long fd) {
  if (fd < 0) return (int)fd;
  long moved = RAW(fcntl, fd, F_DUPFD_CLOEXEC, 200);
  if (moved < 0) moved = RAW(fcntl, fd, F_DUPFD_CLOEXEC, 3);
  RAW(close, fd);
  return (int)moved;
}

static void place(int from, int to) {
  if (from == to) RAW(fcntl, to, F_SETFD, 0);
  else RAW(dup3, from, to, 0);
}

/* The engine: 3 new plan, 4 its "go" pipe, 5 outcome and 6 old plan of a round that failed. */
static void engine(const char *path, char **argv, char **envp, const int fds[4]) {
  int from[4];
  for (int i = 0; i < 4; i++) /* under a small RLIMIT_NOFILE one may have the number that another is to get */
    from[i] = fds[i] >= 3 && fds[i] < 7 ? (int)RAW(fcntl, fds[i], F_DUPFD_CLOEXEC, 7) : fds[i];
  for (int i = 0; i < 4; i++)
    if (from[i] >= 0) place(from[i], 3 + i);
  for (int i = 0; i < 4; i++)
    if (fds[i] < 0) RAW(close, 3 + i);
  if (RAW(close_range, 7, ~0u, 0) == -ENOSYS)
    for (int i = 7; i < 1024; i++) RAW(close, i);
  RAW(prctl, PR_SET_PDEATHSIG, 9, 0, 0, 0);
  RAW(execve, path, argv, envp);
  say("tsrun: the engine could not be started: keep 'tsrun-engine' in the same directory as 'tsrun'");
  RAW(exit_group, 1);
}

static int exit_status(int status) {
  return (status & 0x7f) ? 128 + (status & 0x7f) : (status >> 8) & 0xff;
}

struct round { int plan, outcome, old_plan, go, engine; };

/* Starts the engine, which will leave its plan in r->plan and say so through r->go. */
static int start_engine(const char *path, char **argv, char **envp, struct round *r) {
  int pipes[2];
  r->plan = high(SYS(memfd_create, "plan", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (r->plan < 0 || SYS(pipe2, pipes, O_CLOEXEC) < 0) return -1;
  r->go = high(pipes[0]), pipes[1] = high(pipes[1]);
  r->engine = (int)fork_with(0, -1, NULL);
  if (r->engine == 0) {
    int fds[4] = {r->plan, pipes[1], r->outcome, r->old_plan};
    engine(path, argv, envp, fds);
  }
  RAW(close, pipes[1]);
  return r->engine < 0 ? -1 : 0;
}

/* -1 when the engine left a plan, else its exit status. */
static int await_engine(struct round *r) {
  char go = 0;
  int status = 0;
  long got;
  while ((got = RAW(read, r->go, &go, 1)) == -EINTR) {}
  RAW(close, r->go);
  if (got == 1) return -1; /* it is on its way out; reaped when the plan is done */
  wait_child(r->engine, &status);
  return exit_status(status);
}

static int keep_outcome(const struct outcome *out) {
  int fd = high(SYS(memfd_create, "outcome", MFD_CLOEXEC));
  if (fd >= 0) RAW(write, fd, out, sizeof *out), RAW(lseek, fd, 0, 0);
  return fd;
}

/* Starts the engine for round `number`, 0 to 2. */
static int start_round(char **argv, char **envp, int number, int inherited, struct round *r) {
  static char path[4200], fds[40] = "TSRUN_FDS=", round_text[] = "TSRUN_ROUND=0";
  char digits[24];
  append(append(path, path + sizeof path, self_path + 11), path + sizeof path, ENGINE_SUFFIX);
  append(fds + 10, fds + sizeof fds, number_to_text(digits + sizeof digits, (u64)inherited));
  round_text[12] = (char)('0' + number);
  /* The engine lives for milliseconds: a compiler thread costs it more than it can give (docs/decisions/0002). */
  const char *extra[] = {self_path, fds, round_text, "BUN_JSC_useJIT=0", NULL};
  return start_engine(path, argv, clean_environment(envp, extra), r);
}

/* What the first start hands to the second, sealed one: the engine that runs already, and what it was told. */
#define EARLY_COUNT 4
static const char *early_entry(const struct round *r, int inherited) {
  const int values[EARLY_COUNT] = {r->plan, r->go, r->engine, inherited};
  const char *end = early_text + sizeof early_text;
  char digits[24], *at = early_text + 12;
  for (int i = 0; i < EARLY_COUNT; i++) at = append(append(at, end, number_to_text(digits + sizeof digits, (u64)values[i])), end, ":");
  return early_text;
}

static void read_early(const char *text, struct round *r, int *inherited) {
  int values[EARLY_COUNT] = {0};
  for (int i = 0; *text && i < EARLY_COUNT; text++) {
    if (*text == ':') i++;
    else values[i] = values[i] * 10 + (*text - '0');
  }
  r->plan = values[0], r->go = values[1], r->engine = values[2], *inherited = values[3];
}

static int launch(char **argv, char **envp, struct round r, int inherited) {
  for (int i = 0; i < 3; i++) {
    struct outcome out;
    int status;
    if (i > 0 && start_round(argv, envp, i, inherited, &r) < 0) return 1;
    int code = await_engine(&r);
    if (code >= 0) return code;
    int result = carry_out(r.plan, &out);
    wait_child(r.engine, &status);
    if (result == 0) return G.exit_code;
    r.outcome = keep_outcome(&out);
    r.old_plan = r.plan;
    u64 none = 0;
    RAW(rt_sigprocmask, 2 /* SIG_SETMASK */, &none, 0, 8);
    G = (struct state){.socket = -1, .pidfd = -1, .signals = -1, .pending = -1, .root = -1, .proc = -1, .null = -1, .mask = -1, .reply = -1};
  }
  return 1;
}

/* Spawned by TypeScript: plan on 0, outcome to 1; the container's stdio waits on 3, 4, 5 and preserved descriptors on 6. */
static int carry_out_for_parent(void) {
  struct outcome out = {0};
  int plan = high(RAW(fcntl, 0, F_DUPFD_CLOEXEC, 3)), answer = high(RAW(fcntl, 1, F_DUPFD_CLOEXEC, 3));
  if (plan < 0 || answer < 0 || RAW(fcntl, 5, F_GETFD) < 0) {
    say("tsrun: the executor expects a plan on descriptor 0, a place for its outcome on 1, and stdio on 3 to 5");
    return 1;
  }
  for (int fd = 3; RAW(fcntl, fd, F_GETFD) >= 0 && fd < 200; fd++) {
    RAW(dup3, fd, fd - 3, fd >= 6 ? O_CLOEXEC : 0);
    RAW(close, fd);
  }
  RAW(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  carry_out(plan, &out);
  RAW(write, answer, &out, sizeof out);
  return 0;
}

/* How many descriptors from 3 on are open without a gap: what --preserve-fds can mean. */
static int count_inherited(void) {
  int fd = 3;
  while (fd < 4096 && RAW(fcntl, fd, F_GETFD) >= 0) fd++;
  return fd - 3;
}

void reset_signals(void) {
  struct { void *handler; unsigned long flags; void *restorer; u64 mask; } action = {0};
  for (int i = 1; i <= 64; i++)
    if (i != 9 && i != 19) RAW(rt_sigaction, i, &action, 0, 8);
  u64 none = 0;
  RAW(rt_sigprocmask, 2, &none, 0, 8);
}

/* The file on the disk: sets the engine off, and starts again as a sealed copy. Returns only on failure. */
static int first_start(int exe, char **argv, char **envp, int carries_out) {
  struct round r = {-1, -1, -1, -1, -1};
  int inherited = count_inherited(), status;
  long size = RAW(readlinkat, AT_FDCWD, "/proc/self/exe", self_path + 11, sizeof self_path - 12);
  if (size < 0) return say("tsrun: cannot find its own path"), 1;
  reset_signals();
  if (!carries_out && start_round(argv, envp, 0, inherited, &r) < 0) return say("tsrun: cannot start the engine"), 1;
  if (!carries_out) RAW(fcntl, r.plan, F_SETFD, 0), RAW(fcntl, r.go, F_SETFD, 0);
  const char *extra[] = {self_path, carries_out ? NULL : early_entry(&r, inherited), NULL};
  restart_sealed(exe, argv, clean_environment(envp, extra));
  if (!carries_out) RAW(kill, r.engine, 9), wait_child(r.engine, &status);
  say("tsrun: cannot start from a sealed memfd (memfd_create or execveat was refused)");
  return 1;
}

int executor_main(long *stack) {
  int argc = (int)stack[0];
  char **argv = (char **)(stack + 1), **envp = argv + argc + 1;
  int carries_out = argc > 0 && str_equal(argv[0], CARRY_OUT);
  for (int fd = 0; fd < 3; fd++) /* closed stdio: nothing of ours may land there (R30) */
    if (RAW(fcntl, fd, F_GETFD) < 0) RAW(openat, AT_FDCWD, "/dev/null", O_RDWR);
  int exe = high(SYS(openat, AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC));
  if (exe < 0) return say("tsrun: cannot read /proc/self/exe: is /proc mounted?"), 1;
  if (!is_sealed(exe)) return first_start(exe, argv, envp, carries_out);
  RAW(close, exe);
  reset_signals();
  /* Whatever else the caller left open is not for us (CVE-2024-21626, security.md S18); preserved descriptors are
     let through again right before the payload's execve. */
  RAW(close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
  if (carries_out) return carry_out_for_parent();
  RAW(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  struct round r = {-1, -1, -1, -1, -1};
  int inherited = 0;
  for (char **entry = envp; *entry; entry++) {
    if (starts_with(*entry, "TSRUN_SELF=")) append(self_path, self_path + sizeof self_path, *entry);
    if (starts_with(*entry, "TSRUN_EARLY=")) read_early(*entry + 12, &r, &inherited);
  }
  return launch(argv, envp, r, inherited);
}

#ifndef HOSTED
#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp,%ebp\n mov %rsp,%rdi\n and $-16,%rsp\n call start_c\n");
#else
__asm__(".globl _start\n_start:\n mov x29,#0\n mov x0,sp\n and sp,x0,#-16\n bl start_c\n");
#endif
__attribute__((used)) void start_c(long *stack) {
  RAW(exit_group, executor_main(stack));
  __builtin_unreachable();
}
#endif
