/** Resource limits by the spec's names; the index is the number (asm-generic/resource.h). */
export const rlimitNames: readonly string[] = [
  'RLIMIT_CPU',
  'RLIMIT_FSIZE',
  'RLIMIT_DATA',
  'RLIMIT_STACK',
  'RLIMIT_CORE',
  'RLIMIT_RSS',
  'RLIMIT_NPROC',
  'RLIMIT_NOFILE',
  'RLIMIT_MEMLOCK',
  'RLIMIT_AS',
  'RLIMIT_LOCKS',
  'RLIMIT_SIGPENDING',
  'RLIMIT_MSGQUEUE',
  'RLIMIT_NICE',
  'RLIMIT_RTPRIO',
  'RLIMIT_RTTIME',
];

const numbers = new Map<string, number>();
for (let i = 0; i < rlimitNames.length; i++) numbers.set(rlimitNames[i]!, i);

/** The number of `RLIMIT_NOFILE`; undefined for an unknown name. */
export const rlimitNumber = (name: string): number | undefined => numbers.get(name);
