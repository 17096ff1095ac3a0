/*
 * tsrun's entry. These sources make two programs, the second of which lies in the first:
 *   the outer (ENGINE), the file `dist/tsrun`: holds the engine, JavaScript, and starts it as a child with a clean environment; or
 *      becomes the engine, for commands that only answer. Then it puts the inner into a sealed memfd and becomes that, so
 *      that nothing inside a container can ever reach the file on the host through /proc/self/exe (CVE-2019-5736, security.md S21);
 *   the inner, the executor alone: waits for the engine's plan and carries it out. When it fails the file is started once
 *      more as the engine ("tsrun:engine"), to say why and roll back.
 * A call that a plan was kept for (kept.c) needs no engine; one that makes no process needs no sealed copy either.
 * Started by TypeScript itself (argv[0] "tsrun:carry-out"), it only carries out: plan on descriptor 0, outcome to 1.
 */
#include "entry.h"
#ifdef ENGINE
#include "../../engine/engine.h"
#endif

#define CARRY_OUT "tsrun:carry-out"

#ifdef ENGINE
extern const char inner_begin[], inner_end[]; /* src/engine/parts.S */

/* Becomes the inner program, in sealed memory. Returns only on failure. */
static int become_inner(char **argv, char **envp) {
  long copy = SYS(memfd_create, "tsrun", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  if (copy == -EINVAL) copy = SYS(memfd_create, "tsrun", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  TRY(copy);
  for (const char *from = inner_begin; from < inner_end;) {
    long done = TRY(SYS(write, copy, from, inner_end - from));
    if (done == 0) return -EIO;
    from += done;
  }
  long sealed = -EBUSY; /* while the kernel holds a page of it, see plan.c */
  for (int i = 0; i < 10 && sealed == -EBUSY; i++) sealed = SYS(fcntl, copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  TRY(sealed);
  return (int)SYS(execveat, copy, "", argv, envp, AT_EMPTY_PATH);
}

/* How many descriptors from 3 on are open without a gap; see note_callers(). */
static int count_inherited(void) {
  int fd = 3;
  while (fd < 4096 && RAW(fcntl, fd, F_GETFD) >= 0) fd++;
  return fd - 3;
}

/* Becomes the engine itself, for a command that never makes a plan: no second process, nothing to seal, no hooks. */
static void be_engine(char **argv, char **envp) {
  let_named_through(argv);
  engine_main(argv, engine_environment(envp, 0, 0));
}

/* Whether all of a plan is files and signals of the host's: then nothing inside a container can get at us (S21). */
static int stays_outside(int plan) {
  struct { struct plan_header header; struct step steps[24]; } head;
  long got = RAW(pread64, plan, &head, sizeof head, 0);
  if (got < (long)sizeof head.header || head.header.step_count > (got - sizeof head.header) / sizeof(struct step)) return 0;
  for (u32 i = 0; i < head.header.step_count; i++)
    switch (head.steps[i].op) {
      case OP_EXPECT_FILE: case OP_EXPECT_LINK: case OP_EXPECT_ENDED: case OP_START_CLAIM: case OP_START_RELEASE:
      case OP_CGROUP_REMOVE: case OP_STATE_REMOVE: break;
      default: return 0;
    }
  return 1;
}

/* A kept plan that needs no sealed copy of us: the command's exit status, or -1 when the engine has to be asked. */
static int carry_out_here(char **argv, char **envp, struct round r) {
  RAW(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  int result = attempt(&r);
  if (result == 0) return G.exit_code;
  return result < 0 ? -1 : launch(argv, envp, r, 1, 0);
}

/* The file on the disk: sets the engine off unless a plan was kept, and becomes the inner program. Returns only on failure. */
static int first_start(char **argv, char **envp, int carries_out) {
  struct round r = NO_ROUND;
  int inherited = count_inherited(), status;
  long size = RAW(readlinkat, AT_FDCWD, "/proc/self/exe", self_path + 11, sizeof self_path - 12);
  if (size < 0) return say("tsrun: cannot find its own path"), 1;
  default_actions();
  hold_stops(argv);
  if (!carries_out && asks_for_trace(argv)) launched[0] = clock_now();
  if (!carries_out && only_answers(argv)) be_engine(argv, envp);
  if (!carries_out) {
    r.plan = kept_plan(argv, envp, self_path + 11, &r.directory);
    if (r.plan >= 0) r.engine = 0;
    int outside = r.plan >= 0 && stays_outside(r.plan), code = outside ? carry_out_here(argv, envp, r) : -1;
    if (code >= 0) return code;
    RAW(close, r.directory); /* nothing that enters a container needs it (S24) */
    r.directory = -1;
    if (outside) RAW(close, r.plan), r.plan = r.engine = -1;
    if (launched[0]) launched[1] = clock_now();
    if (r.plan < 0 && start_round(argv, envp, 0, &r) < 0) return say("tsrun: cannot start the engine"), 1;
    RAW(fcntl, r.plan, F_SETFD, 0), RAW(fcntl, r.go, F_SETFD, 0);
  }
  const char *extra[] = {self_path, carries_out ? NULL : early_entry(&r, inherited), NULL, NULL};
  if (launched[0]) extra[2] = launched_entry();
  become_inner(argv, clean_environment(envp, extra, 1));
  if (r.engine > 0) RAW(kill, r.engine, SIGKILL), wait_child(r.engine, &status);
  say("tsrun: cannot start from a sealed memfd (memfd_create or execveat was refused)");
  return 1;
}

#else
static int is_sealed(int fd) {
  long seals = RAW(fcntl, fd, F_GET_SEALS), all = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  return seals > 0 && (seals & all) == all;
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
  note_callers(0, plan, answer);
  telling.answer = answer;
  carry_out(plan, -1, tell, &out);
  RAW(write, answer, &out, sizeof out);
  trace_write(answer);
  return 0;
}

#endif

/* Closed standard streams: nothing of ours may land there (R30). */
static void fill_streams(void) {
  for (int fd = 0; fd < 3; fd++)
    if (RAW(fcntl, fd, F_GETFD) < 0) RAW(openat, AT_FDCWD, "/dev/null", O_RDWR);
}

#ifdef ENGINE
int executor_main(long *stack) {
  int argc = (int)stack[0];
  char **argv = (char **)(stack + 1), **envp = argv + argc + 1;
  fill_streams();
  if (argc > 0 && (str_equal(argv[0], ENGINE_NAME) || str_equal(argv[0], "tsrun:snapshot"))) engine_main(argv, envp);
  int carries_out = argc > 0 && str_equal(argv[0], CARRY_OUT);
  for (char **entry = envp; carries_out && *entry; entry++) wrapped |= starts_with(*entry, "TSRUN_SELF=");
  return first_start(argv, envp, carries_out);
}

#else
int executor_main(long *stack) {
  int argc = (int)stack[0];
  char **argv = (char **)(stack + 1), **envp = argv + argc + 1;
  fill_streams();
  int exe = high(SYS(openat, AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC));
  if (exe < 0) return say("tsrun: cannot read /proc/self/exe: is /proc mounted?"), 1;
  if (!is_sealed(exe)) return say("tsrun: this is a part of tsrun and runs from sealed memory only"), 1;
  RAW(close, exe);
  wrapped = 1;
  keep_environment(envp);
  struct round r = NO_ROUND;
  int inherited = 0;
  for (char **entry = envp; *entry; entry++) {
    if (starts_with(*entry, "TSRUN_SELF=")) append(self_path, self_path + sizeof self_path, *entry);
    if (starts_with(*entry, "TSRUN_EARLY=")) read_early(*entry + 12, &r, &inherited);
    if (starts_with(*entry, "TSRUN_LAUNCHED=")) read_launched(*entry + 15);
  }
  note_callers(inherited, r.plan, r.go);
  /* Whatever else the caller left open is not for us (CVE-2024-21626, security.md S18); preserved descriptors are
     let through again right before the payload's execve. */
  RAW(close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC);
  if (argc > 0 && str_equal(argv[0], CARRY_OUT)) return carry_out_for_parent();
  RAW(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  return launch(argv, envp, r, 0, 1);
}

#endif

#ifndef HOSTED
#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp,%ebp\n mov %rsp,%rdi\n and $-16,%rsp\n call start_c\n");
#else
__asm__(".globl _start\n_start:\n mov x29,#0\n mov x0,sp\n and sp,x0,#-16\n bl start_c\n");
#endif
void start_c(long *stack);
__attribute__((used)) void start_c(long *stack) {
  RAW(exit_group, executor_main(stack));
  __builtin_unreachable();
}

#endif
