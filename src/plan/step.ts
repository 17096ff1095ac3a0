import { type OpArgs, type OpName, type OpRoles, type Role, wiredSlots } from '../generated/ops.js';

/**
 * One step of a plan. `role` says which process carries it out; the list is the total order, and wherever the
 * role changes the executor synchronises the processes. `pointer` is the JSON pointer of the config key that
 * caused the step ('' for the runtime's own steps).
 */
export type Step = {
  readonly [K in OpName]: {
    readonly op: K;
    readonly role: Role;
    readonly pointer: string;
    /** What a person reads: `mount tmpfs on /run`. */
    readonly summary: string;
    readonly args: OpArgs[K];
    /** Errno names after which the plan goes on as if the step had succeeded. At most three. */
    readonly tolerate?: readonly string[];
    /** When this step succeeds, skip the next one; when it fails with a tolerated errno, the next one is the alternative. */
    readonly orElseNext?: boolean;
    /** When it fails with a tolerated errno, the plan is done: somebody else has done the rest. */
    readonly orEnd?: boolean;
    /** Of a kept plan (kept.ts): when it fails, the plan is out of date and the engine makes a new one. */
    readonly expects?: boolean;
  };
}[OpName];

/** A whole plan: what `tsrun plan` prints and the executor carries out. */
export interface Plan {
  readonly steps: readonly Step[];
  /** How many descriptors from 3 on the container keeps (`--preserve-fds` and LISTEN_FDS). */
  readonly preserveFds: number;
}

/** Makes a step; the type of `args`, and which roles may carry it out, follow from the operation. */
export function step<K extends OpName>(
  role: OpRoles[K],
  op: K,
  args: OpArgs[K],
  pointer: string,
  summary: string,
  rest?: Pick<Step, 'tolerate' | 'orElseNext' | 'orEnd' | 'expects'>,
): Step {
  // The union's members differ in `args` alone. No spread for the many that need none: it costs more than the rest.
  const plain = { op, role, pointer, summary, args };
  return (rest === undefined ? plain : { ...plain, ...rest }) as unknown as Step;
}

/** Marks a step of a kept plan that says what must be so, or the engine is asked. */
export const expects = { expects: true } as const;

/** "No slot" where a field wants one. */
export const noSlot = 0xffffffff;

/** No descriptor of the caller's where a field wants one. */
export const noDescriptor = 0xffffffff;

/** Slots the compiler gives out; the cgroups' are in tables/cgroup.ts. */
export const slots = {
  execFifo: 0,
  replyFifo: 1,
  console: 2,
  pidfd: 3,
  seccompListener: 4,
  target: 5,
  /** The state directory that a kept plan was found in. */
  state: wiredSlots.state,
  /** What is opened for CRIU; such a plan has no id-mapped mounts. */
  firstCriu: 64,
  firstIdMap: 32,
  lastIdMap: 127,
} as const;
