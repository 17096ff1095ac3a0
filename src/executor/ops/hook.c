/* Runs a program for the plan: a hook, or newuidmap. Own process group, only stdio, bounded output, a deadline (S40, R15). */
#include "ops.h"

struct feed { const char *part[3]; usize size[3]; int at; };

static void become(const char *path, char *const *argv, char *const *envp, int input, int output) {
  RAW(setsid);
  reset_signals();
  RAW(dup3, input, 0, 0);
  RAW(dup3, output, 1, 0);
  RAW(dup3, output, 2, 0);
  RAW(close_range, 3, ~0u, 0);
  long result = RAW(execve, path, argv, envp);
  /* \1, the errno, and what the file is: for src/errors/explain/program.ts. A filter that is on may not let us look. */
  static char message[DESCRIPTION_LIMIT + 32], digits[24];
  char *end = message + sizeof message, *at = append(append(append(message, end, "\1"), end, number_to_text(digits + sizeof digits, (u64)-result)), end, " ");
  if (!self.filtered) describe_program(path, at, (usize)(end - at));
  RAW(write, 2, message, str_length(message));
  RAW(exit_group, 127);
}

/* Writes what fits; a program that does not read its input is no error. Closes the pipe at the end. */
static void feed_input(struct feed *feed, int *input) {
  while (feed->at < 3) {
    if (feed->size[feed->at]) {
      long got = RAW(write, *input, feed->part[feed->at], feed->size[feed->at]);
      if (got == -EAGAIN || got == -EINTR) return;
      if (got < 0) break;
      feed->part[feed->at] += got, feed->size[feed->at] -= (usize)got;
      if (feed->size[feed->at]) return;
    }
    feed->at++;
  }
  RAW(close, *input);
  *input = -1;
}

static void keep_output(int output) {
  char buffer[1024];
  long got = RAW(read, output, buffer, sizeof buffer);
  for (long i = 0; i < got && G.failure.text_length < TEXT_LIMIT; i++) G.failure.text[G.failure.text_length++] = buffer[i];
}

static long milliseconds(void) {
  struct timespec now;
  RAW(clock_gettime, CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until the program itself has ended; its descendants may keep the pipe. 0, or -ETIMEDOUT, -EINTR. */
static int attend(struct feed *feed, int input, int output, int pidfd, u32 timeout_ms) {
  long deadline = milliseconds() + timeout_ms;
  for (;;) {
    if (input >= 0) feed_input(feed, &input);
    struct pollfd polls[4] = {{pidfd, POLLIN, 0}, {output, POLLIN, 0}, {input, POLLOUT, 0}, {self.signals, POLLIN, 0}};
    long left = timeout_ms ? deadline - milliseconds() : 0;
    struct timespec timeout = {left / 1000, (left % 1000) * 1000000};
    long got = timeout_ms && left <= 0 ? 0 : SYS(ppoll, polls, 4, timeout_ms ? &timeout : NULL, 0, 0);
    if (got == -EINTR) continue;
    int result = got == 0 ? -ETIMEDOUT : got < 0 ? (int)got : 0;
    if (polls[3].revents && wait_readable(-1, -1, 0) == -EINTR) result = -EINTR;
    if (result == 0 && polls[1].revents & POLLIN) keep_output(output);
    else if (polls[1].revents) output = -1;
    if (result < 0 || polls[0].revents) {
      if (input >= 0) RAW(close, input);
      if (output >= 0 && !(polls[1].revents & POLLIN)) { /* the last words */
        RAW(fcntl, output, F_SETFL, O_NONBLOCK);
        keep_output(output);
      }
      return result;
    }
  }
}

static int run_captured(const char *path, char *const *argv, char *const *envp, struct feed *feed, u32 timeout_ms) {
  int input[2], output[2], pidfd = -1, status = 0;
  G.failure.text_length = 0;
  TRY(SYS(pipe2, input, O_CLOEXEC));
  int piped = (int)SYS(pipe2, output, O_CLOEXEC);
  if (piped < 0) return RAW(close, input[0]), RAW(close, input[1]), piped;
  RAW(fcntl, input[1], F_SETFL, O_NONBLOCK);
  trace_begun(TRACE_PROGRAM, G.step);
  long pid = fork_with(0, -1, &pidfd);
  if (pid == 0) become(path, argv, envp, input[0], output[1]);
  RAW(close, input[0]);
  RAW(close, output[1]);
  int result = pid < 0 ? (int)pid : attend(feed, input[1], output[0], pidfd, timeout_ms);
  if (pid > 0 && result < 0) RAW(kill, -pid, SIGKILL), RAW(kill, pid, SIGKILL);
  if (pid > 0) wait_child((int)pid, &status);
  trace_done(TRACE_PROGRAM, G.step, result < 0 ? result : status ? -ECHILD : 0);
  RAW(close, output[0]);
  RAW(close, pidfd);
  G.failure.value = result == -ETIMEDOUT ? (int)timeout_ms : status;
  where = W_execve;
  if (result == 0 && status == 0) G.failure.text_length = 0;
  return result < 0 ? result : status ? -ECHILD : 0;
}

static char **callers; /* ends where the wrapped entries do */

void keep_environment(char **envp) { callers = envp; }

/* Another process is about to be the container's: what the caller has in its environment is not for it (S53). */
void forget_environment(void) {
  for (char **entry = callers; entry && *entry; entry++)
    if (starts_with(*entry, CALLERS_PREFIX)) memset(*entry + sizeof CALLERS_PREFIX - 1, 0, str_length(*entry) + 1 - sizeof CALLERS_PREFIX);
}

static char **environment_of_caller(void) {
  u32 count = 0;
  for (char **entry = callers; entry && *entry; entry++) count++;
  char **list = pages((count + 1) * sizeof(char *)), **at = list;
  for (char **entry = callers; list && entry && *entry; entry++)
    if (starts_with(*entry, CALLERS_PREFIX)) *at++ = *entry + sizeof CALLERS_PREFIX - 1;
  for (char **entry = callers; at == list && list && *entry; entry++) /* there was too much of it to go along */
    if (!starts_with(*entry, "TSRUN_")) *at++ = *entry;
  return list;
}

static char callers_directory[4096];

int op_self_directory(const struct step *s) {
  if (RAW(getcwd, callers_directory, sizeof callers_directory) < 0) callers_directory[0] = 0;
  return (int)SYS(chdir, text(s, 0));
}

/* For an engine that is started after hooks: relative names in its arguments are the caller's. */
void back_to_caller(void) {
  if (callers_directory[0] == '/') RAW(chdir, callers_directory);
}

int op_hook_run(const struct step *s) {
  u32 args, env;
  char digits[24];
  char **argv = pointers(text(s, S_HOOK_RUN_args), length(s, S_HOOK_RUN_args), 0, &args);
  char **envp = s->n[N_HOOK_RUN_flags] & HOOK_CALLERS_ENVIRONMENT ? environment_of_caller()
                                                                  : pointers(text(s, S_HOOK_RUN_env), length(s, S_HOOK_RUN_env), 0, &env);
  if (!argv || !envp) return -ENOMEM;
  long pid = s->n[N_HOOK_RUN_pidKind] == 1 ? G.pid : s->n[N_HOOK_RUN_pidKind] == 2 ? RAW(getpid) : 0;
  char *number = number_to_text(digits + sizeof digits, (u64)pid);
  if (s->n[N_HOOK_RUN_pidKind] == 3) number = ""; /* the state is complete as it is */
  struct feed feed = {{text(s, S_HOOK_RUN_stateBefore), number, text(s, S_HOOK_RUN_stateAfter)},
    {length(s, S_HOOK_RUN_stateBefore), str_length(number), length(s, S_HOOK_RUN_stateAfter)}, 0};
  return run_captured(text(s, S_HOOK_RUN_path), argv, envp, &feed, s->n[N_HOOK_RUN_timeoutMs]);
}

/* newuidmap and newgidmap: "{pid}" in the arguments is the child. */
int op_child_run_helper(const struct step *s) {
  u32 count;
  char digits[24], *none[] = {NULL};
  char **argv = pointers(text(s, S_CHILD_RUN_HELPER_args), length(s, S_CHILD_RUN_HELPER_args), 0, &count);
  if (!argv) return -ENOMEM;
  for (u32 i = 0; i < count; i++)
    if (str_equal(argv[i], "{pid}")) argv[i] = number_to_text(digits + sizeof digits, (u64)G.pid);
  struct feed feed = {{"", "", ""}, {0, 0, 0}, 0};
  return run_captured(text(s, S_CHILD_RUN_HELPER_path), argv, none, &feed, 40000);
}
