/* The root: prepared while the host's tree is still there, then all that is left of it (S43, S44). */
#include "ops.h"

/* pivot_root needs parents that are not shared; the first mount root found going up is the parent (S43). The root, a clone of it,
   is private or a slave as the parent is. */
static int set_parent(int from, u64 propagation) {
  int fd = (int)TRY(SYS(openat, from, ".", O_PATH | O_CLOEXEC));
  for (int depth = 0; depth < 256; depth++) {
    int result = set_attributes(fd, 0, 0, 0, propagation);
    int up = result == -EINVAL ? (int)SYS(openat, fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    RAW(close, fd);
    if (result != -EINVAL) return result;
    fd = TRY(up);
  }
  RAW(close, fd);
  return -ELOOP;
}

int op_root_prepare(const struct step *s) {
  u32 propagation = s->n[N_ROOT_PREPARE_propagation];
  int host = (int)TRY(SYS(openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  TRY(set_attributes(host, propagation & MS_REC ? AT_RECURSIVE : 0, 0, 0, propagation & ~(u32)MS_REC));
  RAW(close, host);
  G.null = (int)TRY(SYS(openat, AT_FDCWD, "/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC));
  int root = (int)TRY(SYS(openat, AT_FDCWD, text(s, S_ROOT_PREPARE_path), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  TRY(set_parent(root, s->n[N_ROOT_PREPARE_parent]));
  self.root = (int)TRY(SYS(open_tree, root, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  TRY(attach(self.root, root));
  RAW(close, root);
  return 0;
}

/* The prepared root once more, at a place of the host's tree: what is mounted in the root later does not show there. */
int op_root_attach(const struct step *s) {
  int target = (int)TRY(SYS(openat, AT_FDCWD, text(s, S_ROOT_ATTACH_path), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  int root = (int)TRY(SYS(open_tree, self.root, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  int result = attach(root, target);
  RAW(close, target);
  RAW(close, root);
  return result;
}

/* Without a mount namespace of its own the container is only confined by chroot; the host's mounts stay as they are. */
int op_root_open(const struct step *s) {
  self.root = (int)TRY(SYS(openat, AT_FDCWD, text(s, S_ROOT_OPEN_path), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  TRY(SYS(fchdir, self.root));
  TRY(SYS(chroot, "."));
  return (int)TRY(SYS(chdir, "/"));
}

int op_root_pivot(const struct step *s) {
  struct mount_attr slave = {.propagation = MS_SLAVE};
  forget_kernel_mounts();
  int old = (int)TRY(SYS(openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  TRY(SYS(fchdir, self.root));
  TRY(SYS(pivot_root, ".", "."));
  TRY(SYS(fchdir, old));
  TRY(SYS(mount_setattr, old, "", AT_EMPTY_PATH | AT_RECURSIVE, &slave, sizeof slave));
  TRY(SYS(umount2, ".", MNT_DETACH));
  RAW(close, old);
  TRY(SYS(chdir, "/"));
  RAW(close, self.root);
  self.root = (int)TRY(SYS(openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  return 0;
}

int op_root_move(const struct step *s) {
  forget_kernel_mounts();
  TRY(SYS(fchdir, self.root));
  TRY(hide_host_mounts());
  int top = (int)TRY(SYS(openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  TRY(attach(self.root, top));
  RAW(close, top);
  TRY(SYS(fchdir, self.root));
  TRY(SYS(chroot, "."));
  return (int)TRY(SYS(chdir, "/"));
}

int op_root_readonly(const struct step *s) {
  struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
  return (int)SYS(mount_setattr, self.root, "", AT_EMPTY_PATH, &attr, sizeof attr);
}

int op_root_propagation(const struct step *s) {
  struct mount_attr attr = {.propagation = s->n[N_ROOT_PROPAGATION_propagation]};
  return (int)SYS(mount_setattr, self.root, "", AT_EMPTY_PATH | (s->n[N_ROOT_PROPAGATION_recursive] ? AT_RECURSIVE : 0), &attr, sizeof attr);
}
