import type { IoPriority, MemoryPolicy, Scheduler } from '../../bundle/types.js';
import { fail } from '../../errors/error.js';
import type { ProcessContext } from '../options.js';
import { type Step, step } from '../step.js';

/** linux/sched.h */
const policies: ReadonlyMap<string, number> = new Map([
  ['SCHED_OTHER', 0],
  ['SCHED_FIFO', 1],
  ['SCHED_RR', 2],
  ['SCHED_BATCH', 3],
  ['SCHED_ISO', 4],
  ['SCHED_IDLE', 5],
  ['SCHED_DEADLINE', 6],
]);

const schedulerFlags: ReadonlyMap<string, number> = new Map([
  ['SCHED_FLAG_RESET_ON_FORK', 0x01],
  ['SCHED_FLAG_RECLAIM', 0x02],
  ['SCHED_FLAG_DL_OVERRUN', 0x04],
  ['SCHED_FLAG_KEEP_POLICY', 0x08],
  ['SCHED_FLAG_KEEP_PARAMS', 0x10],
  ['SCHED_FLAG_UTIL_CLAMP_MIN', 0x20],
  ['SCHED_FLAG_UTIL_CLAMP_MAX', 0x40],
]);

/** linux/ioprio.h */
const ioClasses: ReadonlyMap<string, number> = new Map([
  ['IOPRIO_CLASS_RT', 1],
  ['IOPRIO_CLASS_BE', 2],
  ['IOPRIO_CLASS_IDLE', 3],
]);

/** linux/mempolicy.h */
export const memoryModes: ReadonlyMap<string, number> = new Map([
  ['MPOL_DEFAULT', 0],
  ['MPOL_PREFERRED', 1],
  ['MPOL_BIND', 2],
  ['MPOL_INTERLEAVE', 3],
  ['MPOL_LOCAL', 4],
  ['MPOL_PREFERRED_MANY', 5],
  ['MPOL_WEIGHTED_INTERLEAVE', 6],
]);

export const memoryFlags: ReadonlyMap<string, number> = new Map([
  ['MPOL_F_NUMA_BALANCING', 1 << 13],
  ['MPOL_F_RELATIVE_NODES', 1 << 14],
  ['MPOL_F_STATIC_NODES', 1 << 15],
]);

function lookUp(table: ReadonlyMap<string, number>, name: string, pointer: string): number {
  return table.get(name) ?? fail('TSR_PLAN_NAME', `unknown name '${name}'`, { pointer });
}

/** struct sched_attr, the first version: later fields are the utilization clamps, which the config has no key for. */
const schedulerSize = 48;

export function schedulerAttributes(scheduler: Scheduler): Uint8Array {
  const pointer = '/process/scheduler';
  let flags = 0;
  for (let i = 0; i < (scheduler.flags?.length ?? 0); i++) {
    flags |= lookUp(schedulerFlags, scheduler.flags![i]!, `${pointer}/flags/${i}`);
  }
  const bytes = new Uint8Array(schedulerSize);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, schedulerSize, true);
  view.setUint32(4, lookUp(policies, scheduler.policy, `${pointer}/policy`), true);
  view.setBigUint64(8, BigInt(flags), true);
  view.setInt32(16, scheduler.nice ?? 0, true);
  view.setUint32(20, (scheduler.priority ?? 0) >>> 0, true);
  view.setBigUint64(24, BigInt(scheduler.runtime ?? 0), true);
  view.setBigUint64(32, BigInt(scheduler.deadline ?? 0), true);
  view.setBigUint64(40, BigInt(scheduler.period ?? 0), true);
  return bytes;
}

/** A list such as `0-3,7` or `0-31:2/4`, which has passed the rules, as a bit mask of whole 64-bit words. */
export function nodeMask(list: string): Uint8Array {
  const ranges = list.split(',').map((range) => range.split(/[-:/]/).map(Number));
  const highest = Math.max(...ranges.map(([first = 0, last = first]) => last));
  const mask = new Uint8Array((Math.floor(highest / 64) + 1) * 8);
  for (const [first = 0, last = first, used = 1, group = 1] of ranges) {
    for (let node = first; node <= last; node++) {
      if ((node - first) % group < used) mask[node >> 3]! |= 1 << (node & 7);
    }
  }
  return mask;
}

function memoryPolicyStep({ mode, nodes, flags }: MemoryPolicy): Step {
  const pointer = '/linux/memoryPolicy';
  let value = lookUp(memoryModes, mode, `${pointer}/mode`);
  for (let i = 0; i < (flags?.length ?? 0); i++) value |= lookUp(memoryFlags, flags![i]!, `${pointer}/flags/${i}`);
  const mask = nodes === undefined || nodes === '' ? new Uint8Array(0) : nodeMask(nodes);
  // The kernel takes one bit less than it is told (set_mempolicy(2), notes).
  const args = { mode: value, maxNode: mask.length === 0 ? 0 : mask.length * 8 + 1, nodes: mask };
  const summary = `memory policy ${mode}${nodes === undefined ? '' : ` on nodes ${nodes}`}`;
  return step('init', 'process.memory-policy', args, pointer, summary);
}

function ioPriorityStep({ class: name, priority }: IoPriority): Step {
  const value = (lookUp(ioClasses, name, '/process/ioPriority/class') << 13) | priority;
  return step('init', 'process.io-priority', { value }, '/process/ioPriority', `I/O priority ${name} ${priority}`);
}

/**
 * What the caller was pinned to is no business of the container: an engine may be kept to some CPUs, whose containers have
 * others (S45). Since Linux 6.2 the kernel remembers the mask across cpusets. Once the process is in its cgroup.
 */
export function allCpusStep(): Step {
  const refused = { tolerate: ['EPERM', 'EACCES', 'EINVAL'] };
  const mask = new Uint8Array(0);
  return step('init', 'process.affinity', { mask }, '', 'run on all CPUs that the cgroup allows', refused);
}

/** How the kernel schedules and places the process; all of it needs privileges that are about to go. */
export function schedulingSteps({ spec, process }: ProcessContext): Step[] {
  const steps: Step[] = [];
  const { personality, memoryPolicy } = spec.linux ?? {};
  if (personality !== undefined) {
    const domain = personality.domain === 'LINUX32' ? 8 : 0;
    const summary = `personality ${personality.domain}`;
    steps.push(step('init', 'process.personality', { domain }, '/linux/personality', summary));
  }
  if (process.scheduler !== undefined) {
    const attributes = schedulerAttributes(process.scheduler);
    const summary = `scheduler ${process.scheduler.policy}`;
    steps.push(step('init', 'process.scheduler', { attributes }, '/process/scheduler', summary));
  }
  if (process.ioPriority !== undefined) steps.push(ioPriorityStep(process.ioPriority));
  if (memoryPolicy !== undefined) steps.push(memoryPolicyStep(memoryPolicy));
  return steps;
}
