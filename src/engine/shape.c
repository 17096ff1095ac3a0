/*
 * Whether a JSON text is an ordinary document of a shape (src/bundle/ordinary.ts): the quick question asked of every config, of its bytes
 * and in one pass. What is allowed where stands in a table, whose form src/bundle/shape-table.ts describes; a doubt of any kind is a no, and
 * TypeScript looks closer.
 */
#include "engine.h"

/* `seen`: room for the keys of the map that may be carried along unread, a power of two of them, empty; `carried`: where that map is. */
struct walk { const u8 *text; u32 at, end; const u32 *table; u32 map_keys, *seen, room, *carried; };

/* The byte after any space; 0 at the end, as a NUL would be, which no text has there. */
static u8 next(struct walk *w) {
  for (; w->at < w->end; w->at++) {
    u8 byte = w->text[w->at];
    if (byte > ' ' || !(byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t')) return byte;
  }
  return 0;
}

static int skip(struct walk *w, u8 byte) { return next(w) == byte ? (w->at++, 1) : 0; }

/* Four hexadecimal digits, or -1. */
static int unit_at(const struct walk *w, u32 at) {
  int unit = 0;
  if (w->end - at < 4) return -1;
  for (u32 i = at; i < at + 4; i++) {
    u8 digit = w->text[i], letter = digit | 0x20;
    if (digit >= '0' && digit <= '9') unit = unit * 16 + digit - '0';
    else if (letter >= 'a' && letter <= 'f') unit = unit * 16 + letter - 'a' + 10;
    else return -1;
  }
  return unit;
}

/* Behind the escape at `at`; 0 for a NUL or half a surrogate pair, neither of which has a name in the kernel. */
static u32 after_escape(const struct walk *w, u32 at) {
  if (w->end - at < 2) return 0;
  switch (w->text[at + 1]) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': return at + 2;
    case 'u': break;
    default: return 0;
  }
  int unit = unit_at(w, at + 2);
  if (unit <= 0 || (unit >= 0xdc00 && unit < 0xe000)) return 0;
  if (unit < 0xd800 || unit >= 0xe000) return at + 6;
  if (w->end - at < 8 || w->text[at + 6] != '\\' || w->text[at + 7] != 'u') return 0;
  int low = unit_at(w, at + 8);
  return low >= 0xdc00 && low < 0xe000 ? at + 12 : 0;
}

/* A string as it is written. `plain`: there is no escape in it. */
struct word { const u8 *text; u32 length; int plain; };

static int string(struct walk *w, struct word *found) {
  if (!skip(w, '"')) return 0;
  u32 from = w->at, at = from;
  found->plain = 1;
  while ((at = json_mark(w->text, at, w->end)) < w->end && w->text[at] == '\\') {
    found->plain = 0;
    if (!(at = after_escape(w, at)) || at > w->end) return 0;
  }
  if (at >= w->end || w->text[at] != '"') return 0;
  found->text = w->text + from, found->length = at - from, w->at = at + 1;
  return 1;
}

/* A name in the table: where its bytes are, and how many. */
static int is(const struct walk *w, const struct word *word, const u32 *name) {
  return word->plain && word->length == name[1] && !memcmp(word->text, (const u8 *)w->table + name[0], name[1]);
}

static int begins(const struct walk *w, const struct word *word, const u32 *name) {
  return word->length >= name[1] && !memcmp(word->text, (const u8 *)w->table + name[0], name[1]);
}

static int choice(const struct walk *w, const struct word *word, const u32 *node) {
  for (u32 i = 0; i < node[1]; i++)
    if (is(w, word, node + 2 + 2 * i)) return 1;
  return 0;
}

/* So many characters of a few. */
static int letters(const struct word *word, const u32 *node) {
  if (!word->plain || word->length < node[1] || word->length > node[2]) return 0;
  for (u32 i = 0; i < word->length; i++)
    if (word->text[i] > 127 || !(node[3 + word->text[i] / 32] >> word->text[i] % 32 & 1)) return 0;
  return 1;
}

/* At most fifteen digits, which a double holds; a fraction or an exponent is a doubt. */
static int integer(struct walk *w, const u32 *node) {
  long long number = 0, least = (long long)(node[1] | (u64)node[2] << 32), most = (long long)(node[3] | (u64)node[4] << 32);
  int negative = skip(w, '-');
  u32 from = w->at;
  for (; w->at < w->end && w->text[w->at] >= '0' && w->text[w->at] <= '9'; w->at++)
    if (w->at - from < 16) number = number * 10 + w->text[w->at] - '0';
  u32 digits = w->at - from;
  u8 behind = w->at < w->end ? w->text[w->at] : 0;
  if (negative) number = -number;
  return digits && digits < 16 && behind != '.' && behind != 'e' && behind != 'E' && number >= least && number <= most;
}

static int boolean(struct walk *w) {
  static const char words[] = "truefalse";
  u32 from = next(w) == 't' ? 0 : 4, length = from ? 5 : 4;
  if (w->end - w->at < length || memcmp(w->text + w->at, words + from, length)) return 0;
  w->at += length;
  return 1;
}

static int value(struct walk *w, u32 node);

static int array(struct walk *w, const u32 *node) {
  u32 count = 0;
  if (!skip(w, '[')) return 0;
  if (skip(w, ']')) return node[2] == 0;
  do {
    if (!value(w, node[1])) return 0;
    count++;
  } while (skip(w, ','));
  return skip(w, ']') && count >= node[2];
}

/* Whether a key has not been there before. 0 also where that cannot be said: it is written with escapes, there is no room left, or too many
   have come to one place, as somebody might choose them for us to be long. */
static int is_new(struct walk *w, const struct word *key, u32 count) {
  u32 hash = 2166136261u; /* FNV-1a */
  if (!key->plain || count >= w->room - w->room / 4) return 0;
  for (u32 i = 0; i < key->length; i++) hash = (hash ^ key->text[i]) * 16777619u;
  hash ^= hash >> 15;
  for (u32 tries = 0; tries < 64; tries++, hash++) {
    u32 *place = &w->seen[hash & (w->room - 1)];
    const u8 *other = w->text + *place;
    if (!*place) return *place = (u32)(key->text - w->text), 1;
    if (!memcmp(other, key->text, key->length) && other[key->length] == '"') return 0;
  }
  return 0;
}

/* One of the names that somebody looks at, or begins as they do. */
static int is_wanted(const struct walk *w, const struct word *key, const u32 *node) {
  for (u32 i = 0; i < node[3]; i++)
    if (begins(w, key, node + 4 + 2 * i)) return 1;
  return !key->length;
}

/* Keys may come twice here: whoever reads the map counts them. One that nobody is to read is looked through for that, too. */
static int map(struct walk *w, const u32 *node) {
  struct word key;
  u32 count = 0, carries = node[2] && w->room, begin = (next(w), w->at);
  if (!skip(w, '{')) return 0;
  if (skip(w, '}')) return 1;
  do {
    if (!string(w, &key)) return 0;
    carries = carries && !is_wanted(w, &key, node) && is_new(w, &key, count);
    if (!skip(w, ':') || !value(w, node[1])) return 0;
    count++;
  } while (skip(w, ','));
  if (!skip(w, '}')) return 0;
  if (carries) w->carried[0] = begin, w->carried[1] = w->at;
  else w->map_keys += count;
  return 1;
}

/* Only keys that are known, each once, and all that are required: at most 64 (shape-table.ts). */
static int object(struct walk *w, const u32 *node) {
  u64 seen = 0, required = node[2] | (u64)node[3] << 32;
  struct word key;
  if (!skip(w, '{')) return 0;
  if (skip(w, '}')) return !required;
  do {
    u32 i = 0;
    if (!string(w, &key) || !skip(w, ':')) return 0;
    while (i < node[1] && !is(w, &key, node + 4 + 3 * i)) i++;
    if (i == node[1] || seen >> i & 1 || !value(w, node[6 + 3 * i])) return 0;
    seen |= 1ull << i;
  } while (skip(w, ','));
  return skip(w, '}') && (seen & required) == required;
}

/* As deep as the table: nothing in it holds itself. */
static int value(struct walk *w, u32 at) {
  const u32 *node = w->table + at;
  struct word word;
  switch (node[0]) {
    case 's': return string(w, &word);
    case 'p': return string(w, &word) && begins(w, &word, node + 1);
    case 'c': return string(w, &word) && choice(w, &word, node);
    case 'l': return string(w, &word) && letters(&word, node);
    case 'i': return integer(w, node);
    case 'b': return boolean(w);
    case 'a': return array(w, node);
    case 'm': return map(w, node);
    case 'o': return object(w, node);
  }
  return 0;
}

/*
 * How many keys the maps of the text have that are to be read, all in all; -1 where there is a doubt. The table begins with where the
 * document's shape is. Of `carried` the first two are begin and end of a map that needs not be read, and the others the room for its keys.
 */
long json_ordinary(const u8 *text, u32 length, const u32 *table, u32 *carried, u32 room) {
  struct walk w = {.text = text, .end = length, .table = table, .seen = carried + 2, .room = room, .carried = carried};
  return value(&w, table[0]) && !next(&w) && w.at == length ? (long)w.map_keys : -1;
}
