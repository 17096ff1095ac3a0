/*
 * The operations of a plan, a file a subject. Each gets its step and gives 0, something positive, or a negative errno; none knows what
 * comes before or behind it. Their prototypes are generated from ops.json: a handler without an operation does not compile, an
 * operation without a handler does not link.
 */
#pragma once
#include "../kernel/kernel.h"

/* One step as it lies on the wire. */
struct ref { u32 offset, length; };
struct step {
  u16 op;
  u8 role, flags;
  u8 tolerate[4];
  u32 n[7];
  struct ref s[5];
};
struct plan_header {
  u32 magic, version, total_length, step_count, steps_offset, data_offset, data_length, notes_offset, notes_length, preserve_fds, flags, traced; /* traced: how many microseconds the command had gone on when the plan was given, 1 at least; 0 without --debug and --trace */
};
#define PLAN_MAGIC 0x50525354u
#define STEP_OR_ELSE_NEXT 1
#define STEP_OR_END 4 /* when it fails with what it tolerates, nothing is left to do */
#define STEP_EXPECTS 2 /* a kept plan's: when it fails the plan is out of date, and nothing has been done that the engine would not do again */

enum status { STATUS_OK = 0, STATUS_STEP_FAILED = 1, STATUS_CHILD_DIED = 2, STATUS_PLAN_REFUSED = 3, STATUS_INTERRUPTED = 4,
  STATUS_REPLIED = 5 /* to start: init's own last word, whose step is of the plan that made it */,
  STATUS_REMARK = 6, STATUS_TRACE = 7 /* nothing but what lies behind it: trace.c */ };
#define OUTCOME_MAGIC 0x4f525354u
struct outcome {
  u32 magic, status, step, error, where;
  int value; /* wait status of the child or hook; exit code when all went well; signal number when interrupted */
  u32 pid, item, text_length;
  char text[TEXT_LIMIT];
};

struct state {
  const struct plan_header *plan;
  const struct step *steps;
  const char *data;
  u32 count, step, role, item; /* item: how far a step has got that goes through a list */
  int socket, pidfd, pid, joiner, pending, null, mask;
  int slots[128];
  u64 start; /* init's start time, as it was published */
  int exit_code, reply, started;
  u32 target; /* whose namespaces are joined */
  int reaped; /* pid is nobody's any more, or somebody else's */
  u32 full; /* slot of a cgroup that had no room for another process: the child is outside of it at first */
  const char *exec_path;
  char **argv, **envp;
  int replied; /* G.failure is init's last word */
  int listener; /* seccomp's, the number it has in init */
  int recorder, guard; /* the host's end of the seccomp recorder's channel (init: that there is one), and who is above that */
  int announced;
  char home[300];
  struct record failure;
  void (*child_main)(u32 step, int wait_for_go) __attribute__((noreturn)); /* what a new process does */
};
extern struct state G;
/* record.c: what the host says to the recorder, and init behind its filter: an option of prctl(2) that no kernel has. */
#define RECORD_END 'e'
#define RECORD_DISMISS 'd'
#define PR_TSRUN_NOT_EXECUTED 0x7472756e
#define NO_STATE {.socket = -1, .pidfd = -1, .pending = -1, .null = -1, .mask = -1, .reply = -1, .recorder = -1, .full = NONE}

static inline const char *text(const struct step *s, int i) { return G.data + s->s[i].offset; }
static inline u32 length(const struct step *s, int i) { return s->s[i].length; }
/* All of a list, counted as they are done. */
#define EACH(at, s, i) (const char *at = text(s, i), *at##_end = at + length(s, i); at < at##_end; at += str_length(at) + 1, G.item++)
static inline u64 wide(const struct step *s, int i) { return s->n[i] | (u64)s->n[i + 1] << 32; }
/* The host's: whom it has made, be it on its way in. */
static inline int child(void) { return G.pid ? G.pid : G.joiner; }
static inline int shows_null_device(const struct statx *st) { return S_ISCHR(st->stx_mode) && st->stx_rdev_major == 1 && st->stx_rdev_minor == 3; }
static inline int slot(u32 i) { return i < ARRAY(G.slots) ? G.slots[i] : -1; }

/* channel.c */
void child_waits(int announce);
void announce(void);
int give_descriptor(int to, const char *message_text, u32 size, int fd);

/* trace.c: kinds as in trace.ts */
enum { TRACE_STEP, TRACE_WAIT, TRACE_PROGRAM, TRACE_EXECVE, TRACE_LAUNCH, TRACE_RUNS };
#define LAUNCHED 4 /* moments: begun, engine forked, started again from sealed memory, plan there */
extern u64 launched[LAUNCHED];
u64 clock_now(void);
void trace_begin(void);
void trace_begun(int kind, u32 step);
void trace_done(int kind, u32 step, int result);
void trace_moved(const struct step *s);
void trace_born(void);
void trace_executed(u32 from, u32 to);
void trace_leave(void);
void trace_write(int fd);
void trace_tell(u32 upto, int (*tell)(const struct outcome *news));

/* program.c, threads.c, hide.c, copy.c */
#define DESCRIPTION_LIMIT 300
void describe_program(const char *path, char *to, usize size);
int join_through_threads(u32 pid, u32 types);
int hide_host_mounts(void);
int copy_tree(int from, int to, int depth);

/* protect.c, console.c, child.c */
void note_kernel_mount(const char *target, int mount);
void forget_kernel_mounts(void);
int check_null_device(int fd);
struct terminal_size { u16 rows, columns, x, y; };
int caller_size(struct terminal_size *size);
void proc_path(char *path, usize size, const char *file);

/* host-file.c, namespace.c, identity.c */
int remove_files(int dir, const char *names, u32 size, const char *path);
int keep_open(u32 number, const char *path);
int check_directory(void);
int set_effective(u64 wanted);

/* hook.c, exec.c */
#define CALLERS_PREFIX "TSRUN_ENV_"
void keep_environment(char **envp);
void forget_environment(void);
void back_to_caller(void);
void note_callers(int from_three, int plan, int go);

/* notify.c, record.c, network.c, criu.c: what is left to do when a plan goes on or fails */
int notify_socket(void);
void notify_pass_on(void);
void record_dismiss(void);
void give_devices_back(void);
void leave_devices(void);
void criu_dismiss(void);

#pragma GCC diagnostic error "-Wmissing-prototypes"
#include "../../generated/handlers.h"
