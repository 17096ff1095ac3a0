/*
 * Libraries of the host for the engine, which is static and cannot load any: dlopen(3), dlsym(3) and calls with numbers and addresses, asked for
 * over descriptor 3. It is a shared object without a library of its own and is started by the host's loader with a C library
 * loaded before it, so one file serves glibc and musl (src/host/small/ffi.ts). It runs when a seccomp profile is new, and for systemd.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

extern void *dlopen(const char *name, int flags);
extern void *dlsym(void *library, const char *name);
extern long read(int fd, void *to, u64 size);
extern long write(int fd, const void *from, u64 size);
extern void *malloc(u64 size);
extern void free(void *);
extern int *__errno_location(void);
extern void _exit(int) __attribute__((noreturn));

enum { OPEN = 1, SYMBOL, CALL, PEEK, TEXT, EACH };
enum { NUMBER, BYTES, TEXTS, NUMBERS, PLACES };
struct argument { u64 value; u32 kind, length; };
struct request { u32 operation, count, size, unused; u64 target; struct argument arguments[8]; };
struct answer { u64 result; u32 error, size; };
#define LIMIT (64u << 20)

static int whole(int fd, void *at, u64 size, int writing) {
  for (u8 *to = at; size;) {
    long done = writing ? write(fd, to, size) : read(fd, to, size);
    if (done < 0 && *__errno_location() == 4) continue;
    if (done <= 0) return 0;
    to += done, size -= (u64)done;
  }
  return 1;
}

static u64 length_of(const char *text) {
  u64 length = 0;
  while (text && text[length]) length++;
  return length;
}

/* Every function of the C ABI takes eight words so, whatever it makes of them. */
static u64 call(const struct request *r, u8 *payload, struct answer *answer) {
  u64 v[8] = {0};
  for (u32 i = 0; i < r->count && i < 8; i++) {
    const struct argument *a = &r->arguments[i];
    v[i] = a->kind == NUMBER ? a->value : (u64)payload;
    if (a->kind != NUMBER) payload += a->length;
  }
  *__errno_location() = 0;
  u64 result = ((u64(*)(u64, u64, u64, u64, u64, u64, u64, u64))r->target)(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]);
  answer->error = (u32)*__errno_location();
  return result;
}

static u32 word_at(const u8 *at) { return at[0] | at[1] << 8 | at[2] << 16 | (u32)at[3] << 24; }

/* A call for each item of lists that are as long as each other: results, or 0 for what is shorter than it says. Bytes lie first, then the
   lists; of texts there is one list, the last. Places are counted from the begin of all, and the last number there is means none. */
static int *call_each(const struct request *r, const u8 *payload, struct answer *answer) {
  u64 v[8] = {0};
  const u8 *at = payload, *end = payload + r->size, *column[8] = {0}, *texts = 0;
  u32 count = 0, items = r->count < 8 ? r->count : 8;
  for (u32 i = 0; i < items; i++) {
    const struct argument *a = &r->arguments[i];
    if (a->kind == NUMBER) v[i] = a->value;
    if (a->kind != BYTES) continue;
    if (a->length > (u64)(end - at)) return 0;
    v[i] = (u64)at, at += a->length;
  }
  for (u32 i = 0; i < items; i++) {
    const struct argument *a = &r->arguments[i];
    if (a->kind == NUMBER || a->kind == BYTES) continue;
    if (texts || a->length > LIMIT / 4 || (count && a->length != count)) return 0;
    count = a->length, column[i] = at;
    if (a->kind == TEXTS) texts = at;
    else if ((u64)(end - at) / 4 < count) return 0;
    else at += 4ul * count;
  }
  int *results = malloc(count * 4ul + 1);
  for (u32 k = 0; results && k < count; k++) {
    for (u32 i = 0; i < items; i++) {
      if (!column[i]) continue;
      u32 word = r->arguments[i].kind == TEXTS ? 0 : word_at(column[i] + 4ul * k);
      if (r->arguments[i].kind == NUMBERS) v[i] = word;
      else if (r->arguments[i].kind == PLACES) {
        if (word != ~0u && word > r->size) return 0;
        v[i] = word == ~0u ? 0 : (u64)(payload + word);
      } else {
        if (texts >= end) return 0;
        v[i] = (u64)texts, texts += length_of((const char *)texts) + 1;
      }
    }
    results[k] = ((int (*)(u64, u64, u64, u64, u64, u64, u64, u64))r->target)(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]);
  }
  answer->size = count * 4;
  return results;
}

static int serve(void) {
  struct request r;
  if (!whole(3, &r, sizeof r, 0) || r.size > LIMIT) return 0;
  u8 *payload = malloc(r.size + 1ul);
  if (!payload || !whole(3, payload, r.size, 0)) return 0;
  payload[r.size] = 0;
  struct answer answer = {0};
  const void *back = payload;
  if (r.operation == OPEN) answer.result = (u64)dlopen(r.size ? (const char *)payload : 0, 2 /* RTLD_NOW */);
  else if (r.operation == SYMBOL) answer.result = (u64)dlsym((void *)r.target, (const char *)payload);
  else if (r.operation == CALL) answer.result = call(&r, payload, &answer), answer.size = r.size;
  else if (r.operation == PEEK) back = (const void *)r.target, answer.size = (u32)r.arguments[0].value;
  else if (r.operation == TEXT) back = (const void *)r.target, answer.size = (u32)length_of(back);
  else if (r.operation == EACH && !(back = call_each(&r, payload, &answer))) return 0;
  int good = whole(3, &answer, sizeof answer, 1) && whole(3, (void *)back, answer.size, 1);
  free(payload);
  return good;
}

void bridge_main(void) {
  while (serve()) {}
  _exit(0);
}

/* Without an interpreter glibc's loader takes a file for static, and jumps into it as it is (seen with 2.36). */
#if defined(__x86_64__)
__attribute__((used, section(".interp"))) static const char interpreter[] = "/lib64/ld-linux-x86-64.so.2";
__asm__(".globl _start\n_start:\n xor %ebp,%ebp\n and $-16,%rsp\n call bridge_main@PLT\n");
#else
__attribute__((used, section(".interp"))) static const char interpreter[] = "/lib/ld-linux-aarch64.so.1";
__asm__(".globl _start\n_start:\n mov x29,#0\n mov x0,sp\n and sp,x0,#-16\n bl bridge_main\n");
#endif
