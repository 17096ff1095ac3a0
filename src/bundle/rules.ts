/** The rules of a config. A rule is one file in rules/, named for its key; those of a process and of resources are beside their documents. */
import type { RuleRow } from './rule.js';
import { annotationsRule } from './rules/annotations.js';
import { cgroupsPathRule } from './rules/cgroups-path.js';
import { devicesRule } from './rules/devices.js';
import { hooksRule } from './rules/hooks.js';
import { nameRule } from './rules/hostname.js';
import { idMappingsRule } from './rules/id-mappings.js';
import { intelRdtRule } from './rules/intel-rdt.js';
import { memoryPolicyRule } from './rules/memory-policy.js';
import { mountsRule } from './rules/mounts.js';
import { namespacesRule } from './rules/namespaces.js';
import { netDevicesRule } from './rules/net-devices.js';
import { ociVersionRule } from './rules/oci-version.js';
import { personalityRule } from './rules/personality.js';
import { rootRule } from './rules/root.js';
import { seccompRule } from './rules/seccomp.js';
import { sysctlRule } from './rules/sysctl.js';
import { timeOffsetsRule } from './rules/time-offsets.js';
import type { Spec } from './types.js';

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
