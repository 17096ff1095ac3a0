/* The environment of the engine and of what we start again: an allow-list, and the rest under other names for hooks. */
#include "entry.h"

/* Everything else the caller has in its environment would steer the JavaScript engine (security.md S46). For hooks, which are to
   have all of it, each entry goes along under another name. */
static const char *const passed[] = {"XDG_RUNTIME_DIR=", "NOTIFY_SOCKET=", "LISTEN_FDS=", "LISTEN_PID=", "LISTEN_FDNAMES=",
  "DBUS_SESSION_BUS_ADDRESS=", "DBUS_SYSTEM_BUS_ADDRESS=", "PATH=", "HOME=", "USER=", "TERM=", "NO_COLOR=", "FORCE_COLOR=", "COLUMNS=",
  "TSRUN_DEBUG=", NULL};

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

/* What the engine finds in its environment in round `number`, 0 to 3. */
char **engine_environment(char **envp, int number, int for_hooks) {
  static char round_text[] = "TSRUN_ROUND=0";
  round_text[12] = (char)('0' + number);
  const char *extra[] = {self_path, round_text, named_text, NULL};
  return clean_environment(envp, extra, for_hooks);
}

/* What the first start hands to the second, sealed one: the engine that runs already, and what it was told; or a kept plan. */
#define EARLY_COUNT 4
static char early_text[100] = "TSRUN_EARLY=";
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
