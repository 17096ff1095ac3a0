import { runtimeRows } from './catalogue-runtime.js';

/**
 * Every error code and what it means: one row a code, sorted, never renamed or reused. docs/errors.md is generated from
 * it. The key that is to blame, the value and the cause are in the error itself; here stands what the reader cannot guess from it.
 */
const rows: readonly (readonly [code: string, paragraph: string])[] = [
  ['TSR_ANNOTATION_NAME', 'The specification demands that the key of an annotation is not empty.'],
  ['TSR_BLOCK_IO_WEIGHT', "An entry of 'weightDevice' must have 'weight', 'leafWeight', or both."],
  [
    'TSR_BUS_CALL',
    "systemd, asked over D-Bus, said no; the message is its own. Without root 'Interactive authentication required' means that the system's manager was asked instead of the user's.",
  ],
  [
    'TSR_BUS_CONNECT',
    "No D-Bus socket answers by which systemd could be asked. Root uses /run/dbus/system_bus_socket or systemd's own socket; other users $DBUS_SESSION_BUS_ADDRESS or $XDG_RUNTIME_DIR/bus, which exist in a login session (package dbus-user-session, 'loginctl enable-linger').",
  ],
  [
    'TSR_CAPABILITY_UNKNOWN',
    'A warning: the name is no capability that Linux has, so it is left out, as the specification demands. Names are written like CAP_KILL.',
  ],
  [
    'TSR_CGROUP_CONTROLLER',
    "A limit needs a cgroup controller that no hierarchy of this host offers: it is not compiled into the kernel, not mounted (v1), or not delegated to this user (v2: cgroup.controllers of the user's own cgroup). The specification demands an error instead of a container without the limit.",
  ],
  [
    'TSR_CGROUP_DEVICE_RULE',
    "A rule in 'linux.resources.devices' cannot be applied: it allows nothing, has an unknown type or access letter, or would take single devices out of an earlier wildcard, which the kernel's v1 controller ignores without an error. On cgroup v2 such exceptions work.",
  ],
  [
    'TSR_CGROUP_FREEZE',
    "The processes of the container did not stop in ten seconds, so they were let go on. One of them is in a system call that cannot be interrupted, or new ones appear faster than v1's freezer catches them.",
  ],
  [
    'TSR_CGROUP_FROZEN',
    "The container's cgroup, or one above it, is frozen: the container's first process would stop before it is ready and 'create' would hang. Resume what is paused there, or choose another 'cgroupsPath'.",
  ],
  [
    'TSR_CGROUP_IGNORED',
    'A warning: a value has no effect and was left out, as the specification allows. Kernel memory limits have been no-ops since Linux 5.16; an idle group has no weight; with cgroups disabled there are no limits at all.',
  ],
  [
    'TSR_CGROUP_KILL',
    'Processes of the container are still there ten seconds after SIGKILL. The one named is in a system call that cannot be interrupted (state D); look at its stack in /proc/PID/stack, often it waits for a network file system.',
  ],
  [
    'TSR_CGROUP_NOT_EMPTY',
    "The container's cgroup exists and holds processes. They would share the container's limits and be killed with it. Choose another 'cgroupsPath', or end them.",
  ],
  [
    'TSR_CGROUP_NO_EQUIVALENT',
    "The host has cgroup v2, and the value has no counterpart there. The specification demands an error when a v1 setting cannot be converted. Remove it, or use 'unified'.",
  ],
  [
    'TSR_CGROUP_PATH',
    "'cgroupsPath' is no place for a container: it contains '..', is the root of the hierarchy, or is longer than the kernel allows. A container is killed, frozen and removed by its cgroup, so that must be its own.",
  ],
  [
    'TSR_CGROUP_REMOVE',
    "A cgroup of the container cannot be removed. EBUSY after five seconds means that a process is still in it or below it; EROFS and EPERM that cgroups are read-only or another user's.",
  ],
  [
    'TSR_CGROUP_SUB_PATH',
    "'exec --cgroup' takes [CONTROLLER[,CONTROLLER...]:]PATH, a cgroup that exists below the container's own; '/' is the container's own. Cgroup v2 has one hierarchy, so one path and no controllers.",
  ],
  [
    'TSR_CGROUP_UNIFIED_KEY',
    "A key of 'linux.resources.unified' is no file of a controller: it must be one name of the form CONTROLLER.PARAMETER. Files that move, stop or kill processes (cgroup.procs, cgroup.freeze, ...) are not open to a config.",
  ],
  [
    'TSR_CGROUP_UPDATE',
    'The kernel refused a new limit. All limits that the command had changed before it were written back.',
  ],
  [
    'TSR_CGROUP_USAGE',
    "A new memory limit is not above what the container uses at present, and 'checkBeforeUpdate' asks for a refusal; cgroup v2 would kill processes to get below it.",
  ],
  [
    'TSR_CGROUP_VALUE',
    "A value in 'linux.resources' is out of range, or contradicts another: memory and swap below memory, burst above the quota, a weight outside 10 to 1000.",
  ],
  [
    'TSR_CONFIG_DEPTH',
    'JSON nested more than 256 levels deep is refused before anything walks over it; no config needs a tenth of that.',
  ],
  [
    'TSR_CONFIG_DUPLICATE_KEY',
    'A key comes twice in one object. Engines and runtimes differ in which of the two they take, so neither is taken; this holds for unknown keys as well.',
  ],
  ['TSR_CONFIG_EMPTY', 'The specification demands at least one entry in this list.'],
  [
    'TSR_CONFIG_ENCODING',
    'The file must be UTF-8 without a byte order mark. Other bytes are not replaced, as most JSON readers do: a replaced byte would name another path.',
  ],
  ['TSR_CONFIG_FORMAT', 'The text at this key must have a certain form, such as an absolute path.'],
  ['TSR_CONFIG_INTEGER', 'The key holds an integer, which must be written as one: 1000, not 1e3 and not 1000.0.'],
  [
    'TSR_CONFIG_MISSING',
    "A key that the specification requires is missing. Keys are compared exactly: 'ARGS' is not 'args'.",
  ],
  ['TSR_CONFIG_NAME', 'Only certain names are allowed at this key; the message lists them, or the nearest one.'],
  [
    'TSR_CONFIG_NOT_FILE',
    "A bundle's config.json must be a regular file. A FIFO, a device or a directory is refused without being read, so that nothing can hang. Other files that an option names may be FIFOs or descriptors (/dev/fd/N).",
  ],
  [
    'TSR_CONFIG_NUL',
    'A text contains a NUL character (written \\u0000 in JSON). The kernel would take it as the end of the text, and so see another path or name than the one that was checked.',
  ],
  [
    'TSR_CONFIG_NULL',
    'A warning: an optional key is null and counts as not there, as with runc and crun. Required keys, entries of lists and values of maps must not be null.',
  ],
  [
    'TSR_CONFIG_RANGE',
    "The number is out of the range that the specification, or the kernel's interface behind the key, allows. 64-bit numbers are read exactly.",
  ],
  ['TSR_CONFIG_READ', 'The file cannot be opened or read; the errno says why.'],
  [
    'TSR_CONFIG_SURROGATE',
    'A text contains half of a surrogate pair (such as \\ud800 alone), which is no character and has no UTF-8 form.',
  ],
  [
    'TSR_CONFIG_SYNTAX',
    'The file is not JSON; the message says what was expected where. Comments, trailing commas and text after the end are not JSON.',
  ],
  ['TSR_CONFIG_TOO_LARGE', 'The file is larger than 64 MiB.'],
  ['TSR_CONFIG_TYPE', 'The value has the wrong JSON type. Null is not the same as a key that is left out.'],
  [
    'TSR_CONFIG_UNKNOWN_KEY',
    'A warning: the specification has no such key here, so it is ignored, as the specification demands. Mostly it is a misspelt one.',
  ],
  ['TSR_CONFIG_VERSION', "'ociVersion' must be a semantic version of three numbers. tsrun reads all versions 1.x."],
  ['TSR_CONSOLE_SIZE', 'A terminal has at most 65535 rows and columns.'],
  ['TSR_CPU_BURST', "'burst' must not be larger than 'quota'."],
  ['TSR_CPU_PERIOD', 'The kernel takes CPU periods of 1000 to 1000000 microseconds.'],
  ['TSR_CPU_QUOTA', 'The kernel takes CPU quotas of at least 1000 microseconds; 0 and -1 mean no limit.'],
  ['TSR_DEVICE_NUMBER', 'A character or block device needs its major and minor number; only a fifo (type p) has none.'],
  [
    'TSR_ENV_FORM',
    'An entry of an environment must be NAME=value with a name. The entry itself is not shown, since environments hold secrets.',
  ],
  [
    'TSR_FFI_LIBRARY',
    'A native library that this command needs is not installed or cannot be loaded. libseccomp.so.2 is needed by the first start of each seccomp profile, libsystemd.so.0 by the systemd cgroup manager.',
  ],
  [
    'TSR_FFI_LOAD',
    "Native libraries (libseccomp, libsystemd) cannot be loaded at all: there is no loader of glibc or musl in its usual place, or, under Node, no package koffi ('npm install' brings it).",
  ],
  ['TSR_HOSTNAME_LENGTH', 'The kernel takes host and domain names of at most 64 bytes of UTF-8.'],
  ['TSR_HOSTNAME_NAMESPACE', 'Without a UTS namespace of its own the container would rename the host.'],
  [
    'TSR_ID_MAPPING',
    'The kernel takes at most 340 ranges; they must not overlap, neither inside nor outside, and must end before the last id, 4294967295.',
  ],
  [
    'TSR_MEMORY_POLICY',
    'The mode, the nodes and the flags of the NUMA memory policy do not fit together; set_mempolicy(2) has the rules.',
  ],
  ['TSR_MEMORY_SWAP', "'swap' counts memory and swap together, as cgroup v1 does, so it cannot be less than 'limit'."],
  [
    'TSR_MOUNT_BIND_DATA',
    'Options that no mount option is known for go to the filesystem, and a bind mount has no filesystem of its own: such an option would be ignored. Mostly it is a misspelt one.',
  ],
  [
    'TSR_MOUNT_BIND_OPTION',
    "A mount is a bind mount by its option 'bind' or 'rbind'. Its type says nothing, and no filesystem is called 'bind' or 'none'; the kernel would say 'no such device'.",
  ],
  [
    'TSR_MOUNT_IDMAP',
    "An id-mapped mount needs 'uidMappings' and 'gidMappings', both, or the container's user namespace to take them from. Only a new bind mount can be id-mapped.",
  ],
  [
    'TSR_MOUNT_NFS',
    "The helper program mount.nfs looks up the server's address; in a container's mount it does not run, so the option 'addr=' must be given.",
  ],
  [
    'TSR_MOUNT_ON_PROC',
    "A mount over procfs, or inside it, could make the runtime write security settings into a file of the container's choice (CVE-2019-16884 and others). Allowed are procfs itself on /proc, and the ten files that lxcfs provides.",
  ],
  ['TSR_MOUNT_ON_ROOT', "A mount on '/' would hide the container's root filesystem."],
  ['TSR_MOUNT_RELATIVE', "A warning: relative mount destinations are deprecated and mean the same below '/'."],
  ['TSR_MOUNT_SOURCE', 'A bind mount needs a source.'],
  ['TSR_MOUNT_TMPCOPYUP', "'tmpcopyup' fills a new tmpfs with what lies below it; other filesystems cannot be filled."],
  ['TSR_MOUNT_TYPE', 'A mount that is not a bind mount needs the type of its filesystem.'],
  ['TSR_NAMESPACE_DUPLICATE', 'Each type of namespace may be listed once.'],
  [
    'TSR_NAMESPACE_MAPPINGS',
    'A new user namespace needs mappings, since without them it has no ids at all; and mappings need a user namespace.',
  ],
  ['TSR_NETWORK_PRIORITY', 'The name must be one of a network interface: it becomes a word of a line for the kernel.'],
  [
    'TSR_NET_DEVICE',
    "A network device needs a network namespace to move into, and a name of at most 15 bytes without spaces, slashes, colons and percent signs; a new name may end in '%d'.",
  ],
  ['TSR_NUMBER_LIST', 'CPUs and memory nodes are listed as numbers and ranges: 0-3,7.'],
  ['TSR_PERSONALITY_FLAG', 'The specification defines no personality flags yet.'],
  ['TSR_PROCESS_ARGS', 'The first argument names the program.'],
  ['TSR_RDMA', "An RDMA entry must be named for a device and have 'hcaHandles', 'hcaObjects', or both."],
  ['TSR_RDT_CLOSID', "The class of service is the name of a directory in resctrl; '/' alone is the default class."],
  ['TSR_RDT_SCHEMA', 'A schema is one line of the schemata file.'],
  [
    'TSR_RLIMIT_DUPLICATE',
    'The specification demands an error for a limit that is listed twice. Other runtimes take the last one.',
  ],
  ['TSR_RLIMIT_ORDER', 'A soft limit cannot be above its hard limit; setrlimit(2).'],
  [
    'TSR_ROOT_PATH',
    "'root.path' must name a directory of its own for the container, absolute or relative to the bundle.",
  ],
  [
    'TSR_SCHEDULER',
    'The policy, the priority, the nice value and the deadline parameters do not fit together; sched(7) has the rules.',
  ],
  [
    'TSR_SECCOMP_ACTION',
    'A seccomp action is unknown, or this libseccomp or this kernel does not support it: SCMP_ACT_LOG and SCMP_ACT_KILL_PROCESS need Linux 4.14, SCMP_ACT_NOTIFY Linux 5.0.',
  ],
  [
    'TSR_SECCOMP_ARCH',
    "A seccomp architecture is unknown, has another byte order than this machine, or is younger than this libseccomp. The machine's own architecture is always covered and need not be listed.",
  ],
  [
    'TSR_SECCOMP_ERRNO',
    "'errnoRet' and 'defaultErrnoRet' go with SCMP_ACT_ERRNO (0 to 4094) and SCMP_ACT_TRACE (0 to 65535) only. The specification demands an error for any other action; runc ignores the value.",
  ],
  [
    'TSR_SECCOMP_FLAG',
    'A seccomp flag is unknown, or this kernel does not support it: LOG needs Linux 4.14, SPEC_ALLOW 4.17, WAIT_KILLABLE_RECV 5.19.',
  ],
  [
    'TSR_SECCOMP_LIBRARY',
    'libseccomp or the kernel failed at turning the profile into a filter, for a reason that is not in the profile, such as a lack of memory.',
  ],
  [
    'TSR_SECCOMP_LISTENER',
    "SCMP_ACT_NOTIFY hands calls to an agent, so 'listenerPath' must name the agent's socket; and 'listenerMetadata' means nothing without it.",
  ],
  [
    'TSR_SECCOMP_NOTIFY',
    "SCMP_ACT_NOTIFY can be neither the default action nor the action for 'write': the runtime itself makes calls between loading the filter and starting the container's program, before the agent has the listener.",
  ],
  ['TSR_SECCOMP_OPERATOR', 'The comparison of a seccomp argument is unknown.'],
  [
    'TSR_SECCOMP_RULE',
    'libseccomp refuses a rule, mostly because an earlier rule with the same conditions gives the same call another action. Remove one of the two.',
  ],
  [
    'TSR_RECORD_SECCOMP',
    'What --record-seccomp or its annotation asks for cannot be done: the config has a profile, which would hide what it forbids; the runtime has no CAP_SYS_ADMIN and the program no no_new_privs; the kernel shows calls to nobody; the profile to add to does more than allow calls by name; the file cannot be written; or the container is to be checkpointed or restored. Nothing was started.',
  ],
  [
    'TSR_RECORD_FAILED',
    'System calls were recorded, and there is no profile, or not a whole one: the recorder was killed, the file could not be written in the end, the program was never started, or libseccomp has no name for a call that is newer than it. What was run has run.',
  ],
  [
    'TSR_SECCOMP_TOO_LARGE',
    'The profile has more than 20000 rules, or its filter more than the 4096 instructions that the kernel takes. Conditions cost most; calls that are left out are covered by the default action.',
  ],
  [
    'TSR_SYSCTL_NAME',
    "The name of a kernel parameter has an empty part or '..', is listed twice in two spellings, or contradicts 'hostname' or 'domainname'.",
  ],
  [
    'TSR_SYSCTL_NAMESPACE',
    "Only parameters that belong to a namespace of the container can be set: net.* (network), user.* (user), fs.mqueue.* and System V IPC (ipc), kernel.hostname and kernel.domainname (uts). All others are the host's.",
  ],
  [
    'TSR_SYSTEMD_MISSING',
    "'--systemd-cgroup' was given, and systemd is not this host's init system (there is no /run/systemd/system). Use the cgroupfs driver.",
  ],
  [
    'TSR_SYSTEMD_PATH',
    "With the systemd driver 'cgroupsPath' is 'slice:prefix:name', for the unit 'prefix-name.scope' in that slice. An empty slice is system.slice, or user.slice without root.",
  ],
  [
    'TSR_SYSTEMD_PROPERTY',
    "An annotation 'org.systemd.property.NAME' has a value that is no GVariant text of the property's type, or names a property that an annotation cannot set: it could run programs on the host, start units or reboot it (CVE-2024-3154). docs/config/annotations.md lists those that can.",
  ],
  [
    'TSR_SYSTEMD_UNIT',
    "systemd accepted the container's scope but did not start it, or put the process into another cgroup than the unit's name says. 'systemctl status UNIT' and the journal tell more.",
  ],
  ['TSR_TIME_OFFSETS', 'Clock offsets can only be set for a new time namespace.'],
  [
    'TSR_UNIFIED_NAME',
    "A key of 'unified' is the name of one file of the container's cgroup, such as memory.high; files that move processes are the runtime's own.",
  ],
];

/** Code → one paragraph. */
export const catalogue: ReadonlyMap<string, string> = new Map([...rows, ...runtimeRows]);
