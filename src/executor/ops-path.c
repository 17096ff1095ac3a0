/* Things made inside the root before the pivot: links, nodes, copies; and sysctl through a trusted procfs. */
#include "sys.h"

/* Below a directory of ours no name leads out of it, whatever is in it (S31). A file may answer EAGAIN for ever, such as
   memory.reclaim that cannot get as much as it was asked for: a few times is patience enough (R27). */
int write_file(int dir, const char *name, const char *value, usize size) {
  struct open_how how = {.flags = O_WRONLY | O_NOFOLLOW | O_CLOEXEC};
  struct timespec pause = {0, 30000000};
  if (dir != AT_FDCWD) how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  int fd = (int)TRY(SYS(openat2, dir, name, &how, sizeof how));
  long result = -EAGAIN;
  for (int tries = 0; tries < 5 && (result == -EAGAIN || result == -EINTR); tries++) {
    if (tries && result == -EAGAIN) RAW(nanosleep, &pause, NULL);
    result = SYS(write, fd, value, size);
  }
  int at = where;
  RAW(close, fd);
  where = at;
  return result < 0 ? (int)result : (usize)result < size ? -EIO : 0;
}

int op_symlink(const struct step *s) {
  char name[256];
  int parent = TRY(parent_of(text(s, S_PATH_SYMLINK_path), name, 1));
  long result = SYS(symlinkat, text(s, S_PATH_SYMLINK_target), parent, name);
  RAW(close, parent);
  return result == -EEXIST ? 0 : (int)result;
}

/* As the kernel wants it from mknod(2): twelve bits and twenty, the low eight of the latter first. */
u32 device_number(u32 major, u32 minor) {
  return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffu) << 12;
}

/* The node is opened again and must be what was asked for, be it ours or the image's (S10). */
int op_device(const struct step *s) {
  char name[256];
  struct statx st;
  u32 mode = s->n[N_DEVICE_MAKE_mode], major = s->n[N_DEVICE_MAKE_major], minor = s->n[N_DEVICE_MAKE_minor];
  int parent = TRY(parent_of(text(s, S_DEVICE_MAKE_path), name, 1));
  long made = SYS(mknodat, parent, name, mode, device_number(major, minor));
  if (made < 0 && made != -EEXIST) return RAW(close, parent), (int)made;
  int node = (int)SYS(openat, parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  int result = node < 0 ? node : stat_fd(node, &st);
  if (result >= 0 && ((st.stx_mode & 0170000) != (mode & 0170000) ||
      ((mode & 0170000) != 0010000 && (st.stx_rdev_major != major || st.stx_rdev_minor != minor)))) {
    where = W_mknodat;
    result = -EEXIST;
  }
  if (result >= 0 && made == 0) result = (int)SYS(fchownat, node, "", s->n[N_DEVICE_MAKE_uid], s->n[N_DEVICE_MAKE_gid], AT_EMPTY_PATH);
  int at = where;
  if (node >= 0) RAW(close, node);
  RAW(close, parent);
  where = at;
  return result < 0 ? result : 0;
}

int op_sysctl(const struct step *s) {
  char name[512];
  if (length(s, S_SYSCTL_WRITE_path) > sizeof name - 5) return -ENAMETOOLONG; /* cut, it would be another one (S16) */
  append(append(name, name + sizeof name, "sys/"), name + sizeof name, text(s, S_SYSCTL_WRITE_path));
  struct open_how how = {.flags = O_WRONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
  int context = (int)SYS(fsopen, "proc", FSOPEN_CLOEXEC), proc = -1;
  if (context >= 0 && SYS(fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) >= 0) proc = (int)SYS(fsmount, context, FSMOUNT_CLOEXEC, 0);
  if (context >= 0) RAW(close, context);
  int own = proc >= 0;
  if (!own) proc = TRY(trusted_proc());
  int fd = (int)SYS(openat2, proc, name, &how, sizeof how);
  if (own) RAW(close, proc);
  long result = fd < 0 ? fd : SYS(write, fd, text(s, S_SYSCTL_WRITE_value), length(s, S_SYSCTL_WRITE_value));
  if (fd >= 0) RAW(close, fd);
  return result < 0 ? (int)result : result < (long)length(s, S_SYSCTL_WRITE_value) ? -EIO : 0;
}

/* The next name but `.` and `..`; NULL at the end and after an error. */
struct dirent64 *next_entry(struct listing *list) {
  for (;;) {
    if (list->at >= list->got) {
      list->at = 0;
      list->got = RAW(getdents64, list->fd, list->buffer, sizeof list->buffer);
      if (list->got < 0) where = W_getdents64;
      if (list->got <= 0) return NULL;
    }
    struct dirent64 *entry = (struct dirent64 *)(list->buffer + list->at);
    list->at += entry->reclen;
    if (!str_equal(entry->name, ".") && !str_equal(entry->name, "..")) return entry;
  }
}

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
  u32 kind = st.stx_mode & 0170000, mode = st.stx_mode & 07777;
  if (result >= 0 && kind == 0040000) {
    result = (int)SYS(mkdirat, to, name, mode);
    int deeper = result < 0 ? result : open_again(source, O_RDONLY | O_DIRECTORY);
    target = deeper < 0 ? deeper : (int)SYS(openat, to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    result = target < 0 ? target : copy_tree(deeper, target, depth + 1);
    if (deeper >= 0) RAW(close, deeper);
  } else if (result >= 0 && kind == 0120000) {
    long size = SYS(readlinkat, source, "", buffer, sizeof buffer - 1);
    if (size >= 0) buffer[size] = 0;
    result = size < 0 ? (int)size : (int)SYS(symlinkat, buffer, to, name);
  } else if (result >= 0 && kind == 0100000) {
    int input = open_again(source, O_RDONLY | O_NONBLOCK);
    target = input < 0 ? input : (int)SYS(openat, to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    result = target;
    while (result >= 0 && (result = (int)SYS(sendfile, target, input, 0, 1 << 20)) > 0) {}
    if (input >= 0) RAW(close, input);
  } else if (result >= 0) {
    result = (int)SYS(mknodat, to, name, st.stx_mode, device_number(st.stx_rdev_major, st.stx_rdev_minor));
  }
  if (result >= 0) result = (int)SYS(fchownat, to, name, st.stx_uid, st.stx_gid, AT_SYMLINK_NOFOLLOW);
  if (result >= 0 && (mode & 06000) && kind != 0120000) result = (int)SYS(fchmodat, to, name, mode);
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
