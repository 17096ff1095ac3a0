import type { Spec } from '../bundle/types.js';
import type { Confinement } from '../state/record.js';

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
    ...(scheduler ? { scheduler } : {}),
    ...(ioPriority ? { ioPriority } : {}),
    ...(execCPUAffinity ? { execCPUAffinity } : {}),
    ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
    ...(personality ? { personality } : {}),
    ...(memoryPolicy ? { memoryPolicy } : {}),
    ...(noNewKeyring ? { noNewKeyring } : {}),
    seccomp: spec.linux?.seccomp !== undefined,
  };
}
