/*
 * Plans that lie ready for a call like this one: `create` keeps those of start and delete, an exec that came twice its own.
 * Then no engine is started. All was decided by it when it wrote them (src/plan/kept.ts has the format); here words are
 * compared and not understood, and whatever is not exactly as it was then goes to the engine (docs/decisions/0007).
 */
#include "entry.h"

struct kept_header {
  u32 magic, version, total, uid;
  u64 permitted, engine_inode, engine_time;
  u32 word_count, plan_offset;
};

struct kept_word { u32 kind, offset, length, step, reference; };
enum { WORD_LITERAL, WORD_OPTIONAL, WORD_PATH };
#define KEPT_MAGIC 0x4b525354u
#define KEPT_LIMIT (1u << 20)
#define KEPT_EACH 20 /* as many plans of a command */
#define WORDS_LIMIT 64

struct call { const char *root, *log, *trace; char **words; };

static const char *variable(char **envp, const char *name) {
  for (; *envp; envp++)
    if (starts_with(*envp, name) && (*envp)[str_length(name)]) return *envp + str_length(name);
  return NULL;
}

/* `--name VALUE` or `--name=VALUE`; NULL when it is another option. */
static const char *value_of(char ***at, const char *name) {
  if (!starts_with(**at, name)) return NULL;
  const char *rest = **at + str_length(name);
  if (*rest == '=') return rest + 1;
  if (*rest || !(*at)[1]) return NULL;
  return *++*at;
}

/* The options before the command that change nothing about a plan that succeeds. 0: there is another one. */
static int read_globals(char **argv, struct call *c) {
  char **at = argv + 1;
  for (; *at && **at == '-'; at++) {
    const char *value;
    if (str_equal(*at, "--systemd-cgroup")) continue;
    if ((value = value_of(&at, "--root"))) c->root = value;
    else if ((value = value_of(&at, "--log"))) c->log = value;
    else if ((value = value_of(&at, "--trace"))) c->trace = value;
    else if (!(value = value_of(&at, "--log-format")) || !(str_equal(value, "json") || str_equal(value, "text"))) return 0;
  }
  c->words = at;
  /* Engines give it with every command. A trace of start or delete there is not, and one of an exec has the engine in it. */
  if (c->trace && *at && str_equal(*at, "exec")) return 0;
  return *at && at[1];
}

/* Whether all ids are mapped to themselves; as in src/state/layout.ts, which knows why it matters. */
static int all_ids_mapped(void) {
  char map[256], plain[64], *to = plain;
  if (read_small(AT_FDCWD, "/proc/self/uid_map", map, sizeof map) <= 0) return 1;
  for (char *at = map; *at && to < plain + sizeof plain - 2; at++) {
    int blank = *at == ' ' || *at == '\t' || *at == '\n';
    if (!blank) *to++ = *at;
    else if (to > plain && to[-1] != ' ') *to++ = ' ';
  }
  *to = 0;
  return str_equal(plain, "0 0 4294967295 ");
}

static const char *default_root(char **envp, char *buffer, usize size) {
  const char *xdg = variable(envp, "XDG_RUNTIME_DIR="), *user = variable(envp, "USER=");
  int honoured = xdg && *xdg == '/' && (RAW(geteuid) != 0 || (!(user && str_equal(user, "root")) && !all_ids_mapped()));
  if (!honoured) return "/run/tsrun";
  append(append(buffer, buffer + size, xdg), buffer + size, "/tsrun");
  return buffer;
}

/* The engine takes `..` away by text, the kernel by walking. */
static int is_plain_path(const char *path) {
  for (const char *at = path; *at; at++)
    if (at[0] == '.' && at[1] == '.') return 0;
  return *path == '/' && path[1];
}

static int is_id(const char *word) {
  usize size = 0;
  for (; word[size]; size++) {
    char c = word[size];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-' || c == '.')) return 0;
  }
  return size > 0 && size < 256 && word[0] != '-' && word[0] != '.';
}

/* Root's or ours, and nobody else's to write to (S48). */
static int is_ours(int fd, u32 type, struct statx *st) {
  return stat_fd(fd, st) >= 0 && (st->stx_mode & S_IFMT) == type && !(st->stx_mode & 022) &&
    (st->stx_uid == 0 || st->stx_uid == (u32)RAW(geteuid));
}

/* `fd` is closed. */
static char *read_kept(int fd, u32 *size) {
  struct statx st;
  char *bytes = NULL;
  if (is_ours(fd, S_IFREG, &st) && st.stx_size >= sizeof(struct kept_header) && st.stx_size <= KEPT_LIMIT) {
    *size = (u32)st.stx_size;
    bytes = pages(*size);
    if (bytes && RAW(read, fd, bytes, *size) != *size) bytes = NULL;
  }
  RAW(close, fd);
  return bytes;
}

/* Whether its tables lie where they may. */
static int is_sound(const struct kept_header *h, u32 size) {
  if (size < sizeof *h || h->magic != KEPT_MAGIC || h->version != WIRE_VERSION || h->total != size) return 0;
  if (h->word_count > WORDS_LIMIT || h->plan_offset % 8 || h->plan_offset > size - sizeof(struct plan_header)) return 0;
  return sizeof *h + h->word_count * sizeof(struct kept_word) <= h->plan_offset;
}

/* It was written by the engine that would be asked now, for who we are, with the rights that we have. */
static int is_current(const struct kept_header *h, const char *engine) {
  struct statx st;
  struct { u32 version; int pid; } head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct { u32 effective, permitted, inheritable; } sets[2] = {{0}};
  if (h->uid != (u32)RAW(geteuid) || RAW(capget, &head, sets) < 0) return 0;
  if (h->permitted != (sets[0].permitted | (u64)sets[1].permitted << 32)) return 0;
  if (RAW(statx, AT_FDCWD, engine, 0, STATX_BASIC_STATS, &st) < 0 || st.stx_ino != h->engine_inode) return 0;
  return (u64)st.stx_mtime.tv_sec * 1000000000u + st.stx_mtime.tv_nsec == h->engine_time;
}

/* Puts a path of this call in the place that the plan has for it. */
static int bind_path(char *plan, u32 size, const struct kept_word *w, const char *value) {
  struct plan_header *h = (struct plan_header *)plan;
  usize length = str_length(value);
  /* A descriptor of the caller's can be read once, and is written to in another way (src/tables/descriptors.ts). */
  if (starts_with(value, "/dev/") || starts_with(value, "/proc/")) return 0;
  if (value[0] != '/' || h->step_count > WIRE_STEPS || w->step >= h->step_count || w->reference >= 5) return 0;
  if (h->data_offset < sizeof *h + h->step_count * sizeof(struct step) || h->data_offset > size || h->data_length > size - h->data_offset) return 0;
  struct ref *r = &((struct step *)(h + 1))[w->step].s[w->reference];
  if (length > r->length || r->offset > h->data_length || r->length >= h->data_length - r->offset) return 0;
  memcpy(plan + h->data_offset + r->offset, value, length + 1);
  r->length = (u32)length;
  return 1;
}

static int matches(char *bytes, u32 size, char **words) {
  struct kept_header *h = (struct kept_header *)bytes;
  const struct kept_word *w = (const struct kept_word *)(h + 1);
  for (u32 i = 0; i < h->word_count; i++, w++) {
    const char *expected = bytes + w->offset;
    if (w->offset > h->plan_offset || w->length >= h->plan_offset - w->offset || expected[w->length]) return 0;
    if (w->kind == WORD_PATH) {
      if (!*words || !bind_path(bytes + h->plan_offset, size - h->plan_offset, w, *words)) return 0;
    } else if (!*words || !str_equal(*words, expected)) {
      if (w->kind != WORD_OPTIONAL) return 0;
      continue;
    }
    words++;
  }
  return !*words;
}

static int as_plan(const char *bytes, u32 size) {
  int fd = high(RAW(memfd_create, "plan", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (fd >= 0 && RAW(write, fd, bytes, size) == size) return fd;
  RAW(close, fd);
  return -1;
}

/* The plan for this call among those of the container in `dir`, or -1. */
static int search(int dir, const char *engine, char **words) {
  char name[40], digit[] = "-0.plan";
  u32 size = 0;
  if (str_length(words[0]) > 24 || !is_id(words[0])) return -1;
  char *end = append(name, name + sizeof name, words[0]);
  for (int i = 0; i < KEPT_EACH; i++) {
    digit[1] = (char)(i < 10 ? '0' + i : 'a' + i - 10);
    append(end, name + sizeof name, digit);
    int fd = (int)RAW(openat, dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd == -ENOENT) return -1; /* the lowest free name is taken for a new one (src/operations/keep-exec.ts) */
    char *bytes = fd < 0 ? NULL : read_kept(fd, &size);
    struct kept_header *h = (struct kept_header *)bytes;
    if (bytes && is_sound(h, size) && matches(bytes, size, words) && is_current(h, engine))
      return as_plan(bytes + h->plan_offset, size - h->plan_offset);
  }
  return -1;
}

/* As the engine would: a log that cannot be opened fails the command. */
static int log_opens(const char *path) {
  int fd = starts_with(path, "file:") || starts_with(path, "journald:") || starts_with(path, "syslog:") ? -1
    : (int)RAW(openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0644);
  if (fd >= 0) RAW(close, fd);
  return fd >= 0;
}

/* A kept plan for this call, as the engine would have left it, and the state directory; -1 when the engine has to be asked. */
int kept_plan(char **argv, char **envp, const char *engine, int *directory) {
  static char root[4200], path[4500];
  struct call c = {0};
  struct statx st;
  if (variable(envp, "NOTIFY_SOCKET=") || variable(envp, "TSRUN_DEBUG=") || !read_globals(argv, &c)) return -1;
  if (!c.root) c.root = default_root(envp, root, sizeof root);
  if (!is_plain_path(c.root) || str_length(c.root) > sizeof path - 260) return -1;
  for (u32 i = 1; c.words[i] && i < WORDS_LIMIT; i++) { /* whichever word it is: a plan is found where its container is */
    if (!is_id(c.words[i])) continue;
    append(append(append(path, path + sizeof path, c.root), path + sizeof path, "/"), path + sizeof path, c.words[i]);
    int dir = high(RAW(openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (dir < 0) continue;
    int plan = is_ours(dir, S_IFDIR, &st) ? search(dir, engine, c.words) : -1;
    if (plan >= 0 && (!c.log || log_opens(c.log))) return *directory = dir, plan;
    RAW(close, dir);
    RAW(close, plan);
  }
  return -1;
}
