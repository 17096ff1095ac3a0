/* Mounts are built detached and attached to a descriptor; no path but the configuration's, resolved in-root (S01-S05). */
#include "ops.h"

/* The kernel cuts fsconfig values at 256 bytes (long overlay layers): those go through mount(2) on the target as ".". */
static int mount_long(const struct step *s, int target) {
  static char data[8192];
  u32 count;
  char **options = pointers(text(s, S_MOUNT_FILESYSTEM_options), length(s, S_MOUNT_FILESYSTEM_options), 0, &count);
  char *at = data;
  for (u32 i = 0; options && i < count; i++) {
    if (i) at = append(at, data + sizeof data, ",");
    at = append(at, data + sizeof data, options[i]);
  }
  if (!options || at + 1 >= data + sizeof data) return -E2BIG;
  int here = (int)TRY(SYS(openat, AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  int moved = (int)SYS(fchdir, target);
  /* What protects others is there from the start; nosuid, nodev and noexec have the same bits in both interfaces. */
  u32 attributes = s->n[N_MOUNT_FILESYSTEM_attributes], early = attributes & (MS_NOSUID | MS_NODEV | MS_NOEXEC);
  if (moved >= 0) moved = (int)SYS(mount, text(s, S_MOUNT_FILESYSTEM_source), ".", text(s, S_MOUNT_FILESYSTEM_type), early, data);
  int at_failure = where;
  RAW(fchdir, here);
  RAW(close, here);
  where = at_failure;
  TRY(moved);
  int mounted = resolve(text(s, S_MOUNT_FILESYSTEM_target), O_PATH, 0);
  TRY(mounted);
  struct statx below, above;
  int result = stat_fd(target, &below);
  if (result >= 0) result = stat_fd(mounted, &above);
  /* The path, looked up again, must lead onto the new mount: somebody may have put another directory there (S04). */
  if (result >= 0 && below.stx_mnt_id == above.stx_mnt_id) result = -EAGAIN;
  if (result >= 0) result = set_attributes(mounted, 0, attributes, 0, 0);
  RAW(close, mounted);
  return result;
}

static int too_long(const char *options, u32 size) {
  for (u32 at = 0; at < size; at += (u32)str_length(options + at) + 1)
    if (str_length(options + at) > 250) return 1;
  return 0;
}

/* What the kernel says of a file system that it does not make, "e tmpfs: Unknown parameter 'sise'": for the failure's text. */
static void hear_kernel(int context) {
  long got = RAW(read, context, G.failure.text, TEXT_LIMIT);
  G.failure.text_length = got > 0 ? (u32)got : 0;
}

#define MOUNT_COPIES ((u32)(MOUNT_COPY_UP | MOUNT_COPY_MODE))

static int build_filesystem(const struct step *s, u32 flags) {
  G.failure.text_length = 0;
  int context = (int)TRY(SYS(fsopen, text(s, S_MOUNT_FILESYSTEM_type), FSOPEN_CLOEXEC));
  int result = 0;
  if (length(s, S_MOUNT_FILESYSTEM_source)) result = (int)SYS(fsconfig, context, FSCONFIG_SET_STRING, "source", text(s, S_MOUNT_FILESYSTEM_source), 0);
  if (result >= 0) result = configure(context, text(s, S_MOUNT_FILESYSTEM_options), length(s, S_MOUNT_FILESYSTEM_options), 0);
  if (result >= 0) result = configure(context, text(s, S_MOUNT_FILESYSTEM_softOptions), length(s, S_MOUNT_FILESYSTEM_softOptions), 1);
  if (result >= 0) result = (int)SYS(fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  /* tmpcopyup and the mode are written into it first; read-only comes after */
  u32 attributes = s->n[N_MOUNT_FILESYSTEM_attributes];
  if (flags & MOUNT_COPIES) attributes &= ~(u32)MOUNT_ATTR_RDONLY;
  if (result >= 0) result = (int)SYS(fsmount, context, FSMOUNT_CLOEXEC, attributes);
  int at = where;
  if (result < 0) hear_kernel(context);
  RAW(close, context);
  where = at;
  return result;
}

int op_mount_filesystem(const struct step *s) {
  u32 flags = s->n[N_MOUNT_FILESYSTEM_flags], attributes = s->n[N_MOUNT_FILESYSTEM_attributes];
  if (flags & MOUNT_COPIES) { /* nothing there: nothing to copy, neither content nor mode */
    int there = resolve(text(s, S_MOUNT_FILESYSTEM_target), O_PATH, 0);
    if (there >= 0) RAW(close, there);
    else flags &= ~MOUNT_COPIES;
  }
  int target = TRY(make_target(text(s, S_MOUNT_FILESYSTEM_target), 1, flags));
  if (too_long(text(s, S_MOUNT_FILESYSTEM_options), length(s, S_MOUNT_FILESYSTEM_options))) {
    int result = mount_long(s, target);
    RAW(close, target);
    return result;
  }
  int mount = build_filesystem(s, flags), result = mount;
  if (mount >= 0 && flags & MOUNT_COPIES) {
    struct statx st;
    result = stat_fd(target, &st);
    int shadowed = result < 0 ? result : (int)SYS(openat, target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (shadowed < 0) result = shadowed;
    if (result >= 0 && flags & MOUNT_COPY_MODE) result = (int)SYS(fchmodat, mount, ".", st.stx_mode & 07777);
    if (result >= 0 && flags & MOUNT_COPY_UP) result = copy_tree(shadowed, mount, 0);
    if (shadowed >= 0) RAW(close, shadowed);
    if (result >= 0 && attributes & MOUNT_ATTR_RDONLY) result = set_attributes(mount, 0, MOUNT_ATTR_RDONLY, 0, 0);
  }
  if (result >= 0) result = attach(mount, target);
  if (result >= 0) note_kernel_mount(text(s, S_MOUNT_FILESYSTEM_target), mount);
  if (mount >= 0) RAW(close, mount);
  RAW(close, target);
  return result < 0 ? result : 0;
}

int op_mount_remount(const struct step *s) {
  int fd = TRY(resolve(text(s, S_MOUNT_REMOUNT_target), O_PATH, 0));
  int result = set_attributes(fd, AT_RECURSIVE, s->n[N_MOUNT_REMOUNT_recursiveSet], s->n[N_MOUNT_REMOUNT_recursiveClear], 0);
  if (result >= 0) result = set_attributes(fd, 0, s->n[N_MOUNT_REMOUNT_set], s->n[N_MOUNT_REMOUNT_clear], 0);
  if (result >= 0 && length(s, S_MOUNT_REMOUNT_options)) {
    int context = (int)SYS(fspick, fd, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
    result = context < 0 ? context : configure(context, text(s, S_MOUNT_REMOUNT_options), length(s, S_MOUNT_REMOUNT_options), 0);
    if (result >= 0) result = (int)SYS(fsconfig, context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
    if (context >= 0) RAW(close, context);
  }
  RAW(close, fd);
  return result < 0 ? result : 0;
}

int op_mount_propagation(const struct step *s) {
  int fd = TRY(resolve(text(s, S_MOUNT_PROPAGATION_target), O_PATH | (s->n[N_MOUNT_PROPAGATION_flags] & MOUNT_NO_TARGET_LINK ? O_NOFOLLOW : 0), 0));
  int result = set_attributes(fd, s->n[N_MOUNT_PROPAGATION_recursive] ? AT_RECURSIVE : 0, 0, 0, s->n[N_MOUNT_PROPAGATION_propagation]);
  RAW(close, fd);
  return result;
}
