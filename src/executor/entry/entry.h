/* What the caller starts: the command line, the engine, the sealed copy; a plan is walked for it. */
#pragma once
#include "../walk/walk.h"

/* What one try has: the engine that was started and its pipe, or `engine` 0 and a plan that was kept in `directory`. */
struct round { int plan, outcome, old_plan, go, engine, directory; };
#define NO_ROUND {-1, -1, -1, -1, -1, -1}

/* What tell() needs. */
extern struct telling { char **argv, **envp; int plan, answer; } telling;
extern int wrapped; /* our environment is one that clean_environment() has made */

/* words.c */
void say(const char *message);
const char *command_word(char **argv);
int makes_container(char **argv);
void hold_stops(char **argv);
int only_answers(char **argv);
int asks_for_trace(char **argv);

/* environment.c */
char **clean_environment(char **from, const char *const *extra, int for_hooks);
char **engine_environment(char **envp, int number, int for_hooks);
const char *early_entry(const struct round *r, int inherited);
void read_early(const char *text, struct round *r, int *inherited);
const char *launched_entry(void);
void read_launched(const char *text);

/* descriptors.c */
#define MOST_NAMED 4
#define FIRST_NAMED 7 /* behind the engine's own */
extern char named_text[80];
int name_descriptors(char **argv, int to[MOST_NAMED]);
void pass_named(const int *from, int count);
void let_named_through(char **argv);

/* launch.c */
#define ENGINE_NAME "tsrun:engine"
int start_round(char **argv, char **envp, int number, struct round *r);
int tell(const struct outcome *out);
int attempt(struct round *r);
int launch(char **argv, char **envp, struct round r, int number, int ready);

/* main.c: what the kernel has put on the stack */
int executor_main(long *stack);

/* kept.c */
int kept_plan(char **argv, char **envp, const char *engine, int *directory);
