/* What a process has been given before it executes: limits, CPUs, priorities, keyring, session. */
#include "ops.h"

int op_keyring_join(const struct step *s) {
  int ring = (int)TRY(SYS(keyctl, KEYCTL_JOIN_SESSION_KEYRING, text(s, S_KEYRING_JOIN_name)));
  /* possessor all, and search for others of this user: exec joins it by name */
  long got = RAW(keyctl, KEYCTL_SETPERM, ring, KEY_POSSESSOR_ALL | KEY_USER_SEARCH);
  return got < 0 && got != -EACCES ? (int)got : 0;
}

/* Without a mask: all there are, of which the kernel takes those of the cpuset. */
int op_process_affinity(const struct step *s) {
  const char *mask = text(s, S_PROCESS_AFFINITY_mask);
  u32 size = length(s, S_PROCESS_AFFINITY_mask);
  char all[1024]; /* 8192 CPUs are the most that the kernel can be built for */
  if (!size) mask = memset(all, 0xff, sizeof all), size = sizeof all;
  return (int)SYS(sched_setaffinity, 0, size, mask);
}

int op_process_rlimit(const struct step *s) {
  struct rlimit64 limit = {wide(s, N_PROCESS_RLIMIT_soft), wide(s, N_PROCESS_RLIMIT_hard)};
  return (int)SYS(prlimit64, 0, s->n[N_PROCESS_RLIMIT_resource], &limit, NULL);
}

/* A terminal that was opened for it becomes the session's. */
int op_session_start(const struct step *s) {
  TRY(SYS(setsid));
  return s->n[N_SESSION_START_terminal] ? (int)SYS(ioctl, 0, TIOCSCTTY, 0) : 0;
}

int op_process_personality(const struct step *s) { return (int)SYS(personality, s->n[N_PROCESS_PERSONALITY_domain]); }

int op_process_scheduler(const struct step *s) {
  return (int)SYS(sched_setattr, G.role == ROLE_HOST ? child() : 0, text(s, S_PROCESS_SCHEDULER_attributes), 0);
}

int op_process_io_priority(const struct step *s) { return (int)SYS(ioprio_set, IOPRIO_WHO_PROCESS, 0, s->n[N_PROCESS_IO_PRIORITY_value]); }

int op_process_memory_policy(const struct step *s) {
  const char *nodes = length(s, S_PROCESS_MEMORY_POLICY_nodes) ? text(s, S_PROCESS_MEMORY_POLICY_nodes) : NULL;
  return (int)SYS(set_mempolicy, s->n[N_PROCESS_MEMORY_POLICY_mode], nodes, s->n[N_PROCESS_MEMORY_POLICY_maxNode]);
}

int op_process_umask(const struct step *s) { return SYS(umask, s->n[N_PROCESS_UMASK_mask]), 0; }

int op_process_no_new_privileges(const struct step *s) { return (int)SYS(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

int op_self_subreaper(const struct step *s) { return (int)SYS(prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

int op_host_name(const struct step *s) { return (int)SYS(sethostname, text(s, S_HOST_NAME_name), length(s, S_HOST_NAME_name)); }

int op_host_domain(const struct step *s) { return (int)SYS(setdomainname, text(s, S_HOST_DOMAIN_name), length(s, S_HOST_DOMAIN_name)); }
