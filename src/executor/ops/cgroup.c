/* Cgroups: made, entered, written to, given away, removed. */
#include "ops.h"
#include <linux/bpf.h>

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

/* Files of cgroups are lists of lines. */
static int has_line(const char *at, const char *line) {
  for (usize size = str_length(line); *at; at++) {
    usize same = 0;
    while (same < size && at[same] == line[same]) same++;
    if (same == size && (at[size] == '\n' || !at[size])) return 1;
    while (*at && *at != '\n') at++;
    if (!*at) break;
  }
  return 0;
}

/* Below a threaded cgroup a new one is of no use until it is threaded, too (cgroup-v2.rst, "Threads"). */
static int make_threaded(int dir, u32 flags) {
  char type[24];
  if (read_small(dir, "cgroup.type", type, sizeof type) <= 0 || !has_line(type, "domain invalid")) return 0;
  return flags & CGROUP_OPEN_THREADED ? write_file(dir, "cgroup.type", "threaded", 8) : -EOPNOTSUPP;
}

/* `*made`: whether the directory was not there before. */
static int enter_component(const struct step *s, int parent, const char *name, int *made) {
  enable_controllers(parent, text(s, S_CGROUP_OPEN_controllers), length(s, S_CGROUP_OPEN_controllers));
  long mask = RAW(umask, 022); /* the caller's could keep root of a user namespace out of its own cgroup (S45) */
  long got = s->n[N_CGROUP_OPEN_flags] & CGROUP_OPEN_MUST_EXIST ? -EEXIST : SYS(mkdirat, parent, name, 0755);
  RAW(umask, mask);
  if (got < 0 && got != -EEXIST) return (int)got;
  *made = got == 0;
  int child = (int)TRY(SYS(openat, parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (s->n[N_CGROUP_OPEN_flags] & CGROUP_OPEN_CPUSET) TRY(inherit_cpuset(parent, child));
  int fit = s->n[N_CGROUP_OPEN_version] != 2 || s->n[N_CGROUP_OPEN_flags] & CGROUP_OPEN_MUST_EXIST ? 0 : make_threaded(child, s->n[N_CGROUP_OPEN_flags]);
  if (fit >= 0) return child;
  if (*made) RAW(unlinkat, parent, name, AT_REMOVEDIR);
  return RAW(close, child), fit;
}

/* Of v1, which says nothing about the cgroups below: they are looked through. */
static int is_populated(int dir, int depth) {
  char some[8];
  if (read_small(dir, "cgroup.procs", some, sizeof some) > 0) return 1;
  struct listing list = {.fd = depth > 64 ? -1 : (int)RAW(openat, dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  int found = 0;
  for (struct dirent64 *entry; !found && list.fd >= 0 && (entry = next_entry(&list));) {
    if (entry->type != DT_DIR) continue;
    int child = (int)RAW(openat, list.fd, entry->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    found = child >= 0 && is_populated(child, depth + 1);
    if (child >= 0) RAW(close, child);
  }
  if (list.fd >= 0) RAW(close, list.fd);
  return found;
}

/* EBUSY: others' processes would be killed with ours. EDEADLK: ours would stand still before it is one (S33, R19). */
static int check_fitness(const struct step *s, int dir, int made) {
  char now[512];
  u32 flags = s->n[N_CGROUP_OPEN_flags], v2 = s->n[N_CGROUP_OPEN_version] == 2;
  int known = flags & (CGROUP_OPEN_REFUSE_POPULATED | CGROUP_OPEN_REFUSE_FROZEN) && read_small(dir, v2 ? "cgroup.events" : "freezer.state", now, sizeof now) > 0;
  where = W_read;
  if (flags & CGROUP_OPEN_REFUSE_FROZEN && known && (v2 ? has_line(now, "frozen 1") : !has_line(now, "THAWED"))) return -EDEADLK;
  if (!(flags & CGROUP_OPEN_REFUSE_POPULATED) || made) return 0;
  return (v2 ? known && has_line(now, "populated 1") : is_populated(dir, 0)) ? -EBUSY : 0;
}

/* Walks down from the hierarchy's mount point, which must be a cgroup file system, making what is missing (S31). */
int op_cgroup_open(const struct step *s) {
  struct statfs_now fs;
  char name[256];
  int made = 0, parent = -1, fd = (int)TRY(SYS(openat, AT_FDCWD, text(s, S_CGROUP_OPEN_root), O_PATH | O_DIRECTORY | O_CLOEXEC));
  int known = (int)SYS(fstatfs, fd, &fs), right = s->n[N_CGROUP_OPEN_version] == 2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC;
  if (known < 0 || fs.type != right) return RAW(close, fd), known < 0 ? known : -EXDEV;
  for (const char *at = text(s, S_CGROUP_OPEN_path); *at;) {
    usize size = 0;
    while (at[size] && at[size] != '/') size++;
    if (size == 0 || size > 255 || (at[0] == '.' && (size == 1 || (size == 2 && at[1] == '.')))) return -EINVAL;
    memcpy(name, at, size);
    name[size] = 0;
    if (parent >= 0) RAW(close, parent);
    parent = fd;
    fd = enter_component(s, parent, name, &made);
    if (fd < 0) return RAW(close, parent), fd;
    at += size;
    while (*at == '/') at++;
  }
  int unfit = check_fitness(s, fd, made);
  if (unfit < 0 && made) RAW(unlinkat, parent, name, AT_REMOVEDIR);
  RAW(close, parent);
  if (unfit < 0) return RAW(close, fd), unfit;
  if (s->n[N_CGROUP_OPEN_slot] >= ARRAY(G.slots)) return -EBADF;
  G.slots[s->n[N_CGROUP_OPEN_slot]] = fd;
  return 0;
}

int op_cgroup_write(const struct step *s) {
  return write_file(slot(s->n[N_CGROUP_WRITE_slot]), text(s, S_CGROUP_WRITE_file), text(s, S_CGROUP_WRITE_value), length(s, S_CGROUP_WRITE_value));
}

/* A file that takes one after the other, such as devices.allow. */
int op_cgroup_write_each(const struct step *s) {
  int fd = TRY(open_to_write(slot(s->n[N_CGROUP_WRITE_EACH_slot]), text(s, S_CGROUP_WRITE_EACH_file))), result = 0;
  for EACH (value, s, S_CGROUP_WRITE_EACH_values)
    if ((result = write_value(fd, value, str_length(value))) < 0) break;
  RAW(close, fd);
  return result;
}

int op_cgroup_join(const struct step *s) {
  return write_number(slot(s->n[N_CGROUP_JOIN_slot]), "cgroup.procs", (u64)G.pid);
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
  attr.load.type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attr.load.instructions = (u64)(usize)text(s, S_CGROUP_DEVICES_program);
  attr.load.instructions_count = length(s, S_CGROUP_DEVICES_program) / 8;
  attr.load.license = (u64)(usize)"Apache-2.0";
  int program = (int)TRY(SYS(bpf, BPF_PROG_LOAD, &attr, sizeof attr));
  union bpf_attr_own link = {.whole = {0}};
  link.attach.target = (u32)slot(s->n[N_CGROUP_DEVICES_slot]);
  link.attach.program = (u32)program;
  link.attach.type = BPF_CGROUP_DEVICE;
  link.attach.flags = BPF_F_ALLOW_MULTI; /* as systemd and runc attach theirs */
  long result = SYS(bpf, BPF_PROG_ATTACH, &link, sizeof link);
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

/* The first directory in `dir` that cannot be removed just so; its name to `name`. 0: there is none (any more). */
static int first_busy(int dir, char *name, int *removed) {
  struct listing list = {.fd = (int)RAW(openat, dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  int found = 0;
  for (struct dirent64 *entry; !found && list.fd >= 0 && (entry = next_entry(&list));) {
    if (entry->type != DT_DIR) continue;
    long result = RAW(unlinkat, dir, entry->name, AT_REMOVEDIR);
    if (result == 0) *removed = 1;
    else if (result == -EBUSY) append(name, name + 256, entry->name), found = 1;
  }
  if (list.fd >= 0) RAW(close, list.fd);
  return found;
}

/*
 * What the container has made below its cgroup, deepest first. One descriptor and no recursion, for it may have made them
 * thousands deep; up goes by `..`. Ends at the first one that is busy without anything below: it is tried again from above.
 */
static void remove_below(int root, const char *path) {
  char name[256];
  int dir = (int)RAW(openat, root, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), depth = 0;
  while (dir >= 0) {
    int removed = 0, busy = first_busy(dir, name, &removed);
    if (!busy && (depth == 0 || !removed)) break;
    int next = (int)RAW(openat, dir, busy ? name : "..", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    depth += busy ? 1 : -1;
    RAW(close, dir);
    dir = next;
  }
  if (dir >= 0) RAW(close, dir);
}

/* rmdir with patience: a zombie or a dying task keeps a cgroup busy for a moment (R17). */
int op_cgroup_remove(const struct step *s) {
  const char *path = text(s, S_CGROUP_REMOVE_path);
  int root = (int)SYS(openat, AT_FDCWD, text(s, S_CGROUP_REMOVE_root), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root == -ENOENT) return 0;
  TRY(root);
  long result = -EBUSY, pause = 200000;
  for (int i = 0; i < 12 && result == -EBUSY; i++) {
    result = SYS(unlinkat, root, path, AT_REMOVEDIR);
    if (result != -EBUSY) break;
    remove_below(root, path);
    struct timespec time = {0, pause};
    if (i > 0) RAW(nanosleep, &time, NULL), pause *= 2;
    where = W_unlinkat;
    if (pause > 200000000) pause = 200000000;
  }
  RAW(close, root);
  return result == -ENOENT ? 0 : (int)result;
}
