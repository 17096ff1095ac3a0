/*
 * Descriptors that the caller's words name (/dev/fd/5, as a shell makes of <(...)): the engine has them from 7 on, and their numbers in
 * its environment. None of the others reaches it.
 */
#include "entry.h"

char named_text[80] = "TSRUN_NAMED_FDS=";

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
int name_descriptors(char **argv, int to[MOST_NAMED]) {
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

/* To their place in the engine; what is open behind them goes. */
void pass_named(const int *from, int count) {
  for (int i = 0; i < count; i++) RAW(dup3, from[i], FIRST_NAMED + i, 0);
  close_from(FIRST_NAMED + count);
}

/* For the engine that we become: they, and nothing else. */
void let_named_through(char **argv) {
  int named[MOST_NAMED], count = name_descriptors(argv, named);
  for (int fd = 3; fd < FIRST_NAMED; fd++) RAW(close, fd);
  pass_named(named, count);
}
