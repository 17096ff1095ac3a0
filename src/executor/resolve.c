/* The one module that turns a path of the configuration into a descriptor inside the root (security.md S02, S05, S07). */
#include "sys.h"

int stat_fd(int fd, struct statx *st) {
  return (int)SYS(statx, fd, "", AT_EMPTY_PATH | AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS | STATX_MNT_ID, st);
}

static const char *relative(const char *path) {
  while (*path == '/') path++;
  return *path ? path : ".";
}

/* openat2 inside the root. EAGAIN says that a rename or mount raced with ".."; retried for up to 100 ms. */
int resolve(const char *path, u64 how_flags, u64 resolve_flags) {
  struct open_how how = {.flags = how_flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve_flags};
  struct timespec start, now;
  RAW(clock_gettime, 1, &start);
  for (;;) {
    long fd = SYS(openat2, G.root, relative(path), &how, sizeof how);
    if (fd != -EAGAIN && fd != -EINTR) return (int)fd;
    RAW(clock_gettime, 1, &now);
    if ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 > 100) return -EAGAIN;
  }
}

/* Creates every missing directory of `path`; one component at a time, each looked up again in-root. */
int make_directories(const char *path, u32 mode) {
  static char prefix[4200];
  int parent = TRY(resolve("/", O_PATH | O_DIRECTORY, 0));
  for (const char *at = path; *at;) {
    while (*at == '/') at++;
    const char *name = at;
    while (*at && *at != '/') at++;
    if (at == name) break;
    usize size = (usize)(at - path);
    memcpy(prefix, path, size);
    prefix[size] = 0;
    int next = resolve(prefix, O_PATH, 0);
    if (next == -ENOENT) {
      static char component[260];
      if (at - name > 255) return -ENAMETOOLONG;
      memcpy(component, name, (usize)(at - name));
      component[at - name] = 0;
      long made = SYS(mkdirat, parent, component, mode);
      if (made < 0 && made != -EEXIST) return RAW(close, parent), (int)made;
      next = resolve(prefix, O_PATH, 0);
    }
    RAW(close, parent);
    parent = TRY(next);
  }
  return parent;
}

/* The directory that holds the last component of `path`; the component goes to `name` (256 bytes). */
int parent_of(const char *path, char *name, int create) {
  static char head[4200];
  usize end = str_length(path);
  while (end > 1 && path[end - 1] == '/') end--;
  usize cut = end;
  while (cut > 0 && path[cut - 1] != '/') cut--;
  if (end == cut || end - cut > 255) return end == cut ? -EINVAL : -ENAMETOOLONG;
  memcpy(name, path + cut, end - cut);
  name[end - cut] = 0;
  if (str_equal(name, ".") || str_equal(name, "..")) return -EINVAL;
  memcpy(head, path, cut);
  head[cut] = 0;
  if (cut == 0) return resolve("/", O_PATH | O_DIRECTORY, 0);
  return create ? make_directories(head, 0755) : resolve(head, O_PATH | O_DIRECTORY, 0);
}

/* A place to mount on: looked up, or made when missing. File system type decides what /proc may carry (S06). */
int make_target(const char *path, int directory, u32 flags) {
  u64 how = flags & MOUNT_STRICT ? RESOLVE_NO_SYMLINKS : 0, open = O_PATH | (flags & MOUNT_NO_TARGET_LINK ? O_NOFOLLOW : 0);
  int fd = resolve(path, open, how);
  if (fd == -ENOENT && directory) {
    int made = TRY(make_directories(path, 0755));
    RAW(close, made);
    fd = resolve(path, open, how);
  } else if (fd == -ENOENT) {
    char name[256];
    int parent = TRY(parent_of(path, name, 1));
    long made = SYS(mknodat, parent, name, 0100644, 0);
    RAW(close, parent);
    if (made < 0 && made != -EEXIST) return (int)made;
    fd = resolve(path, open, how);
  }
  TRY(fd);
  struct statfs_now { long type, rest[31]; } fs;
  struct statx st, root;
  TRY(SYS(fstatfs, fd, &fs));
  TRY(stat_fd(fd, &st));
  TRY(stat_fd(G.root, &root));
  int refused = 0;
  if (st.stx_ino == root.stx_ino && st.stx_mnt_id == root.stx_mnt_id) refused = EBUSY; /* S03: nothing goes over the root */
  int over = flags & MOUNT_PROC || (flags & TARGET_PROC_ROOT && st.stx_ino == 1);
  if (fs.type == PROC_SUPER_MAGIC && !over) refused = EPERM;
  if (!refused && directory && (st.stx_mode & 0170000) != 0040000) refused = ENOTDIR;
  if (!refused && !directory && (st.stx_mode & 0170000) == 0040000) refused = EISDIR;
  if (refused) return RAW(close, fd), -refused;
  return fd;
}

/* A procfs that nobody in the container can have prepared (CVE-2019-16884, CVE-2025-52881): our own instance, else the host's. */
int trusted_proc(void) {
  if (G.proc >= 0) return G.proc;
  int context = (int)SYS(fsopen, "proc", FSOPEN_CLOEXEC);
  if (context >= 0) {
    if (SYS(fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) >= 0) G.proc = (int)SYS(fsmount, context, FSMOUNT_CLOEXEC, 0);
    RAW(close, context);
  }
  if (G.proc < 0) {
    struct statfs_now { long type, rest[31]; } fs;
    struct statx st;
    int fd = (int)TRY(SYS(openat, AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (SYS(fstatfs, fd, &fs) < 0 || stat_fd(fd, &st) < 0 || fs.type != PROC_SUPER_MAGIC || st.stx_ino != 1) return RAW(close, fd), -EXDEV;
    G.proc = fd;
  }
  return G.proc;
}
