/* The small engine: QuickJS-ng from npm as C (src/build/wasm), with the memory that src/build/engine.ts made of our TypeScript. */
#pragma once
#include "../executor/kernel/kernel.h"
#include "prelude.h"

/* Becomes the engine: never returns. `argv[1]` and on are the command line; TypeScript reads `envp` by name. */
void engine_main(char **argv, char **envp) __attribute__((noreturn));

#define AT(address) ((char *)WASM_AT(address))
/* What is left for it below the reach of a 32-bit address and a 32-bit offset: 8 GiB in which nothing else is ever mapped. */
#define MEMORY_LIMIT (1ul << 30)

/* The end of the program's file; right before it are the pages of the memory. */
struct part { u32 address, length, offset, reserved; };
struct snapshot {
  u64 magic;
  u32 stack_pointer, pages, runtime, context, main, stack_top;
  u32 threshold_at, part_count, lasting, reserved;
  struct part parts[64];
};
#define SNAPSHOT_MAGIC 0x33736e7572737431ull

extern struct engine { u32 runtime, context; int argc; char **argv, **envp; int building; } E;

void stop(const char *message) __attribute__((noreturn, cold)); /* says it, and ends: status 70 */
int map_memory(u32 page_count);
void expose_door(u32 target);
void run_jobs(void);
void check(u32 value);
void build_snapshot(void) __attribute__((noreturn));
u32 new_text(const char *bytes, u32 length);
void sha256_blocks(u32 *state, const u8 *data, u32 count);
long json_ordinary(const u8 *text, u32 length, const u32 *table, u32 *carried, u32 room);
u32 json_mark(const u8 *text, u32 at, u32 end);
int json_plain(const u8 *text, u32 units);
u32 valid_utf8(const u8 *s, u32 length);
u32 first_lines(int dir, const char *paths, u32 count);
void look_at_all(int dir, const char *paths, u32 count, u32 *found);
void find_readers(int dir, const char *paths, u32 count, u32 *found);
void find_start_times(const u32 *pids, u32 count, double *found);
u32 next_names(int fd, long *error);
int json_object(const u8 *text, u32 length, const u8 *path, u32 *found);
