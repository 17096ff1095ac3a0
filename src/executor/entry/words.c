/* The command line, as far as the entry must understand it. */
#include "entry.h"

void say(const char *message) {
  RAW(write, 2, message, str_length(message));
  RAW(write, 2, "\n", 1);
}

/* The word that names the command; NULL when options are all there is. */
const char *command_word(char **argv) {
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
int makes_container(char **argv) {
  const char *word = command_word(argv);
  return word && (str_equal(word, "create") || str_equal(word, "run") || str_equal(word, "restore"));
}

/* From the first moment on: what comes before somebody reads it is read later, and said. Others have the mask of a fresh start. */
void hold_stops(char **argv) {
  u64 mask = makes_container(argv) ? STOPS : 0;
  RAW(rt_sigprocmask, SIG_SETMASK, &mask, 0, 8);
}

/* Whether it needs no executor. */
int only_answers(char **argv) {
  const char *word = command_word(argv);
  for (u32 i = 0; word && i < ARRAY(answering_commands); i++)
    if (str_equal(word, answering_commands[i])) return 1;
  return !word;
}

/* Whether a clock is worth its system call: the engine will know whether this word was an option (it reads the table). */
int asks_for_trace(char **argv) {
  for (char **at = argv; *at; at++)
    if (starts_with(*at, "--trace") || starts_with(*at, "-trace")) return 1;
  return 0;
}
