/*
 * What the engine's host reads of configs before TypeScript does: damaged ones, with AddressSanitizer and UBSan; each ends at the end of its
 * memory, so that one byte too far is seen (security.md T-FUZZ). Started by src/executor/fuzz/run.sh:
 *   json-fuzz ROUNDS SEED TABLE CONFIG...
 */
#include "../json.c"
#include "../shape.c"
#include "../../executor/kernel/str.c"

typedef struct file_of_libc FILE;
int printf(const char *, ...);
long atol(const char *);
void *malloc(usize);
void free(void *);
FILE *fopen(const char *, const char *);
usize fread(void *, usize, usize, FILE *);
int fclose(FILE *);
void abort(void);

int where;
struct self self;
long hosted_syscall(long n, long a, long b, long c, long d, long e, long f) { return -ENOSYS; }

static u64 seed;
static u32 draw(u32 limit) {
  seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
  return limit ? (u32)(seed % limit) : 0;
}

static u8 *read_whole_file(const char *path, u32 *size) {
  static u8 room[1 << 20];
  FILE *file = fopen(path, "r");
  if (!file) abort();
  *size = (u32)fread(room, 1, sizeof room, file);
  fclose(file);
  u8 *bytes = malloc(*size + 1);
  memcpy(bytes, room, *size);
  return bytes;
}

/* A copy with some damage, cut or not, that ends with its memory. */
static u8 *damaged(const u8 *from, u32 size, u32 *now) {
  static const char marks[] = "\"\"\\\\{}[]:,u0d8-9tfn \t\x01\x7f\xc3";
  *now = draw(8) ? size : draw(size + 1);
  u8 *bytes = malloc(*now + !*now);
  memcpy(bytes, from, *now);
  for (u32 i = draw(4); i && *now; i--) bytes[draw(*now)] = draw(4) ? (u8)marks[draw(sizeof marks - 1)] : (u8)draw(256);
  if (draw(3) == 0 && *now > 12) memcpy(bytes + draw(*now - 12), "\\ud83d\\ude00", 12);
  return bytes;
}

int main(int argc, char **argv) {
  u32 table_size, sizes[64], counts[3] = {0};
  static u8 *texts[64];
  long rounds = atol(argv[1]);
  seed = (u64)atol(argv[2]) * 2654435761u + 1;
  static u32 *table;
  table = (u32 *)read_whole_file(argv[3], &table_size);
  int files = argc - 4;
  for (int i = 0; i < files; i++) texts[i] = read_whole_file(argv[4 + i], &sizes[i]);
  for (long round = 0; round < rounds; round++) {
    u32 which = draw((u32)files), size, room = 16u << draw(8), found[2] = {0};
    u8 *text = damaged(texts[which], sizes[which], &size);
    u32 *carried = malloc(8 + 4 * room);
    memset(carried, 0, 8 + 4 * room);
    long keys = json_ordinary(text, size, table, carried, draw(4) ? room : 0);
    counts[keys < 0 ? 0 : carried[1] ? 2 : 1]++;
    if (keys >= 0 && carried[1] && (carried[1] > size || text[carried[0]] != '{' || text[carried[1] - 1] != '}')) abort();
    static const u8 path[] = "linux\0seccomp\0";
    if (json_object(text, size, path, found) && (found[1] > size || found[0] >= found[1])) abort();
    free(text), free(carried);
  }
  printf("%u ordinary configs, %u more with annotations that are carried, %u others\n", counts[1], counts[2], counts[0]);
  return 0;
}
