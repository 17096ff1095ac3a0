/* Steps of kept plans: whether the world is still the one they were made for, and the host's side of start and delete. */
#include "ops.h"

/* Reads exactly this and nothing more. A FIFO is not opened, that would cost its writer what the engine is to read. */
int op_expect_file(const struct step *s) {
  char part[4096];
  struct statx st;
  TRY(SYS(statx, AT_FDCWD, text(s, S_EXPECT_FILE_path), 0, STATX_BASIC_STATS, &st));
  if (!S_ISREG(st.stx_mode)) return -ESTALE;
  const char *expected = text(s, S_EXPECT_FILE_content);
  u32 left = length(s, S_EXPECT_FILE_content);
  int fd = (int)TRY(SYS(openat, AT_FDCWD, text(s, S_EXPECT_FILE_path), O_RDONLY | O_NONBLOCK | O_CLOEXEC)), result = 0;
  for (;;) {
    long got = SYS(read, fd, part, sizeof part);
    if (got == -EINTR) continue;
    if (got < 0) result = (int)got;
    else if ((u32)got > left || (got == 0 && left) || memcmp(part, expected, (usize)got)) result = -ESTALE;
    if (result < 0 || got == 0) break;
    expected += got, left -= (u32)got;
  }
  RAW(close, fd);
  return result;
}

int op_expect_link(const struct step *s) {
  char target[256];
  long got = TRY(SYS(readlinkat, AT_FDCWD, text(s, S_EXPECT_LINK_path), target, sizeof target));
  return got == length(s, S_EXPECT_LINK_target) && !memcmp(target, text(s, S_EXPECT_LINK_target), (usize)got) ? 0 : -ESTALE;
}

static int namespace_of(const char *process, const char *name, struct statx *st) {
  char path[64];
  append(append(append(path, path + 64, process), path + 64, "/ns/"), path + 64, name);
  return (int)SYS(statx, AT_FDCWD, path, 0, STATX_INO, st);
}

/* In which namespaces the process is where we are, and in which it is not: those the plan joins. */
int op_expect_namespaces(const struct step *s) {
  char process[40], digits[24];
  struct statx here, there;
  append(append(process, process + 40, "/proc/"), process + 40, number_to_text(digits + 24, s->n[N_EXPECT_NAMESPACES_pid]));
  for (int list = 0; list < 2; list++) {
    const char *names = text(s, list);
    for (u32 at = 0; at < length(s, list); at += (u32)str_length(names + at) + 1) {
      TRY(namespace_of("/proc/self", names + at, &here));
      TRY(namespace_of(process, names + at, &there));
      int same = here.stx_ino == there.stx_ino && here.stx_dev_minor == there.stx_dev_minor;
      if (same == list) return -ESTALE;
    }
  }
  return 0;
}

int op_expect_ended(const struct step *s) {
  u64 start = (u64)TRY(start_time((int)s->n[N_EXPECT_ENDED_pid]));
  return start && start == wide(s, N_EXPECT_ENDED_startTime) ? -EBUSY : 0;
}

static int keep_slot(u32 at, int fd) {
  if (at >= ARRAY(G.slots)) return -EBADF;
  G.slots[at] = high(fd);
  return 0;
}

/* Of two starts one renames the FIFO (R02). Nothing is released by it: the engine can still take over. */
int op_start_claim(const struct step *s) {
  int dir = slot(s->n[N_START_CLAIM_slot]);
  const char *claimed = text(s, S_START_CLAIM_claimed);
  TRY(SYS(renameat2, dir, text(s, S_START_CLAIM_fifo), dir, claimed, 0));
  int fd = (int)TRY(SYS(openat, dir, text(s, S_START_CLAIM_reply), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  TRY(keep_slot(s->n[N_START_CLAIM_replySlot], fd));
  fd = (int)TRY(SYS(openat, dir, claimed, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)); /* ENXIO: init is dead (R05) */
  return keep_slot(s->n[N_START_CLAIM_fifoSlot], fd);
}

/* Lets init go. It holds the other end of `reply` close-on-exec: end of file means that the program runs. */
int op_start_release(const struct step *s) {
  int reply = slot(s->n[N_START_RELEASE_replySlot]);
  struct record *word = &G.failure;
  usize got = 0;
  TRY(SYS(write, slot(s->n[N_START_RELEASE_fifoSlot]), "s", 1));
  for (long part = 1; part && got < sizeof *word;) {
    TRY(wait_readable(reply, -1, -1));
    part = SYS(read, reply, (char *)word + got, sizeof *word - got);
    if (part == -EINTR || part == -EAGAIN) continue;
    got += (usize)TRY(part);
  }
  if (got) {
    if (got != sizeof *word || word->text_length > TEXT_LIMIT) return word->text_length = 0, -EBADMSG;
    return G.replied = 1, -ECANCELED;
  }
  const char *names = text(s, S_START_RELEASE_names);
  for (u32 at = 0; at < length(s, S_START_RELEASE_names); at += (u32)str_length(names + at) + 1)
    RAW(unlinkat, slot(s->n[N_START_RELEASE_slot]), names + at, 0);
  return 0;
}

static int in_list(const char *names, u32 size, const char *name) {
  for (u32 at = 0; at < size; at += (u32)str_length(names + at) + 1)
    if (str_equal(names + at, name)) return 1;
  return 0;
}

/* Anything that is not on the list is the engine's business, before anything is removed. */
static int holds_only(int dir, const char *names, u32 size) {
  struct listing list = {.fd = dir};
  for (struct dirent64 *entry; (entry = next_entry(&list));)
    if (!in_list(names, size, entry->name)) return -ENOTEMPTY;
  return (int)list.got;
}

/*
 * The container's directory, through the descriptor that the plan was found in: a container made meanwhile with the same id
 * has another one. Who removes the directory has deleted the container; for others it is gone (R03).
 */
int op_state_remove(const struct step *s) {
  struct statx opened, named;
  int dir = slot(s->n[N_STATE_REMOVE_slot]);
  const char *names = text(s, S_STATE_REMOVE_names), *path = text(s, S_STATE_REMOVE_path);
  u32 size = length(s, S_STATE_REMOVE_names);
  TRY(holds_only(dir, names, size));
  TRY(stat_fd(dir, &opened));
  if (SYS(statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &named) < 0 || named.stx_ino != opened.stx_ino) return 0;
  int result = remove_files(dir, names, size, path);
  return result == -ENOENT ? 0 : result;
}

static void put(char *bytes, u32 size, u32 at, u64 value, u32 width) {
  for (u32 i = 0; at && i < width && at + i < size; i++) bytes[at + i] = (char)(value >> (8 * i));
}

/* Writes a plan for a later call, with the number and the start time of init in it; a reader sees all of it or nothing. */
int op_plan_keep(const struct step *s) {
  static char temporary[4300];
  u32 size = length(s, S_PLAN_KEEP_plan);
  char *bytes = pages(size);
  u64 start = (u64)TRY(s->n[N_PLAN_KEEP_startTimeAt] ? start_time(G.pid) : 0);
  if (!bytes) return -ENOMEM;
  memcpy(bytes, text(s, S_PLAN_KEEP_plan), size);
  put(bytes, size, s->n[N_PLAN_KEEP_pidAt], (u64)G.pid, 4);
  put(bytes, size, s->n[N_PLAN_KEEP_startTimeAt], start, 8);
  append(append(temporary, temporary + sizeof temporary, text(s, S_PLAN_KEEP_path)), temporary + sizeof temporary, ".new");
  int fd = (int)TRY(SYS(openat, AT_FDCWD, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  long got = SYS(write, fd, bytes, size);
  RAW(close, fd);
  RAW(munmap, bytes, size);
  if (got == size) got = SYS(renameat2, AT_FDCWD, temporary, AT_FDCWD, text(s, S_PLAN_KEEP_path), 0);
  else if (got >= 0) got = -ENOSPC;
  if (got < 0) RAW(unlinkat, AT_FDCWD, temporary, 0);
  return (int)got;
}
