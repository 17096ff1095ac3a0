/* What a program without libc needs: types, raw system calls for two architectures, the shared state. */
#pragma once
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <asm/unistd.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/signal.h>
#include <linux/signalfd.h>
#include <linux/socket.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <linux/un.h>
#include <linux/wait.h>
#include "../generated/wire.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned long usize;

#ifndef NULL
#define NULL ((void *)0)
#endif
#define NONE 0xffffffffu
#define ARRAY(a) (sizeof(a) / sizeof(*(a)))

/* Which system call was tried last: an answer names it, so that a person reads "move_mount: EPERM". */
extern int where;

static inline long syscall6(long n, long a, long b, long c, long d, long e, long f) {
#ifdef HOSTED
  extern long hosted_syscall(long, long, long, long, long, long, long);
  return hosted_syscall(n, a, b, c, d, e, f);
#elif defined(__x86_64__)
  long r;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return r;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = n;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
#else
#error "x86-64 and arm64 only"
#endif
}
#define SYS_PAD(n, a, b, c, d, e, f, ...) syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define RAW(name, ...) SYS_PAD(__NR_##name, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define SYS(name, ...) (where = W_##name, RAW(name, ##__VA_ARGS__))
/* Propagates a failure: the caller's result is the negative errno. */
#define TRY(expr) ({ long try_ = (expr); if (try_ < 0) return (int)try_; try_; })

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

/* Between the processes, and back to TypeScript: fixed size, no paths, indexes only (security.md S39). */
enum kind { KIND_GO = 1, KIND_DONE, KIND_FAIL, KIND_CHILD, KIND_MASTER, KIND_FULL, KIND_TAKEN /* init: close your listener */ };
#define TEXT_LIMIT 1024
struct record {
  u32 kind, step, error, where;
  int value; /* KIND_CHILD: pid; hook failures: wait status */
  u32 text_length;
  char text[TEXT_LIMIT];
};
enum status { STATUS_OK = 0, STATUS_STEP_FAILED = 1, STATUS_CHILD_DIED = 2, STATUS_PLAN_REFUSED = 3, STATUS_INTERRUPTED = 4,
  STATUS_REPLIED = 5 /* to start: init's own last word, whose step is of the plan that made it */,
  STATUS_REMARK = 6, STATUS_TRACE = 7 /* nothing but what lies behind it: trace.c */ };
#define OUTCOME_MAGIC 0x4f525354u
struct outcome {
  u32 magic, status, step, error, where;
  int value; /* wait status of the child or hook; exit code when all went well; signal number when interrupted */
  u32 pid, text_length;
  char text[TEXT_LIMIT];
};

/* What getdents64(2) fills in. */
struct dirent64 { u64 ino, off; u16 reclen; u8 type; char name[]; };
#define DT_DIR 4
/* A directory that is being read: only .fd is the caller's to set. `got` is negative after an error, 0 at the end. */
struct listing { int fd; long got, at; char buffer[2048]; };

struct state {
  const struct plan_header *plan;
  const struct step *steps;
  const char *data;
  u32 count, step, role;
  int socket, pidfd, pid, joiner, signals, pending, root, proc, null, mask;
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
  int announced, filtered; /* a seccomp filter is on: only what every profile allows */
  char home[300];
  struct record failure;
};
extern struct state G;
extern struct teller { char **argv, **envp; int plan, answer; } teller; /* what tell_remark() needs */
/* record.c: what the host says to the recorder, and init behind its filter: an option of prctl(2) that no kernel has. */
#define RECORD_END 'e'
#define RECORD_DISMISS 'd'
#define PR_TSRUN_NOT_EXECUTED 0x7472756e
#define NO_STATE {.socket = -1, .pidfd = -1, .signals = -1, .pending = -1, .root = -1, .proc = -1, .null = -1, .mask = -1, .reply = -1, .recorder = -1, .full = NONE}

static inline const char *text(const struct step *s, int i) { return G.data + s->s[i].offset; }
static inline u32 length(const struct step *s, int i) { return s->s[i].length; }
static inline u64 wide(const struct step *s, int i) { return s->n[i] | (u64)s->n[i + 1] << 32; }
/* The host's: whom it has made, be it on its way in. */
static inline int child(void) { return G.pid ? G.pid : G.joiner; }
static inline int slot(u32 i) { return i < ARRAY(G.slots) ? G.slots[i] : -1; }

/* str.c */
void *memcpy(void *restrict to, const void *restrict from, usize size);
int memcmp(const void *a, const void *b, usize size);
void *memset(void *to, int value, usize size);
usize str_length(const char *s);
int str_equal(const char *a, const char *b);
int starts_with(const char *s, const char *prefix);
char *number_to_text(char *end, u64 value);
char *append(char *at, const char *end, const char *s);
void *pages(usize size);

/* plan.c, run.c */
int plan_load(int fd, int *error);
int perform(const struct step *s);
int run_plan(u32 from);
void child_main(u32 step, int wait_for_go) __attribute__((noreturn));
void child_waits(int announce);
long fork_with(u64 flags, int cgroup, int *pidfd);
int wait_readable(int fd, int pidfd, int timeout_ms);
int carry_out(int plan_fd, int directory, struct outcome *out);
void tell_remark(const struct outcome *out);
int send_record(int fd, const struct record *r, int passed);
int receive_record(int fd, struct record *r, int *passed, u32 flags);
int wait_child(int pid, int *status);
int high(long fd);
void reset_signals(void);
void back_to_caller(void);
long start_time(int pid);

/* threads.c */
int join_through_threads(u32 pid, u32 types);

/* program.c */
#define DESCRIPTION_LIMIT 300
void describe_program(const char *path, char *to, usize size);

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
void trace_tell(u32 upto);

/* kept.c */
int kept_plan(char **argv, char **envp, const char *engine, int *directory);

/* resolve.c */
int resolve(const char *path, u64 how_flags, u64 resolve_flags);
#define TARGET_PROC_ROOT 0x10000u /* what is mounted is a whole procfs: it may go over another, but not on anything in it (S06) */
int make_target(const char *path, int directory, u32 flags); /* of enum mount_flag, and the one above */
int make_directories(const char *path, u32 mode);
int parent_of(const char *path, char *name, int create);
int trusted_proc(void);
int stat_fd(int fd, struct statx *st);
int check_null_device(int fd);

/* ops-mount.c, ops-root.c, ops-protect.c */
int attach(int mount, int target);
int set_attributes(int fd, u32 flags, u64 set, u64 clear, u64 propagation);
int configure(int context, const char *options, u32 size, int soft);
int hide_host_mounts(void);
void note_kernel_mount(const char *target, int mount);
void forget_kernel_mounts(void);

/* ops */
#define CALLERS_PREFIX "TSRUN_ENV_"
void keep_environment(char **envp);
void forget_environment(void);
int op_hook(const struct step *s);
int op_self_directory(const struct step *s);
int op_supervise(const struct step *s);
int run_program(const char *path, char *const *argv, char *const *envp);
char **pointers(const char *strings, u32 bytes, u32 extra, u32 *count);
int write_file(int dir, const char *name, const char *value, usize size);
long read_small(int dir, const char *name, char *buffer, usize size);
int op_cgroup_open(const struct step *s);
int op_cgroup_write(const struct step *s, const char *file, const char *value, usize size);
int op_cgroup_devices(const struct step *s);
int op_cgroup_remove(const struct step *s);
int op_cgroup_enter(const struct step *s);
int op_cgroup_own(const struct step *s);
int open_process(u32 pid, u64 start);
int send_descriptor(int to, const char *message_text, u32 size, int fd);
int op_publish(const struct step *s);
int op_state_ours(const struct step *s);
int op_file_remove(const struct step *s);
int remove_files(int dir, const char *names, u32 size, const char *path);
struct terminal_size { u16 rows, columns, x, y; };
int caller_size(struct terminal_size *size);
int op_file_note(const struct step *s);
int op_expect_file(const struct step *s);
int op_expect_link(const struct step *s);
int op_expect_namespaces(const struct step *s);
int op_expect_ended(const struct step *s);
int op_start_claim(const struct step *s);
int op_start_release(const struct step *s);
int op_state_remove(const struct step *s);
int op_plan_keep(const struct step *s);
int op_process_signal(const struct step *s);
int op_process_wait(const struct step *s);
int op_socket_connect(const struct step *s);
int op_source_open(const struct step *s);
int op_device_open(const struct step *s);
u32 device_number(u32 major, u32 minor);
int op_notify_listen(const struct step *s);
int op_notify_forward(const struct step *s);
int notify_socket(void);
void notify_pass_on(void);
int op_record(const struct step *s);
int op_record_end(void);
void record_dismiss(void);
int op_send_listener(const struct step *s);
int op_net_device(const struct step *s);
void give_devices_back(void);
void leave_devices(void);
int op_userns_make(const struct step *s);
int op_userns_open(const struct step *s);
int op_file_open(const struct step *s);
int op_file_tell(const struct step *s);
int op_root_prepare(const struct step *s);
int op_root_pivot(void);
int op_root_move(void);
int op_root_open(const struct step *s);
int op_root_attach(const struct step *s);
int op_mount_filesystem(const struct step *s);
int op_mount_bind(const struct step *s);
int op_mount_remount(const struct step *s);
int op_mount_propagation(const struct step *s);
int op_symlink(const struct step *s);
int op_device(const struct step *s);
int op_mask(const struct step *s);
int op_mount_flags(const struct step *s);
int op_readonly(const struct step *s);
int op_sysctl(const struct step *s);
int op_console(const struct step *s);
int op_stdio_own(const struct step *s);
int op_stdio_null(void);
int op_label(const struct step *s);
int op_directory(const struct step *s);
int op_effective(u64 caps);
int op_seccomp(const struct step *s);
int op_user(const struct step *s);
int op_bounding(u64 keep);
int op_capabilities(const struct step *s);
int op_ambient(u64 caps);
int op_home(const struct step *s);
int op_find(const struct step *s);
int op_close_fds(void);
int op_end_on(u64 signals);
void note_callers(int from_three, int plan, int go);
int op_wait_start(const struct step *s);
int op_exec(const struct step *s);
void announce(void);
int op_criu_exec(const struct step *s);
int op_criu_request(const struct step *s);
int op_criu_until(const struct step *s);
void criu_dismiss(void);
struct dirent64 *next_entry(struct listing *list);
int copy_tree(int from, int to, int depth);
int op_cgroup_signal(const struct step *s);
int hide_host_mounts(void);
