import {
  bundle,
  checkpointOptions,
  color,
  config,
  creationOptions,
  detach,
  execOptions,
  format,
  json,
  noSubreaper,
  type OptionRow,
  regex,
  restoreOptions,
  startOptions,
  traceFile,
  updateOptions,
} from './option-rows.js';

/**
 * Every flag of every command, once: the parser, `--help`, completion and the man pages read these rows.
 * What the flags mean to engines is in docs/cli/. A command runs only if `commands.ts` knows its module.
 */

interface CommandEntry {
  readonly name: string;
  readonly about: string;
  /** What follows the options: `ID [SIGNAL]`. */
  readonly operands: string;
  /** Its ID is a name for a new container, not one to choose from a list. */
  readonly newId?: true;
  /** How many operands: least and most. */
  readonly count: readonly [number, number];
  /** Options end at the first operand: what follows belongs to the container's command or to ps. */
  readonly optionsFirst?: true;
  /** Made when asked for: a command is called for one row of the table, and in a cold engine every object counts. */
  readonly options: () => readonly OptionRow[];
  /** A paragraph for `--help`. */
  readonly more?: string;
  /** Of the runtime's own use: works, and is not shown. */
  readonly hidden?: true;
  /** It never hands a plan over, so the process that was called becomes the engine (src/executor/main.c). */
  readonly answers?: true;
}

/** A command with its options, `--help` among them. */
export interface CommandRow extends Omit<CommandEntry, 'options'> {
  readonly options: readonly OptionRow[];
}

const help: OptionRow = { name: 'help', short: 'h', about: 'show this help' };

export const globalOptions: readonly OptionRow[] = [
  {
    name: 'root',
    value: 'DIR',
    about: 'where container state is kept (default /run/tsrun, or $XDG_RUNTIME_DIR/tsrun when rootless)',
  },
  {
    name: 'log',
    value: 'FILE',
    about:
      'append log entries to this file (default: standard error); journald:NAME and syslog:NAME send them to the host',
  },
  { name: 'log-format', value: 'FORMAT', offers: ['text', 'json'], about: 'text (default) or json' },
  {
    name: 'log-level',
    value: 'LEVEL',
    offers: ['error', 'warning', 'debug'],
    about: 'error, warning (default) or debug',
  },
  { name: 'debug', about: 'log everything, as --log-level debug' },
  { name: 'systemd-cgroup', about: 'have systemd make the cgroups; cgroupsPath is then slice:prefix:name' },
  {
    name: 'cgroup-manager',
    value: 'NAME',
    choices: ['cgroupfs', 'systemd', 'disabled'],
    about: 'cgroupfs (default), systemd, or disabled for no cgroup at all',
  },
  {
    name: 'rootless',
    value: 'WHEN',
    offers: ['true', 'false', 'auto'],
    about: 'go on without cgroups where permission is missing: true, false or auto (default)',
  },
  {
    ...traceFile,
    about: 'as --trace of create, run and exec; others ignore it. For engines, which can give options only here',
  },
  { name: 'criu', value: 'PATH', about: 'ignored', hidden: true },
  help,
  { name: 'version', short: 'v', about: 'show version, commit and specification' },
];

const id = { operands: 'ID', count: [1, 1] } as const;
const none = { operands: '', count: [0, 0] } as const;

const table: readonly CommandEntry[] = [
  {
    name: 'create',
    about: 'create a container; its process waits for start',
    ...id,
    newId: true,
    options: () => [...startOptions(), { ...noSubreaper, hidden: true }],
  },
  { name: 'start', about: "run a created container's process", ...id, options: () => [] },
  {
    name: 'run',
    about: 'create a container, start it, wait for its end and delete it',
    ...id,
    newId: true,
    options: () => [
      ...startOptions(),
      detach,
      { name: 'keep', about: 'do not delete the container after its end' },
      noSubreaper,
    ],
  },
  { name: 'state', answers: true, about: 'show the state of a container as JSON', ...id, options: () => [] },
  {
    name: 'kill',
    about: "send a signal to a container's process",
    operands: 'ID [SIGNAL]',
    count: [1, 2],
    optionsFirst: true,
    options: () => [
      { name: 'all', short: 'a', about: 'to every process of the container; no error if it has stopped' },
      regex,
    ],
    more: 'SIGNAL is a number or a name with or without SIG, in any case; real-time signals are RTMIN+n and RTMAX-n. The default is the annotation org.opencontainers.image.stopSignal, else TERM; 0 only asks whether the process lives. KILL reaches every process of a container that has no process id namespace of its own.',
  },
  {
    name: 'delete',
    about: 'delete a stopped container',
    ...id,
    options: () => [
      { name: 'force', short: 'f', about: 'kill it first if it runs; no error if it does not exist' },
      regex,
    ],
  },
  {
    name: 'list',
    answers: true,
    about: 'list containers',
    ...none,
    options: () => [format, { name: 'quiet', short: 'q', about: 'ids only' }],
  },
  {
    name: 'plan',
    answers: true,
    about: 'show what create would do, step by step, without doing it',
    operands: '[ID]',
    count: [0, 1],
    newId: true,
    options: () => [
      ...creationOptions(),
      json,

      { name: 'html', value: 'FILE', about: 'write a page for a browser to this file instead' },
      {
        name: 'against',
        value: 'OTHER',
        about: 'only what is different from the plan of another bundle, config.json or container',
      },
      color,
    ],
  },
  {
    name: 'check',
    answers: true,
    about: 'tell what this host offers, or whether a bundle starts here',
    ...none,
    options: () => [
      { ...bundle, about: 'the bundle to check; without one, and without --config, the host is' },
      config,
      json,
      color,
    ],
  },
  {
    name: 'trace',
    answers: true,
    about: 'show where the time of a start went, from a file of --trace',
    operands: 'FILE',
    count: [1, 1],
    options: () => [
      { name: 'html', value: 'OUT', about: 'write a page with a timeline to this file' },
      { name: 'json', about: 'as JSON' },
    ],
  },
  {
    name: 'spec',
    answers: true,
    about: 'write a config.json to start from',
    ...none,
    options: () => [
      { name: 'bundle', short: 'b', value: 'DIR', about: 'where to write it (default: the working directory)' },
      { name: 'file', short: 'f', value: 'FILE', about: 'write to this file instead' },
      {
        name: 'rootless',
        about: 'for a user without privileges: a user namespace, no network namespace, no cgroup limits',
      },
    ],
  },
  { name: 'features', answers: true, about: 'show what this runtime knows, as JSON', ...none, options: () => [] },
  {
    name: 'exec',
    about: 'run another process in a container',
    operands: 'ID [COMMAND [ARGUMENT…]]',
    count: [1, Number.MAX_SAFE_INTEGER],
    optionsFirst: true,
    options: execOptions,
  },
  {
    name: 'ps',
    answers: true,
    about: 'list the processes of a container',
    operands: 'ID [PS-OPTION…]',
    count: [1, Number.MAX_SAFE_INTEGER],
    optionsFirst: true,
    options: () => [format],
  },
  { name: 'pause', answers: true, about: 'freeze all processes of a container', ...id, options: () => [] },
  { name: 'resume', answers: true, about: 'thaw a paused container', ...id, options: () => [] },
  { name: 'update', answers: true, about: 'change resource limits of a container', ...id, options: updateOptions },
  {
    name: 'events',
    answers: true,
    about: 'print statistics and out-of-memory events as lines of JSON',
    ...id,
    options: () => [
      { name: 'interval', value: 'DURATION', about: 'time between statistics (default 5s)' },
      { name: 'stats', answers: true, about: 'print statistics once and exit' },
    ],
  },
  {
    name: 'stats',
    about: 'show what a container uses',
    ...id,
    options: () => [{ name: 'interval', value: 'DURATION', about: 'repeat at this interval' }],
  },
  {
    name: 'checkpoint',
    about: 'save a running container to an image and stop it',
    ...id,
    options: checkpointOptions,
  },
  {
    name: 'restore',
    about: 'start a container from an image',
    ...id,
    newId: true,
    options: restoreOptions,
  },
  {
    name: 'completion',
    answers: true,
    about: 'print a completion script for bash, zsh or fish',
    operands: 'SHELL',
    count: [1, 1],
    options: () => [],
  },
  {
    name: 'host-probes',
    answers: true,
    about: 'try what the kernel allows; tsrun runs this itself',
    operands: '[DIR…]',
    count: [0, Number.MAX_SAFE_INTEGER],
    hidden: true,
    options: () => [],
  },
  {
    name: 'restore-check',
    answers: true,
    about: 'hold the mounts of a process against a list; tsrun runs this itself',
    operands: 'MOUNTS PID',
    count: [2, 2],
    optionsFirst: true,
    hidden: true,
    options: () => [],
  },
  {
    name: 'seccomp-profile',
    answers: true,
    about: 'write a recorded profile; tsrun runs this itself',
    operands: 'FILE',
    count: [1, 1],
    optionsFirst: true,
    hidden: true,
    options: () => [],
  },
  {
    name: 'systemd-unit',
    answers: true,
    about: 'start or stop the unit of a container; tsrun runs this itself',
    operands: 'start|stop REQUEST [PID]',
    count: [2, 3],
    optionsFirst: true,
    hidden: true,
    options: () => [],
  },
];

/** Commands that need no executor, in the order of the table; `help` is one, too. */
export const answeringCommands = (): string[] => [
  'help',
  ...table.filter(({ answers }) => answers).map(({ name }) => name),
];

/** The names of all commands for people, in the order of `--help`. */
export const commandNames = (): string[] => table.filter(({ hidden }) => !hidden).map(({ name }) => name);

/** The row of a command; undefined for a name that is none. */
export function commandRow(name: string): CommandRow | undefined {
  for (const entry of table) {
    if (entry.name === name) return { ...entry, options: [...entry.options(), help] };
  }
  return undefined;
}
