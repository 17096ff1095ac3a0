/* One operation of the plan. Small ones are here, the others in the file of their subject. */
#include "sys.h"

int high(long fd);
int run_helper(const struct step *s);

static void proc_path(char *path, usize size, const char *file) {
  char digits[24];
  char *at = append(append(path, path + size, "/proc/"), path + size, number_to_text(digits + sizeof digits, (u64)child()));
  append(append(at, path + size, "/"), path + size, file);
}

/* Whether somebody but the host needs the environment of the caller. */
static int inside_hooks(void) {
  for (u32 i = G.step; i < G.count; i++)
    if (G.steps[i].op == OP_HOOK_RUN && G.steps[i].role != ROLE_HOST && G.steps[i].n[N_HOOK_RUN_flags] & HOOK_CALLERS_ENVIRONMENT) return 1;
  return 0;
}

/* A new process, which has what its maker had but for the maker's role. */
static void be_born(const struct step *s, int from_joiner, int parent_end, int child_end) {
  u32 next = G.step + 1;
  if (!from_joiner) {
    RAW(close, parent_end);
    RAW(close, G.signals);
    G.socket = child_end, G.signals = -1;
    reset_signals();
    if (!inside_hooks()) forget_environment();
    RAW(umask, 0); /* modes of nodes and mount points are the plan's, not the caller's */
  }
  G.role = s->n[N_CHILD_CREATE_asJoiner] ? ROLE_JOINER : ROLE_INIT;
  trace_born();
  child_main(next, !from_joiner || next == G.count || G.steps[next].role != G.role || G.full != NONE);
}

/* A joiner's last act. Unknown to the host its child would wait for ever, and the host for it. */
static void name_child(long pid) {
  struct record r = {.kind = KIND_CHILD, .step = G.step, .value = (int)pid};
  trace_done(TRACE_STEP, G.step, 0);
  if (send_record(G.socket, &r, -1) < 0) RAW(kill, pid, 9), RAW(exit_group, 1);
  RAW(exit_group, 0);
}

/* A cgroup without room for another process lets an exec in all the same, as with runc: it is born outside, and moved. */
static long bear_outside(const struct step *s, u64 flags, int *pidfd) {
  struct record full = {.kind = KIND_FULL, .step = G.step};
  if (G.full != NONE || (G.role == ROLE_HOST && !s->n[N_CHILD_CREATE_asJoiner])) return -EAGAIN;
  G.full = s->n[G.role == ROLE_HOST ? N_CHILD_CREATE_cgroupSlot : N_CHILD_CREATE_fullSlot];
  if (G.full == NONE) return -EAGAIN;
  if (G.role == ROLE_JOINER && send_record(G.socket, &full, -1) < 0) return -EAGAIN;
  if (G.role == ROLE_JOINER) child_waits(0);
  return fork_with(flags, -1, pidfd);
}

static int op_child_create(const struct step *s) {
  int pair[2] = {-1, -1}, pidfd = -1, cgroup = slot(s->n[N_CHILD_CREATE_cgroupSlot]), from_joiner = G.role == ROLE_JOINER;
  int *wanted = from_joiner ? NULL : &pidfd;
  u64 flags = s->n[N_CHILD_CREATE_namespaces] | (from_joiner ? CLONE_PARENT : 0);
  if (!from_joiner) {
    TRY(SYS(socketpair, 1, 5 /* SOCK_SEQPACKET */ | O_CLOEXEC, 0, pair));
    pair[0] = high(pair[0]), pair[1] = high(pair[1]);
  }
  /* Without privileges the host may only write our id maps while we count as dumpable; nobody hostile is near yet. Unlike
     with a joiner, which is nobody in the user namespace it has entered: its child is seen there at once (S22). */
  int shown = !G.filtered && RAW(geteuid) != 0 && (!from_joiner || flags & CLONE_NEWUSER);
  if (shown) RAW(prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
  long pid = fork_with(flags, cgroup, wanted);
  if (pid == -EAGAIN) pid = bear_outside(s, flags, wanted);
  if (pid == 0) be_born(s, from_joiner, pair[0], pair[1]);
  if (shown) RAW(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (pid < 0) return RAW(close, pair[0]), RAW(close, pair[1]), (int)pid;
  if (from_joiner) name_child(pid);
  RAW(close, pair[1]);
  G.socket = pair[0];
  G.pidfd = high(pidfd);
  *(s->n[N_CHILD_CREATE_asJoiner] ? &G.joiner : &G.pid) = (int)pid;
  return 0;
}

static int op_write_proc(const struct step *s) {
  char path[256];
  proc_path(path, sizeof path, text(s, S_CHILD_WRITE_PROC_file));
  return write_file(AT_FDCWD, path, text(s, S_CHILD_WRITE_PROC_value), length(s, S_CHILD_WRITE_PROC_value));
}

static int op_join(const struct step *s) {
  int fd = (int)TRY(SYS(openat, AT_FDCWD, text(s, S_NS_JOIN_path), O_RDONLY | O_CLOEXEC));
  long result = SYS(setns, fd, s->n[N_NS_JOIN_type]);
  RAW(close, fd);
  return (int)result;
}

static int op_process_open(const struct step *s) {
  int fd = TRY(open_process(s->n[N_PROCESS_OPEN_pid], wide(s, N_PROCESS_OPEN_startTime)));
  if (s->n[N_PROCESS_OPEN_slot] >= ARRAY(G.slots)) return -EBADF;
  G.slots[s->n[N_PROCESS_OPEN_slot]] = high(fd);
  G.target = s->n[N_PROCESS_OPEN_pid];
  return 0;
}

/* setns(2) takes other credentials, and with them what dumpable stands at by default: see S22. */
static int op_join_process(const struct step *s) {
  int result = (int)SYS(setns, slot(s->n[N_NS_JOIN_PROCESS_slot]), s->n[N_NS_JOIN_PROCESS_types]);
  if (result == -ESRCH) result = join_through_threads(G.target, s->n[N_NS_JOIN_PROCESS_types]);
  TRY(result);
  return (int)SYS(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int op_become_root(void) {
  TRY(SYS(setresgid, 0, 0, 0));
  TRY(SYS(setresuid, 0, 0, 0));
  return (int)SYS(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int op_time_offsets(const struct step *s) {
  TRY(SYS(unshare, CLONE_NEWTIME));
  if (!length(s, S_SELF_TIME_OFFSETS_value)) return 0;
  return write_file(AT_FDCWD, "/proc/self/timens_offsets", text(s, S_SELF_TIME_OFFSETS_value), length(s, S_SELF_TIME_OFFSETS_value));
}

static int op_fifo(const struct step *s) {
  const char *path = text(s, S_FIFO_MAKE_path);
  TRY(SYS(mknodat, AT_FDCWD, path, 0010000 | s->n[N_FIFO_MAKE_mode], 0));
  int fd = (int)TRY(SYS(openat, AT_FDCWD, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (s->n[N_FIFO_MAKE_slot] >= ARRAY(G.slots)) return -EBADF;
  G.slots[s->n[N_FIFO_MAKE_slot]] = high(fd);
  return 0;
}

static int op_keyring(const struct step *s) {
  int ring = (int)TRY(SYS(keyctl, KEYCTL_JOIN_SESSION_KEYRING, text(s, S_KEYRING_JOIN_name)));
  /* possessor all, and search for others of this user: exec joins it by name */
  long got = RAW(keyctl, KEYCTL_SETPERM, ring, 0x3f000000 | 0x00080000);
  return got < 0 && got != -EACCES ? (int)got : 0;
}

/* A new network namespace has a loopback that is down; every payload expects 127.0.0.1 (runc, crun). */
static int op_loopback(void) {
  struct { char name[16]; short flags; char rest[22]; } request = {.name = "lo"};
  int fd = (int)TRY(SYS(socket, 2 /* AF_INET */, 2 | O_CLOEXEC /* SOCK_DGRAM */, 0));
  long result = SYS(ioctl, fd, 0x8913 /* SIOCGIFFLAGS */, &request);
  request.flags |= 1; /* IFF_UP */
  if (result >= 0) result = SYS(ioctl, fd, 0x8914 /* SIOCSIFFLAGS */, &request);
  int at = where;
  RAW(close, fd);
  where = at;
  return (int)result;
}

/* The same for a process that others have made: in its network namespace for a moment. */
static int op_child_loopback(void) {
  char path[64];
  int own = (int)TRY(SYS(openat, AT_FDCWD, "/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  proc_path(path, sizeof path, "ns/net");
  int theirs = (int)SYS(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  int result = theirs < 0 ? theirs : (int)SYS(setns, theirs, CLONE_NEWNET);
  if (theirs >= 0) RAW(close, theirs);
  if (result >= 0) {
    result = op_loopback();
    int back = (int)SYS(setns, own, CLONE_NEWNET);
    if (result >= 0) result = back;
  }
  RAW(close, own);
  return result;
}

/* Without a mask: all there are, of which the kernel takes those of the cpuset. */
static int op_affinity(const char *mask, u32 size) {
  char all[1024]; /* 8192 CPUs are the most that the kernel can be built for */
  if (!size) mask = memset(all, 0xff, sizeof all), size = sizeof all;
  return (int)SYS(sched_setaffinity, 0, size, mask);
}

/* `raise`: only the ceiling, and only up; the process itself then has what is to be. */
static int op_child_rlimit(const struct step *s) {
  u32 resource = s->n[N_CHILD_RLIMIT_resource];
  struct rlimit64 limit = {wide(s, N_CHILD_RLIMIT_soft), wide(s, N_CHILD_RLIMIT_hard)}, now;
  if (s->n[N_CHILD_RLIMIT_raise]) {
    TRY(SYS(prlimit64, child(), resource, NULL, &now));
    if (limit.rlim_max <= now.rlim_max) return 0;
    limit.rlim_cur = limit.rlim_max;
  }
  return (int)SYS(prlimit64, child(), resource, &limit, NULL);
}

static int op_own_rlimit(const struct step *s) {
  struct rlimit64 limit = {wide(s, N_PROCESS_RLIMIT_soft), wide(s, N_PROCESS_RLIMIT_hard)};
  return (int)SYS(prlimit64, 0, s->n[N_PROCESS_RLIMIT_resource], &limit, NULL);
}

/* A terminal that was opened for it becomes the session's. */
static int op_session(const struct step *s) {
  TRY(SYS(setsid));
  return s->n[N_SESSION_START_terminal] ? (int)SYS(ioctl, 0, TIOCSCTTY, 0) : 0;
}

static int op_process_small(const struct step *s) {
  switch (s->op) {
    case OP_PROCESS_PERSONALITY: return (int)SYS(personality, s->n[0]);
    case OP_PROCESS_SCHEDULER: return (int)SYS(sched_setattr, G.role == ROLE_HOST ? child() : 0, text(s, 0), 0);
    case OP_PROCESS_IO_PRIORITY: return (int)SYS(ioprio_set, 1, 0, s->n[0]);
    case OP_PROCESS_AFFINITY: return op_affinity(text(s, S_PROCESS_AFFINITY_mask), length(s, S_PROCESS_AFFINITY_mask));
    case OP_PROCESS_MEMORY_POLICY: return (int)SYS(set_mempolicy, s->n[0], length(s, 0) ? text(s, 0) : NULL, s->n[1]);
    case OP_PROCESS_UMASK: return SYS(umask, s->n[0]), 0;
    case OP_PROCESS_NO_NEW_PRIVILEGES: return (int)SYS(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    case OP_PROCESS_GROUPS: return (int)SYS(setgroups, length(s, 0) / 4, text(s, 0));
    case OP_PROCESS_USER: return op_user(s);
    case OP_PROCESS_BOUNDING: return op_bounding(wide(s, 0));
    case OP_PROCESS_CAPABILITIES: return op_capabilities(s);
    case OP_PROCESS_EFFECTIVE: return op_effective(wide(s, 0));
    case OP_PROCESS_AMBIENT: return op_ambient(wide(s, 0));
    case OP_PROCESS_LABEL: return op_label(s);
    case OP_PROCESS_DIRECTORY: return op_directory(s);
    case OP_PROCESS_SECCOMP: return op_seccomp(s);
    case OP_PROCESS_HOME: return op_home(s);
    case OP_PROCESS_FIND: return op_find(s);
    case OP_PROCESS_CLOSE_FDS: return op_close_fds();
    case OP_PROCESS_END_ON: return op_end_on(wide(s, 0));
    case OP_PROCESS_RLIMIT: return op_own_rlimit(s);
    case OP_PROCESS_WAIT_START: return op_wait_start(s);
    case OP_PROCESS_EXEC: return op_exec(s);
  }
  return -ENOSYS;
}

static int op_inside(const struct step *s) {
  switch (s->op) {
    case OP_SESSION_START: return op_session(s);
    case OP_NET_LOOPBACK_UP: return op_loopback();
    case OP_KEYRING_JOIN: return op_keyring(s);
    case OP_ROOT_PREPARE: return op_root_prepare(s);
    case OP_ROOT_PIVOT: return op_root_pivot();
    case OP_ROOT_MOVE: return op_root_move();
    case OP_ROOT_ATTACH: return op_root_attach(s);
    case OP_ROOT_OPEN: return op_root_open(s);
    case OP_ROOT_READONLY: {
      struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
      return (int)SYS(mount_setattr, G.root, "", AT_EMPTY_PATH, &attr, sizeof attr);
    }
    case OP_ROOT_PROPAGATION: {
      struct mount_attr attr = {.propagation = s->n[0]};
      return (int)SYS(mount_setattr, G.root, "", AT_EMPTY_PATH | (s->n[1] ? AT_RECURSIVE : 0), &attr, sizeof attr);
    }
    case OP_MOUNT_FILESYSTEM: return op_mount_filesystem(s);
    case OP_MOUNT_BIND: return op_mount_bind(s);
    case OP_MOUNT_REMOUNT: return op_mount_remount(s);
    case OP_MOUNT_PROPAGATION: return op_mount_propagation(s);
    case OP_PATH_MKDIR: return (int)RAW(close, TRY(make_directories(text(s, 0), s->n[0])));
    case OP_PATH_SYMLINK: return op_symlink(s);
    case OP_DEVICE_MAKE: return op_device(s);
    case OP_PATH_MOUNT_FLAGS: return op_mount_flags(s);
    case OP_PATH_MASK: return op_mask(s);
    case OP_PATH_READONLY: return op_readonly(s);
    case OP_SYSCTL_WRITE: return op_sysctl(s);
    case OP_CONSOLE_OPEN: return op_console(s);
    case OP_STDIO_OWN: return op_stdio_own(s);
    case OP_STDIO_NULL: return op_stdio_null();
    case OP_HOST_NAME: return (int)SYS(sethostname, text(s, 0), length(s, 0));
    case OP_HOST_DOMAIN: return (int)SYS(setdomainname, text(s, 0), length(s, 0));
  }
  return op_process_small(s);
}

int perform(const struct step *s) {
  char digits[24];
  switch (s->op) {
    case OP_CGROUP_OPEN: return op_cgroup_open(s);
    case OP_CGROUP_WRITE: return op_cgroup_write(s, text(s, 0), text(s, 1), length(s, 1));
    case OP_CGROUP_JOIN: {
      char *pid = number_to_text(digits + sizeof digits, (u64)G.pid);
      return op_cgroup_write(s, "cgroup.procs", pid, str_length(pid));
    }
    case OP_CGROUP_ENTER: return op_cgroup_enter(s);
    case OP_CGROUP_DEVICES: return op_cgroup_devices(s);
    case OP_CGROUP_REMOVE: return op_cgroup_remove(s);
    case OP_CGROUP_OWN: return op_cgroup_own(s);
    case OP_CGROUP_SIGNAL: return op_cgroup_signal(s);
    case OP_CHILD_CREATE: return op_child_create(s);
    case OP_CHILD_WRITE_PROC: return op_write_proc(s);
    case OP_CHILD_RUN_HELPER: return run_helper(s);
    case OP_CHILD_RLIMIT: return op_child_rlimit(s);
    case OP_CHILD_LOOPBACK_UP: return op_child_loopback();
    case OP_CHILD_SUPERVISE: return op_supervise(s);
    case OP_SELF_TIME_OFFSETS: return op_time_offsets(s);
    case OP_SELF_DIRECTORY: return op_self_directory(s);
    case OP_SELF_SUBREAPER: return (int)SYS(prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    case OP_FILE_PUBLISH: return op_publish(s);
    case OP_STATE_OURS: return op_state_ours(s);
    case OP_FILE_REMOVE: return op_file_remove(s);
    case OP_EXPECT_FILE: return op_expect_file(s);
    case OP_EXPECT_LINK: return op_expect_link(s);
    case OP_EXPECT_NAMESPACES: return op_expect_namespaces(s);
    case OP_EXPECT_ENDED: return op_expect_ended(s);
    case OP_START_CLAIM: return op_start_claim(s);
    case OP_START_RELEASE: return op_start_release(s);
    case OP_STATE_REMOVE: return op_state_remove(s);
    case OP_PLAN_KEEP: return op_plan_keep(s);
    case OP_FIFO_MAKE: return op_fifo(s);
    case OP_SOCKET_CONNECT: return op_socket_connect(s);
    case OP_HOOK_RUN: return op_hook(s);
    case OP_DEVICE_OPEN: return op_device_open(s);
    case OP_SOURCE_OPEN: return op_source_open(s);
    case OP_NOTIFY_LISTEN: return op_notify_listen(s);
    case OP_NOTIFY_FORWARD: return op_notify_forward(s);
    case OP_SECCOMP_RECORD: return op_record(s);
    case OP_SECCOMP_RECORD_END: return op_record_end();
    case OP_SECCOMP_SEND_LISTENER: return op_send_listener(s);
    case OP_RESCTRL_MAKE: return (int)SYS(mkdirat, AT_FDCWD, text(s, 0), 0755);
    case OP_RESCTRL_WRITE: {
      const char *value = s->n[N_RESCTRL_WRITE_pid] ? number_to_text(digits + sizeof digits, (u64)G.pid) : text(s, S_RESCTRL_WRITE_value);
      return write_file(AT_FDCWD, text(s, S_RESCTRL_WRITE_path), value, str_length(value));
    }
    case OP_NET_DEVICE: return op_net_device(s);
    case OP_USERNS_MAKE: return op_userns_make(s);
    case OP_USERNS_OPEN: return op_userns_open(s);
    case OP_FILE_OPEN: return op_file_open(s);
    case OP_FILE_TELL: return op_file_tell(s);
    case OP_FILE_NOTE: return op_file_note(s);
    case OP_CRIU_EXEC: return op_criu_exec(s);
    case OP_CRIU_REQUEST: return op_criu_request(s);
    case OP_CRIU_UNTIL: return op_criu_until(s);
    case OP_PROCESS_SIGNAL: return op_process_signal(s);
    case OP_PROCESS_OPEN: return op_process_open(s);
    case OP_SOCKET_SEND_PIDFD: return send_descriptor(slot(s->n[0]), text(s, 0), length(s, 0), G.pidfd);
    case OP_PROCESS_WAIT: return op_process_wait(s);
    case OP_NS_JOIN: return op_join(s);
    case OP_NS_JOIN_PROCESS: return op_join_process(s);
    case OP_NS_BECOME_ROOT: return op_become_root();
    case OP_NS_UNSHARE: return (int)SYS(unshare, s->n[0]);
  }
  return op_inside(s);
}
