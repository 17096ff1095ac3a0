/** All rules. A rule is one file in rules/, named for its key. */
import type { RuleRow } from './rule.js';
import { annotationsRule } from './rules/annotations.js';
import { argsRule } from './rules/args.js';
import { blockIoRule } from './rules/block-io.js';
import { capabilitiesRule } from './rules/capabilities.js';
import { cgroupsPathRule } from './rules/cgroups-path.js';
import { consoleSizeRule } from './rules/console-size.js';
import { cpuRule } from './rules/cpu.js';
import { devicesRule } from './rules/devices.js';
import { envRule } from './rules/env.js';
import { execCpuAffinityRule } from './rules/exec-cpu-affinity.js';
import { hooksRule } from './rules/hooks.js';
import { nameRule } from './rules/hostname.js';
import { idMappingsRule } from './rules/id-mappings.js';
import { intelRdtRule } from './rules/intel-rdt.js';
import { memoryPolicyRule } from './rules/memory-policy.js';
import { memoryRule } from './rules/memory.js';
import { mountsRule } from './rules/mounts.js';
import { namespacesRule } from './rules/namespaces.js';
import { netDevicesRule } from './rules/net-devices.js';
import { networkRule } from './rules/network.js';
import { ociVersionRule } from './rules/oci-version.js';
import { personalityRule } from './rules/personality.js';
import { rdmaRule } from './rules/rdma.js';
import { rlimitsRule } from './rules/rlimits.js';
import { rootRule } from './rules/root.js';
import { schedulerRule } from './rules/scheduler.js';
import { seccompRule } from './rules/seccomp.js';
import { sysctlRule } from './rules/sysctl.js';
import { timeOffsetsRule } from './rules/time-offsets.js';
import { unifiedRule } from './rules/unified.js';
import type { Process, Resources, Spec } from './types.js';

/** Keys of a process, and what is asked where they are set. */
export const processRules: readonly RuleRow<Process>[] = [
  ['args', argsRule],
  ['env', envRule],
  ['rlimits', rlimitsRule],
  ['capabilities', capabilitiesRule],
  ['scheduler', schedulerRule],
  ['execCPUAffinity', execCpuAffinityRule],
  ['consoleSize', consoleSizeRule],
];

/** Keys of resources. */
export const resourcesRules: readonly RuleRow<Resources>[] = [
  ['memory', memoryRule],
  ['cpu', cpuRule],
  ['blockIO', blockIoRule],
  ['network', networkRule],
  ['rdma', rdmaRule],
  ['unified', unifiedRule],
];

/** Keys of the config itself. */
export const specRules: readonly RuleRow<Spec>[] = [
  ['ociVersion', ociVersionRule],
  ['root', rootRule],
  ['hostname', nameRule('hostname')],
  ['domainname', nameRule('domainname')],
  ['mounts', mountsRule],
  ['hooks', hooksRule],
  ['annotations', annotationsRule],
];

/** Keys of `linux`. */
export const linuxRules: readonly RuleRow<Spec>[] = [
  ['namespaces', namespacesRule],
  ['uidMappings', idMappingsRule('uidMappings')],
  ['gidMappings', idMappingsRule('gidMappings')],
  ['timeOffsets', timeOffsetsRule],
  ['devices', devicesRule],
  ['netDevices', netDevicesRule],
  ['cgroupsPath', cgroupsPathRule],
  ['seccomp', seccompRule],
  ['sysctl', sysctlRule],
  ['intelRdt', intelRdtRule],
  ['memoryPolicy', memoryPolicyRule],
  ['personality', personalityRule],
];
