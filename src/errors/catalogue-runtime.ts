/** The catalogue's codes of commands, state, planning and execution; `catalogue.ts` has those of config, cgroups and seccomp. */
export const runtimeRows: readonly (readonly [code: string, paragraph: string])[] = [
  [
    'TSR_ABORTED',
    'Of the library: the AbortSignal of a run or exec was raised. Its process has been ended, and a run is removed.',
  ],
  [
    'TSR_APPARMOR_OFF',
    'The config names an AppArmor profile, but AppArmor is not enabled in this kernel. A container that is to be confined is not started unconfined.',
  ],
  [
    'TSR_CAPABILITY_AMBIENT',
    "The kernel raises a capability in the ambient set only if it is in 'permitted' and in 'inheritable'. One that is not is left out and the container starts without it; this is a warning.",
  ],
  [
    'TSR_CAPABILITY_UNAVAILABLE',
    'The config grants a capability that the runtime itself has not got, for instance because it runs in a container. It is left out and the container starts without it; this is a warning.',
  ],
  ['TSR_CGROUP_DRIVER', 'The cgroup driver that was asked for is not part of this build.'],
  ['TSR_CGROUP_MOUNT', "A mount of type 'cgroup' shows the host's hierarchies, and there are none."],
  [
    'TSR_CHECKPOINT_DELETE',
    "The container was checkpointed: its image is complete and its processes are gone. What is left of it, cgroup or state, could not be removed; 'delete' can be tried again.",
  ],
  [
    'TSR_CHECKPOINT_STATE',
    'Only a running or paused container can be checkpointed. A created one has not run yet, and there is nothing to save of a stopped one.',
  ],
  ['TSR_CLI_COMMAND', "There is no such command in this build; 'tsrun --help' lists those there are."],
  [
    'TSR_CLI_LOG',
    'The file given with --log cannot be opened for appending, or no journal or syslog listens on this host. Nothing else has been done.',
  ],
  [
    'TSR_CLI_OUTPUT',
    'What the command printed could not be written to standard output, or the page to the file that --html names.',
  ],
  [
    'TSR_CLI_USAGE',
    'The command line cannot be read: an unknown option, a missing value, or too many or too few arguments. The texts are those of runc, as scripts and engines look for them.',
  ],
  ['TSR_CLI_VALUE', 'An option has a value it does not take.'],
  [
    'TSR_CONSOLE_SOCKET',
    "A container with a terminal that is left alone after 'create' or 'run --detach' needs --console-socket, to hand its terminal to somebody; any other container has nothing to send there.",
  ],
  [
    'TSR_CRIU_CONFIG',
    "The annotation 'org.criu.config' names a configuration file for CRIU, by an absolute path; empty, it asks for none.",
  ],
  ['TSR_CRIU_DIRECTORY', 'A directory for the image or the logs cannot be made, or an old log in it not be removed.'],
  [
    'TSR_CRIU_FAILED',
    'CRIU could not save or restore the container. The message has the errors of its log, the hint where the log is. After a failed checkpoint the container runs on; after a failed restore nothing is left.',
  ],
  ['TSR_CRIU_FEATURE', 'The option needs something of the kernel that CRIU has not found.'],
  ['TSR_CRIU_IMAGE', "The directory does not hold an image that 'checkpoint' has made. A pre-dump alone is none."],
  ['TSR_CRIU_MISSING', 'Checkpoint and restore are done by CRIU, which is a program of its own and not installed.'],
  [
    'TSR_CRIU_MOUNT',
    'A bind mount has to be found again when the container is restored, by its destination alone. That takes a destination of its own, which leads through no symbolic link and has no characters that CRIU reads otherwise.',
  ],
  [
    'TSR_CRIU_NAMESPACE',
    'CRIU cannot restore this arrangement of namespaces, or a namespace that the container has joined does not exist any more.',
  ],
  ['TSR_CRIU_ROOT', "CRIU needs the rights of the host's root, which a user namespace does not give."],
  ['TSR_CRIU_VERSION', 'This CRIU is older than 3.17 and would ignore a part of what it is asked for, or is no CRIU.'],
  [
    'TSR_CRIU_WRITABLE',
    'What is read-only in the config is writable, or missing, in the running or restored container. An image decides how things are mounted, so nothing is restored that has more rights than its config; and nothing is saved that could not be restored.',
  ],
  [
    'TSR_DELETE_ALIVE',
    'A process has not ended within ten seconds of SIGKILL. State D in ps(1) is a system call that cannot be interrupted, often on a dead network or disk. The state is kept; delete can be tried again.',
  ],
  [
    'TSR_DELETE_STATE',
    'Only a stopped container can be deleted, be it created, running or paused; with --force it is killed first.',
  ],
  ['TSR_EVENTS_STATE', 'A container that has stopped uses nothing, so there is nothing to report.'],
  [
    'TSR_EXECUTOR_ANSWER',
    "The executor's answer cannot be read, or there was none: it was killed, or the file 'tsrun' was replaced while it worked.",
  ],
  [
    'TSR_EXECUTOR_PLAN',
    "The executor refused the plan, which it checks as a whole before the first step: the file 'tsrun' was replaced while it worked.",
  ],
  ['TSR_EXEC_ARGS', "'exec' was given no command: name one behind the id, or a process file with --process."],
  [
    'TSR_EXEC_ID',
    "An id on the command line of 'exec' is not a decimal number up to 2147483647. Names are not looked up: what they mean is written in a file of the image, which whoever made the image chose.",
  ],
  [
    'TSR_EXEC_NAMESPACES',
    "The namespaces of the container's process cannot be looked at. Without root that is so until 'start', and whenever the process belongs to another user.",
  ],
  [
    'TSR_EXEC_STATE',
    'A process can be added to a created or running container only. Into a paused one it goes with --ignore-paused, and runs when the container is resumed. A container that has stopped meanwhile counts as stopped, whatever step found it gone; the detail names it.',
  ],
  [
    'TSR_GROUPS_ROOTLESS',
    "Without privileges the kernel lets nobody set supplementary groups, since a group can also take rights away (CVE-2014-8989). Map a range of gids with newgidmap, or leave 'additionalGids' out.",
  ],
  [
    'TSR_HOOK_FAILED',
    "A hook of the config did not exit with 0. Its output follows, standard output and error together. Hooks up to startContainer stop the creation, a poststop hook's failure is a warning. One of poststart is a warning, too, and the container goes on, unless its 'ociVersion' is 1.3 or newer: then it is stopped and 'start' fails.",
  ],
  ['TSR_HOOK_TIMEOUT', "A hook ran longer than its 'timeout' and was killed with its process group."],
  ['TSR_ID_EMPTY', 'The id of a container cannot be empty.'],
  [
    'TSR_ID_FORMAT',
    'An id is made of A-Z a-z 0-9 _ + . and -, has no dot in front, and at most 255 characters: it is the name of a directory in the state root.',
  ],
  [
    'TSR_INIT_DIED',
    "The container's first process was killed while the container was being made, and could not say why. Its exit status or signal is in the message.",
  ],
  [
    'TSR_INIT_OOM',
    "The kernel killed the container's first process for want of memory while the container was being made: 'memory.limit' is too low even for that.",
  ],
  ['TSR_INTERNAL', 'A mistake in tsrun itself. With --debug the log has a stack trace; please report it.'],
  [
    'TSR_INTERRUPTED',
    'A signal ended the command. What had been made is removed. The exit status is 128 and the number of the signal.',
  ],
  ['TSR_KILL', 'The kernel refused to deliver the signal: the process belongs to another user.'],
  [
    'TSR_KILL_SIGNAL',
    'A signal is a number from 0 to 64, or a name in any case, with or without SIG: TERM, sigkill, RTMIN+3.',
  ],
  ['TSR_KILL_STOPPED', "The container's process is gone, so there is nothing to signal; with --all that is no error."],
  [
    'TSR_MOUNT_IDMAP_MANY',
    'Each different mapping of a mount takes a descriptor; mounts that share one are not limited.',
  ],
  [
    'TSR_MOUNT_IDMAP_ROOTLESS',
    "The kernel lets only those map the ids of a mount who have CAP_SYS_ADMIN over its filesystem, and a user has that over none of the host's.",
  ],
  ['TSR_MOUNT_OPTION_IDLE', 'A warning: the mount option has no effect on a mount of this type.'],
  [
    'TSR_NAMESPACE_NEEDED',
    "The setting would change the host, because the container shares the host's namespace for it. Add the namespace, or leave the setting out.",
  ],
  [
    'TSR_NAMESPACE_NO_MOUNTS',
    "A warning: without a mount namespace of its own every mount of the container would be the host's, and would stay after it. So none is made; the process is confined to its root by chroot alone, without devices. What protects something, masked and read-only paths and a read-only root, is refused there.",
  ],
  [
    'TSR_NAMESPACE_USER',
    "An ordinary user may make namespaces, mounts and a new root only in a user namespace of their own. 'tsrun spec --rootless' writes a config that has one.",
  ],
  [
    'TSR_NET_DEVICE_ROOTLESS',
    "A network device belongs to the host's network namespace, and only root there may give it away.",
  ],
  [
    'TSR_NET_DEVICE_SHARED',
    "A device is moved into the container's network namespace. Where that is the host's, as without one or with a 'path' that leads to it, there is no move.",
  ],
  [
    'TSR_PAUSE',
    'The freezer of the container refused the change. Without root that is so unless the cgroup has been delegated to the user.',
  ],
  ['TSR_PAUSE_STATE', 'Only a created or running container can be paused.'],
  [
    'TSR_PLAN_ENCODE',
    'A step of the plan cannot be written down for the executor: a text contains a NUL character or is too long for the kernel.',
  ],
  [
    'TSR_PLAN_NAME',
    'The config has passed its checks with a name that the plan compiler has no number for: a mistake in tsrun itself.',
  ],
  ['TSR_PLAN_SECCOMP', 'The seccomp profile was not compiled before the plan was made: a mistake in tsrun itself.'],
  ['TSR_PLAN_TOO_LARGE', 'The plan has more steps or bytes than the executor takes, which are 1048576 and 128 MiB.'],
  [
    'TSR_PROCESS_INTERPRETER',
    'The program was found, but something that it needs to be executed was not: the interpreter that the first line of a script names, or the loader (dynamic linker) of a binary. Look for CR LF line ends, for a shell that the image does not have, or for a binary of another C library.',
  ],
  [
    'TSR_PROCESS_NOT_EXECUTABLE',
    'The program was found, but the kernel does not execute it: no x permission for this user, a directory, a script without #!, another architecture, or a filesystem mounted noexec.',
  ],
  [
    'TSR_PROCESS_NOT_FOUND',
    "The first of 'args' was not found inside the container. Without a slash it is looked up in the PATH of 'env', as the container's user.",
  ],
  [
    'TSR_PROCESS_REQUIRED',
    "The config has no 'process', so there is nothing to start. `create` takes such a config; `start` and `run` do not.",
  ],
  [
    'TSR_PS',
    "The table of processes is made by the host's ps(1), which is missing, or did not like its options, or printed no column 'PID'.",
  ],
  [
    'TSR_RDT_ABSENT',
    "The specification demands an error when 'intelRdt' is set and no resctrl filesystem is mounted. It takes a processor with Resource Director Technology (or AMD's or Arm's counterpart) and a kernel with CONFIG_X86_CPU_RESCTRL.",
  ],
  [
    'TSR_RDT_MISMATCH',
    "The resctrl group that 'closID' names exists, perhaps for other containers, and has another schema than the config. The specification demands an error; nothing was changed.",
  ],
  [
    'TSR_RDT_NO_GROUP',
    "'closID' without a schema names a resctrl group that somebody else has made. There is none of that name.",
  ],
  [
    'TSR_RDT_REMOVE',
    'The resctrl group that was made for the container could not be removed. Delete the container again.',
  ],
  [
    'TSR_RDT_UPDATE',
    "Shares of the cache and of memory bandwidth can be changed for a container whose 'intelRdt' made a group for it. A group that was there before may be others', too; and the kernel has the last word on the schema.",
  ],
  ['TSR_RESUME_STATE', 'Only a paused container can be resumed.'],
  [
    'TSR_ROOT_KIND',
    "'root.path' must be a directory; a symlink there could be turned elsewhere while the container is made.",
  ],
  ['TSR_ROOT_MISSING', "'root.path' does not exist. A relative one is looked up in the bundle."],
  [
    'TSR_SELINUX_OFF',
    "The config names an SELinux label, but SELinux is not enabled in this kernel. A process that is to be confined is not started unconfined; the label of mounts ('mountLabel') is only warned of, since nothing would look at it.",
  ],
  ['TSR_SPEC_EXISTS', "'tsrun spec' never overwrites a config."],
  ['TSR_SPEC_WRITE', 'The new config cannot be written.'],
  ['TSR_START_FIFO', "The FIFOs that 'start' and the container's process speak through cannot be opened."],
  [
    'TSR_START_REPLY',
    "What came from the container's process in place of its program is no error record of this build. The container has not been started properly; delete it.",
  ],
  ['TSR_START_STATE', 'Only a created container can be started, and only once.'],
  [
    'TSR_STATE_CORRUPT',
    "The container's record is damaged. 'tsrun delete --force ID' finds its processes and cgroups through the record made at the start of 'create', or through the kept config.json, and removes all of it.",
  ],
  ['TSR_STATE_EXISTS', 'A container with this id exists, or one is being created. Ids are unique within a state root.'],
  [
    'TSR_STATE_FOREIGN',
    'Something in the state root is not as tsrun made it: a symlink, a file it does not know, or a directory of another user. It is left alone.',
  ],
  [
    'TSR_STATE_MISSING',
    'There is no container with this id in the state root; --root and XDG_RUNTIME_DIR decide which one that is.',
  ],
  ['TSR_STATE_READ', "The container's state cannot be read."],
  [
    'TSR_STATE_ROOT',
    "The state root cannot be used: it is '/', no directory, cannot be made, belongs to another user, or others could write to it.",
  ],
  [
    'TSR_STATE_VERSION',
    "A newer tsrun created the container and wrote its record in a format this one does not know. 'delete --force' works all the same.",
  ],
  ['TSR_STATE_WRITE', "The container's state cannot be written or removed. Nothing is left half-written."],
  [
    'TSR_STEP_FAILED',
    'A step of the plan failed in the kernel. The message has the key of the config that caused the step, what it was to do, and the error; what had been made before is removed.',
  ],
  [
    'TSR_TIMEOUT',
    "Of the library: a run or exec had not ended after its 'timeoutMs'. Its process has been ended, and a run is removed.",
  ],
  [
    'TSR_TRACE_FILE',
    "The file is no trace. 'tsrun run', 'create' and 'exec' write one with --trace FILE; traces of other programs are for Perfetto and chrome://tracing.",
  ],
  [
    'TSR_TRACE_WRITE',
    'The file that --trace names cannot be written. It is opened before anything else is done, so nothing has happened.',
  ],
  [
    'TSR_UPDATE_STATE',
    'Limits can be changed while the container exists and has cgroups: not when it has stopped, nor when it was created with cgroups disabled.',
  ],
  [
    'TSR_USERNS_NO_MAPPER',
    "Without privileges one can map only one's own id. More takes the setuid helpers newuidmap and newgidmap, and ranges in /etc/subuid and /etc/subgid.",
  ],
];
