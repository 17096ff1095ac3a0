/* Walks a plan: it is checked, then each process goes through the same list (run.c), and hands over where the role changes. */
#pragma once
#include "../ops/ops.h"

/* plan.c */
int plan_load(int fd, int *error);

/* handover.c */
int host_waits(u32 from, u32 to);
void fail_with(u32 step, int error, int at);
int died(u32 step);

/* run.c. `tell` is given what is to be said while the plan goes on; whether it has been said. */
typedef int teller(const struct outcome *news);
int carry_out(int plan_fd, int directory, teller *tell, struct outcome *out);
