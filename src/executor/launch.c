/*
 * The launcher: starts the engine (JavaScript) with a clean environment and waits for its plan; has that carried out, or
 * one that was kept; and starts the engine once more when it failed, to say why and to roll back.
 */
#include "launch.h"
#ifdef ENGINE
#include "../engine/engine.h"
#endif

char self_path[4200] = "TSRUN_SELF=";
static char early_text[100] = "TSRUN_EARLY=";

/* Everything else the caller has in its environment would steer the JavaScript engine (security.md S46). For hooks, which are to
   have all of it, each entry goes along under another name. */
static const char *const passed[] = {"XDG_RUNTIME_DIR=", "NOTIFY_SOCKET=", "LISTEN_FDS=", "LISTEN_PID=", "LISTEN_FDNAMES=",
  "DBUS_SESSION_BUS_ADDRESS=", "DBUS_SYSTEM_BUS_ADDRESS=", "PATH=", "HOME=", "USER=", "TERM=", "NO_COLOR=", "FORCE_COLOR=", "COLUMNS=",
  "TSRUN_DEBUG=", NULL};

void say(const char *message) {
  RAW(write, 2, message, str_length(message));
  RAW(write, 2, "\n", 1);
}

int wrapped; /* our environment is one that clean_environment() has made */

static int is_passed(const char *entry) {
  for (int i = 0; passed[i]; i++)
    if (starts_with(entry, passed[i])) return 1;
  return wrapped && starts_with(entry, CALLERS_PREFIX);
}

/* The allow-listed part of the environment, what is kept `for_hooks`, and `extra` entries behind. */
char **clean_environment(char **from, const char *const *extra, int for_hooks) {
  usize count = 0, bytes = 0;
  for (char **entry = from; *entry; entry++) count++, bytes += str_length(*entry) + sizeof CALLERS_PREFIX;
  for (const char *const *entry = extra; *entry; entry++) count++;
  int wraps = for_hooks && !wrapped && bytes < 512 << 10; /* twice as much as this, and execve may have no room: hooks get what is passed */
  char **list = pages((2 * count + 1) * sizeof(char *)), *room = wraps ? pages(bytes + 1) : NULL, *end = room + bytes + 1;
  static char *none[1];
  if (!list || (wraps && !room)) return none;
  char **at = list;
  for (; *from; from++) {
    if (is_passed(*from)) *at++ = *from;
    if (!wraps) continue;
    *at++ = room;
    room = append(append(room, end, CALLERS_PREFIX), end, *from) + 1;
  }
  for (; *extra; extra++) *at++ = (char *)*extra;
  return list;
}

/* Our own descriptors stay out of the range that --preserve-fds may hand to the container. */
int high(long fd) {
  if (fd < 0) return (int)fd;
  long moved = RAW(fcntl, fd, F_DUPFD_CLOEXEC, 200);
  if (moved < 0 && fd >= 3) return RAW(fcntl, fd, F_SETFD, FD_CLOEXEC), (int)fd; /* a small RLIMIT_NOFILE: no second one for the way */
  if (moved < 0) moved = RAW(fcntl, fd, F_DUPFD_CLOEXEC, 3);
  RAW(close, fd);
  return (int)moved;
}

static void place(int from, int to) {
  if (from == to) RAW(fcntl, to, F_SETFD, 0);
  else RAW(dup3, from, to, 0);
}

/* HUP, INT, QUIT, TERM. */
static const u64 stops = 1ull << 0 | 1ull << 1 | 1ull << 2 | 1ull << 14;

/* The word that names the command; NULL when options are all there is. */
static const char *command_word(char **argv) {
  for (char **at = argv + 1; *at; at++) {
    int skip = 0;
    if (**at != '-') return *at;
    for (u32 i = 0; i < ARRAY(valued_options); i++) skip |= str_equal(*at, valued_options[i]);
    if (skip && at[1]) at++;
  }
  return NULL;
}

/*
 * Whether the command claims an id, and so must not just end: half of a container would be left (R39). The signal comes to us alone,
 * as something to read: while the engine works it is killed, and another one takes back what it had claimed; the executor rolls
 * back. A second signal waits until that is done. Other commands end as ever, and their engine with them.
 */
static int makes_container(char **argv) {
  const char *word = command_word(argv);
  return word && (str_equal(word, "create") || str_equal(word, "run") || str_equal(word, "restore"));
}

/* From the first moment on: what comes before somebody reads it is read later, and said. Others have the mask of a fresh start. */
void hold_stops(char **argv) {
  u64 mask = makes_container(argv) ? stops : 0;
  RAW(rt_sigprocmask, 2 /* SIG_SETMASK */, &mask, 0, 8);
}

/* Whether it needs no executor. */
int only_answers(char **argv) {
  const char *word = command_word(argv);
  for (u32 i = 0; word && i < ARRAY(answering_commands); i++)
    if (str_equal(word, answering_commands[i])) return 1;
  return !word;
}

/*
 * Descriptors that the caller's words name (/dev/fd/5, as a shell makes of <(...)): the engine has them from 7 on, and their numbers in
 * its environment. None of the others reaches it.
 */
#define MOST_NAMED 4
#define FIRST_NAMED 7
static char named_text[80] = "TSRUN_NAMED_FDS=";

/* The number behind /dev/fd/ at the word's begin, or at that of an option's value; -1 when there is none. */
static int named_descriptor(const char *word) {
  const char *at = word;
  if (*at == '-') while (*at && *at++ != '=') {}
  at += starts_with(at, "/dev/fd/") ? 8 : starts_with(at, "/proc/self/fd/") ? 14 : str_length(at);
  int number = -1;
  for (; *at >= '0' && *at <= '9' && number < 100000; at++) number = (number < 0 ? 0 : number * 10) + (*at - '0');
  return *at ? -1 : number;
}

static void close_from(int first) {
  if (RAW(close_range, first, ~0u, 0) == -ENOSYS)
    for (int fd = first; fd < 1024; fd++) RAW(close, fd);
}

/* Puts them where no other is to go, and says which they are. */
static int name_descriptors(char **argv, int to[MOST_NAMED]) {
  char digits[24], *end = named_text + sizeof named_text, *text = named_text + 16;
  int count = 0, number;
  for (; *argv && count < MOST_NAMED; argv++) {
    if ((number = named_descriptor(*argv)) < 3) continue;
    int copy = (int)RAW(fcntl, number, F_DUPFD_CLOEXEC, FIRST_NAMED + MOST_NAMED);
    if (copy < 0) continue;
    to[count++] = copy;
    text = append(append(text, end, number_to_text(digits + sizeof digits, (u64)number)), end, ",");
  }
  return count;
}

/* For the engine that we become: they, and nothing else. */
void let_named_through(char **argv) {
  int named[MOST_NAMED], count = name_descriptors(argv, named);
  for (int i = 0; i < count; i++) RAW(dup3, named[i], FIRST_NAMED + i, 0);
  for (int fd = 3; fd < FIRST_NAMED; fd++) RAW(close, fd);
  close_from(FIRST_NAMED + count);
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
  for (int i = 0; i < count; i++) RAW(dup3, named[i], FIRST_NAMED + i, 0);
  close_from(FIRST_NAMED + count);
  RAW(prctl, PR_SET_PDEATHSIG, 9, 0, 0, 0);
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

static int exit_status(int status) {
  return (status & 0x7f) ? 128 + (status & 0x7f) : (status >> 8) & 0xff;
}

/* Descriptors without which the engine does not get far, those of a library that it loads among them; what a plan needs beyond that
   is a step's matter: it fails, is explained and rolled back. */
#define FEWEST 16

/* `taken`: the caller's own, which stay open beside ours. */
static int has_room(int taken) {
  struct rlimit64 limit;
  return RAW(prlimit64, 0, 7 /* RLIMIT_NOFILE */, NULL, &limit) < 0 || limit.rlim_cur >= (u64)(FEWEST + taken);
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
    RAW(prlimit64, 0, 7, NULL, &limit);
    at = append(append(at, end, "too few open files are allowed: ulimit -n is "), end, number_to_text(digits + sizeof digits, limit.rlim_cur));
  } else if (error == -ENFILE) at = append(at, end, "too many open files on this host (fs.file-max)");
  else at = append(append(at, end, "errno "), end, number_to_text(digits + sizeof digits, (u64)-error));
  say(line);
  return own_status(argv);
}

#define HAS_PLAN (-1)
#define INTERRUPTED (-2)

struct teller teller = {.plan = -1, .answer = -1};

/* Waits for the engine's word, or for one of `stops`: its number. */
static int await_word(int go) {
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
    if (signal) RAW(kill, r->engine, 9);
    return HAS_PLAN;
  }
  if (number) RAW(kill, r->engine, 9), *signal = number;
  wait_child(r->engine, &status);
  if (number) return INTERRUPTED;
  if (!(status & 0x7f)) return exit_status(status);
  /* The runtime is charged to its caller's cgroup (R35): without a word its status would be taken for the program's own. */
  say("tsrun: the engine was killed before it had an answer; by the kernel, if memory ran out in the cgroup of whoever called tsrun");
  if (signal) return *signal = status & 0x7f, INTERRUPTED;
  return own_status(teller.argv);
}

static int keep_outcome(const struct outcome *out) {
  int fd = high(SYS(memfd_create, "outcome", MFD_CLOEXEC));
  if (fd >= 0) RAW(write, fd, out, sizeof *out), trace_write(fd), RAW(lseek, fd, 0, 0);
  return fd;
}

/* What the engine finds in its environment in round `number`, 0 to 3. */
char **engine_environment(char **envp, int number, int for_hooks) {
  static char round_text[] = "TSRUN_ROUND=0";
  round_text[12] = (char)('0' + number);
  const char *extra[] = {self_path, round_text, named_text, NULL};
  return clean_environment(envp, extra, for_hooks);
}

/* Starts the engine for round `number`. */
int start_round(char **argv, char **envp, int number, struct round *r, int taken) {
  return start_engine(argv, engine_environment(envp, number, 1), r, taken);
}

/* What the first start hands to the second, sealed one: the engine that runs already, and what it was told; or a kept plan. */
#define EARLY_COUNT 4
const char *early_entry(const struct round *r, int inherited) {
  const int values[EARLY_COUNT] = {r->plan, r->go, r->engine, inherited};
  const char *end = early_text + sizeof early_text;
  char digits[24], *at = early_text + 12;
  for (int i = 0; i < EARLY_COUNT; i++) at = append(append(at, end, number_to_text(digits + sizeof digits, (u64)(values[i] + 1))), end, ":");
  return early_text;
}

void read_early(const char *text, struct round *r, int *inherited) {
  int values[EARLY_COUNT] = {0};
  for (int i = 0; *text && i < EARLY_COUNT; text++) {
    if (*text == ':') values[i++]--;
    else values[i] = values[i] * 10 + (*text - '0');
  }
  r->plan = values[0], r->go = values[1], r->engine = values[2], *inherited = values[3];
}

/* Whether a clock is worth its system call: the engine will know whether this word was an option (it reads the table). */
int asks_for_trace(char **argv) {
  for (char **at = argv; *at; at++)
    if (starts_with(*at, "--trace") || starts_with(*at, "-trace")) return 1;
  return 0;
}

/* When the first start was at what, for the second one. */
const char *launched_entry(void) {
  static char entry[64] = "TSRUN_LAUNCHED=";
  const char *end = entry + sizeof entry;
  char digits[24], *at = entry + 15;
  for (int i = 0; i < 2; i++) at = append(append(at, end, number_to_text(digits + sizeof digits, launched[i])), end, ":");
  return entry;
}

void read_launched(const char *text) {
  for (int i = 0; *text && i < 2; text++) {
    if (*text == ':') i++;
    else launched[i] = launched[i] * 10 + (u64)(*text - '0');
  }
  launched[2] = clock_now();
}

/* Something to explain although the plan goes on: the engine says it, or TypeScript when that has started us. */
void tell_remark(const struct outcome *out) {
  if (teller.answer >= 0) {
    RAW(write, teller.answer, out, sizeof *out);
    return;
  }
  struct round r = NO_ROUND;
  r.outcome = keep_outcome(out), r.old_plan = teller.plan;
  if (start_round(teller.argv, teller.envp, 3, &r, 0) == 0) await_engine(&r, NULL);
  RAW(close, r.plan);
  RAW(close, r.outcome);
}

/* What a plan that failed has open. Under a small RLIMIT_NOFILE there would be no room for the engine that is to say so. */
static void close_ours(void) {
  const int ours[] = {G.socket, G.pidfd, G.pending, G.root, G.proc, G.null, G.mask, G.reply};
  for (u32 i = 0; i < ARRAY(ours); i++) if (ours[i] > 2) RAW(close, ours[i]);
  for (u32 i = 0; i < ARRAY(G.slots); i++) if (G.slots[i] > 2) RAW(close, G.slots[i]);
}

/* Carries out what is in r->plan. 0: done. 1: it failed, the engine has to say why. -1: out of date, the engine has to be asked. */
int attempt(struct round *r) {
  struct outcome out;
  teller.plan = r->plan;
  int status, kept = r->engine == 0, result = carry_out(r->plan, r->directory, &out);
  int makes = teller.argv && makes_container(teller.argv);
  if (!kept) wait_child(r->engine, &status);
  if (result == 0) return 0;
  int stale = kept && (out.status == STATUS_PLAN_REFUSED || (out.status == STATUS_STEP_FAILED && G.steps[out.step].flags & STEP_EXPECTS));
  if (!stale) close_ours(), r->outcome = keep_outcome(&out), r->old_plan = r->plan;
  u64 mask = makes ? stops : 0; /* one that comes now must not end us before it is rolled back */
  RAW(rt_sigprocmask, 2 /* SIG_SETMASK */, &mask, 0, 8);
  RAW(close, G.signals);
  G = (struct state)NO_STATE;
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
  teller.argv = argv, teller.envp = envp;
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
