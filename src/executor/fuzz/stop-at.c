/*
 * stop-at PROCESS CALL SIGNAL PROGRAM [ARG...]: runs the program and sends the signal to its PROCESS-th process (0: itself, in the
 * order of their birth) when that has made CALL system calls. Then it ends, with SIGSTOP at once, otherwise with the program. On standard
 * output: the process's number and the program's status, or "none CALLS STATUS" when it has not made so many. For the rigs, which
 * kill or stop each side at each call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 4096
static struct { pid_t id; long calls; int process, inside; } tasks[MOST];
static int count, processes;

static int find(pid_t id) {
  for (int i = 0; i < count; i++)
    if (tasks[i].id == id) return i;
  if (count == MOST) exit(3);
  /* A thread's file names the process that it is one of. */
  char path[64], line[256];
  int group = 0;
  snprintf(path, sizeof path, "/proc/%d/status", id);
  FILE *status = fopen(path, "r");
  while (status && fgets(line, sizeof line, status)) sscanf(line, "Tgid: %d", &group);
  if (status) fclose(status);
  tasks[count].id = id;
  tasks[count].process = group == id ? processes++ : -1;
  return count++;
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  int process = atoi(argv[1]), sent = atoi(argv[3]), status;
  long call = atol(argv[2]), seen = 0;
  pid_t hit = 0;
  int patience = 0, last = 0;
  pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    dup2(2, 1); /* ours is read to its end */
    raise(SIGSTOP);
    execvp(argv[4], argv + 4);
    _exit(127);
  }
  if (child < 0 || waitpid(child, &status, 0) < 0) return 2;
  long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
  ptrace(PTRACE_SETOPTIONS, child, 0, options);
  find(child);
  ptrace(PTRACE_SYSCALL, child, 0, 0);
  for (;;) {
    pid_t id = waitpid(-1, &status, __WALL | (patience ? WNOHANG : 0));
    if (id < 0) break;
    if (id == 0) {
      usleep(2000);
      if (--patience == 0) break;
      continue;
    }
    if (id == child && !WIFSTOPPED(status)) { /* here, too */
      last = status, patience = 15;
      continue;
    }
    if (!WIFSTOPPED(status)) continue;
    int at = find(id), signal = WSTOPSIG(status), pass = 0;
    if (signal == (SIGTRAP | 0x80)) {
      tasks[at].inside = !tasks[at].inside;
      if (!tasks[at].inside && tasks[at].process == process) {
        seen = ++tasks[at].calls;
        if (seen == call) {
          kill(id, sent);
          hit = id;
          if (sent == SIGSTOP) { /* the others go on; one that has just been born would stand still for ever, were we gone at once */
            ptrace(PTRACE_DETACH, id, 0, 0);
            patience = 30;
            continue;
          }
        }
      }
    } else if (signal != SIGTRAP && signal != SIGSTOP) {
      pass = signal;
    }
    ptrace(hit ? PTRACE_CONT : PTRACE_SYSCALL, id, 0, pass);
  }
  int ended = hit && sent == SIGSTOP ? 0 : WIFEXITED(last) ? WEXITSTATUS(last) : 128 + WTERMSIG(last);
  if (hit) printf("%d %d\n", hit, ended);
  else printf("none %ld %d\n", seen, ended);
  return 0;
}
