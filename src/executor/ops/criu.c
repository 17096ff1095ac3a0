/*
 * CRIU, started for one request (`criu swrk 3`) and talked to over a socket: it names what it has reached and waits for an
 * answer, until it says how the whole thing went. What is asked and where the plan wants to act in between is the plan's.
 */
#include "ops.h"

/* The descriptor that CRIU is told to find its socket at; the plan's own descriptors follow. */
#define SERVICE_FD 3
#define ABORT_LIMIT_S 10

static struct { int socket, waiting; char event[64]; } talk = {.socket = -1};

struct answer { u64 type, success, error, pid; const unsigned char *event, *message; usize event_size, message_size; };
struct reader { const unsigned char *at, *end; };

int op_criu_exec(const struct step *s) {
  u32 count, from = s->n[N_CRIU_EXEC_firstSlot];
  int pair[2];
  char **argv = pointers(text(s, S_CRIU_EXEC_args), length(s, S_CRIU_EXEC_args), 0, &count);
  char **envp = pointers(text(s, S_CRIU_EXEC_env), length(s, S_CRIU_EXEC_env), 0, &count);
  if (!argv || !envp) return -ENOMEM;
  /* Made here, not by the host: CRIU looks its descriptors up at the process that made the socket, which is then itself. */
  TRY(SYS(socketpair, AF_UNIX, SOCK_SEQPACKET | O_CLOEXEC, 0, pair));
  struct record r = {.kind = KIND_MASTER};
  TRY(send_record(G.socket, &r, pair[0]));
  RAW(close, pair[0]);
  int own = high(pair[1]);
  if (s->n[N_CRIU_EXEC_withoutStdio]) {
    int null = (int)TRY(SYS(openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC));
    for (int fd = 0; fd < 3; fd++) TRY(SYS(dup3, null, fd, 0));
  }
  TRY(SYS(dup3, own, SERVICE_FD, 0));
  for (u32 i = 0; i < s->n[N_CRIU_EXEC_count]; i++) TRY(SYS(dup3, slot(from + i), SERVICE_FD + 1 + (int)i, 0));
  announce();
  return (int)SYS(execve, text(s, S_CRIU_EXEC_path), argv, envp);
}

int op_criu_request(const struct step *s) {
  talk.socket = G.pending, talk.waiting = 0, G.pending = -1;
  long sent = SYS(sendto, talk.socket, text(s, S_CRIU_REQUEST_request), length(s, S_CRIU_REQUEST_request), MSG_NOSIGNAL, 0, 0);
  return sent < 0 ? (int)sent : 0;
}

/* Protocol Buffers: a number of seven bits a byte. */
static int read_number(struct reader *r, u64 *value) {
  *value = 0;
  for (u32 shift = 0; shift < 64; shift += 7) {
    if (r->at == r->end) return -EBADMSG;
    *value |= (u64)(*r->at & 0x7f) << shift;
    if (!(*r->at++ & 0x80)) return 0;
  }
  return -EBADMSG;
}

/* One field: its number and either a number or a range of bytes. */
static int read_field(struct reader *r, u64 *field, u64 *value, struct reader *bytes) {
  u64 tag;
  TRY(read_number(r, &tag));
  *field = tag >> 3;
  *bytes = (struct reader){NULL, NULL};
  if ((tag & 7) == 0) return read_number(r, value);
  if ((tag & 7) == 2) TRY(read_number(r, value));
  else *value = (tag & 7) == 1 ? 8 : (tag & 7) == 5 ? 4 : ~0ull;
  if (*value > (u64)(r->end - r->at)) return -EBADMSG;
  *bytes = (struct reader){r->at, r->at + *value};
  r->at += *value;
  return 0;
}

/* criu_notify { script = 1; pid = 2 } and criu_restore_resp { pid = 1 } */
static int read_inner(struct reader r, u64 script_field, u64 pid_field, struct answer *a) {
  u64 field, value;
  struct reader bytes;
  while (r.at < r.end) {
    TRY(read_field(&r, &field, &value, &bytes));
    if (field == script_field && bytes.at) a->event = bytes.at, a->event_size = (usize)value;
    if (field == pid_field && !bytes.at) a->pid = value;
  }
  return 0;
}

/* criu_resp { type = 1; success = 2; restore = 4; notify = 5; cr_errno = 7; cr_errmsg = 9 } of CRIU's rpc.proto */
static int read_answer(struct reader r, struct answer *a) {
  u64 field, value;
  struct reader bytes;
  while (r.at < r.end) {
    TRY(read_field(&r, &field, &value, &bytes));
    if (field == 1) a->type = value;
    if (field == 2) a->success = value;
    if (field == 4 && bytes.at) TRY(read_inner(bytes, 0, 1, a));
    if (field == 5 && bytes.at) TRY(read_inner(bytes, 1, 2, a));
    if (field == 7) a->error = value;
    if (field == 9 && bytes.at) a->message = bytes.at, a->message_size = (usize)value;
  }
  return 0;
}

/* CRIU's process is our child, and so is what it restores: the latter takes its place as the container's first process. */
static void take_pid(u64 pid) {
  if (pid <= 1 || pid > 0x7fffffff || (int)pid == G.pid) return;
  if (!G.joiner) G.joiner = G.pid;
  G.pid = (int)pid;
}

static int receive(char *buffer, usize size, int *passed) {
  if (TRY(wait_readable(talk.socket, -1, -1)) != 1) return -EPIPE;
  long got = receive_message(talk.socket, buffer, size, 0, passed);
  return got == 0 || got == -ECONNRESET ? -EPIPE : (int)got;
}

/* The other side of a terminal that was restored: to who asked for it, or to the foreground run's own copying. */
static int hand_on(u32 number, int terminal) {
  if (slot(number) < 0) {
    if (G.pending >= 0) RAW(close, G.pending);
    G.pending = terminal;
    return 0;
  }
  int result = give_descriptor(slot(number), "/dev/ptmx", 9, terminal);
  G.slots[number] = -1;
  RAW(close, terminal);
  return result;
}

static void keep_text(const unsigned char *at, usize size) {
  G.failure.text_length = 0;
  for (usize i = 0; i < size && i < TEXT_LIMIT; i++) G.failure.text[G.failure.text_length++] = (char)at[i];
}

/* Waits for CRIU's own end. It has nothing to do but to tidy up: a limit, and whoever is still there is killed. */
static void see_off(void) {
  struct timespec limit = {ABORT_LIMIT_S, 0};
  int status, pid = G.joiner ? G.joiner : G.pid;
  struct pollfd poll = {G.pidfd, POLLIN, 0};
  RAW(close, talk.socket);
  talk.socket = -1;
  if (RAW(ppoll, &poll, 1, &limit, 0, 0) <= 0) RAW(kill, pid, SIGKILL);
  wait_child(pid, &status);
  if (G.joiner) G.joiner = 0;
  else G.pid = 0;
}

/* A plan that fails in the middle: without its client CRIU undoes what it has done, which a kill would not let it. */
void criu_dismiss(void) {
  if (talk.socket >= 0) see_off();
}

static int conclude(const struct step *s, const struct answer *a) {
  if (!a->success) {
    keep_text(a->message, a->message_size);
    where = W_recvmsg;
    return a->error && a->error < 4096 ? -(int)a->error : -ECHILD;
  }
  see_off();
  return length(s, S_CRIU_UNTIL_events) ? -EPROTO : 0;
}

/* Whether the plan wants to act at the notification that CRIU waits behind. */
static int is_wanted(const struct step *s) {
  const char *events = text(s, S_CRIU_UNTIL_events);
  for (u32 at = 0; at < length(s, S_CRIU_UNTIL_events); at += (u32)str_length(events + at) + 1)
    if (str_equal(events + at, talk.event)) return 1;
  return 0;
}

/* Goes on until one of the events, which is left unanswered for the steps that follow; without events, to the end. */
int op_criu_until(const struct step *s) {
  static char buffer[16384];
  for (;;) {
    if (talk.waiting && is_wanted(s)) return 0;
    if (talk.waiting) TRY(SYS(sendto, talk.socket, text(s, S_CRIU_UNTIL_answer), length(s, S_CRIU_UNTIL_answer), MSG_NOSIGNAL, 0, 0));
    talk.waiting = 0;
    struct answer a = {0};
    int passed = -1, size = TRY(receive(buffer, sizeof buffer, &passed));
    if (passed >= 0) TRY(hand_on(s->n[N_CRIU_UNTIL_slot], passed));
    TRY(read_answer((struct reader){(unsigned char *)buffer, (unsigned char *)buffer + size}, &a));
    if (a.success) take_pid(a.pid);
    if (a.type != s->n[N_CRIU_UNTIL_notification] || !a.success) return conclude(s, &a);
    if (a.event_size >= sizeof talk.event) return -EBADMSG;
    memcpy(talk.event, a.event, a.event_size);
    talk.event[a.event_size] = 0;
    talk.waiting = 1;
  }
}
