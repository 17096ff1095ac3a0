/*
 * What --debug and --trace are told of a plan's steps. The plan asks for it; without that nothing here is done. Each process notes its
 * own steps, waits and programs in memory that all of them share, made before the first fork: it takes no descriptor into a container
 * (S24), belongs to nobody who could be looked into (S22), and ends with the program there. A process writes to the part of its role
 * alone. What comes out is of fixed size and bounded, and an index is all that leads to a text (S39).
 */
#include "ops.h"

/* A moment: nanoseconds of CLOCK_MONOTONIC; with the highest bit the processor's own counter, which trace_write() holds against the clock. */
#define BY_COUNTER (1ull << 63)
struct entry { u64 begin, end; u32 step; u16 error, where; u8 role, kind, state, unused[5]; };
enum { DONE = 1, BEGUN = 2 };
#define ROLES 3
#define MOST 8192 /* entries a role: what a plan of some thousand steps needs */
struct share { u32 next, dropped; };
static struct share *parts;
static struct entry *entries;
static u32 base[ROLES + 1]; /* where each role's entries begin; not in memory that others write to */
static u64 began[2];        /* clock and counter */
static u32 told;            /* how many steps the engine has heard of */
static int elsewhere, born_elsewhere; /* in another time namespace, whose clock stands at something else */
u64 launched[LAUNCHED]; /* by the launcher, before there is a plan */

u64 clock_now(void) {
  struct timespec moment = {0};
  RAW(clock_gettime, CLOCK_MONOTONIC, &moment);
  return (u64)moment.tv_sec * 1000000000u + (u64)moment.tv_nsec;
}

static u64 counter(void) {
#if defined(__x86_64__)
  u32 low, high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (u64)high << 32 | low;
#else
  u64 value;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
  return value;
#endif
}

/* Behind a seccomp filter no clock may be asked. 0 when nobody wants to know. */
static u64 trace_moment(void) {
  if (!entries) return 0;
  return self.filtered || elsewhere ? counter() | BY_COUNTER : clock_now();
}

/* How many entries there are; other processes may have written to it. */
static u32 count_of(u32 role) {
  u32 next = *(volatile u32 *)&parts[role].next, room = base[role + 1] - base[role];
  return next < room ? next : room;
}

/* NULL when there is no room. */
static struct entry *add(int kind, u32 step, u64 begin) {
  u32 at = count_of(G.role);
  if (at == base[G.role + 1] - base[G.role]) return parts[G.role].dropped++, NULL;
  struct entry *e = &entries[base[G.role] + at];
  *e = (struct entry){.begin = begin, .step = step, .role = (u8)G.role, .kind = (u8)kind, .state = BEGUN};
  parts[G.role].next = at + 1;
  return e;
}

/* Whoever never comes back from it, because a program takes its place or it is killed, has left word of what it was at. */
void trace_begun(int kind, u32 step) {
  if (entries) add(kind, step, trace_moment());
}

void trace_done(int kind, u32 step, int result) {
  u32 end = entries ? base[G.role] + count_of(G.role) : 0;
  for (u32 i = end; entries && i-- > base[G.role] && end - i <= 4;) {
    struct entry *e = &entries[i];
    if (e->kind != kind || e->step != step || e->state != BEGUN) continue;
    e->error = (u16)(result < 0 ? -result : 0);
    e->where = (u16)(result < 0 ? where : 0);
    e->end = trace_moment();
    e->state = DONE;
    return;
  }
}

/* After a step of ours: whether it has changed whose clock we and our children see. */
void trace_moved(const struct step *s) {
  if (!entries) return;
  if (s->op == OP_SELF_TIME_OFFSETS || (s->op == OP_NS_UNSHARE && s->n[0] & CLONE_NEWTIME)) born_elsewhere = 1;
  if (s->op == OP_NS_JOIN && s->n[N_NS_JOIN_type] & CLONE_NEWTIME) elsewhere = born_elsewhere = 1;
  if (s->op == OP_NS_JOIN_PROCESS && s->n[N_NS_JOIN_PROCESS_types] & CLONE_NEWTIME) elsewhere = born_elsewhere = 1;
}

void trace_born(void) { elsewhere |= born_elsewhere; }

void trace_begin(void) {
  u32 counts[ROLES] = {0}, total = 0;
  entries = NULL, told = 0;
  if (!G.plan->traced) return;
  for (u32 i = 0; i < G.count; i++) counts[G.steps[i].role]++;
  for (u32 role = 0; role < ROLES; role++) {
    u32 room = 3 * counts[role] + 32; /* a step, a wait before it, a program in it */
    base[role] = total;
    total += room < MOST ? room : MOST;
  }
  base[ROLES] = total;
  /* MAP_POPULATE: a container's memory limit is not charged for it */
  long shared = RAW(mmap, 0, ROLES * sizeof *parts + total * sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (shared < 0 && shared > -4096) return;
  parts = (struct share *)shared, entries = (struct entry *)(parts + ROLES);
  began[0] = clock_now(), began[1] = counter();
  for (u32 i = 0; i + 1 < LAUNCHED && launched[i] && launched[i + 1]; i++) {
    struct entry *e = add(TRACE_LAUNCH, i, launched[i]);
    if (e) e->end = launched[i + 1], e->state = DONE;
  }
}

/* The program of one of these steps runs: a word of the host's, who has seen the last of its descriptors close. */
void trace_executed(u32 from, u32 to) {
  if (!entries) return;
  u64 now = clock_now();
  for (u32 role = 1; role < ROLES; role++)
    for (u32 i = base[role]; i < base[role] + count_of(role); i++) {
      struct entry *e = &entries[i];
      if (e->state == BEGUN && e->step >= from && e->step < to) e->end = now, e->state = DONE;
    }
  struct entry *e = add(TRACE_RUNS, from, now);
  if (e) e->end = e->begin, e->state = DONE;
}

/* Nobody is left to read what we would write. */
void trace_leave(void) {
  if (entries) RAW(munmap, parts, ROLES * sizeof *parts + base[ROLES] * sizeof *entries);
  entries = NULL;
}

/* Behind an outcome: from which step on it is news; how many entries, and how many had no room; both clocks, twice; the entries. */
void trace_write(int fd) {
  if (!entries) return;
  u32 counts[ROLES], head[4] = {told, 0, 0, G.count};
  for (u32 role = 0; role < ROLES; role++) counts[role] = count_of(role), head[1] += counts[role], head[2] += parts[role].dropped;
  u64 clocks[4] = {began[0], began[1], clock_now(), counter()};
  RAW(write, fd, head, sizeof head);
  RAW(write, fd, clocks, sizeof clocks);
  for (u32 role = 0; role < ROLES; role++) RAW(write, fd, &entries[base[role]], counts[role] * sizeof *entries);
}

/* The engine writes what there is to the log, or to the trace's file. It waits for nobody, so the plan waits for it. */
void trace_tell(u32 upto, int (*tell)(const struct outcome *news)) {
  if (!entries || upto <= told) return;
  struct outcome out = {.magic = OUTCOME_MAGIC, .status = STATUS_TRACE, .pid = (u32)G.pid, .step = upto, .value = G.exit_code};
  if (tell(&out)) told = upto;
}
