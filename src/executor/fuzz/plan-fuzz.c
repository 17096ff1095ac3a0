/*
 * Feeds damaged plans, and damaged kept plans (*.kept), to the decoder, built with a libc, AddressSanitizer and UBSan (security.md S37, T-FUZZ):
 *   cc -DHOSTED -g -O1 -fsanitize=address,undefined src/executor/fuzz/plan-fuzz.c -o plan-fuzz && ./plan-fuzz ROUNDS SEED PLAN...
 * Every accepted plan is then read the way the steps read theirs, so that a check the decoder lacks shows up.
 */
#include "../walk/plan.c"
#include "../kernel/str.c"
#include "../entry/kept.c"

/* libc's headers and the kernel's do not go together */
typedef struct file_of_libc FILE;
extern FILE *stderr;
int printf(const char *, ...);
int fprintf(FILE *, const char *, ...);
FILE *fopen(const char *, const char *);
usize fread(void *, usize, usize, FILE *);
int fclose(FILE *);
void perror(const char *);
long atol(const char *);
void *malloc(usize);
void free(void *);
void abort(void) __attribute__((noreturn));
long syscall(long, ...);

struct state G;
struct self self;
int where;
long hosted_syscall(long n, long a, long b, long c, long d, long e, long f) { return syscall(n, a, b, c, d, e, f); }
int stat_fd(int fd, struct statx *st) { (void)fd, (void)st; return -EINVAL; }
long read_small(int dir, const char *name, char *buffer, usize size) { (void)dir, (void)name, (void)buffer, (void)size; return -ENOENT; }
int high(long fd) { return (int)fd; }

static u64 seed;
static u32 draw(u32 limit) {
  seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
  return limit ? (u32)(seed % limit) : 0;
}

/* Reads every byte that a step could read. */
static unsigned walk(void) {
  unsigned sum = 0;
  for (u32 k = 0; k < G.count; k++) {
    const struct op_shape *shape = &op_shapes[G.steps[k].op];
    for (int i = 0; i < 5 && shape->kinds[i]; i++) {
      const char *at = text(&G.steps[k], i);
      u32 size = length(&G.steps[k], i);
      if (shape->kinds[i] <= 2 && str_length(at) != size) abort(); /* not terminated, or shorter than it says */
      for (u32 b = 0; b < size; b++) sum += (unsigned char)at[b];
      if (shape->kinds[i] == 4)
        for (u32 b = 0; b < size; b += (u32)str_length(at + b) + 1) sum++;
    }
  }
  return sum;
}

static void damage(char *bytes, u32 size) {
  static const u32 extremes[] = {0, 1, 0x7fffffff, 0x80000000u, 0xffffffffu, 0xfffffff8u, 4096, 76};
  for (u32 i = 1 + draw(4); i; i--) {
    u32 at = draw(3) ? draw(size) : draw(size < 600 ? size : 600);
    switch (draw(4)) {
      case 0: bytes[at] = (char)draw(256); break;
      case 1: bytes[at] ^= (char)(1 << draw(8)); break;
      case 2: if (at / 4 * 4 + 4 <= size) memcpy(bytes + at / 4 * 4, &extremes[draw(8)], 4); break;
      case 3: if (at / 4 * 4 + 4 <= size) { u32 v; memcpy(&v, bytes + at / 4 * 4, 4); v += draw(2) ? 1u : ~0u; memcpy(bytes + at / 4 * 4, &v, 4); } break;
    }
  }
}

/* The call that the sample was kept for; its paths are bound into the plan, in the places that damage may have moved. */
static char *const kept_words[] = {"exec", "--process", "/tmp/runc-process123456", "--pid-file", "/run/containerd/io/web/probe.pid", "web", NULL};

/* What is left of a plan: its bytes, or those behind the words of a kept one; NULL when it is refused. */
static char *plan_in(char *bytes, u32 *size, int kept) {
  if (!kept) return bytes;
  struct kept_header *h = (struct kept_header *)bytes;
  if (!is_sound(h, *size) || !matches(bytes, *size, (char **)kept_words)) return NULL;
  *size -= h->plan_offset;
  return bytes + h->plan_offset;
}

int main(int argc, char **argv) {
  if (argc < 4) return fprintf(stderr, "usage: plan-fuzz ROUNDS SEED PLAN...\n"), 2;
  long rounds = atol(argv[1]), accepted = 0, refused = 0;
  unsigned sum = 0;
  seed = (u64)atol(argv[2]) * 2654435761u + 1;
  for (int a = 3; a < argc; a++) {
    static char original[1 << 20];
    FILE *file = fopen(argv[a], "rb");
    if (!file) return perror(argv[a]), 2;
    u32 size = (u32)fread(original, 1, sizeof original, file);
    fclose(file);
    usize named = str_length(argv[a]);
    int kept = named > 5 && str_equal(argv[a] + named - 5, ".kept");
    for (long r = 0; r < rounds; r++) {
      u32 now = r && draw(8) == 0 ? draw(size + 1) : size;
      char *bytes = malloc(now ? now : 1); /* exact: one byte too far is seen */
      memcpy(bytes, original, now);
      if (r && now) damage(bytes, now);
      /* `total_length` of the one, `total` of the other */
      if (now >= sizeof(struct plan_header) && draw(2)) ((u32 *)bytes)[2] = now;
      char *plan = plan_in(bytes, &now, kept);
      if (plan && check_plan((const struct plan_header *)plan, now)) {
        G.plan = (const struct plan_header *)plan;
        G.steps = (const struct step *)(G.plan + 1);
        G.data = plan + G.plan->data_offset;
        G.count = G.plan->step_count;
        sum += walk();
        accepted++;
      } else {
        refused++;
        if (r == 0) return fprintf(stderr, "%s is refused undamaged\n", argv[a]), 1;
      }
      free(bytes);
    }
  }
  printf("%ld plans accepted, %ld refused (%u)\n", accepted, refused, sum & 1);
  return 0;
}
