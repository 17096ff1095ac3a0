/*
 * The launcher: starts the engine (JavaScript) with a clean environment and waits for its plan; has that carried out, or
 * one that was kept; and starts the engine once more when it failed, to say why and to roll back.
 */
#include "entry.h"
#ifdef ENGINE
#include "../../engine/engine.h"
#endif

static void place(int from, int to) {
  if (from == to) RAW(fcntl, to, F_SETFD, 0);
  else RAW(dup3, from, to, 0);
}

/* The engine: 3 new plan, 4 its "go" pipe, 5 outcome and 6 old plan of a round that failed; then what the caller's words name. */
static void engine(char **argv, char **envp, const int fds[4], long parent) {
  int from[4], named[MOST_NAMED], count = name_descriptors(argv, named);
  char here[4096];
  back_to_caller();
  if (RAW(getcwd, here, sizeof here) < 0) RAW(chdir, "/"); /* it was deleted; the engine would not start */
  for (int i = 0; i < 4; i++) { /* under a small RLIMIT_NOFILE one may have the number that another is to get */
    from[i] = fds[i] >= 3 && fds[i] < 7 ? (int)RAW(fcntl, fds[i], F_DUPFD_CLOEXEC, 7) : fds[i];
    if (from[i] < 0 && fds[i] >= 0) say("tsrun: too few open files are allowed (ulimit -n)"), RAW(exit_group, 1);
  }
  for (int i = 0; i < 4; i++)
    if (from[i] >= 0) place(from[i], 3 + i);
  for (int i = 0; i < 4; i++)
    if (fds[i] < 0) RAW(close, 3 + i);
  pass_named(named, count);
  RAW(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  /* Gone already: whoever inherited us would be taken for the creator, whom delete --force ends (R06). */
  if (RAW(getppid) != parent) RAW(exit_group, 1);
  hold_stops(argv);
#ifdef ENGINE
  engine_main(argv, envp);
#else
  char *first = argv[0];
  argv[0] = ENGINE_NAME;
  RAW(execve, self_path + 11, argv, envp);
  argv[0] = first;
  say("tsrun: the engine could not be started again: the file that it is in has gone");
#endif
  RAW(exit_group, 1);
}

/* Of a command that fails before there is an engine to say which. */
static int own_status(char **argv) {
  const char *word = argv ? command_word(argv) : NULL;
  return word && str_equal(word, "exec") ? 255 : 1;
}

/* Descriptors without which the engine does not get far, those of a library that it loads among them; what a plan needs beyond that
   is a step's matter: it fails, is explained and rolled back. */
#define FEWEST 16

/* `taken`: the caller's own, which stay open beside ours. */
static int has_room(int taken) {
  struct rlimit64 limit;
  return RAW(prlimit64, 0, RLIMIT_NOFILE, NULL, &limit) < 0 || limit.rlim_cur >= (u64)(FEWEST + taken);
}

/* Starts the engine, which will leave its plan in r->plan and say so through r->go. */
static int start_engine(char **argv, char **envp, struct round *r, int taken) {
  int pipes[2];
  if (!has_room(taken)) return -EMFILE;
  r->plan = (int)TRY(high(SYS(memfd_create, "plan", MFD_CLOEXEC | MFD_ALLOW_SEALING)));
  TRY(SYS(pipe2, pipes, O_CLOEXEC));
  pipes[1] = high(pipes[1]), r->go = high(pipes[0]);
  if (r->go < 0 || pipes[1] < 0) return -EMFILE;
  long parent = RAW(getpid);
  r->engine = (int)fork_with(0, -1, NULL);
  if (r->engine == 0) {
    int fds[4] = {r->plan, pipes[1], r->outcome, r->old_plan};
    engine(argv, envp, fds, parent);
  }
  RAW(close, pipes[1]);
  return r->engine < 0 ? r->engine : 0;
}

/* Says why there is no engine; the command's exit status. */
int no_engine(char **argv, int error) {
  struct rlimit64 limit = {0, 0};
  char digits[24], line[160], *end = line + sizeof line, *at = append(line, end, "tsrun: cannot start the engine: ");
  if (error == -EMFILE) {
    RAW(prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
    at = append(append(at, end, "too few open files are allowed: ulimit -n is "), end, number_to_text(digits + sizeof digits, limit.rlim_cur));
  } else if (error == -ENFILE) at = append(at, end, "too many open files on this host (fs.file-max)");
  else at = append(append(at, end, "errno "), end, number_to_text(digits + sizeof digits, (u64)-error));
  say(line);
  return own_status(argv);
}

#define HAS_PLAN (-1)
#define INTERRUPTED (-2)

struct telling telling = {.plan = -1, .answer = -1};

/* Waits for the engine's word, or for one of `stops`: its number. */
static int await_word(int go) {
  u64 stops = STOPS;
  struct signalfd_siginfo info = {0};
  int signals = (int)RAW(signalfd4, -1, &stops, 8, O_CLOEXEC), number = 0;
  for (;;) {
    struct pollfd polls[2] = {{go, POLLIN, 0}, {signals, POLLIN, 0}};
    if (RAW(ppoll, polls, 2, NULL, 0, 0) < 0) continue; /* EINTR */
    if (polls[1].revents && RAW(read, signals, &info, sizeof info) == sizeof info) number = (int)info.ssi_signo;
    if (number || polls[0].revents) break;
  }
  RAW(close, signals);
  return number;
}

/* HAS_PLAN; INTERRUPTED with the number in *signal, and the engine is dead; else its exit status. */
static int await_engine(struct round *r, int *signal) {
  char go = 0;
  int status = 0, number = signal ? await_word(r->go) : 0;
  long got = 0;
  if (!number) while ((got = RAW(read, r->go, &go, 1)) == -EINTR) {}
  RAW(close, r->go);
  if (got == 1) { /* all it had to say; it is on its way out, and reaped when the plan is done. One that hangs there must not hold us (R39). */
    if (signal) RAW(kill, r->engine, SIGKILL);
    return HAS_PLAN;
  }
  if (number) RAW(kill, r->engine, SIGKILL), *signal = number;
  wait_child(r->engine, &status);
  if (number) return INTERRUPTED;
  if (!(status & 0x7f)) return exit_status(status);
  /* The runtime is charged to its caller's cgroup (R35): without a word its status would be taken for the program's own. */
  say("tsrun: the engine was killed before it had an answer; by the kernel, if memory ran out in the cgroup of whoever called tsrun");
  if (signal) return *signal = status & 0x7f, INTERRUPTED;
  return own_status(telling.argv);
}

static int keep_outcome(const struct outcome *out) {
  int fd = high(SYS(memfd_create, "outcome", MFD_CLOEXEC));
  if (fd >= 0) RAW(write, fd, out, sizeof *out), trace_write(fd), RAW(lseek, fd, 0, 0);
  return fd;
}

/* Starts the engine for round `number`. */
int start_round(char **argv, char **envp, int number, struct round *r, int taken) {
  return start_engine(argv, engine_environment(envp, number, 1), r, taken);
}

/* Something to explain although the plan goes on: the engine says it, or TypeScript when that has started us, which is told of steps at the end. */
int tell(const struct outcome *out) {
  if (telling.answer >= 0) {
    if (out->status == STATUS_TRACE) return 0;
    RAW(write, telling.answer, out, sizeof *out);
    return 1;
  }
  struct round r = NO_ROUND;
  r.outcome = keep_outcome(out), r.old_plan = telling.plan;
  if (start_round(telling.argv, telling.envp, 3, &r, 0) == 0) await_engine(&r, NULL);
  RAW(close, r.plan);
  RAW(close, r.outcome);
  return 1;
}

/* What a plan that failed has open. Under a small RLIMIT_NOFILE there would be no room for the engine that is to say so. */
static void close_ours(void) {
  const int ours[] = {G.socket, G.pidfd, G.pending, self.root, self.proc, G.null, G.mask, G.reply};
  for (u32 i = 0; i < ARRAY(ours); i++) if (ours[i] > 2) RAW(close, ours[i]);
  for (u32 i = 0; i < ARRAY(G.slots); i++) if (G.slots[i] > 2) RAW(close, G.slots[i]);
}

/* Carries out what is in r->plan. 0: done. 1: it failed, the engine has to say why. -1: out of date, the engine has to be asked. */
int attempt(struct round *r) {
  struct outcome out;
  telling.plan = r->plan;
  int status, kept = r->engine == 0, result = carry_out(r->plan, r->directory, tell, &out);
  int makes = telling.argv && makes_container(telling.argv);
  if (!kept) wait_child(r->engine, &status);
  if (result == 0) return 0;
  int stale = kept && (out.status == STATUS_PLAN_REFUSED || (out.status == STATUS_STEP_FAILED && G.steps[out.step].flags & STEP_EXPECTS));
  if (!stale) close_ours(), r->outcome = keep_outcome(&out), r->old_plan = r->plan;
  u64 mask = makes ? STOPS : 0; /* one that comes now must not end us before it is rolled back */
  RAW(rt_sigprocmask, SIG_SETMASK, &mask, 0, 8);
  RAW(close, self.signals);
  G = (struct state)NO_STATE, self = (struct self)NO_SELF;
  return stale ? -1 : 1;
}

/* What was to be made will not be: for an engine that takes back what the one that was killed had claimed. It had no plan. */
static void leave_off(struct round *r, int signal) {
  struct outcome out = {.magic = OUTCOME_MAGIC, .status = STATUS_INTERRUPTED, .value = signal, .pid = (u32)r->engine};
  RAW(close, r->plan);
  r->outcome = keep_outcome(&out), r->old_plan = high(SYS(memfd_create, "plan", MFD_CLOEXEC));
}

/* Goes on until the command is done. `ready`: r has an engine that was started for round `number`, or a kept plan. */
int launch(char **argv, char **envp, struct round r, int number, int ready) {
  telling.argv = argv, telling.envp = envp;
  while (number < 3) {
    int started = ready ? 0 : start_round(argv, envp, number, &r, 0);
    if (started < 0) return no_engine(argv, started);
    ready = 0;
    int signal = 0, code = r.engine ? await_engine(&r, number == 0 && makes_container(argv) ? &signal : NULL) : HAS_PLAN;
    if (code >= 0) return code;
    if (code == INTERRUPTED) {
      leave_off(&r, signal);
      number = 1;
      continue;
    }
    if (launched[2] && !launched[3]) launched[3] = clock_now();
    int result = attempt(&r);
    if (result == 0) return G.exit_code;
    number += result > 0;
  }
  return 1;
}
