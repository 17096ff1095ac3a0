/*
 * What --debug is told of a plan's steps. The plan asks for it; without that nothing here is done. Each process notes its own steps in
 * memory that all of them share, which takes no descriptor into a container (S24) and ends with the program there. What comes out is
 * of fixed size and an index is all that leads to a text (S39).
 */
#include "sys.h"

struct entry { u64 time; u16 error, where; u32 state; };
static struct entry *entries;
static u64 began;
static u32 told; /* how many steps the engine has heard of */

static u64 now(void) {
  struct timespec moment = {0};
  RAW(clock_gettime, 1 /* CLOCK_MONOTONIC */, &moment);
  return (u64)moment.tv_sec * 1000000000u + (u64)moment.tv_nsec;
}

void trace_begin(void) {
  entries = NULL, told = 0;
  if (!G.plan->traced || teller.answer >= 0) return;
  long shared = RAW(mmap, 0, G.count * sizeof *entries, 3 /* PROT_READ | PROT_WRITE */, 0x21 /* MAP_SHARED | MAP_ANONYMOUS */, -1, 0);
  if (shared < 0 && shared > -4096) return;
  entries = (struct entry *)shared, began = now();
}

/* `result` of step k; TRACE_BEGUN for one that a program takes the place of. Behind a seccomp filter no clock may be asked. */
void trace_step(u32 k, int result) {
  if (!entries || k >= G.count) return;
  struct entry *e = &entries[k];
  e->time = G.filtered ? 0 : now() - began;
  e->error = (u16)(result < 0 && result != TRACE_BEGUN ? -result : 0);
  e->where = (u16)(e->error ? where : 0);
  e->state = result == TRACE_BEGUN ? 2 : 1;
}

/* The program of one of these steps runs. */
void trace_executed(u32 from, u32 to) {
  for (; entries && from < to; from++)
    if (entries[from].state == 2) trace_step(from, 0);
}

/* Behind an outcome: from which step on it is news, and all entries. */
void trace_write(int fd) {
  if (!entries) return;
  RAW(write, fd, &told, sizeof told);
  RAW(write, fd, &G.count, sizeof G.count);
  RAW(write, fd, entries, G.count * sizeof *entries);
}

/* The engine writes what there is to the log. It waits for nobody, so the plan waits for it. */
void trace_tell(u32 upto) {
  if (!entries || upto <= told) return;
  struct outcome out = {.magic = OUTCOME_MAGIC, .status = STATUS_TRACE, .pid = (u32)G.pid, .step = upto, .value = G.exit_code};
  tell_remark(&out);
  told = upto;
}
