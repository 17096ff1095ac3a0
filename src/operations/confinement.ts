import type { Scheduler, Spec } from '../bundle/types.js';
import type { Confinement } from '../state/record.js';

/** The record is JSON, without bigints; beyond 2^53 nanoseconds the last ones do not count. */
function inDoubles({ runtime, deadline, period, ...rest }: Scheduler): Scheduler {
  return {
    ...rest,
    ...(runtime === undefined ? {} : { runtime: Number(runtime) }),
    ...(deadline === undefined ? {} : { deadline: Number(deadline) }),
    ...(period === undefined ? {} : { period: Number(period) }),
  };
}

/** What the container's process is confined to, kept for `exec` (security.md S56). */
export function confinementOf(spec: Spec, noNewKeyring = false): Confinement {
  const process = spec.process;
  const { capabilities, apparmorProfile, selinuxLabel, scheduler, ioPriority, execCPUAffinity, oomScoreAdj } =
    process ?? {};
  const umask = process?.user?.umask;
  const { personality, memoryPolicy } = spec.linux ?? {};
  return {
    ...(capabilities ? { capabilities } : {}),
    rlimits: (process?.rlimits ?? []).map(({ type, soft, hard }) => ({ type, soft: `${soft}`, hard: `${hard}` })),
    noNewPrivileges: process?.noNewPrivileges ?? false,
    ...(apparmorProfile ? { apparmorProfile } : {}),
    ...(selinuxLabel ? { selinuxLabel } : {}),
    ...(umask === undefined ? {} : { umask }),
    additionalGids: process?.user?.additionalGids ?? [],
    ...(scheduler ? { scheduler: inDoubles(scheduler) } : {}),
    ...(ioPriority ? { ioPriority } : {}),
    ...(execCPUAffinity ? { execCPUAffinity } : {}),
    ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
    ...(personality ? { personality } : {}),
    ...(memoryPolicy ? { memoryPolicy } : {}),
    ...(noNewKeyring ? { noNewKeyring } : {}),
    seccomp: spec.linux?.seccomp !== undefined,
  };
}
