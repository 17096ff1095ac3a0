/** The rows that several commands share, and the long groups; `options.ts` has the commands. */

export interface OptionRow {
  /** Long name without dashes. */
  readonly name: string;
  readonly short?: string;
  /** Placeholder of the value, `FILE`. Absent: a switch, which also takes `=true` and `=false`. */
  readonly value?: string;
  /** The value must be a decimal number. */
  readonly number?: true;
  /** May be given more than once; otherwise the last one counts. */
  readonly repeats?: true;
  /** Values to offer for completion; any other value is an error. */
  readonly choices?: readonly string[];
  /** Values to offer for completion where the command itself judges the value. */
  readonly offers?: readonly string[];
  readonly about: string;
  /** Accepted because some engine passes it, but of no use to a person. */
  readonly hidden?: true;
}

export const bundle: OptionRow = {
  name: 'bundle',
  short: 'b',
  value: 'DIR',
  about: 'the bundle (default: the working directory)',
};
export const config: OptionRow = {
  name: 'config',
  short: 'f',
  value: 'FILE',
  about: 'another file instead of config.json of the bundle',
};
export const pidFile: OptionRow = { name: 'pid-file', value: 'FILE', about: 'write the process id to this file' };
export const consoleSocket: OptionRow = {
  name: 'console-socket',
  value: 'SOCKET',
  about: 'AF_UNIX socket that receives the master side of the terminal',
};
export const pidfdSocket: OptionRow = {
  name: 'pidfd-socket',
  value: 'SOCKET',
  about: 'AF_UNIX socket that receives a pidfd of the process',
};
export const preserveFds: OptionRow = {
  name: 'preserve-fds',
  value: 'N',
  number: true,
  about: 'pass N more descriptors, from 3 on, to the process',
};
export const noPivot: OptionRow = {
  name: 'no-pivot',
  about: 'move the root mount instead of pivot_root, for a root on a ramdisk',
};
export const noKeyring: OptionRow = { name: 'no-new-keyring', about: "keep the caller's session keyring" };
export const noSubreaper: OptionRow = { name: 'no-subreaper', about: 'do not adopt orphaned processes' };
export const regex: OptionRow = {
  name: 'regex',
  short: 'r',
  about: 'ID is a regular expression: every container whose id it matches',
};
export const detach: OptionRow = { name: 'detach', short: 'd', about: 'return as soon as the process runs' };
export const format: OptionRow = {
  name: 'format',
  short: 'f',
  value: 'FORMAT',
  offers: ['table', 'json'],
  about: 'table (default) or json',
};

export const color: OptionRow = {
  name: 'color',
  value: 'WHEN',
  choices: ['auto', 'always', 'never'],
  about: 'auto (default: on a terminal; NO_COLOR and FORCE_COLOR are heeded), always or never',
};
export const json: OptionRow = { name: 'json', about: 'as JSON' };
export const traceFile: OptionRow = {
  name: 'trace',
  value: 'FILE',
  about:
    'write where the time went, for tsrun trace, Perfetto and chrome://tracing; %p in the name is the process id, %i the container, %c the command',
};

/** What create and run share. */
export const creationOptions = (): readonly OptionRow[] => [
  bundle,
  config,
  consoleSocket,
  pidfdSocket,
  pidFile,
  noPivot,
  noKeyring,
  preserveFds,
  {
    name: 'record-seccomp',
    value: 'FILE',
    about: 'write the least seccomp profile that the program needs to this file at its end',
  },
  { name: 'merge', value: 'FILE', about: 'with --record-seccomp: add to the profile that is in this file' },
];

/** What create and run also have, and plan does not. */
export const startOptions = (): readonly OptionRow[] => [...creationOptions(), traceFile];

/** What checkpoint and restore share. */
const criuOptions = (): readonly OptionRow[] => [
  { name: 'image-path', value: 'DIR', about: 'where the image is (default: ./checkpoint)' },
  { name: 'work-path', value: 'DIR', about: "where CRIU's logs go (default: the image path)" },
  { name: 'tcp-established', about: 'allow open TCP connections' },
  { name: 'tcp-close', about: 'restore TCP connections as closed' },
  { name: 'ext-unix-sk', about: 'allow UNIX sockets that lead outside' },
  { name: 'shell-job', about: 'allow a process that belongs to a shell session' },
  { name: 'lazy-pages', about: 'transfer memory on demand' },
  { name: 'file-locks', about: 'keep file locks' },
  {
    name: 'manage-cgroups-mode',
    value: 'MODE',
    choices: ['soft', 'full', 'strict', 'ignore'],
    about: 'how CRIU treats cgroups: soft (default), full, strict or ignore',
  },
  {
    name: 'empty-ns',
    value: 'TYPE',
    repeats: true,
    choices: ['network'],
    about: 'namespace to restore empty: network, which always is',
  },
  { name: 'auto-dedup', about: 'drop memory pages that a child image has again' },
];

export const checkpointOptions = (): readonly OptionRow[] => [
  ...criuOptions(),
  { name: 'leave-running', about: 'let it run on' },
  { name: 'pre-dump', about: 'only dump the memory, the container goes on' },
  { name: 'parent-path', value: 'DIR', about: 'an earlier pre-dump, relative to the image path' },
  { name: 'link-remap', about: 'allow unlinked files that are still open' },
  { name: 'tcp-skip-in-flight', about: 'skip TCP connections that are being made' },
  {
    name: 'network-lock',
    value: 'METHOD',
    choices: ['iptables', 'nftables'],
    about: 'how CRIU locks the network: iptables or nftables',
  },
  { name: 'page-server', value: 'ADDRESS:PORT', about: 'send memory to this page server' },
  {
    name: 'status-fd',
    value: 'FD',
    number: true,
    about: 'descriptor that gets a NUL when the lazy pages can be fetched',
  },
];

export const restoreOptions = (): readonly OptionRow[] => [
  ...criuOptions(),
  bundle,
  config,
  consoleSocket,
  pidFile,
  detach,
  noSubreaper,
  { name: 'no-pivot', about: 'ignored: CRIU restores the root in its own way' },
  { name: 'lsm-profile', value: 'TYPE:NAME', about: 'security label to restore with' },
  { name: 'lsm-mount-context', value: 'LABEL', about: 'security label of mounts to restore with' },
];

export const updateOptions = (): readonly OptionRow[] => [
  {
    name: 'resources',
    short: 'r',
    value: 'FILE',
    about: 'JSON object like linux.resources, - for standard input; other options are then ignored',
  },
  { name: 'blkio-weight', value: 'N', number: true, about: 'block IO weight, 10 to 1000' },
  { name: 'cpu-period', value: 'USEC', about: 'CFS period' },
  { name: 'cpu-quota', value: 'USEC', about: 'CFS quota, -1 for none' },
  { name: 'cpu-burst', value: 'USEC', about: 'CFS burst' },
  { name: 'cpu-share', value: 'N', about: 'CPU shares, 2 to 262144' },
  { name: 'cpu-rt-period', value: 'USEC', about: 'real-time period' },
  { name: 'cpu-rt-runtime', value: 'USEC', about: 'real-time runtime' },
  { name: 'cpuset-cpus', value: 'LIST', about: 'CPUs to use: 0-2,7' },
  { name: 'cpuset-mems', value: 'LIST', about: 'memory nodes to use' },
  { name: 'cpu-idle', value: 'N', about: '1: run only when nothing else wants to' },
  { name: 'memory', value: 'BYTES', about: 'memory limit; k, m, g and t are understood, -1 for none' },
  { name: 'memory-reservation', value: 'BYTES', about: 'soft memory limit' },
  { name: 'memory-swap', value: 'BYTES', about: 'memory and swap together' },
  { name: 'pids-limit', value: 'N', about: 'number of processes, -1 for no limit' },
  { name: 'l3-cache-schema', value: 'SCHEMA', about: 'Intel RDT L3 cache schema' },
  { name: 'mem-bw-schema', value: 'SCHEMA', about: 'Intel RDT memory bandwidth schema' },
  { name: 'kernel-memory', value: 'BYTES', about: 'ignored: the kernel has no such limit any more', hidden: true },
  { name: 'kernel-memory-tcp', value: 'BYTES', about: 'memory for TCP buffers (cgroup v1)', hidden: true },
];

export const execOptions = (): readonly OptionRow[] => [
  {
    name: 'process',
    short: 'p',
    value: 'FILE',
    about: 'JSON object like process in config.json; options that shape the process are then ignored',
  },
  detach,
  consoleSocket,
  pidfdSocket,
  pidFile,
  preserveFds,
  { name: 'cwd', value: 'PATH', about: 'working directory inside' },
  { name: 'env', short: 'e', value: 'NAME=VALUE', repeats: true, about: 'add an environment variable' },
  { name: 'tty', short: 't', about: 'give it a terminal' },
  { name: 'user', short: 'u', value: 'UID[:GID]', about: 'ids inside the container' },
  { name: 'additional-gids', short: 'g', value: 'GID', repeats: true, about: 'supplementary group' },
  { name: 'process-label', value: 'LABEL', about: 'SELinux label' },
  { name: 'apparmor', value: 'PROFILE', about: 'AppArmor profile' },
  { name: 'no-new-privs', about: 'set no_new_privs' },
  { name: 'cap', short: 'c', value: 'CAP_NAME', repeats: true, about: 'add a capability' },
  {
    name: 'cgroup',
    value: '[CONTROLLER,…:]PATH',
    repeats: true,
    about: "existing cgroup below the container's to join",
  },
  traceFile,
  { name: 'ignore-paused', about: 'do it even in a paused container; it then starts when that is resumed' },
  noSubreaper,
];
