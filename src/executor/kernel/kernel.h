/*
 * The lowest room: what a program without libc needs of the kernel. Types, raw system calls for two architectures, and what is made of
 * them: processes, descriptors, mounts, paths inside a root. It knows of no plan.
 */
#pragma once
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <asm/unistd.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <linux/mman.h>
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
#include <linux/sockios.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <linux/un.h>
#include <linux/wait.h>
#include "../../generated/wire.h"

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

/* What libc's headers name and the kernel's own do not: one numbering for both architectures. */
enum { AF_UNIX = 1, AF_INET = 2, AF_NETLINK = 16 };
enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_SEQPACKET = 5 };
enum { SOL_SOCKET = 1, SCM_RIGHTS = 1, SCM_CREDENTIALS = 2 };
enum { MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000, MSG_CMSG_CLOEXEC = 0x40000000 };
enum { MNT_DETACH = 2, UMOUNT_NOFOLLOW = 8 };
enum { X_OK = 1, IFF_UP = 1 };
enum { KEY_POSSESSOR_ALL = 0x3f000000, KEY_USER_SEARCH = 0x00080000 };
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010 /* 6.3 */
#endif
/* The signals that ask a command to stop. */
#define STOPS (1ull << (SIGHUP - 1) | 1ull << (SIGINT - 1) | 1ull << (SIGQUIT - 1) | 1ull << (SIGTERM - 1))

/* Which system call was tried last: an answer names it, so that a person reads "move_mount: EPERM". */
extern int where;

#ifdef HOSTED
long hosted_syscall(long n, long a, long b, long c, long d, long e, long f);
#endif
static inline long syscall6(long n, long a, long b, long c, long d, long e, long f) {
#ifdef HOSTED
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

/* Between the processes, and back to TypeScript: fixed size, no paths, indexes only (security.md S39). */
enum kind { KIND_GO = 1, KIND_DONE, KIND_FAIL, KIND_CHILD, KIND_MASTER, KIND_FULL, KIND_TAKEN /* init: close your listener */ };
#define TEXT_LIMIT 1024
struct record {
  u32 kind, step, error, where;
  int value; /* KIND_CHILD: pid; hook failures: wait status */
  u32 item; /* of a step that goes through a list */
  u32 text_length;
  char text[TEXT_LIMIT];
};
/* What sendmsg(2) and recvmsg(2) take. */
struct message_part { const void *base; usize length; };
struct message { void *name; u32 name_length; const struct message_part *parts; usize count; void *control; usize control_length; int flags; };

/* What getdents64(2) fills in. */
struct dirent64 { u64 ino, off; u16 reclen; u8 type; char name[]; };
#define DT_DIR 4
/* What fstatfs(2) fills in, as far as anybody looks. */
/* In `flags` (include/linux/statfs.h); only those of the mount are meant here. */
enum { ST_RDONLY = 1, ST_NOSUID = 2, ST_NOEXEC = 8 };
struct statfs_now { long type, size, blocks[3], files[2], id, name, fragment, flags, rest[20]; };
/* A directory that is being read: only .fd is the caller's to set. `got` is negative after an error, 0 at the end. */
struct listing { int fd; long got, at; char buffer[2048]; };

/* What this process is to the functions of this room. `root`: where the configuration's paths begin; `proc`: a procfs that is trusted;
   `signals`: a signalfd, and which of them has asked us to stop; `filtered`: behind a seccomp filter, only what every profile allows. */
extern struct self { int root, proc, signals, stopped_by, filtered; } self;
#define NO_SELF {.root = -1, .proc = -1, .signals = -1}
extern char self_path[4200]; /* TSRUN_SELF=/path/of/tsrun */

/* str.c */
void *memcpy(void *restrict to, const void *restrict from, usize size);
int memcmp(const void *a, const void *b, usize size);
void *memset(void *to, int value, usize size);
usize str_length(const char *s);
int str_equal(const char *a, const char *b);
int starts_with(const char *s, const char *prefix);
char *number_to_text(char *end, u64 value);
char *append(char *at, const char *end, const char *s);
char *append_bytes(char *at, const char *data, u32 size);
void *pages(usize size);
char **pointers(const char *strings, u32 bytes, u32 extra, u32 *count);

/* file.c */
int high(long fd);
int stat_fd(int fd, struct statx *st);
int open_to_write(int dir, const char *name);
int write_value(int fd, const char *value, usize size);
int write_file(int dir, const char *name, const char *value, usize size);
int write_number(int dir, const char *name, u64 value);
long read_small(int dir, const char *name, char *buffer, usize size);
struct dirent64 *next_entry(struct listing *list);
u32 device_number(u32 major, u32 minor);

/* process.c */
void default_actions(void);
void reset_signals(void);
long fork_with(u64 flags, int cgroup, int *pidfd);
int wait_child(int pid, int *status);
int exit_status(int status);
int stop_asked(void);
int wait_readable(int fd, int pidfd, int timeout_ms);
long start_time(int pid);
int open_process(u32 pid, u64 start);

/* socket.c */
long send_message(int fd, const void *bytes, usize size, int passed);
long receive_message(int fd, void *bytes, usize size, u32 flags, int *passed);
int send_record(int fd, const struct record *r, int passed);
int receive_record(int fd, struct record *r, int *passed, u32 flags);
int send_descriptor(int to, const char *message_text, u32 size, int fd);

/* mount.c */
int attach(int mount, int target);
int set_attributes(int fd, u32 flags, u64 set, u64 clear, u64 propagation);
int configure(int context, const char *options, u32 size, int soft);

/* resolve.c */
int resolve(const char *path, u64 how_flags, u64 resolve_flags);
#define TARGET_PROC_ROOT 0x10000u /* what is mounted is a whole procfs: it may go over another, but not on anything in it (S06) */
int make_target(const char *path, int directory, u32 flags); /* of enum mount_flag, and the one above */
int make_directories(const char *path, u32 mode);
int parent_of(const char *path, char *name, int create);
int trusted_proc(void);
