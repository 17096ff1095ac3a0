/*
 * An old kernel, or an old seccomp profile around us: some system calls fail with one errno, for a program and all that it
 * starts. For the rig T-NOSYS:   cc -O2 refuse.c -o refuse && ./refuse ERRNO NUMBER[,NUMBER...] PROGRAM [ARG...]
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 4) return fprintf(stderr, "usage: refuse ERRNO NUMBER[,NUMBER...] PROGRAM [ARG...]\n"), 2;
  struct sock_filter filter[2 + 2 * 32] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
  int count = 1;
  for (char *at = argv[2]; *at && count < 2 * 32; at += *at == ',') {
    unsigned number = (unsigned)strtoul(at, &at, 10);
    filter[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
    filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)atoi(argv[1]));
  }
  filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {(unsigned short)count, filter};
  /* Not under no_new_privs, which the program would inherit: as root there is no need. */
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) return perror("refuse"), 1;
  execv(argv[3], argv + 3);
  return perror(argv[3]), 127;
}
