/* Reads a plan into memory and checks all of it before any of it is carried out (security.md S37, S38). */
#include "walk.h"

static int has_nul(const char *s, u32 size) {
  for (u32 i = 0; i < size; i++)
    if (!s[i]) return 1;
  return 0;
}

/* Each of them as one alone would be. */
static int are_paths(const char *list, u32 size) {
  for (u32 at = 0, one; at < size; at += one + 1) {
    one = (u32)str_length(list + at);
    if (one == 0 || one > 4095) return 0;
  }
  return 1;
}

static int check_reference(const struct plan_header *h, const struct ref *r, int kind) {
  const char *data = (const char *)h + h->data_offset;
  if (kind == 0) return r->offset == 0 && r->length == 0;
  if (r->offset > h->data_length || r->length > h->data_length - r->offset) return 0;
  switch (kind) {
    case 1: /* string */
    case 2: /* path */
      if (r->length >= h->data_length - r->offset || data[r->offset + r->length] != 0) return 0;
      if (kind == 2 && (r->length == 0 || r->length > 4095)) return 0;
      return !has_nul(data + r->offset, r->length);
    case 3: return r->offset % 8 == 0;
    case 4: /* strings */
    case 5: /* paths */
      if (r->length == 0) return 1;
      return data[r->offset + r->length - 1] == 0 && (kind == 4 || are_paths(data + r->offset, r->length));
  }
  return 0;
}

static int check_step(const struct plan_header *h, const struct step *s, const struct step *next) {
  if (s->op > 255 || s->role > ROLE_INIT || !(op_shapes[s->op].roles & 1 << s->role) || s->flags > (STEP_OR_ELSE_NEXT | STEP_EXPECTS | STEP_OR_END)) return 0;
  if (s->flags & STEP_OR_END && s->role != ROLE_HOST) return 0;
  if (s->flags & STEP_OR_ELSE_NEXT && (!next || next->role != s->role)) return 0;
  const struct op_shape *shape = &op_shapes[s->op];
  for (int i = shape->numbers; i < 7; i++)
    if (s->n[i]) return 0;
  for (int i = 0; i < 5; i++)
    if (!check_reference(h, &s->s[i], shape->kinds[i])) return 0;
  return 1;
}

static int check_plan(const struct plan_header *h, usize size) {
  if (size < sizeof *h || h->magic != PLAN_MAGIC || h->version != WIRE_VERSION || h->total_length != size) return 0;
  if (h->flags || h->preserve_fds > 65535 || h->step_count == 0 || h->step_count > WIRE_STEPS) return 0;
  if (h->steps_offset != sizeof *h || h->data_offset != sizeof *h + h->step_count * sizeof(struct step)) return 0;
  if (h->data_offset > size || h->data_length > size - h->data_offset) return 0;
  if (h->notes_offset != h->data_offset + h->data_length || h->notes_length != size - h->notes_offset) return 0;
  const struct step *steps = (const struct step *)(h + 1);
  if (steps[0].role != ROLE_HOST) return 0; /* whom the others come from */
  for (u32 i = 0; i < h->step_count; i++)
    if (!check_step(h, &steps[i], i + 1 < h->step_count ? &steps[i + 1] : NULL)) return 0;
  return 1;
}

/* A memfd is sealed and mapped; one that cannot be sealed, a pipe or a socket is copied to its end. Anything else could change under us. */
static long read_plan(int fd, char **base) {
  struct statx st;
  TRY(stat_fd(fd, &st));
  if (S_ISREG(st.stx_mode)) {
    if (st.stx_size > WIRE_BYTES) return -EFBIG;
    long sealed = SYS(fcntl, fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    if (sealed == 0) {
      if (st.stx_size == 0) return 0;
      long p = SYS(mmap, 0, st.stx_size, PROT_READ, MAP_PRIVATE, fd, 0);
      if (p < 0 && p > -4096) return p;
      *base = (char *)p;
      return (long)st.stx_size;
    }
    /* A memfd that somebody else has made for a child's input may not be meant to be sealed (MFD_NOEXEC_SEAL or nothing, before 6.3). And the kernel may be
       holding a page at that moment, to move it, say: then it waits for 150 ms and says EBUSY (mm/memfd.c; seen once in some thousand). */
    if (sealed != -EPERM && sealed != -EBUSY) return sealed;
    TRY(SYS(lseek, fd, 0, 0));
  } else if (!S_ISFIFO(st.stx_mode) && !S_ISSOCK(st.stx_mode)) return -EINVAL;
  /* MAP_NORESERVE: of this room only what is filled counts */
  long room = SYS(mmap, 0, WIRE_BYTES + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room < 0 && room > -4096) return room;
  char *buffer = (char *)room;
  long done = 0, got;
  while ((got = SYS(read, fd, buffer + done, WIRE_BYTES + 1 - done)) != 0) {
    if (got == -EINTR) continue;
    TRY(got);
    if ((done += got) > (long)WIRE_BYTES) return -EFBIG;
  }
  TRY(SYS(mprotect, buffer, WIRE_BYTES + 1, PROT_READ));
  *base = buffer;
  return done;
}

/* 0 when the plan in `fd` is whole and sound; else *error says why. */
int plan_load(int fd, int *error) {
  char *base = NULL;
  long size = read_plan(fd, &base);
  where = size < 0 ? where : W_plan;
  if (size < 0 || !base || !check_plan((const struct plan_header *)base, (usize)size)) {
    *error = size < 0 ? (int)-size : EBADMSG;
    return -1;
  }
  G.plan = (const struct plan_header *)base;
  G.steps = (const struct step *)(G.plan + 1);
  G.data = base + G.plan->data_offset;
  G.count = G.plan->step_count;
  return 0;
}
