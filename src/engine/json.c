/* Bytes of JSON texts, one at a time: work for C (src/host/small/json.ts). Where one object lies; whether a text is written as it is. */
#include "engine.h"

static int is_mark(u8 byte) { return byte == '"' || byte == '\\' || byte < ' '; }

/* Where the next quote, backslash or control character is; most texts are long, and searched sixteen bytes at a time. */
u32 json_mark(const u8 *text, u32 at, u32 end) {
  typedef u8 sixteen __attribute__((vector_size(16)));
  for (; at + 16 <= end; at += 16) {
    sixteen bytes;
    u64 marks[2];
    memcpy(&bytes, text + at, 16);
    bytes = (sixteen)((bytes == '"') | (bytes == '\\') | (bytes < ' '));
    memcpy(marks, &bytes, 16);
    if (marks[0] | marks[1]) break;
  }
  while (at < end && !is_mark(text[at])) at++;
  return at;
}

/* `at` is behind the first quote. 0 where there is no second one, as below where something has no end. */
static u32 after_string(const u8 *text, u32 at, u32 end) {
  while ((at = json_mark(text, at, end)) < end) {
    if (text[at] == '"') return at + 1;
    at += text[at] == '\\' ? 2 : 1;
  }
  return 0;
}

static u32 after_space(const u8 *text, u32 at, u32 end) {
  while (at < end && (text[at] == ' ' || (text[at] >= '\t' && text[at] <= '\r'))) at++;
  return at;
}

static u32 after_object(const u8 *text, u32 at, u32 end) {
  for (u32 depth = 0; at < end;) {
    u8 byte = text[at++];
    if (byte == '"' && !(at = after_string(text, at, end))) return 0;
    if (byte == '{') depth++;
    else if (byte == '}' && !--depth) return at;
  }
  return 0;
}

/* Names are ended by a NUL, the last by two. */
static const u8 *name_of(const u8 *path, u32 level) {
  for (; level; level--) path += str_length((const char *)path) + 1;
  return path;
}

static int is_name(const u8 *text, u32 from, u32 to, const u8 *name) {
  u32 length = (u32)str_length((const char *)name);
  return to - from == length && !memcmp(text + from, name, length);
}

/* Begin and end of the object at the path, if it is there once; the text may be anything. */
int json_object(const u8 *text, u32 end, const u8 *path, u32 *found) {
  int times = 0;
  for (u32 at = 0, depth = 0, level = 0; at < end;) {
    u8 byte = text[at++];
    if (byte == '{' || byte == '[') depth++;
    if (byte == '}' || byte == ']') {
      if (!depth) return 0;
      if (--depth == level && level) level--;
    }
    if (byte != '"') continue;
    u32 from = at;
    if (!(at = after_string(text, at, end))) return 0;
    u32 next = after_space(text, at, end);
    if (depth != level + 1 || next >= end || text[next] != ':' || !is_name(text, from, at - 1, name_of(path, level))) continue;
    at = after_space(text, next + 1, end);
    if (at >= end || text[at] != '{') return 0;
    if (*name_of(path, level + 1)) {
      at++, depth++, level++;
      continue;
    }
    found[0] = at;
    if (times++ || !(at = after_object(text, at, end))) return 0;
    found[1] = at;
  }
  return times;
}

/* Whether so many characters are ASCII, and none of them is written in another way in JSON: a quote, a backslash, a control. */
int json_plain(const u8 *text, u32 units) {
  u32 i = 0, odd = 0;
  for (; i + 16 <= units && !odd; i += 16)
    for (u32 k = i; k < i + 16; k++) odd |= (text[k] < ' ') | (text[k] > '~') | (text[k] == '"') | (text[k] == '\\');
  for (; i < units; i++) odd |= (text[i] < ' ') | (text[i] > '~') | (text[i] == '"') | (text[i] == '\\');
  return !odd;
}
