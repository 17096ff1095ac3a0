/* Steps of the host: cgroups, published files, other processes. */
#include "sys.h"

static long read_small(int dir, const char *name, char *buffer, usize size) {
  int fd = (int)TRY(SYS(openat, dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  long got = SYS(read, fd, buffer, size - 1);
  RAW(close, fd);
  buffer[got < 0 ? 0 : got] = 0;
  return got;
}

/* A v1 cpuset is born empty and takes nobody; it gets its parent's lists where it has none. */
static int inherit_cpuset(int parent, int child) {
  static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
  char list[4096];
  for (u32 i = 0; i < ARRAY(files); i++) {
    if (TRY(read_small(child, files[i], list, sizeof list)) > 1) continue;
    long size = TRY(read_small(parent, files[i], list, sizeof list));
    TRY(write_file(child, files[i], list, (usize)size));
  }
  return 0;
}

static void enable_controllers(int dir, const char *controllers, u32 size) {
  for (u32 at = 0; at < size; at += (u32)str_length(controllers + at) + 1)
    write_file(dir, "cgroup.subtree_control", controllers + at, str_length(controllers + at));
}

static int enter_component(const struct step *s, int parent, const char *name) {
  enable_controllers(parent, text(s, S_CGROUP_OPEN_controllers), length(s, S_CGROUP_OPEN_controllers));
  long made = s->n[N_CGROUP_OPEN_flags] & 4 ? 0 : SYS(mkdirat, parent, name, 0755); /* 4: it has to be there */
  if (made < 0 && made != -EEXIST) return (int)made;
  int child = (int)TRY(SYS(openat, parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (s->n[N_CGROUP_OPEN_flags] & 1) TRY(inherit_cpuset(parent, child));
  return child;
}

/* Walks down from the hierarchy's mount point, which must be a cgroup file system, making what is missing (S31). */
int op_cgroup_open(const struct step *s) {
  struct statfs_now { long type, rest[31]; } fs;
  char name[256], some[8];
  int fd = (int)TRY(SYS(openat, AT_FDCWD, text(s, S_CGROUP_OPEN_root), O_PATH | O_DIRECTORY | O_CLOEXEC));
  TRY(SYS(fstatfs, fd, &fs));
  if (fs.type != (s->n[N_CGROUP_OPEN_version] == 2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC)) return -EXDEV;
  for (const char *at = text(s, S_CGROUP_OPEN_path); *at;) {
    usize size = 0;
    while (at[size] && at[size] != '/') size++;
    if (size == 0 || size > 255 || (at[0] == '.' && (size == 1 || (size == 2 && at[1] == '.')))) return -EINVAL;
    memcpy(name, at, size);
    name[size] = 0;
    int next = enter_component(s, fd, name);
    RAW(close, fd);
    fd = TRY(next);
    at += size;
    while (*at == '/') at++;
  }
  if (s->n[N_CGROUP_OPEN_flags] & 2 && read_small(fd, "cgroup.procs", some, sizeof some) > 0) return RAW(close, fd), -EBUSY;
  if (s->n[N_CGROUP_OPEN_slot] >= ARRAY(G.slots)) return -EBADF;
  G.slots[s->n[N_CGROUP_OPEN_slot]] = fd;
  return 0;
}

int op_cgroup_write(const struct step *s, const char *file, const char *value, usize size) {
  return write_file(slot(s->n[0]), file, value, size);
}

/* Who moves itself, and only its one thread, needs not wait for everybody else's forks: a millisecond and more each time. */
int op_cgroup_enter(const struct step *s) {
  u32 at = s->n[N_CGROUP_ENTER_slot];
  int dir = slot(at), result = write_file(dir, text(s, S_CGROUP_ENTER_file), "0", 1), failed = where;
  if (dir >= 0) RAW(close, dir), G.slots[at] = -1; /* nothing of the host's goes further than it must (S24) */
  where = failed;
  return result;
}

/* bpf(2) always gets a full, zeroed attribute: kernels 6.17 to 7.1 write past a short one (S35). */
union bpf_attr_own {
  struct { u32 type, instructions_count; u64 instructions, license; u32 log_level, log_size; u64 log; u32 version, flags; char name[16]; } load;
  struct { u32 target, program, type, flags, replace; } attach;
  u64 whole[32];
};

int op_cgroup_devices(const struct step *s) {
  union bpf_attr_own attr = {.whole = {0}};
  attr.load.type = 15; /* BPF_PROG_TYPE_CGROUP_DEVICE */
  attr.load.instructions = (u64)(usize)text(s, S_CGROUP_DEVICES_program);
  attr.load.instructions_count = length(s, S_CGROUP_DEVICES_program) / 8;
  attr.load.license = (u64)(usize)"Apache-2.0";
  int program = (int)TRY(SYS(bpf, 5, &attr, sizeof attr));
  union bpf_attr_own link = {.whole = {0}};
  link.attach.target = (u32)slot(s->n[N_CGROUP_DEVICES_slot]);
  link.attach.program = (u32)program;
  link.attach.type = 6;  /* BPF_CGROUP_DEVICE */
  link.attach.flags = 2; /* BPF_F_ALLOW_MULTI, as systemd and runc attach theirs */
  long result = SYS(bpf, 8, &link, sizeof link);
  RAW(close, program);
  return result < 0 ? (int)result : 0;
}

int op_cgroup_own(const struct step *s) {
  int dir = slot(s->n[N_CGROUP_OWN_slot]);
  const char *files = text(s, S_CGROUP_OWN_files);
  TRY(SYS(fchownat, dir, "", s->n[N_CGROUP_OWN_uid], NONE, AT_EMPTY_PATH));
  for (u32 at = 0; at < length(s, S_CGROUP_OWN_files); at += (u32)str_length(files + at) + 1) {
    long result = SYS(fchownat, dir, files + at, s->n[N_CGROUP_OWN_uid], NONE, AT_SYMLINK_NOFOLLOW);
    if (result < 0 && result != -ENOENT) return (int)result;
  }
  return 0;
}

/* rmdir with patience: a zombie or a dying task keeps a cgroup busy for a moment (R17). */
int op_cgroup_remove(const struct step *s) {
  int root = (int)SYS(openat, AT_FDCWD, text(s, S_CGROUP_REMOVE_root), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root == -ENOENT) return 0;
  TRY(root);
  long result = -EBUSY, pause = 200000;
  for (int i = 0; i < 12 && result == -EBUSY; i++) {
    result = SYS(unlinkat, root, text(s, S_CGROUP_REMOVE_path), 0x200 /* AT_REMOVEDIR */);
    struct timespec time = {0, pause};
    if (result == -EBUSY) RAW(nanosleep, &time, NULL), pause *= 2;
    where = W_unlinkat;
    if (pause > 200000000) pause = 200000000;
  }
  RAW(close, root);
  return result == -ENOENT ? 0 : (int)result;
}

/* Field 22 of /proc/<pid>/stat, behind the last ')' of the name; 0 when there is no such process or it is a zombie. */
u64 start_time(int pid) {
  char path[40], digits[24], stat[1024];
  append(append(append(path, path + 40, "/proc/"), path + 40, number_to_text(digits + 24, (u64)pid)), path + 40, "/stat");
  long got = read_small(AT_FDCWD, path, stat, sizeof stat);
  if (got <= 0) return 0;
  char *at = stat + got;
  while (at > stat && *at != ')') at--;
  if (at == stat || at[2] == 'Z' || at[2] == 'X') return 0;
  u64 value = 0;
  for (int field = 2; *at && field < 22; at++)
    if (*at == ' ') field++;
  for (; *at >= '0' && *at <= '9'; at++) value = value * 10 + (u64)(*at - '0');
  return value;
}

static int write_all(int fd, const char *data, usize size) {
  while (size) {
    long got = SYS(write, fd, data, size);
    if (got == -EINTR) continue;
    TRY(got);
    data += got, size -= (usize)got;
  }
  return 0;
}

static int write_parts(const struct step *s, int fd) {
  char digits[24];
  TRY(write_all(fd, text(s, S_FILE_PUBLISH_before), length(s, S_FILE_PUBLISH_before)));
  char *pid = number_to_text(digits + sizeof digits, (u64)G.pid);
  TRY(write_all(fd, pid, str_length(pid)));
  if (!length(s, S_FILE_PUBLISH_between) && !length(s, S_FILE_PUBLISH_after)) return 0;
  TRY(write_all(fd, text(s, S_FILE_PUBLISH_between), length(s, S_FILE_PUBLISH_between)));
  char *start = number_to_text(digits + sizeof digits, start_time(G.pid));
  TRY(write_all(fd, start, str_length(start)));
  return write_all(fd, text(s, S_FILE_PUBLISH_after), length(s, S_FILE_PUBLISH_after));
}

/* A reader sees the old file or the whole new one. */
int op_publish(const struct step *s) {
  static char temporary[4300];
  const char *path = text(s, S_FILE_PUBLISH_path);
  usize cut = str_length(path);
  while (cut > 0 && path[cut - 1] != '/') cut--;
  memcpy(temporary, path, cut);
  temporary[cut] = '.';
  append(append(temporary + cut + 1, temporary + sizeof temporary, path + cut), temporary + sizeof temporary, ".tsrun");
  long fd = 0;
  for (int i = 0; i < 2; i++) {
    fd = SYS(openat, AT_FDCWD, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, s->n[N_FILE_PUBLISH_mode]);
    if (fd != -EEXIST) break;
    RAW(unlinkat, AT_FDCWD, temporary, 0);
  }
  TRY(fd);
  int result = write_parts(s, (int)fd);
  RAW(close, fd);
  if (result >= 0) result = (int)SYS(renameat2, AT_FDCWD, temporary, AT_FDCWD, path, 0);
  int at = where;
  if (result < 0) RAW(unlinkat, AT_FDCWD, temporary, 0);
  where = at;
  return result;
}

int op_file_remove(const struct step *s) {
  const char *names = text(s, S_FILE_REMOVE_names);
  int dir = (int)TRY(SYS(openat, AT_FDCWD, text(s, S_FILE_REMOVE_directory), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  for (u32 at = 0; at < length(s, S_FILE_REMOVE_names); at += (u32)str_length(names + at) + 1) RAW(unlinkat, dir, names + at, 0);
  RAW(close, dir);
  return (int)SYS(unlinkat, AT_FDCWD, text(s, S_FILE_REMOVE_directory), 0x200);
}

/* The descriptor first, the comparison after: a recycled pid is never signalled (R21). */
int open_process(u32 pid, u64 start) {
  int fd = (int)SYS(pidfd_open, pid, 0);
  if (fd == -EINVAL) return -ESRCH;
  TRY(fd);
  if (start && start_time((int)pid) != start) return RAW(close, fd), -ESRCH;
  return fd;
}

int op_process_signal(const struct step *s) {
  int fd = TRY(open_process(s->n[N_PROCESS_SIGNAL_pid], wide(s, N_PROCESS_SIGNAL_startTime)));
  long result = SYS(pidfd_send_signal, fd, s->n[N_PROCESS_SIGNAL_signal], NULL, 0);
  RAW(close, fd);
  return (int)result;
}

int op_process_wait(const struct step *s) {
  int fd = open_process(s->n[N_PROCESS_WAIT_pid], wide(s, N_PROCESS_WAIT_startTime));
  if (fd == -ESRCH) return 0;
  TRY(fd);
  int ready = wait_readable(fd, -1, (int)s->n[N_PROCESS_WAIT_timeoutMs]);
  RAW(close, fd);
  return ready == 0 ? -ETIMEDOUT : ready < 0 ? ready : 0;
}

int op_socket_connect(const struct step *s) {
  struct sockaddr_un address = {.sun_family = 1};
  const char *path = text(s, S_SOCKET_CONNECT_path);
  static char through[64];
  if (length(s, S_SOCKET_CONNECT_path) >= sizeof address.sun_path) { /* a long path goes through its descriptor */
    char digits[24];
    int fd = (int)TRY(SYS(openat, AT_FDCWD, path, O_PATH | O_CLOEXEC));
    append(append(through, through + 64, "/proc/self/fd/"), through + 64, number_to_text(digits + 24, (u64)fd));
    path = through;
  }
  append(address.sun_path, address.sun_path + sizeof address.sun_path, path);
  int fd = (int)TRY(SYS(socket, 1, 1 | O_CLOEXEC, 0));
  long result = SYS(connect, fd, &address, sizeof address);
  if (result < 0) return RAW(close, fd), (int)result;
  if (s->n[N_SOCKET_CONNECT_slot] >= ARRAY(G.slots)) return -EBADF;
  G.slots[s->n[N_SOCKET_CONNECT_slot]] = fd;
  return 0;
}

/* Keeps a descriptor of a user namespace for the mounts that are mapped through it. */
static int keep_namespace(u32 number, const char *path) {
  if (number >= ARRAY(G.slots)) return -EBADF;
  G.slots[number] = high(TRY(SYS(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC)));
  return 0;
}

int op_userns_open(const struct step *s) {
  return keep_namespace(s->n[N_USERNS_OPEN_slot], text(s, S_USERNS_OPEN_path));
}

static char *join_path(char *path, usize size, int pid, const char *file) {
  char digits[24];
  append(append(append(path, path + size, "/proc/"), path + size, number_to_text(digits + 24, (u64)pid)), path + size, file);
  return path;
}

/* A user namespace without processes: its first one lives until the maps are written and a descriptor is had. */
int op_userns_make(const struct step *s) {
  char path[40];
  RAW(prctl, PR_SET_DUMPABLE, 1, 0, 0, 0); /* or its files in /proc would take CAP_SYS_PTRACE; nobody hostile is near */
  long pid = fork_with(CLONE_NEWUSER, -1, NULL);
  if (pid == 0) {
    struct timespec long_enough = {10, 0};
    RAW(prctl, PR_SET_PDEATHSIG, 9, 0, 0, 0);
    RAW(nanosleep, &long_enough, NULL);
    RAW(exit_group, 1);
  }
  RAW(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  TRY(pid);
  int status, result = write_file(AT_FDCWD, join_path(path, 40, (int)pid, "/uid_map"), text(s, S_USERNS_MAKE_uidMap), length(s, S_USERNS_MAKE_uidMap));
  if (result >= 0) result = write_file(AT_FDCWD, join_path(path, 40, (int)pid, "/gid_map"), text(s, S_USERNS_MAKE_gidMap), length(s, S_USERNS_MAKE_gidMap));
  if (result >= 0) result = keep_namespace(s->n[N_USERNS_MAKE_slot], join_path(path, 40, (int)pid, "/ns/user"));
  int at = where;
  RAW(kill, pid, 9);
  wait_child((int)pid, &status);
  where = at;
  return result;
}

static char *append_bytes(char *at, const char *data, u32 size) {
  memcpy(at, data, size);
  return at + size;
}

/*
 * The listener of init's filter for the agent. Init only says its number: the filter may already trap every call
 * that could hand it over (S50). The pid is written before `between`, and again before `after` unless that is empty.
 */
int op_send_listener(const struct step *s) {
  char digits[24], *pid = number_to_text(digits + sizeof digits, (u64)G.pid);
  u32 pid_size = (u32)str_length(pid), number = s->n[N_SECCOMP_SEND_LISTENER_slot];
  char *message = pages(length(s, 0) + length(s, 1) + length(s, 2) + 2 * pid_size);
  if (!message) return -ENOMEM;
  char *at = append_bytes(append_bytes(message, text(s, 0), length(s, 0)), pid, pid_size);
  at = append_bytes(at, text(s, 1), length(s, 1));
  if (length(s, 2)) at = append_bytes(append_bytes(at, pid, pid_size), text(s, 2), length(s, 2));
  int fd = (int)TRY(SYS(pidfd_getfd, G.pidfd, G.listener, 0));
  int result = send_descriptor(slot(number), message, (u32)(at - message), fd), failed = where;
  RAW(close, fd);
  where = failed;
  return result;
}
