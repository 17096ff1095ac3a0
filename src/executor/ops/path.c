/* Things made inside the root before the pivot: links, nodes, directories; and sysctl through a trusted procfs. */
#include "ops.h"

int op_path_symlink(const struct step *s) {
  char name[256];
  int parent = TRY(parent_of(text(s, S_PATH_SYMLINK_path), name, 1));
  long result = SYS(symlinkat, text(s, S_PATH_SYMLINK_target), parent, name);
  RAW(close, parent);
  return result == -EEXIST ? 0 : (int)result;
}

/* `c 1:3 0666 0:0 /dev/null`: type and numbers, mode, owner, path. */
struct node { u32 mode, major, minor, uid, gid; const char *path; };

/* A number and what has to stand behind it. */
static int take_number(const char **at, u32 base, char behind, u32 *to) {
  u64 value = 0;
  const char *from = *at;
  for (; **at >= '0' && **at < (char)('0' + base) && value <= NONE; ++*at) value = value * base + (u64)(**at - '0');
  *to = (u32)value;
  return *at > from && value <= NONE && *(*at)++ == behind;
}

static int read_node(const char *at, struct node *n) {
  u32 type = *at == 'c' ? S_IFCHR : *at == 'b' ? S_IFBLK : *at == 'p' ? S_IFIFO : 0;
  if (!type || *++at != ' ') return 0;
  at++;
  if (!take_number(&at, 10, ':', &n->major) || !take_number(&at, 10, ' ', &n->minor) || !take_number(&at, 8, ' ', &n->mode)) return 0;
  if (!take_number(&at, 10, ':', &n->uid) || !take_number(&at, 10, ' ', &n->gid) || n->mode > 07777) return 0;
  n->mode |= type, n->path = at;
  return *at && str_length(at) <= 4095;
}

/* The node is opened again and must be what was asked for, be it ours or the image's (S10). */
static int make_node(const struct node *n, int parent, const char *name) {
  struct statx st;
  long made = SYS(mknodat, parent, name, n->mode, device_number(n->major, n->minor));
  if (made < 0 && made != -EEXIST) return (int)made;
  int node = (int)SYS(openat, parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  int result = node < 0 ? node : stat_fd(node, &st);
  if (result >= 0 && ((st.stx_mode & S_IFMT) != (n->mode & S_IFMT) ||
      ((n->mode & S_IFMT) != S_IFIFO && (st.stx_rdev_major != n->major || st.stx_rdev_minor != n->minor)))) {
    where = W_mknodat;
    result = -EEXIST;
  }
  if (result >= 0 && made == 0) result = (int)SYS(fchownat, node, "", n->uid, n->gid, AT_EMPTY_PATH);
  if (node >= 0) RAW(close, node);
  return result < 0 ? result : 0;
}

/* How long the part of a path is that names the directory. */
static usize directory_length(const char *path) {
  usize length = str_length(path);
  while (length && path[length - 1] != '/') length--;
  return length;
}

static int is_dots(const char *name) { return str_equal(name, ".") || str_equal(name, ".."); }

/* Those that follow each other in one directory find it open. */
int op_device_make(const struct step *s) {
  char name[256];
  const char *opened = "";
  int parent = -1, result = 0;
  for EACH (row, s, S_DEVICE_MAKE_nodes) {
    struct node n;
    if (!read_node(row, &n)) {
      result = -EINVAL, where = W_plan;
      break;
    }
    usize length = directory_length(n.path), rest = str_length(n.path) - length;
    int same = parent >= 0 && rest && rest < sizeof name && length == directory_length(opened) && !memcmp(opened, n.path, length) && !is_dots(n.path + length);
    if (same) {
      memcpy(name, n.path + length, rest + 1);
    } else {
      if (parent >= 0) RAW(close, parent);
      if ((result = parent = parent_of(n.path, name, 1)) < 0) return result;
      opened = n.path;
    }
    if ((result = make_node(&n, parent, name)) < 0) break;
  }
  if (parent >= 0) RAW(close, parent);
  return result;
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
