/* Who the program is: user, capabilities, label, working directory, home. */
#include "ops.h"

/* Nothing may be mounted on the way, should the procfs be one that others could get at (CVE-2025-52881, S07). */
int op_process_label(const struct step *s) {
  char path[256];
  struct open_how how = {.flags = O_WRONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};
  int proc = TRY(trusted_proc());
  const char *files[] = {text(s, S_PROCESS_LABEL_file), text(s, S_PROCESS_LABEL_fallback)};
  int result = -ENOENT;
  for (int i = 0; i < 2 && result == -ENOENT && *files[i]; i++) {
    append(append(path, path + sizeof path, "thread-self/attr/"), path + sizeof path, files[i]);
    int fd = (int)SYS(openat2, proc, path, &how, sizeof how);
    result = fd < 0 ? fd : (int)SYS(write, fd, text(s, S_PROCESS_LABEL_value), length(s, S_PROCESS_LABEL_value));
    if (fd >= 0) RAW(close, fd);
  }
  return result < 0 ? result : 0;
}

/* The kernel's getcwd says "(unreachable)" when the directory is outside the root (CVE-2024-21626, S19). */
int check_directory(void) {
  static char path[4200];
  TRY(SYS(getcwd, path, sizeof path));
  if (path[0] == '/') return 0;
  return -ENOENT;
}

int op_process_directory(const struct step *s) {
  const char *path = text(s, S_PROCESS_DIRECTORY_path);
  static int entered;
  /* 2: again as the final user, when root was not let in (a home on FUSE or NFS) */
  if (s->n[N_PROCESS_DIRECTORY_create] & 2 && entered) return 0;
  if (s->n[N_PROCESS_DIRECTORY_create] & 1) {
    int fd = make_directories(path, 0755);
    if (fd >= 0) RAW(close, fd);
    else if (fd != -EACCES && fd != -EPERM && fd != -EROFS && fd != -ENOTDIR) return fd;
  }
  TRY(SYS(chdir, path));
  TRY(check_directory());
  entered = 1;
  return 0;
}

/* Effective = `wanted` of what is permitted. */
int set_effective(u64 wanted) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  TRY(SYS(capget, &header, data));
  data[0].effective = data[0].permitted & (u32)wanted;
  data[1].effective = data[1].permitted & (u32)(wanted >> 32);
  return (int)SYS(capset, &header, data);
}

/* The rights that the payload will have, while those for the rest of the set-up stay permitted. */
int op_process_effective(const struct step *s) { return set_effective(wide(s, N_PROCESS_EFFECTIVE_caps)); }

int op_process_groups(const struct step *s) { return (int)SYS(setgroups, length(s, S_PROCESS_GROUPS_groups) / 4, text(s, S_PROCESS_GROUPS_groups)); }

int op_process_user(const struct step *s) {
  u32 uid = s->n[N_PROCESS_USER_uid], gid = s->n[N_PROCESS_USER_gid];
  TRY(SYS(setresgid, gid, gid, gid));
  TRY(SYS(prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0));
  TRY(SYS(setresuid, uid, uid, uid));
  return (int)SYS(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0); /* the kernel has set it to what fs.suid_dumpable says (S22) */
}

/* Every capability not in `keep` leaves the bounding set, known to our table or not (S25). */
int op_process_bounding(const struct step *s) {
  u64 keep = wide(s, N_PROCESS_BOUNDING_caps);
  for (u32 cap = 0; cap < 64; cap++) {
    if (keep >> cap & 1) continue;
    long result = SYS(prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);
    if (result == -EINVAL) return 0; /* beyond the kernel's last one */
    TRY(result);
  }
  return 0;
}

int op_process_capabilities(const struct step *s) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  u64 effective = wide(s, N_PROCESS_CAPABILITIES_effective), permitted = wide(s, N_PROCESS_CAPABILITIES_permitted);
  u64 inheritable = wide(s, N_PROCESS_CAPABILITIES_inheritable);
  struct __user_cap_data_struct data[2] = {{(u32)effective, (u32)permitted, (u32)inheritable},
    {(u32)(effective >> 32), (u32)(permitted >> 32), (u32)(inheritable >> 32)}};
  TRY(SYS(capset, &header, data));
  return (int)SYS(prctl, PR_SET_KEEPCAPS, 0, 0, 0, 0);
}

int op_process_ambient(const struct step *s) {
  u64 caps = wide(s, N_PROCESS_AMBIENT_caps);
  TRY(SYS(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
  for (u32 cap = 0; cap < 64; cap++)
    if (caps >> cap & 1) TRY(SYS(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0));
  return 0;
}

/* One character of /etc/passwd at a time: name:password:uid:gid:comment:home:shell. */
struct passwd_reader { int field; u64 uid; int digits, bad; u32 size; char home[256]; };

static int passwd_line_ends(struct passwd_reader *p, u32 uid) {
  int found = p->field >= 6 && !p->bad && p->digits && p->uid == uid && p->size && p->size < sizeof p->home;
  if (!found) *p = (struct passwd_reader){0};
  return found;
}

static int passwd_feed(struct passwd_reader *p, char c, u32 uid) {
  if (c == '\n') return passwd_line_ends(p, uid);
  if (c == ':') p->field++;
  else if (p->field == 2 && c >= '0' && c <= '9' && p->digits < 12) p->uid = p->uid * 10 + (u64)(c - '0'), p->digits++;
  else if (p->field == 2) p->bad = 1;
  else if (p->field == 5 && p->size < sizeof p->home) p->home[p->size++] = c;
  return 0;
}

static int is_passwd(int fd, struct statx *st) {
  return stat_fd(fd, st) >= 0 && S_ISREG(st->stx_mode) && st->stx_size > 0;
}

/* HOME from the container's own passwd, read after the pivot: a regular file, bounded (S51). Failing that "/". Files of
   procfs have no size, and reading the kernel's log would take it away from the host. */
int op_process_home(const struct step *s) {
  static char buffer[4096];
  struct passwd_reader p = {0};
  struct statx st;
  u32 uid = s->n[N_PROCESS_HOME_uid];
  int found = 0;
  long total = 0, got = 0;
  int probe = (int)RAW(openat, AT_FDCWD, "/etc/passwd", O_PATH | O_CLOEXEC);
  int regular = probe >= 0 && is_passwd(probe, &st);
  if (probe >= 0) RAW(close, probe);
  int fd = regular ? (int)RAW(openat, AT_FDCWD, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
  if (fd >= 0 && !is_passwd(fd, &st)) RAW(close, fd), fd = -1;
  while (fd >= 0 && !found && total < (16 << 20) && (got = RAW(read, fd, buffer, sizeof buffer)) > 0) {
    total += got;
    for (long i = 0; i < got && !found; i++) found = passwd_feed(&p, buffer[i], uid);
  }
  if (fd >= 0 && !found) found = passwd_feed(&p, '\n', uid);
  if (fd >= 0) RAW(close, fd);
  char *at = append(G.home, G.home + sizeof G.home, "HOME=");
  if (found) p.home[p.size] = 0;
  append(at, G.home + sizeof G.home, found ? p.home : "/");
  return 0;
}
