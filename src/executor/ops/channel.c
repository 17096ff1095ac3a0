/* What all processes of a plan have: what they know, and the child's end of the channel to the host. */
#include "ops.h"

struct state G = NO_STATE;

/* The child's side. It ends silently when the host is gone: nobody is left to start it (R08). */
void child_waits(int announce) {
  struct record r = {.kind = KIND_DONE, .step = G.step, .value = G.listener};
  trace_begun(TRACE_WAIT, G.step);
  if (announce && send_record(G.socket, &r, -1) < 0) RAW(exit_group, 1);
  int got = receive_record(G.socket, &r, &G.pending, 0);
  if (got == 1 && r.kind == KIND_TAKEN) RAW(close, G.listener), G.listener = 0, got = receive_record(G.socket, &r, &G.pending, 0);
  if (got != 1 || r.kind != KIND_GO) RAW(exit_group, 1);
  trace_done(TRACE_WAIT, G.step, 0);
}

/* Says that what ends the channel next is execve and not death. */
void announce(void) {
  struct record r = {.kind = KIND_DONE, .step = G.step};
  if (G.socket >= 0 && !G.announced) send_record(G.socket, &r, -1);
  G.announced = 1;
}

/* To whoever is behind a slot's socket, which is done after that. */
int give_descriptor(int to, const char *message_text, u32 size, int fd) {
  int sent = send_descriptor(to, message_text, size, fd);
  for (u32 i = 0; i < ARRAY(G.slots); i++)
    if (G.slots[i] == to) G.slots[i] = -1; /* the number may soon be another's */
  return sent;
}
