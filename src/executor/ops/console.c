/* The container's terminal and what its standard streams may be. */
#include "ops.h"

/* Of the caller's terminal, whichever stream that is; untouched without one. */
int caller_size(struct terminal_size *size) {
  for (int fd = 0; fd < 3; fd++)
    if (RAW(ioctl, fd, TIOCGWINSZ, size) >= 0) return 0;
  return -1;
}

int check_null_device(int fd) {
  struct statx st;
  TRY(stat_fd(fd, &st));
  return shows_null_device(&st) ? 0 : -ENODEV;
}

static int is_null_device(int fd) { return check_null_device(fd) == 0; }

/* /dev/pts/ptmx of the container's devpts and nothing else (CVE-2025-52565, S17). */
static int open_ptmx(void) {
  struct statfs_now fs;
  struct statx st;
  int probe = TRY(resolve("/dev/pts/ptmx", O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS));
  int result = (int)SYS(fstatfs, probe, &fs);
  if (result >= 0) result = stat_fd(probe, &st);
  if (result >= 0 && (fs.type != DEVPTS_SUPER_MAGIC || st.stx_ino != 2 || st.stx_rdev_major != 5 || st.stx_rdev_minor != 2)) result = -ENXIO;
  RAW(close, probe);
  TRY(result);
  int master = TRY(resolve("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW, RESOLVE_NO_SYMLINKS));
  TRY(SYS(fstatfs, master, &fs));
  return fs.type == DEVPTS_SUPER_MAGIC ? master : -ENXIO;
}

/* The runtime's own tree is trusted, and /dev/pts/ptmx is nobody's to open there; but a terminal is what it has to be. */
static int open_host_ptmx(void) {
  struct statx st;
  int master = (int)TRY(SYS(openat, AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
  int result = stat_fd(master, &st);
  if (result >= 0 && (!S_ISCHR(st.stx_mode) || st.stx_rdev_minor != 2 || st.stx_rdev_major != 5)) result = -ENXIO;
  return result < 0 ? RAW(close, master), result : master;
}

static int bind_console(int peer) {
  int clone = (int)TRY(SYS(open_tree, peer, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  int target = make_target("/dev/console", 0, MOUNT_NO_TARGET_LINK | MOUNT_MADE_DIRECTLY), result = target;
  if (target >= 0) result = attach(clone, target);
  if (target >= 0) RAW(close, target);
  RAW(close, clone);
  return result;
}

static int send_master(int to, int master) {
  struct record r = {.kind = KIND_MASTER};
  return to < 0 ? send_record(G.socket, &r, master) : give_descriptor(to, "/dev/ptmx", 9, master);
}

/* Output that goes into a file or a pipe has lines as the program writes them, as with runc, which people's scripts count on. */
static void plain_lines(int peer) {
  struct termios terminal;
  if (RAW(ioctl, 1, TCGETS, &terminal) >= 0 || RAW(ioctl, peer, TCGETS, &terminal) < 0) return;
  terminal.c_oflag &= ~(u32)ONLCR;
  RAW(ioctl, peer, TCSETS, &terminal);
}

int op_console_open(const struct step *s) {
  int unlock = 0;
  struct terminal_size size = {(u16)s->n[N_CONSOLE_OPEN_rows], (u16)s->n[N_CONSOLE_OPEN_columns], 0, 0};
  int master = TRY(s->n[N_CONSOLE_OPEN_flags] & CONSOLE_HOST ? open_host_ptmx() : open_ptmx());
  TRY(SYS(ioctl, master, TIOCSPTLCK, &unlock));
  int peer = (int)TRY(SYS(ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!size.rows && !size.columns && slot(s->n[N_CONSOLE_OPEN_slot]) < 0) caller_size(&size); /* a foreground run's */
  if (size.rows || size.columns) TRY(SYS(ioctl, master, TIOCSWINSZ, &size));
  if (slot(s->n[N_CONSOLE_OPEN_slot]) < 0) plain_lines(peer);
  if (s->n[N_CONSOLE_OPEN_uid]) TRY(SYS(fchownat, peer, "", s->n[N_CONSOLE_OPEN_uid], NONE, AT_EMPTY_PATH));
  if (s->n[N_CONSOLE_OPEN_flags] & CONSOLE_BIND) TRY(bind_console(peer));
  TRY(send_master(slot(s->n[N_CONSOLE_OPEN_slot]), master));
  RAW(close, master);
  if (!(s->n[N_CONSOLE_OPEN_flags] & CONSOLE_HAND_OVER)) TRY(SYS(ioctl, peer, TIOCSCTTY, 0));
  for (int fd = 0; fd < 3; fd++) TRY(SYS(dup3, peer, fd, 0));
  RAW(close, peer);
  return 0;
}

/* So that a process that is not root can open /dev/stdout again. Never the null device, nor a file that it is only to read:
   those are the host's (S10; `run </etc/shadow` under runc or crun gives the file away). */
int op_stdio_own(const struct step *s) {
  struct statx st;
  for (int fd = 0; fd < 3; fd++) {
    if (is_null_device(fd) || stat_fd(fd, &st) < 0 || st.stx_uid == s->n[N_STDIO_OWN_uid]) continue;
    if (S_ISREG(st.stx_mode) && (RAW(fcntl, fd, F_GETFL) & O_ACCMODE) == O_RDONLY) continue;
    long result = SYS(fchownat, fd, "", s->n[N_STDIO_OWN_uid], NONE, AT_EMPTY_PATH);
    if (result < 0 && result != -EPERM && result != -EROFS && result != -EINVAL && result != -EACCES && result != -EIO) return (int)result;
  }
  return 0;
}

/* The container's null device, if that is one (CVE-2026-88265, S11). */
static int open_null(void) {
  int probe = (int)TRY(resolve("/dev/null", O_PATH | O_NOFOLLOW, 0)), sound = check_null_device(probe);
  RAW(close, probe);
  TRY(sound);
  int fd = TRY(resolve("/dev/null", O_RDWR | O_NOFOLLOW | O_NOCTTY, 0));
  if (!is_null_device(fd)) return RAW(close, fd), -ENODEV;
  return fd;
}

/* One that nobody else has. In a user namespace nobody may make it; but there nobody owns the host's either. */
static int make_null(void) {
  int context = (int)TRY(SYS(fsopen, "tmpfs", FSOPEN_CLOEXEC)), mount = (int)SYS(fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  if (mount >= 0) mount = (int)SYS(fsmount, context, FSMOUNT_CLOEXEC, 0);
  RAW(close, context);
  TRY(mount);
  int fd = (int)SYS(mknodat, mount, "null", S_IFCHR | 0666, 1 << 8 | 3);
  if (fd >= 0) fd = (int)SYS(openat, mount, "null", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  RAW(close, mount);
  return fd;
}

/*
 * A stream that is the host's null device becomes another one: root of the container could change mode and owner of that inode
 * through the descriptor (S10). An image or a process inside may have taken the container's away, or exchanged it.
 */
int op_stdio_null(const struct step *s) {
  int fd = -1;
  for (int stream = 0; stream < 3; stream++) {
    if (!is_null_device(stream)) continue;
    if (fd < 0) fd = open_null();
    if (fd < 0) fd = make_null();
    if (fd < 0) return 0;
    TRY(SYS(dup3, fd, stream, 0));
  }
  if (fd >= 0) RAW(close, fd);
  return 0;
}
