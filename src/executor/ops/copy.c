/* tmpcopyup: what a new mount hides is copied into it. */
#include "ops.h"

/* What an O_PATH descriptor stands for, and not what has its name by now. */
static int open_again(int fd, u32 flags) {
  char path[64], digits[24];
  append(append(path, path + sizeof path, "thread-self/fd/"), path + sizeof path, number_to_text(digits + sizeof digits, (u64)fd));
  return (int)SYS(openat, TRY(trusted_proc()), path, flags | O_CLOEXEC);
}

static int copy_entry(int from, int to, const char *name, int depth) {
  char buffer[4096];
  struct statx st = {0};
  int source = (int)TRY(SYS(openat, from, name, O_PATH | O_NOFOLLOW | O_CLOEXEC)), target = -1;
  int result = stat_fd(source, &st);
  u32 kind = st.stx_mode & S_IFMT, mode = st.stx_mode & 07777;
  if (result >= 0 && kind == S_IFDIR) {
    result = (int)SYS(mkdirat, to, name, mode);
    int deeper = result < 0 ? result : open_again(source, O_RDONLY | O_DIRECTORY);
    target = deeper < 0 ? deeper : (int)SYS(openat, to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    result = target < 0 ? target : copy_tree(deeper, target, depth + 1);
    if (deeper >= 0) RAW(close, deeper);
  } else if (result >= 0 && kind == S_IFLNK) {
    long size = SYS(readlinkat, source, "", buffer, sizeof buffer - 1);
    if (size >= 0) buffer[size] = 0;
    result = size < 0 ? (int)size : (int)SYS(symlinkat, buffer, to, name);
  } else if (result >= 0 && kind == S_IFREG) {
    int input = open_again(source, O_RDONLY | O_NONBLOCK);
    target = input < 0 ? input : (int)SYS(openat, to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    result = target;
    while (result >= 0 && (result = (int)SYS(sendfile, target, input, 0, 1 << 20)) > 0) {}
    if (input >= 0) RAW(close, input);
  } else if (result >= 0) {
    result = (int)SYS(mknodat, to, name, st.stx_mode, device_number(st.stx_rdev_major, st.stx_rdev_minor));
  }
  if (result >= 0) result = (int)SYS(fchownat, to, name, st.stx_uid, st.stx_gid, AT_SYMLINK_NOFOLLOW);
  if (result >= 0 && (mode & 06000) && kind != S_IFLNK) result = (int)SYS(fchmodat, to, name, mode);
  if (target >= 0) RAW(close, target);
  RAW(close, source);
  return result < 0 ? result : 0;
}

/* tmpcopyup: the shadowed directory's content into a new file system, by descriptors only. */
int copy_tree(int from, int to, int depth) {
  struct listing list = {.fd = from};
  if (depth > 64) return -ELOOP;
  for (struct dirent64 *entry; (entry = next_entry(&list));) TRY(copy_entry(from, to, entry->name, depth));
  return (int)list.got;
}
