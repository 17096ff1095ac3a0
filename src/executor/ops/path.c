/* Things made inside the root before the pivot: links, nodes, directories; and sysctl through a trusted procfs. */
#include "ops.h"

int op_path_symlink(const struct step *s) {
  char name[256];
  int parent = TRY(parent_of(text(s, S_PATH_SYMLINK_path), name, 1));
  long result = SYS(symlinkat, text(s, S_PATH_SYMLINK_target), parent, name);
  RAW(close, parent);
  return result == -EEXIST ? 0 : (int)result;
}

/* The node is opened again and must be what was asked for, be it ours or the image's (S10). */
int op_device_make(const struct step *s) {
  char name[256];
  struct statx st;
  u32 mode = s->n[N_DEVICE_MAKE_mode], major = s->n[N_DEVICE_MAKE_major], minor = s->n[N_DEVICE_MAKE_minor];
  int parent = TRY(parent_of(text(s, S_DEVICE_MAKE_path), name, 1));
  long made = SYS(mknodat, parent, name, mode, device_number(major, minor));
  if (made < 0 && made != -EEXIST) return RAW(close, parent), (int)made;
  int node = (int)SYS(openat, parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  int result = node < 0 ? node : stat_fd(node, &st);
  if (result >= 0 && ((st.stx_mode & S_IFMT) != (mode & S_IFMT) ||
      ((mode & S_IFMT) != S_IFIFO && (st.stx_rdev_major != major || st.stx_rdev_minor != minor)))) {
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

int op_sysctl_write(const struct step *s) {
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
