/* Masked and read-only paths: each looked up once, and covered by its descriptor (S11, S12, S13). */
#include "ops.h"

/* The kernel's file systems that were mounted: what is protected in them is found through the mount and not by its name, which
   somebody who shares the image may have given to something else meanwhile; "not there" would leave it unprotected (S12). */
static struct { const char *target; usize length; int mount; } kernel_mounts[8];
static u32 kernel_mount_count;

/* Keeps a descriptor of `mount` if it is a procfs or a sysfs; `target` must stay. */
void note_kernel_mount(const char *target, int mount) {
  struct statfs_now fs;
  usize length = str_length(target);
  while (length > 1 && target[length - 1] == '/') length--;
  if (kernel_mount_count == ARRAY(kernel_mounts) || RAW(fstatfs, mount, &fs) < 0) return;
  if (fs.type != PROC_SUPER_MAGIC && fs.type != SYSFS_MAGIC) return;
  int kept = (int)RAW(fcntl, mount, F_DUPFD_CLOEXEC, 3);
  if (kept < 0) return;
  kernel_mounts[kernel_mount_count].target = target;
  kernel_mounts[kernel_mount_count].length = length;
  kernel_mounts[kernel_mount_count++].mount = kept;
}

/* Nothing is protected behind the pivot, and what the program's working directory might be is closed (S24). */
void forget_kernel_mounts(void) {
  while (kernel_mount_count) RAW(close, kernel_mounts[--kernel_mount_count].mount);
}

/* What is to be masked or read-only. */
static int resolve_protected(const char *path) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  for (u32 i = kernel_mount_count; i-- > 0;) {
    usize length = kernel_mounts[i].length, same = 0;
    while (same < length && path[same] == kernel_mounts[i].target[same]) same++;
    if (same < length || path[length] != '/') continue;
    return (int)SYS(openat2, kernel_mounts[i].mount, path + length + 1, &how, sizeof how);
  }
  return resolve(path, O_PATH, 0);
}

static struct statx of_mask; /* of G.mask, once there is one */

/* What is covered already is not covered again, whatever the path that leads there (S12). */
static int is_masked(int target, const struct statx *st) {
  struct statfs_now fs;
  if (S_ISDIR(st->stx_mode))
    return G.mask >= 0 && st->stx_dev_major == of_mask.stx_dev_major && st->stx_dev_minor == of_mask.stx_dev_minor;
  if (!shows_null_device(st) || RAW(fstatfs, target, &fs) < 0) return 0;
  return (fs.flags & (ST_RDONLY | ST_NOSUID | ST_NOEXEC)) == (ST_RDONLY | ST_NOSUID | ST_NOEXEC);
}

/* All directories get one shared, empty, read-only tmpfs (S12). */
static int mask_directory(int target) {
  if (G.mask >= 0) {
    int clone = (int)TRY(SYS(open_tree, G.mask, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    int result = attach(clone, target);
    RAW(close, clone);
    return result;
  }
  int context = (int)TRY(SYS(fsopen, "tmpfs", FSOPEN_CLOEXEC));
  TRY(configure(context, "size=1\0nr_inodes=2", 19, 0)); /* of 0 there would be no end; 1 inode is refused by some kernels: the root counts */
  TRY(SYS(fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
  G.mask = (int)TRY(SYS(fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  RAW(close, context);
  TRY(stat_fd(G.mask, &of_mask));
  return attach(G.mask, target);
}

/*
 * A file gets the host's null device (S11), through a mount that is read-only: the device can be written to as ever, but mode,
 * owner and times of the host's inode are not for those inside to change (S10). The later ones are clones of the first.
 */
static int mask_file(int target) {
  static int masked;
  TRY(check_null_device(G.null));
  int clone = (int)TRY(SYS(open_tree, G.null, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  int result = masked ? 0 : set_attributes(clone, 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, 0);
  if (result >= 0) result = attach(clone, target);
  int last = result < 0 || masked ? clone : G.null;
  if (last == G.null) G.null = clone, masked = 1;
  RAW(close, last);
  return result;
}

static int mask(const char *path) {
  struct statx st;
  int target = resolve_protected(path);
  if (target == -ENOENT || target == -ENOTDIR) return 0;
  TRY(target);
  int result = stat_fd(target, &st);
  if (result >= 0 && !is_masked(target, &st)) result = S_ISDIR(st.stx_mode) ? mask_directory(target) : mask_file(target);
  RAW(close, target);
  return result;
}

int op_path_mask(const struct step *s) {
  for EACH (path, s, S_PATH_MASK_paths) TRY(mask(path));
  return 0;
}

static int make_readonly(const char *path) {
  int target = resolve_protected(path);
  if (target == -ENOENT || target == -ENOTDIR) return 0;
  TRY(target);
  int clone = (int)SYS(open_tree, target, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), result = clone;
  if (result >= 0) result = set_attributes(clone, 0, MOUNT_ATTR_RDONLY, 0, 0);
  if (result >= 0) result = attach(clone, target);
  if (clone >= 0) RAW(close, clone);
  RAW(close, target);
  return result;
}

int op_path_readonly(const struct step *s) {
  for EACH (path, s, S_PATH_READONLY_paths) TRY(make_readonly(path));
  return 0;
}

/* In the container's mount namespace, whose root is ours then. What is no mount there, or another device than a mask, is left alone. */
static int set_flags_inside(const struct step *s) {
  u32 count, null = device_number(1, 3);
  char **paths = pointers(text(s, S_PATH_MOUNT_FLAGS_paths), length(s, S_PATH_MOUNT_FLAGS_paths), 0, &count);
  int pidfd = (int)TRY(SYS(pidfd_open, G.pid, 0));
  if (!paths) return -ENOMEM;
  TRY(SYS(setns, pidfd, CLONE_NEWNS));
  for (u32 i = 0; i < count; i++) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    struct statx st;
    int fd = (int)SYS(openat2, AT_FDCWD, paths[i], &how, sizeof how);
    if (fd == -ENOENT || fd == -ENOTDIR) continue;
    TRY(fd);
    TRY(stat_fd(fd, &st));
    int wanted = st.stx_attributes & STATX_ATTR_MOUNT_ROOT &&
      (!s->n[N_PATH_MOUNT_FLAGS_null] || (S_ISCHR(st.stx_mode) && device_number(st.stx_rdev_major, st.stx_rdev_minor) == null));
    if (wanted) TRY(set_attributes(fd, 0, s->n[N_PATH_MOUNT_FLAGS_attributes], 0, 0));
    RAW(close, fd);
  }
  return 0;
}

/*
 * CRIU forgets the flags of a mount when another one has the same source (its mounts are then taken for copies, and are not), and knows
 * only those that the container had where it was saved. Without read-only a mask gives the host's null device to root in the container.
 * Nothing of it runs yet.
 */
int op_path_mount_flags(const struct step *s) {
  int status = 0;
  long pid = TRY(fork_with(0, -1, NULL));
  if (pid == 0) {
    int result = set_flags_inside(s);
    RAW(exit_group, result < 0 ? -result : 0);
  }
  TRY(wait_child((int)pid, &status));
  where = W_mount_setattr;
  return (status & 0x7f) ? -ECHILD : -(status >> 8 & 0xff);
}
