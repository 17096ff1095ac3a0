import type { Failure } from '../error.js';
import type { StepFailure } from './step-failure.js';

/** Causes of a refused write, by file; the first that matches file and errno. */
const writeHints: readonly (readonly [file: RegExp, errno: string, hint: string])[] = [
  [/^(blkio\.(bfq\.)?|io\.(bfq\.)?)weight/, 'ENOENT', 'no I/O scheduler of this host has weights; BFQ has'],
  [/^(blkio\.throttle|io\.max)/, 'ENODEV', 'there is no block device with these numbers'],
  [/^hugetlb\./, 'ENOENT', 'this kernel has no huge pages of that size; /sys/kernel/mm/hugepages lists them'],
  [/^cpu\.rt_/, 'ENOENT', 'this kernel schedules realtime without cgroups (CONFIG_RT_GROUP_SCHED)'],
  [/^cpu\.rt_/, 'EINVAL', 'a cgroup above has no realtime left to give'],
  [
    /^cpu\.(cfs|max)/,
    'EINVAL',
    'periods go from 1 ms to 1 s, a quota is 1 ms at least, and v1 gives no more than the cgroup above has',
  ],
  [/^cpuset\./, 'EINVAL', 'the list is malformed, or names CPUs or memory nodes that this host does not have'],
  [/^cpuset\./, 'EACCES', 'the cgroup above does not have these CPUs or memory nodes'],
  [/^memory\.memsw/, 'ENOENT', 'this kernel does not account swap; boot with swapaccount=1'],
  [/^memory\.kmem\.tcp/, 'ENOENT', 'this kernel has no limit for TCP buffers (memory.kmem.tcp.limit_in_bytes)'],
  [/^memory\.swap/, 'ENOENT', 'this kernel does not account swap'],
  [/^memory\./, 'EBUSY', 'more memory is in use already'],
  [/^net_prio\./, 'ENODEV', 'there is no such interface in the network namespace of the runtime'],
  [/^devices\./, 'EPERM', 'the cgroup above does not allow this device'],
  [
    /./,
    'ENOENT',
    'the controller is not given to this cgroup (cgroup.subtree_control above it), or this kernel has no such file',
  ],
];

const joinHints: { readonly [errno: string]: string } = {
  ENOSPC: 'the cpuset has no CPUs or no memory nodes',
  EBUSY:
    'controllers of the cgroup are given on to cgroups below it, so it takes no processes (cgroup.subtree_control)',
  EOPNOTSUPP: 'the cgroup is threaded or invalid; a cgroup above it holds processes',
};

/** What the executor says of a cgroup that is no place for a container; the words are runc's. */
const unfitness: { readonly [errno: string]: Pick<Failure, 'code' | 'message'> } = {
  EBUSY: { code: 'TSR_CGROUP_NOT_EMPTY', message: "container's cgroup is not empty" },
  EDEADLK: { code: 'TSR_CGROUP_FROZEN', message: "container's cgroup unexpectedly frozen" },
};

const withoutRights: readonly string[] = ['EACCES', 'EPERM', 'EROFS'];

function hintOf({ summary, pointer, errno }: StepFailure): string | undefined {
  const file = /^set (\S+) to /.exec(summary)?.[1];
  if (file !== undefined) return writeHints.find(([pattern, name]) => name === errno && pattern.test(file))?.[2];
  if (summary.startsWith('join cgroup ')) return joinHints[errno];
  if (summary.startsWith('attach a device filter')) {
    return errno === 'EPERM'
      ? 'bpf(2) is forbidden here'
      : 'this kernel has no device filters for cgroups (CONFIG_CGROUP_BPF)';
  }
  if (errno === 'EOPNOTSUPP' && summary.startsWith('make cgroup ')) {
    return pointer.startsWith('/linux/resources') || pointer === '/linux/cgroupsPath'
      ? 'a cgroup above it is threaded, so it can have limits of cpu, cpuset and pids only, and must hold no domain'
      : joinHints[errno];
  }
  if (errno === 'EXDEV') return 'the mount point is no cgroup file system any more';
  if (!withoutRights.includes(errno)) return undefined;
  return pointer.startsWith('/linux/resources')
    ? 'rootless needs no limits + no cgrouppath when no permission is granted for cgroups'
    : 'cgroups are read-only or not delegated to this user; without cgroupsPath and limits the container runs without';
}

/** Failures of the cgroup phase; undefined for other steps. */
export function explainCgroup(step: StepFailure): Failure | undefined {
  const { summary, pointer, errno, syscall } = step;
  if (pointer.startsWith('/linux/sysctl/')) return undefined;
  if (!/^(make cgroup |join cgroup |set [a-z_]+\.|attach a device filter)/.test(summary)) return undefined;
  const place = pointer === '' ? {} : { pointer };
  const unfit = summary.startsWith('make cgroup ') ? unfitness[errno] : undefined;
  if (unfit !== undefined) return { ...unfit, detail: summary.slice('make cgroup '.length), ...place };
  const hint = hintOf(step);
  return { code: 'TSR_STEP_FAILED', message: '', step: summary, errno, syscall, ...place, ...(hint ? { hint } : {}) };
}
