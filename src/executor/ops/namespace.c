/* Namespaces that are joined or left, and what one may do in them. */
#include "ops.h"

int op_ns_join(const struct step *s) {
  int fd = (int)TRY(SYS(openat, AT_FDCWD, text(s, S_NS_JOIN_path), O_RDONLY | O_CLOEXEC));
  long result = SYS(setns, fd, s->n[N_NS_JOIN_type]);
  RAW(close, fd);
  return (int)result;
}

int op_process_open(const struct step *s) {
  int fd = TRY(open_process(s->n[N_PROCESS_OPEN_pid], wide(s, N_PROCESS_OPEN_startTime)));
  if (s->n[N_PROCESS_OPEN_slot] >= ARRAY(G.slots)) return -EBADF;
  G.slots[s->n[N_PROCESS_OPEN_slot]] = high(fd);
  G.target = s->n[N_PROCESS_OPEN_pid];
  return 0;
}

/* setns(2) takes other credentials, and with them what dumpable stands at by default: see S22. */
int op_ns_join_process(const struct step *s) {
  int result = (int)SYS(setns, slot(s->n[N_NS_JOIN_PROCESS_slot]), s->n[N_NS_JOIN_PROCESS_types]);
  if (result == -ESRCH) result = join_through_threads(G.target, s->n[N_NS_JOIN_PROCESS_types]);
  TRY(result);
  return (int)SYS(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int op_ns_become_root(const struct step *s) {
  TRY(SYS(setresgid, 0, 0, 0));
  TRY(SYS(setresuid, 0, 0, 0));
  return (int)SYS(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int op_self_time_offsets(const struct step *s) {
  TRY(SYS(unshare, CLONE_NEWTIME));
  if (!length(s, S_SELF_TIME_OFFSETS_value)) return 0;
  return write_file(AT_FDCWD, "/proc/self/timens_offsets", text(s, S_SELF_TIME_OFFSETS_value), length(s, S_SELF_TIME_OFFSETS_value));
}

/* Keeps a descriptor: of a user namespace, for the mounts that are mapped through it, or of what another program is to find. */
int keep_open(u32 number, const char *path) {
  if (number >= ARRAY(G.slots)) return -EBADF;
  G.slots[number] = high(TRY(SYS(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC)));
  return 0;
}

int op_userns_open(const struct step *s) {
  return keep_open(s->n[N_USERNS_OPEN_slot], text(s, S_USERNS_OPEN_path));
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
    RAW(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    RAW(nanosleep, &long_enough, NULL);
    RAW(exit_group, 1);
  }
  RAW(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  TRY(pid);
  int status, result = write_file(AT_FDCWD, join_path(path, 40, (int)pid, "/uid_map"), text(s, S_USERNS_MAKE_uidMap), length(s, S_USERNS_MAKE_uidMap));
  if (result >= 0) result = write_file(AT_FDCWD, join_path(path, 40, (int)pid, "/gid_map"), text(s, S_USERNS_MAKE_gidMap), length(s, S_USERNS_MAKE_gidMap));
  if (result >= 0) result = keep_open(s->n[N_USERNS_MAKE_slot], join_path(path, 40, (int)pid, "/ns/user"));
  int at = where;
  RAW(kill, pid, SIGKILL);
  wait_child((int)pid, &status);
  where = at;
  return result;
}

int op_ns_unshare(const struct step *s) { return (int)SYS(unshare, s->n[N_NS_UNSHARE_types]); }
