/* The one module that turns a path of the configuration into a descriptor inside the root (security.md S02, S05, S07). */
#include "kernel.h"

static const char *relative(const char *path) {
  while (*path == '/') path++;
  return *path ? path : ".";
}

/* openat2 inside the root. EAGAIN says that a rename or mount raced with ".."; retried for up to 100 ms. */
int resolve(const char *path, u64 how_flags, u64 resolve_flags) {
  struct open_how how = {.flags = how_flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve_flags};
  struct timespec start, now;
  for (int tries = 0;; tries++) {
    long fd = SYS(openat2, self.root, relative(path), &how, sizeof how);
    if (fd != -EAGAIN && fd != -EINTR) return (int)fd;
    RAW(clock_gettime, CLOCK_MONOTONIC, tries ? &now : &start);
    if (tries && (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 > 100) return -EAGAIN;
  }
}

/* Puts the link's text before what is left to walk. A link of procfs is a name for nothing that could be made. */
static int follow(int link, char *rest, usize size, const char *after) {
  static char content[8400];
  struct statfs_now fs;
  if (SYS(fstatfs, link, &fs) < 0 || fs.type == PROC_SUPER_MAGIC) return -ELOOP;
  long length = TRY(SYS(readlinkat, link, "", content, 4096));
  usize left = str_length(after);
  if ((usize)length + left + 2 > size) return -ENAMETOOLONG;
  content[length] = '/';
  memcpy(content + length + 1, after, left + 1);
  memcpy(rest, content, (usize)length + left + 2);
  return content[0] == '/';
}

#define MOST_LINKS 40 /* as many as the kernel follows */

/* `out` up to `end` is the parent, the name lies behind it. */
static int make_component(char *out, usize end, u32 mode, int directory) {
  out[end] = 0;
  int parent = resolve(end ? out : "/", O_PATH | O_DIRECTORY, 0);
  out[end] = '/';
  TRY(parent);
  long made = directory ? SYS(mkdirat, parent, out + end + 1, mode) : SYS(mknodat, parent, out + end + 1, S_IFREG | 0644, 0);
  RAW(close, parent);
  return (int)made;
}

/*
 * Makes what is missing of `path`: a directory, or at its end an empty file. A link that dangles says where in the root. What
 * has been walked is kept as text without links and looked up again in-root for each component, so somebody who swaps names
 * meanwhile gets nothing outside (S02, S05). `links`: how many may be followed.
 */
static int make_path(const char *path, u32 mode, int directory, int follow_last, int links) {
  static char rest[8400], out[4200];
  usize end = 0;
  int again = 0;
  if (str_length(path) > 4095) return -ENAMETOOLONG;
  append(rest, rest + sizeof rest, path);
  for (const char *at = rest;;) {
    while (*at == '/') at++;
    const char *name = at;
    while (*at && *at != '/') at++;
    usize size = (usize)(at - name);
    if (size == 0) return 0;
    if (size == 1 && name[0] == '.') continue;
    if (size == 2 && name[0] == '.' && name[1] == '.') {
      while (end && out[--end] != '/') {}
      continue;
    }
    if (size > 255 || end + size + 2 > 4096) return -ENAMETOOLONG;
    out[end] = '/';
    memcpy(out + end + 1, name, size);
    out[end + 1 + size] = 0;
    const char *after = at;
    while (*after == '/') after++;
    struct statx st = {0};
    int fd = resolve(out, O_PATH | O_NOFOLLOW, 0), last = !*after;
    if (fd == -ENOENT) {
      int made = make_component(out, end, mode, directory || !last);
      if (made == -EEXIST && ++again < 16) at = name; /* another container was quicker */
      else if (made < 0) return made;
      else end += size + 1;
      continue;
    }
    int result = stat_fd(TRY(fd), &st), link = S_ISLNK(st.stx_mode) && (!last || follow_last);
    if (result >= 0 && link) result = links-- > 0 ? follow(fd, rest, sizeof rest, at) : -ELOOP;
    RAW(close, fd);
    TRY(result);
    if (!link) end += size + 1;
    else at = rest, end = result ? 0 : end;
  }
}

/* ENOENT in spite of it: somebody takes away or exchanges what was made. */
static int made_directories(const char *path, u32 mode, int links) {
  int fd = resolve(path, O_PATH, 0);
  for (int tries = 0; fd == -ENOENT && tries < 8; tries++) {
    TRY(make_path(path, mode, 1, 1, links));
    fd = resolve(path, O_PATH, 0);
  }
  return fd;
}

int make_directories(const char *path, u32 mode) { return made_directories(path, mode, MOST_LINKS); }

/* The directory that holds the last component of `path`; the component goes to `name` (256 bytes). `create`: it is made when
   missing; with 2 also behind links, which nodes and links of /dev, with /dev a link, would only be lost at (S09). */
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
  return create ? made_directories(head, 0755, create == 2 ? MOST_LINKS : 0) : resolve(head, O_PATH | O_DIRECTORY, 0);
}

/* A place to mount on: looked up, or made when missing. File system type decides what /proc may carry (S06). */
int make_target(const char *path, int directory, u32 flags) {
  u64 how = flags & MOUNT_STRICT ? RESOLVE_NO_SYMLINKS : 0, open = O_PATH | (flags & MOUNT_NO_TARGET_LINK ? O_NOFOLLOW : 0);
  int fd = resolve(path, open, how);
  for (int tries = 0; fd == -ENOENT && tries < 8; tries++) {
    TRY(make_path(path, 0755, directory, !(flags & MOUNT_NO_TARGET_LINK), flags & (MOUNT_STRICT | MOUNT_MADE_DIRECTLY) ? 0 : MOST_LINKS));
    fd = resolve(path, open, how);
  }
  TRY(fd);
  struct statfs_now fs;
  struct statx st, root;
  TRY(SYS(fstatfs, fd, &fs));
  TRY(stat_fd(fd, &st));
  TRY(stat_fd(self.root, &root));
  int refused = 0;
  if (st.stx_ino == root.stx_ino && st.stx_mnt_id == root.stx_mnt_id) refused = EBUSY; /* S03: nothing goes over the root */
  int over = flags & MOUNT_PROC || (flags & TARGET_PROC_ROOT && st.stx_ino == 1);
  if (fs.type == PROC_SUPER_MAGIC && !over) refused = EPERM;
  if (!refused && directory && !S_ISDIR(st.stx_mode)) refused = ENOTDIR;
  if (!refused && !directory && S_ISDIR(st.stx_mode)) refused = EISDIR;
  if (refused) return RAW(close, fd), -refused;
  return fd;
}

/* A procfs that nobody in the container can have prepared (CVE-2019-16884, CVE-2025-52881): our own instance, else the host's. */
int trusted_proc(void) {
  if (self.proc >= 0) return self.proc;
  int context = (int)SYS(fsopen, "proc", FSOPEN_CLOEXEC);
  if (context >= 0) {
    if (SYS(fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) >= 0) self.proc = (int)SYS(fsmount, context, FSMOUNT_CLOEXEC, 0);
    RAW(close, context);
  }
  if (self.proc < 0) {
  struct statfs_now fs;
    struct statx st;
    int fd = (int)TRY(SYS(openat, AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (SYS(fstatfs, fd, &fs) < 0 || stat_fd(fd, &st) < 0 || fs.type != PROC_SUPER_MAGIC || st.stx_ino != 1) return RAW(close, fd), -EXDEV;
    self.proc = fd;
  }
  return self.proc;
}
