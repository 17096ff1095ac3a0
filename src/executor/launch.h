/* Between the entry (main.c) and the launcher (launch.c). */
#pragma once
#include "sys.h"

/* What one try has: the engine that was started and its pipe, or `engine` 0 and a plan that was kept in `directory`. */
struct round { int plan, outcome, old_plan, go, engine, directory; };
#define NO_ROUND {-1, -1, -1, -1, -1, -1}

extern char self_path[4200]; /* TSRUN_SELF=/path/of/tsrun */

extern int wrapped;

void say(const char *message);
char **clean_environment(char **from, const char *const *extra, int for_hooks);
char **engine_environment(char **envp, int number, int for_hooks);
void hold_stops(char **argv);
int only_answers(char **argv);
#define ENGINE_NAME "tsrun:engine"
int start_round(char **argv, char **envp, int number, struct round *r, int taken);
int no_engine(char **argv, int error);
const char *early_entry(const struct round *r, int inherited);
void read_early(const char *text, struct round *r, int *inherited);
int asks_for_trace(char **argv);
const char *launched_entry(void);
void read_launched(const char *text);
int attempt(struct round *r);
int launch(char **argv, char **envp, struct round r, int number, int ready);
void let_named_through(char **argv);
