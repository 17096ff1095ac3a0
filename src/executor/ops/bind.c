/* Bind mounts and devices of the host, and where their sources are opened. */
#include "ops.h"

/* Ids on disk are read through the user namespace in the slot. */
static int map_ids(int mount, u32 number, u32 flags) {
  struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (u64)slot(number)};
  if (number == NONE) return 0;
  if (slot(number) < 0) return -EBADF;
  return (int)SYS(mount_setattr, mount, "", AT_EMPTY_PATH | (flags & MOUNT_MAP_BELOW ? AT_RECURSIVE : 0), &attr, sizeof attr);
}

/*
 * Root of a user namespace could take read-only, nosuid, nodev and noexec off a mount of ours, but for those that the kernel
 * has locked; and it has in the copy of the host's mounts that the new mount namespace was born with (S14). So the clone is
 * made of that copy, with our rights: by a process that shares our descriptors and goes there in our stead. 255 says that it
 * could not.
 */
static int inside(long (*work)(const void *argument), const void *argument) {
  int status = 0, place = high(TRY(SYS(openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC)));
  long pid = place < 0 ? place : fork_with(CLONE_FILES, -1, NULL);
  if (pid == 0) {
    if (RAW(setns, G.pidfd, CLONE_NEWNS) < 0) RAW(exit_group, 255);
    long fd = work(argument);
    if (fd >= 0) fd = RAW(dup3, fd, place, O_CLOEXEC) < 0 ? -EMFILE : RAW(close, fd);
    RAW(exit_group, fd < 0 ? -fd : 0);
  }
  if (pid > 0) pid = wait_child((int)pid, &status);
  if (pid >= 0 && status) pid = status == 255 << 8 ? -EPERM : (status & 0x7f) ? -ECHILD : -(status >> 8);
  where = status == 255 << 8 ? W_setns : W_open_tree;
  if (pid < 0 && place >= 0) RAW(close, place);
  return pid < 0 ? (int)pid : place;
}

struct source { const char *path; u32 flags; };
static long clone_source(const void *argument) {
  const struct source *source = argument;
  return RAW(open_tree, AT_FDCWD, source->path, source->flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

static int clone_inside(const char *path, u32 flags) {
  struct source source = {path, flags};
  return inside(clone_source, &source);
}

static int keep_pending(int fd) {
  if (G.pending >= 0) RAW(close, G.pending);
  return G.pending = fd;
}

/* A node on a file system of its own, which lies in the container's mount namespace for as long as it takes to clone the node:
   before Linux 6.15 nothing is cloned out of a mount that is nowhere. Ours, or it would be nodev. */
static long make_node(const void *argument) {
  const struct step *s = argument;
  const u32 *n = s->n;
  int context = (int)TRY(RAW(fsopen, "tmpfs", FSOPEN_CLOEXEC));
  TRY(RAW(fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
  int mount = (int)TRY(RAW(fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
  int root = (int)TRY(RAW(openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC));
  RAW(umask, 0);
  TRY(RAW(mknodat, mount, "node", n[N_DEVICE_OPEN_mode], device_number(n[N_DEVICE_OPEN_major], n[N_DEVICE_OPEN_minor])));
  TRY(RAW(fchownat, mount, "node", n[N_DEVICE_OPEN_uid], n[N_DEVICE_OPEN_gid], AT_SYMLINK_NOFOLLOW));
  TRY(attach(mount, root));
  long fd = RAW(open_tree, mount, "node", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  RAW(fchdir, mount);
  RAW(umount2, ".", MNT_DETACH);
  RAW(close, mount), RAW(close, root), RAW(close, context);
  return fd;
}

/* In a user namespace nobody may make nodes that can be opened; the host may. */
int op_device_open(const struct step *s) {
  int fd = keep_pending(inside(make_node, s));
  where = W_mknodat;
  return fd < 0 ? fd : 0;
}

#define NO_SOURCE_LINK ((u32)(MOUNT_NO_SOURCE_LINK | MOUNT_COPY_SYMLINK))

int op_source_open(const struct step *s) {
  u32 recursive = s->n[N_SOURCE_OPEN_recursive], flags = s->n[N_SOURCE_OPEN_flags] & NO_SOURCE_LINK ? AT_SYMLINK_NOFOLLOW : 0;
  if (recursive) flags |= AT_RECURSIVE;
  keep_pending(-1);
  G.pending = clone_inside(text(s, S_SOURCE_OPEN_path), flags);
  /* What lies under a locked mount is not shown there, so a directory with mounts below is not cloned without them. */
  if (G.pending == -EINVAL && !recursive) G.pending = (int)SYS(open_tree, AT_FDCWD, text(s, S_SOURCE_OPEN_path), flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  TRY(G.pending);
  /* Cloned in the host's mount namespace: without this it would be a peer of a shared mount there (S43). */
  TRY(set_attributes(G.pending, AT_RECURSIVE, 0, 0, MS_SLAVE));
  return map_ids(G.pending, s->n[N_SOURCE_OPEN_idmapSlot], s->n[N_SOURCE_OPEN_flags]);
}

static int open_source(const struct step *s) {
  u32 flags = s->n[N_MOUNT_BIND_flags];
  if (flags & MOUNT_PASSED) {
    int fd = G.pending;
    G.pending = -1;
    return fd < 0 ? -EBADF : fd;
  }
  return (int)SYS(open_tree, AT_FDCWD, text(s, S_MOUNT_BIND_source),
    (s->n[N_MOUNT_BIND_recursive] ? AT_RECURSIVE : 0) | (flags & NO_SOURCE_LINK ? AT_SYMLINK_NOFOLLOW : 0) | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/* On /proc itself only another procfs may be bound (S06). */
static u32 target_flags(const struct step *s, int mount) {
  struct statfs_now fs;
  struct statx st;
  u32 flags = s->n[N_MOUNT_BIND_flags];
  int is_proc = RAW(fstatfs, mount, &fs) == 0 && fs.type == PROC_SUPER_MAGIC && stat_fd(mount, &st) == 0 && st.stx_ino == 1;
  return is_proc ? flags | TARGET_PROC_ROOT : flags;
}

/* copy-symlink: the symlink `source` is made again inside the root, unless it is there from the last time. */
static int copy_link(const struct step *s, int source) {
  static char content[4096], there[4096];
  char name[256];
  long size = SYS(readlinkat, source, "", content, sizeof content - 1);
  content[TRY(size)] = 0;
  int parent = TRY(parent_of(text(s, S_MOUNT_BIND_target), name, 2));
  int result = (int)SYS(symlinkat, content, parent, name);
  if (result == -EEXIST && RAW(readlinkat, parent, name, there, sizeof there) == size && !memcmp(content, there, (usize)size)) result = 0;
  RAW(close, parent);
  return result;
}

int op_mount_bind(const struct step *s) {
  struct statx st;
  int mount = TRY(open_source(s));
  int result = stat_fd(mount, &st), target = -1;
  if (result >= 0 && s->n[N_MOUNT_BIND_flags] & MOUNT_COPY_SYMLINK && S_ISLNK(st.stx_mode)) {
    result = copy_link(s, mount);
    return RAW(close, mount), result;
  }
  if (result >= 0) result = map_ids(mount, s->n[N_MOUNT_BIND_idmapSlot], s->n[N_MOUNT_BIND_flags]);
  if (result >= 0) result = set_attributes(mount, AT_RECURSIVE, s->n[N_MOUNT_BIND_recursiveSet], s->n[N_MOUNT_BIND_recursiveClear], 0);
  if (result >= 0) result = set_attributes(mount, 0, s->n[N_MOUNT_BIND_set], s->n[N_MOUNT_BIND_clear], 0);
  /* the target is /proc, procfs there already or not */
  if (result >= 0 && s->n[N_MOUNT_BIND_flags] & MOUNT_SOURCE_IS_PROC && !(target_flags(s, mount) & TARGET_PROC_ROOT)) result = -EPERM;
  if (result >= 0) result = target = make_target(text(s, S_MOUNT_BIND_target), S_ISDIR(st.stx_mode), target_flags(s, mount));
  if (result >= 0) result = attach(mount, target);
  int at = where;
  if (result >= 0) note_kernel_mount(text(s, S_MOUNT_BIND_target), mount);
  if (target >= 0) RAW(close, target);
  RAW(close, mount);
  where = at;
  return result < 0 ? result : 0;
}
