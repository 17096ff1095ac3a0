/*
 * The host of the small engine: maps its memory, gives it a thread's stack, and carries out the calls that TypeScript makes
 * through "the door" (src/host/small/door.ts): system calls by number, text from and to bytes. It decides nothing.
 */
#include "engine.h"
#include "quickjs.h"
#include "../generated/engine-calls.h"

struct engine E;
u32 wasm_pages, wasm_lasting;

void stop(const char *message) {
  RAW(write, 2, "tsrun: ", 7);
  RAW(write, 2, message, str_length(message));
  RAW(write, 2, "\n", 1);
  RAW(exit_group, 70);
  __builtin_unreachable();
}
void wasm_trap(void) { stop("the engine has stopped: its code went wrong"); }

/* Memory for so many pages, behind what is there. */
int map_memory(u32 page_count) {
  usize from = (usize)wasm_pages * WASM_PAGE, to = (usize)page_count * WASM_PAGE;
  if (to > MEMORY_LIMIT) return -ENOMEM;
  if (to > from) TRY(SYS(mmap, WASM_BASE + from, to - from, 3, 0x100022 /* MAP_PRIVATE | ANONYMOUS | FIXED_NOREPLACE */, -1, 0));
  wasm_pages = page_count;
  return 0;
}

/* What the module imports, by the letters it has in this version; Emscripten's own names are in the comments. */
void wasm_import_b(u32 text, u32 file, u32 line, u32 function) { stop(AT(text)); } /* __assert_fail */
u32 wasm_import_c(u32 fd, u32 vectors, u32 count, u32 result) { /* fd_write */
  u32 all = 0;
  for (u32 i = 0; i < count; i++) {
    u32 *vector = (u32 *)AT(vectors + 8 * i);
    RAW(write, 2, AT(vector[0]), vector[1]);
    all += vector[1];
  }
  *(u32 *)AT(result) = all;
  return 0;
}
u32 wasm_import_d(u32 fd) { return 52; } /* fd_close: ENOSYS */
u32 wasm_import_e(u32 a, u32 b) { return 0; } /* environ_get */
u32 wasm_import_f(u32 count, u32 size) { *(u32 *)AT(count) = 0, *(u32 *)AT(size) = 0; return 0; } /* environ_sizes_get */
u32 wasm_import_g(u32 a, u32 b, u32 c, u32 d) { return 0; } /* normalizeModule */
u32 wasm_import_h(u32 a, u32 b, u32 c) { return 0; } /* loadModuleSource */
u32 wasm_import_i(u32 a) { return 0; } /* shouldInterrupt */
u32 wasm_import_j(u32 a, double b) { return 0; } /* _setitimer_js */
u32 wasm_import_k(u32 wanted) { /* emscripten_resize_heap: by a quarter at least, for each growth is a call */
  u32 pages = (u32)((wanted + WASM_PAGE - 1) / WASM_PAGE), more = wasm_pages + wasm_pages / 4;
  if (pages < more && (usize)more * WASM_PAGE <= MEMORY_LIMIT) pages = more;
  return map_memory(pages) == 0;
}
void wasm_import_l(void) {} /* _emscripten_runtime_keepalive_clear */
void wasm_import_n(u32 zone, u32 daylight, u32 standard, u32 summer) { /* _tzset_js */
  *(u32 *)AT(zone) = 0, *(u32 *)AT(daylight) = 0;
  memcpy(AT(standard), "UTC", 4), memcpy(AT(summer), "UTC", 4);
}
u32 wasm_import_o(u32 a, u64 b, u32 c, u32 d) { return 70; } /* fd_seek: ESPIPE */
void wasm_import_r(void) { stop("the engine has aborted"); }
void wasm_import_s(u32 code) { RAW(exit_group, code); __builtin_unreachable(); }
void wasm_import_u(u32 a, u32 b) {} /* freeHostRef */

/* While the snapshot is made no clock is read, so that two builds are alike. */
static u64 nanoseconds(int clock) {
  struct timespec now = {0};
  if (!E.building) RAW(clock_gettime, clock, &now);
  return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}
double wasm_import_p(void) { return (double)(nanoseconds(0) / 1000000); } /* emscripten_date_now */
u32 wasm_import_q(u32 clock, u64 precision, u32 result) { /* clock_time_get */
  u64 now = nanoseconds(clock != 0);
  memcpy(AT(result), &now, 8);
  return 0;
}
void wasm_import_m(u64 at, u32 result) { /* _localtime_js, in UTC. Days to a date as in Hinnant's "chrono-compatible algorithms". */
  long long seconds = (long long)at, days = seconds / 86400, rest = seconds % 86400;
  if (rest < 0) rest += 86400, days--;
  long long z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
  long long yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
  long long month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2);
  int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0, yday = (int)(doy + 59 + leap - (doy >= 306 ? 365 + leap : 0));
  int values[11] = {(int)(rest % 60), (int)(rest / 60 % 60), (int)(rest / 3600), (int)(doy - (153 * mp + 2) / 5 + 1), (int)month - 1, (int)year - 1900,
    (int)((days % 7 + 11) % 7), yday, 0, 0, 0};
  memcpy(AT(result), values, sizeof values);
}

/* The door. Arguments are values of the engine; the answer is a number or a text. */
static u32 arguments, argument_count;
static u32 value_of(u32 i) { return QTS_ArgvGetJSValueConstPointer(arguments, i); }
static double real(u32 i) { return i < argument_count ? QTS_GetFloat64(E.context, value_of(i)) : 0; }
static long number(u32 i) { return (long)real(i); }
static char *address(u32 i) { return AT((u32)(long)real(i)); }

u32 new_text(const char *bytes, u32 length) {
  u32 copy = engine_malloc(length + 1);
  if (!copy) stop("out of memory");
  memcpy(AT(copy), bytes, length);
  AT(copy)[length] = 0;
  u32 value = QTS_NewString(E.context, copy);
  engine_free(copy);
  return value;
}

/* How many bytes from the start are ASCII, but for the last few. */
static u32 plain_length(const u8 *s, u32 length) {
  u32 i = 0;
  for (u64 eight; i + 8 <= length; i += 8) {
    memcpy(&eight, s + i, 8);
    if (eight & 0x8080808080808080ull) break;
  }
  return i;
}

/* UTF-8 of the engine writes half a surrogate pair as three bytes, ED A0 to BF and another. `raw`: U+DC80 to U+DCFF are single bytes
   (tables/lossless-text.ts); else each becomes U+FFFD, as a TextEncoder does it. Returns the length. */
static u32 settle_surrogates(u8 *text, u32 length, int raw) {
  u32 from = plain_length(text, length);
  while (from < length && text[from] != 0xed) from++;
  if (from == length) return length;
  u32 to = from;
  while (from < length) {
    if (text[from] != 0xed || from + 2 >= length || text[from + 1] < 0xa0) {
      text[to++] = text[from++];
      continue;
    }
    u32 code = 0xd000u | (text[from + 1] & 0x3fu) << 6 | (text[from + 2] & 0x3fu);
    from += 3;
    if (raw && code >= 0xdc80 && code <= 0xdcff) text[to++] = (u8)code;
    else text[to] = 0xef, text[to + 1] = 0xbf, text[to + 2] = 0xbd, to += 3;
  }
  return to;
}

/* How many bytes from the start are UTF-8. */
u32 valid_utf8(const u8 *s, u32 length) {
  u32 i = plain_length(s, length);
  while (i < length) {
    u8 c = s[i];
    if (c < 0x80) { i++; continue; }
    u32 more = c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : 0;
    if (!more || length - i <= more) break;
    u8 low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80, high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (s[i + 1] < low || s[i + 1] > high) break;
    if (more > 1 && (s[i + 2] & 0xc0) != 0x80) break;
    if (more > 2 && (s[i + 3] & 0xc0) != 0x80) break;
    i += more + 1;
  }
  return i;
}

static u32 text_of(u32 which) {
  u32 text = QTS_GetString(E.context, value_of(which));
  if (!text) stop("out of memory");
  return text;
}

static long system_call(void) {
  u32 which = (u32)number(0), texts[6], text_count = 0;
  long values[6] = {0};
  if (which >= ARRAY(engine_calls)) return -ENOSYS;
  const struct engine_call *call = &engine_calls[which];
  for (u32 i = 0; i < 6 && call->kinds[i]; i++) {
    if (call->kinds[i] == 'n') values[i] = number(i + 1);
    else if (call->kinds[i] == 'a') values[i] = number(i + 1) ? (long)address(i + 1) : 0;
    else {
      u32 text = text_of(i + 1);
      u32 length = (u32)str_length(AT(text));
      AT(text)[settle_surrogates((u8 *)AT(text), length, 1)] = 0;
      texts[text_count++] = text, values[i] = (long)AT(text);
    }
  }
  long result;
  do result = syscall6(call->number, values[0], values[1], values[2], values[3], values[4], values[5]);
  while (result == -EINTR && call->number != __NR_ppoll);
  while (text_count) QTS_FreeCString(E.context, texts[--text_count]);
  return result;
}

/* How many bytes of the engine's UTF-8 so many units of UTF-16 are: the text may have NULs, which end nothing. */
static u32 bytes_of(const u8 *text, u32 units) {
  const u8 *at = text;
  while (units) {
    u64 eight;
    if (units >= 8 && (memcpy(&eight, at, 8), !(eight & 0x8080808080808080ull))) at += 8, units -= 8;
    else if (*at < 0xf0) at += *at < 0x80 ? 1 : *at < 0xe0 ? 2 : 3, units--;
    else at += 4, units -= units > 1 ? 2 : 1;
  }
  return (u32)(at - text);
}

/* put(text, address, room, raw, units): bytes of a text of so many units; -1 when they do not fit. As TextEncoder has them, or raw bytes. */
static long put(void) {
  u32 text = text_of(0);
  u32 length = settle_surrogates((u8 *)AT(text), bytes_of((u8 *)AT(text), (u32)number(4)), number(3) == 1);
  long result = length > (u32)number(2) ? -1 : (long)length;
  if (result > 0) memcpy(address(1), AT(text), length);
  QTS_FreeCString(E.context, text);
  return result;
}

/* The bytes of argument or environment entry `which` at an address; the length, or -1 when there is none. */
static long copy_out(const char *bytes, char *to, u32 room) {
  if (!bytes) return -1;
  u32 length = (u32)str_length(bytes);
  memcpy(to, bytes, length < room ? length : room);
  return length;
}
static const char *variable(const char *name) {
  usize length = str_length(name);
  for (char **entry = E.envp; *entry; entry++)
    if (starts_with(*entry, name) && (*entry)[length] == '=') return *entry + length + 1;
  return NULL;
}

enum door { DOOR_CALL, DOOR_PUT, DOOR_GET, DOOR_VALID, DOOR_ARGUMENT, DOOR_VARIABLE, DOOR_BUFFER, DOOR_ADDRESS, DOOR_SHA256, DOOR_ARCHITECTURE,
  DOOR_BRIDGE, DOOR_ENTRY, DOOR_OBJECT, DOOR_PLAIN, DOOR_ORDINARY, DOOR_LINES, DOOR_LOOKS, DOOR_READERS, DOOR_STARTS, DOOR_NAMES };
static const struct { const char *name; u32 arguments; } door[] = {
  [DOOR_CALL] = {"call", 7}, [DOOR_PUT] = {"put", 5}, [DOOR_GET] = {"get", 2}, [DOOR_VALID] = {"valid", 2}, [DOOR_ARGUMENT] = {"argument", 3},
  [DOOR_VARIABLE] = {"variable", 3}, [DOOR_BUFFER] = {"buffer", 2}, [DOOR_ADDRESS] = {"address", 1}, [DOOR_SHA256] = {"sha256", 3},
  [DOOR_ARCHITECTURE] = {"architecture", 0}, [DOOR_BRIDGE] = {"bridge", 1}, [DOOR_ENTRY] = {"entry", 3}, [DOOR_OBJECT] = {"object", 4}, [DOOR_PLAIN] = {"plain", 2},
  [DOOR_ORDINARY] = {"ordinary", 5},
  [DOOR_LINES] = {"lines", 3}, [DOOR_LOOKS] = {"looks", 4}, [DOOR_READERS] = {"readers", 4}, [DOOR_STARTS] = {"starts", 3}, [DOOR_NAMES] = {"names", 1}};
extern const char bridge_begin[], bridge_end[]; /* parts.S */
static u32 last_buffer;

static u32 answer(u32 id) {
  long result = 0;
  u32 text;
  switch (id) {
    case DOOR_CALL: result = E.building ? -ENOSYS : system_call(); break;
    case DOOR_PUT: result = put(); break;
    case DOOR_GET: return new_text(address(0), (u32)number(1));
    case DOOR_VALID: result = valid_utf8((u8 *)address(0), (u32)number(1)); break;
    case DOOR_ARGUMENT: result = number(0) < E.argc ? copy_out(E.argv[number(0)], address(1), (u32)number(2)) : -1; break;
    case DOOR_ENTRY: result = copy_out(E.envp[number(0)], address(1), (u32)number(2)); break;
    case DOOR_VARIABLE:
      text = text_of(0);
      result = copy_out(variable(AT(text)), address(1), (u32)number(2));
      QTS_FreeCString(E.context, text);
      break;
    case DOOR_BUFFER: /* memory whose address is known: address() tells that of the last one */
      last_buffer = engine_malloc((u32)number(0));
      if (!last_buffer) return 0;
      if (!number(1)) memset(AT(last_buffer), 0, (u32)number(0)); /* else it is filled at once: pages that nobody writes to cost nothing */
      return QTS_NewArrayBuffer(E.context, last_buffer, (u32)number(0));
    case DOOR_ADDRESS: result = last_buffer; break;
    case DOOR_BRIDGE: result = RAW(write, number(0), bridge_begin, bridge_end - bridge_begin); break;
    case DOOR_SHA256: sha256_blocks((u32 *)address(0), (u8 *)address(1), (u32)number(2)); break;
    case DOOR_OBJECT: result = json_object((u8 *)address(0), (u32)number(1), (u8 *)address(2), (u32 *)address(3)); break;
    case DOOR_ORDINARY: result = json_ordinary((u8 *)address(0), (u32)number(1), (u32 *)address(2), (u32 *)address(3), (u32)number(4)); break;
    case DOOR_PLAIN:
      text = text_of(0);
      result = json_plain((u8 *)AT(text), (u32)number(1));
      QTS_FreeCString(E.context, text);
      break;
    case DOOR_LINES: return first_lines((int)number(0), address(1), (u32)number(2));
    case DOOR_LOOKS: look_at_all((int)number(0), address(1), (u32)number(2), (u32 *)address(3)); break;
    case DOOR_READERS: find_readers((int)number(0), address(1), (u32)number(2), (u32 *)address(3)); break;
    case DOOR_STARTS: find_start_times((u32 *)address(0), (u32)number(1), (double *)address(2)); break;
    case DOOR_NAMES:
      text = next_names((int)number(0), &result);
      if (!result) return text;
      break;
    case DOOR_ARCHITECTURE:
#if defined(__x86_64__)
      return new_text("x64", 3);
#else
      return new_text("arm64", 5);
#endif
  }
  return QTS_NewFloat64(E.context, (double)result);
}

u32 wasm_import_t(u32 context, u32 self, u32 count, u32 values, u32 id) { /* callFunction */
  arguments = values, argument_count = count;
  return answer(id);
}

void expose_door(u32 target) {
  for (u32 i = 0; i < ARRAY(door); i++) {
    u32 length = (u32)str_length(door[i].name), name = engine_malloc(length + 1);
    memcpy(AT(name), door[i].name, length + 1);
    u32 function = QTS_NewFunction(E.context, name, door[i].arguments, 0, i), key = new_text(door[i].name, length);
    QTS_SetProp(E.context, target, key, function);
    engine_free(name);
  }
}

void check(u32 value) {
  u32 error = QTS_ResolveException(E.context, value);
  if (!error) return;
  u32 text = QTS_Dump(E.context, error);
  stop(AT(text));
}

void run_jobs(void) {
  u32 context_at = engine_malloc(8);
  while (QTS_IsJobPending(E.runtime)) {
    u32 value = QTS_ExecutePendingJob(E.runtime, -1, context_at);
    check(value);
    QTS_FreeValuePointer(E.context, value);
  }
}
