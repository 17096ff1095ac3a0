/**
 * System calls by what they are for, so that a recorded profile can be read: the order in which its groups come. A name may be one
 * that only some architectures have. What is in none comes last.
 */
const rows: readonly string[] = [
  // Programs and processes.
  `arch_prctl clone clone3 execve execveat exit exit_group fork get_robust_list get_thread_area getpgid getpgrp getpid getppid
  getsid gettid membarrier prctl rseq set_robust_list set_thread_area set_tid_address set_tls setpgid setsid vfork wait4 waitid
  waitpid pidfd_getfd pidfd_open pidfd_send_signal process_madvise process_mrelease`,
  // Signals.
  `kill pause restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
  rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaction sigaltstack signal signalfd signalfd4 sigpending sigprocmask sigreturn
  sigsuspend tgkill tkill`,
  // Memory.
  `brk breakpoint cacheflush get_mempolicy madvise map_shadow_stack mbind memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2
  mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages set_mempolicy
  set_mempolicy_home_node`,
  // Descriptors.
  `_llseek close close_range copy_file_range dup dup2 dup3 fcntl fcntl64 fdatasync flock fsync ftruncate ftruncate64 ioctl llseek
  lseek pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readv sendfile sendfile64 splice sync
  sync_file_range syncfs tee vmsplice write writev fadvise64 fadvise64_64 fallocate`,
  // Files by name, and what is known of them.
  `access chdir chmod chown chown32 creat faccessat faccessat2 fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fgetxattr
  file_getattr flistxattr fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 futimesat getcwd getdents getdents64
  getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch lchown lchown32 lgetxattr link linkat
  listxattr listxattrat llistxattr lremovexattr lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat
  oldfstat oldlstat oldstat open openat openat2 readlink readlinkat removexattr removexattrat rename renameat renameat2 rmdir
  setxattr setxattrat stat stat64 statfs statfs64 statx symlink symlinkat truncate truncate64 umask unlink unlinkat utime
  utimensat utimensat_time64 utimes`,
  // Waiting for descriptors and for each other.
  `_newselect epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 futex futex_requeue
  futex_time64 futex_wait futex_waitv futex_wake io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup
  io_submit poll ppoll ppoll_time64 pselect6 pselect6_time64 select`,
  // Sockets.
  `accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg send
  sendmmsg sendmsg sendto setsockopt shutdown socket socketcall socketpair`,
  // Time.
  `alarm clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 getitimer
  gettimeofday nanosleep setitimer time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime
  timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times`,
  // Users, groups and rights.
  `capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 getresuid
  getresuid32 getuid getuid32 landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp setfsgid setfsgid32
  setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid setregid32 setresgid setresgid32 setresuid setresuid32
  setreuid setreuid32 setuid setuid32`,
  // Limits and scheduling.
  `getcpu getpriority getrlimit getrusage ioprio_get ioprio_set nice prlimit64 sched_get_priority_max sched_get_priority_min
  sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64
  sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield setpriority setrlimit ugetrlimit`,
  // System V and POSIX queues, semaphores, shared memory.
  `ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl
  msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget`,
  // Questions about the system.
  'getrandom olduname oldolduname sysinfo syslog uname',
];

/** What nobody has put anywhere, and so what a reader should look at: mount, ptrace, bpf, keys, namespaces. */
const last = rows.length;

const groups: ReadonlyMap<string, number> = new Map(
  rows.flatMap((names, group) => names.split(/\s+/).map((name): [string, number] => [name, group])),
);

/** The names in groups, sorted in each; without empty ones. */
export function groupedCalls(names: Iterable<string>): string[][] {
  const found: string[][] = Array.from({ length: last + 1 }, () => []);
  for (const name of [...names].sort()) found[groups.get(name) ?? last]!.push(name);
  return found.filter((group) => group.length > 0);
}
