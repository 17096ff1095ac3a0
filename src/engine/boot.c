/*
 * From a process to a running engine. The memory as it was when all of our modules had been evaluated lies at the end of this
 * program's file (src/engine/snapshot.c put it there) and is mapped at the address it had, private: nothing is parsed at start.
 */
#include "engine.h"
#include "quickjs.h"

/* Calls inside the engine use this stack, too, and `ulimit -s` is the caller's business: a deep JSON needs more than a small one has. */
#define STACK_SIZE (64ul << 20)
/* No collection of cycles before so much is in use: it would touch, and so copy, every page of the snapshot. */
#define COLLECT_FROM (48u << 20)

/* Runs on the new stack; the old one's frames are not gone back to. */
__attribute__((noreturn)) static void on_stack(char *top, void (*function)(void)) {
#if defined(__x86_64__)
  __asm__ volatile("mov %0, %%rsp\n xor %%ebp, %%ebp\n call *%1\n hlt" ::"r"(top), "r"(function) : "memory");
#else
  __asm__ volatile("mov sp, %0\n mov x29, #0\n blr %1\n brk #1" ::"r"(top), "r"(function) : "memory", "x30");
#endif
  __builtin_unreachable();
}

static void map_snapshot(struct snapshot *s) {
  struct statx st;
  int self = (int)RAW(openat, AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (self == -EMFILE) stop("too few open files are allowed (ulimit -n)");
  if (self < 0 || stat_fd(self, &st) < 0) stop("cannot read /proc/self/exe: is /proc mounted?");
  if (RAW(pread64, self, s, sizeof *s, st.stx_size - sizeof *s) != sizeof *s || s->magic != SNAPSHOT_MAGIC)
    stop("this file is not whole: nothing of the engine follows the program");
  const struct part *last = &s->parts[s->part_count - 1];
  usize start = st.stx_size - sizeof *s - last->offset - last->length;
  if (map_memory(s->pages) < 0) stop("no memory for the engine (ulimit -v?)");
  RAW(madvise, WASM_BASE, (usize)s->pages * WASM_PAGE, 15 /* MADV_NOHUGEPAGE: two megabytes would be cleared for the first byte */);
  for (u32 i = 0; i < s->part_count; i++) {
    const struct part *p = &s->parts[i];
    if (RAW(mmap, WASM_BASE + p->address, p->length, 3, 0x12 /* MAP_PRIVATE | MAP_FIXED */, self, start + p->offset) < 0)
      stop("the engine's memory cannot be mapped");
  }
  RAW(close, self);
}

static u32 main_function;

static void run(void) {
  check(QTS_Call(E.context, main_function, QTS_GetUndefined(), 0, 0));
  run_jobs();
  stop("the engine ended without an answer");
}

static char *stack(void) {
  long low = RAW(mmap, 0, STACK_SIZE, 3, 0x4022 /* MAP_PRIVATE | ANONYMOUS | NORESERVE */, -1, 0);
  if (low < 0 && low > -4096) stop("no memory for the engine's stack (ulimit -v?)");
  return (char *)low + STACK_SIZE;
}

void engine_main(char **argv, char **envp) {
  static struct snapshot s;
  E.argv = argv, E.envp = envp;
  while (argv[E.argc]) E.argc++;
  if (E.argc > 0 && str_equal(argv[0], "tsrun:snapshot")) {
    E.building = 1;
    on_stack(stack(), build_snapshot);
  }
  /* Nobody at the other end of a stream is an error like others, not the end of us; spawn.ts takes it back for other programs. */
  struct { void *handler; unsigned long flags; void *restorer; u64 mask; } ignore = {(void *)1, 0, NULL, 0};
  RAW(rt_sigaction, 13 /* SIGPIPE */, &ignore, 0, 8);
  map_snapshot(&s);
  wasm_stack = s.stack_pointer, wasm_lasting = s.lasting;
  E.runtime = s.runtime, E.context = s.context, main_function = s.main;
  *(u32 *)AT(E.runtime + s.threshold_at) = COLLECT_FROM;
  on_stack(stack(), run);
  __builtin_unreachable();
}
