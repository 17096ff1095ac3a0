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
enum { NUMBER, BYTES, TEXTS, NUMBERS };
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

/* A call with each item of a list in one argument's place, behind the bytes of the others: results, or 0 for a list that is shorter than it says. */
static int *call_each(const struct request *r, const u8 *payload, struct answer *answer) {
  u64 v[8] = {0};
  u32 varying = 8, count = 0, kind = NUMBER;
  const u8 *at = payload, *end = payload + r->size;
  for (u32 i = 0; i < r->count && i < 8; i++) {
    const struct argument *a = &r->arguments[i];
    if (a->kind == NUMBER) v[i] = a->value;
    else if (a->kind != BYTES) varying = i, count = a->length, kind = a->kind;
    else if (a->length > (u64)(end - at)) return 0;
    else v[i] = (u64)at, at += a->length;
  }
  if (varying == 8 || count > LIMIT / 4 || (kind == NUMBERS && (u64)(end - at) / 4 < count)) return 0;
  int *results = malloc(count * 4ul + 1);
  for (u32 i = 0; results && i < count; i++) {
    if (kind == TEXTS && at >= end) return 0;
    v[varying] = kind == TEXTS ? (u64)at : at[4 * i] | at[4 * i + 1] << 8 | at[4 * i + 2] << 16 | (u32)at[4 * i + 3] << 24;
    if (kind == TEXTS) at += length_of((const char *)at) + 1;
    results[i] = ((int (*)(u64, u64, u64, u64, u64, u64, u64, u64))r->target)(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]);
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
