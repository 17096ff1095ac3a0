/*
 * What else the executor reads that it did not write: CRIU's answers and mountinfo. Damaged samples, with
 * AddressSanitizer and UBSan; each input ends at the end of its memory, so that one byte too far is seen (security.md T-FUZZ):
 *   cc -DHOSTED -g -O1 -fsanitize=address,undefined src/executor/fuzz/input-fuzz.c -o input-fuzz && ./input-fuzz ROUNDS SEED
 */
#include "../ops/criu.c"
#include "../ops/hide.c"
#include "../kernel/str.c"

typedef struct file_of_libc FILE;
extern FILE *stderr;
int printf(const char *, ...);
int fprintf(FILE *, const char *, ...);
long atol(const char *);
void *malloc(usize);
void free(void *);

struct state G;
struct self self;
int where;
long hosted_syscall(long n, long a, long b, long c, long d, long e, long f) { return -ENOSYS; }
int stat_fd(int fd, struct statx *st) { return -EINVAL; }
int high(long fd) { return (int)fd; }
int wait_child(int pid, int *status) { return 0; }
int wait_readable(int fd, int pidfd, int timeout_ms) { return -EPIPE; }
int send_record(int fd, const struct record *r, int passed) { return 0; }
long receive_message(int fd, void *bytes, usize size, u32 flags, int *passed) { return -EPIPE; }
int give_descriptor(int to, const char *message_text, u32 size, int fd) { return 0; }
void announce(void) {}

static u64 seed;
static u32 draw(u32 limit) {
  seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
  return limit ? (u32)(seed % limit) : 0;
}

/* A copy with some damage, cut or not, that ends with its memory; `spare` zeros behind it. */
static char *damaged(const char *from, u32 size, u32 spare, u32 *now) {
  static const u32 extremes[] = {0, 1, 0x7fffffff, 0x80000000u, 0xffffffffu, 0xfffffff8u, 4096, 20};
  *now = draw(6) ? size : draw(size + 1);
  char *bytes = malloc(*now + spare + !(*now + spare));
  memcpy(bytes, from, *now);
  memset(bytes + *now, 0, spare);
  for (u32 i = draw(5); i && *now; i--) {
    u32 at = draw(2) ? draw(*now) : draw(*now < 200 ? *now : 200), v;
    if (draw(2)) bytes[at] = (char)draw(256);
    else if (at / 4 * 4 + 4 <= *now) v = extremes[draw(8)] + draw(3) - 1, memcpy(bytes + at / 4 * 4, &v, 4);
  }
  return bytes;
}

static unsigned criu_round(void) {
  /* type 7, success, notify { script "post-restore", pid 1234 }, restore { pid 99 }, errno 5, message */
  static const char sample[] = "\x08\x07\x10\x01\x2a\x11\x0a\x0cpost-restore\x10\xd2\x09\x22\x02\x08\x63\x38\x05\x4a\x04nope\x85\x01\x01\x02\x03\x04";
  u32 size;
  char *bytes = damaged(sample, sizeof sample - 1, 0, &size);
  struct answer a = {0};
  int result = read_answer((struct reader){(unsigned char *)bytes, (unsigned char *)bytes + size}, &a);
  unsigned sum = result < 0;
  if (result == 0) {
    for (usize i = 0; a.event && i < a.event_size; i++) sum += a.event[i];
    keep_text(a.message, a.message ? a.message_size : 0);
    take_pid(a.pid);
  }
  free(bytes);
  return sum;
}

static unsigned mountinfo_round(void) {
  static const char sample[] = "36 35 98:0 /mnt1 /a\\040b\\134 rw,noatime master:1 - proc /dev/root rw\n22 1 0:1 / /sys rw shared:7 propagate_from:3 - sysfs sysfs rw\n9 9 9:9 / / rw - ext4 x rw";
  u32 size;
  char *bytes = damaged(sample, sizeof sample - 1, 1, &size);
  unsigned sum = 0;
  for (char *line = bytes; *line;) {
    char *end = line;
    while (*end && *end != '\n') end++;
    char *next = *end ? end + 1 : end;
    *end = 0;
    const char *point = shown_by(line);
    sum += point ? (unsigned)str_length(point) + (unsigned)is_below(point, "/a b") : 0;
    line = next;
  }
  free(bytes);
  return sum;
}

int main(int argc, char **argv) {
  if (argc < 3) return fprintf(stderr, "usage: input-fuzz ROUNDS SEED\n"), 2;
  long rounds = atol(argv[1]);
  unsigned long sum = 0;
  seed = (u64)atol(argv[2]) * 2654435761u + 1;
  for (long r = 0; r < rounds; r++) sum += criu_round() + mountinfo_round();
  printf("%ld rounds each (%lu)\n", rounds, sum & 1);
  return 0;
}
