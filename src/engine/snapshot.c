/*
 * Makes the snapshot, at build time: evaluates the module on standard input and writes the memory, as it is then, to standard output.
 * The name "tsrun:snapshot" asks for it.
 * Calls of the system are refused meanwhile and clocks stand still, so that two builds give the same bytes.
 */
#include "engine.h"
#include "quickjs.h"

#define FIRST_PAGES 256
#define SOURCE_LIMIT (8u << 20)
/* Of the engine's own stack; it has 5 MiB (Emscripten's STACK_SIZE in quickjs-emscripten), and leaf functions need some, too. */
#define SCRIPT_STACK (1u << 20)
#define STACK_USED (2u << 20)
/* QuickJS collects from here on when it is new; the word with this value is the threshold. */
#define NEW_THRESHOLD (256u * 1024)
#define RUNTIME_WORDS 256

static u32 read_source(u32 *length) {
  u32 at = engine_malloc(SOURCE_LIMIT), size = 0;
  long got;
  while ((got = RAW(read, 0, AT(at + size), SOURCE_LIMIT - 1 - size)) > 0) size += (u32)got;
  if (got < 0 || size == SOURCE_LIMIT - 1) stop("snapshot: no module, or too long a one, on standard input");
  AT(at)[size] = 0;
  *length = size;
  return at;
}

static void write_out(const char *from, usize length) {
  while (length) {
    long done = RAW(write, 1, from, length);
    if (done <= 0) stop("snapshot: cannot write");
    from += done, length -= (usize)done;
  }
}

static u32 find_threshold(void) {
  u32 found = 0;
  for (u32 i = 0; i < RUNTIME_WORDS; i++)
    if (((u32 *)AT(E.runtime))[i] == NEW_THRESHOLD) {
      if (found) stop("snapshot: two words of the runtime could be the collector's threshold");
      found = i * 4;
    }
  if (!found) stop("snapshot: the collector's threshold is not where it was");
  return found;
}

/* What lies before the threshold in the runtime (quickjs.c, struct JSRuntime, 32 bits): words from there, back. */
enum { OBJECT_LIST = 7, ATOM_ARRAY = 14, ATOM_SIZE = 17, ATOM_COUNT = 18 };
struct object { u32 references, kind, next, previous; };

/*
 * Objects, functions, shapes and names that are there now are there for ever: no reference to them is counted any more (prelude.h, COUNT),
 * which would copy the page of each one that is only looked at. Strings that are no names are counted on.
 */
static void make_lasting(const struct snapshot *s) {
  const u32 *threshold = (u32 *)AT(E.runtime + s->threshold_at), *names = (u32 *)AT(threshold[-ATOM_ARRAY]);
  u32 head = (u32)((char *)(threshold - OBJECT_LIST) - AT(0)), before = head, objects = 0, count = 0;
  for (u32 at = threshold[-OBJECT_LIST]; at != head; objects++) {
    struct object *o = (struct object *)AT(at - 8);
    if (o->previous != before || o->references - 1 >= 1u << 20 || (o->kind & 15) > 7) stop("snapshot: the list of objects is not what it was");
    o->references = LASTING, before = at, at = o->next;
  }
  for (u32 i = 1; i < threshold[-ATOM_SIZE]; i++) {
    if (names[i] & 1 || !names[i]) continue;
    u32 *references = (u32 *)AT(names[i]);
    if (*references - 1 >= 1u << 24) stop("snapshot: the list of names is not what it was");
    *references = LASTING, count++;
  }
  if (objects < 100 || count + 1 < threshold[-ATOM_COUNT] || count > threshold[-ATOM_COUNT]) stop("snapshot: there are other objects or names than were expected");
}

/*
 * Takes the holes between what is there: what a command allocates then lies together in pages that nothing else is on, and no page of
 * the snapshot is copied for a few words in a hole of it.
 */
static void fill_holes(void) {
  u32 end = engine_malloc(1), probe;
  while ((probe = engine_malloc(65536)) < end) end = engine_malloc(1);
  for (u32 size = 32768; size >= 8; size -= size > 512 ? size / 8 : 8) {
    u32 at;
    while ((at = engine_malloc(size)) < probe) {}
    engine_free(at);
  }
  engine_free(probe);
}

static int is_zero(const char *page) {
  for (const u64 *word = (const u64 *)page; word < (const u64 *)(page + 4096); word++)
    if (*word) return 0;
  return 1;
}

/* Runs of pages that are not zero; gaps below 64 KiB are kept, for each run is a mapping. */
static void add_parts(struct snapshot *s) {
  u32 at = 0, end = wasm_pages * (u32)WASM_PAGE, offset = 0;
  for (;;) {
    while (at < end && is_zero(AT(at))) at += 4096;
    if (at == end) return;
    u32 from = at, last = at;
    for (; at < end && at - last < 65536; at += 4096)
      if (!is_zero(AT(at))) last = at;
    if (s->part_count == ARRAY(s->parts)) stop("snapshot: too many parts");
    s->parts[s->part_count++] = (struct part){from, last + 4096 - from, offset, 0};
    offset += last + 4096 - from;
  }
}

static void evaluate(void) {
  static const char file[] = "tsrun.js";
  u32 length, source = read_source(&length), name = engine_malloc(sizeof file);
  memcpy(AT(name), file, sizeof file);
  check(QTS_Eval(E.context, source, length, name, 0, 1 /* JS_EVAL_TYPE_MODULE */));
  memset(AT(source), 0, length);
  engine_free(name);
  run_jobs();
  fill_holes();
  engine_free(source);
}

void build_snapshot(void) {
  static struct snapshot s = {.magic = SNAPSHOT_MAGIC};
  if (map_memory(FIRST_PAGES) < 0) stop("snapshot: no memory");
  wasm_start();
  engine_construct();
  E.runtime = QTS_NewRuntime();
  s.threshold_at = find_threshold();
  *(u32 *)AT(E.runtime + s.threshold_at) = 1u << 30; /* what would be collected now would only leave holes */
  QTS_RuntimeSetMaxStackSize(E.runtime, SCRIPT_STACK);
  E.context = QTS_NewContext(E.runtime, 0);
  u32 global = QTS_GetGlobalObject(E.context), target = QTS_NewObject(E.context), name = new_text("tsrunDoor", 9);
  expose_door(target);
  QTS_SetProp(E.context, global, name, target);
  evaluate();
  s.main = QTS_GetProp(E.context, global, new_text("tsrunMain", 9));
  s.runtime = E.runtime, s.context = E.context, s.pages = wasm_pages, s.stack_pointer = wasm_stack;
  memset(AT(wasm_stack - STACK_USED), 0, STACK_USED);
  s.lasting = wasm_pages * (u32)WASM_PAGE;
  make_lasting(&s);
  add_parts(&s);
  for (u32 i = 0; i < s.part_count; i++) write_out(AT(s.parts[i].address), s.parts[i].length);
  write_out((const char *)&s, sizeof s);
  RAW(exit_group, 0);
  __builtin_unreachable();
}
