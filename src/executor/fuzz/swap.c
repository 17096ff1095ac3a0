/*
 * A volume's other user, who is hostile: exchanges two names in a directory as fast as it can, until it is killed or its
 * parent ends. For tests and rigs (security.md T-SWAP):   cc -O2 swap.c -o swap && ./swap DIRECTORY NAME OTHER
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 4 || chdir(argv[1]) < 0) return fprintf(stderr, "usage: swap DIRECTORY NAME OTHER\n"), 2;
  prctl(PR_SET_PDEATHSIG, 9);
  if (renameat2(AT_FDCWD, argv[2], AT_FDCWD, argv[3], RENAME_EXCHANGE) < 0) return perror("renameat2"), 1;
  if (write(1, "x", 1) != 1) return 1;
  for (;;) renameat2(AT_FDCWD, argv[2], AT_FDCWD, argv[3], RENAME_EXCHANGE);
}
