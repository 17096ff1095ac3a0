import type { Case } from '../harness.js';
import { badInputCases } from './bad-input.js';
import { capabilityCases } from './capabilities.js';
import { cgroupCases } from './cgroups.js';
import { deviceCases } from './devices.js';
import { featureCases } from './features.js';
import { hookCases } from './hooks.js';
import { idCases } from './ids.js';
import { lifecycleCases } from './lifecycle.js';
import { mountCases } from './mounts.js';
import { mountOptionCases } from './mount-options.js';
import { namespaceCases } from './namespaces.js';
import { networkDeviceCases } from './network-devices.js';
import { pathCases } from './paths.js';
import { processCases } from './process.js';
import { requiredCases } from './required.js';
import { rlimitCases } from './rlimits.js';
import { schedulingCases } from './scheduling.js';
import { seccompCases } from './seccomp.js';
import { signalCases } from './signals.js';
import { sysctlCases } from './sysctl.js';

export function allCases(): Case[] {
  return [
    ...lifecycleCases(),
    ...idCases(),
    ...signalCases(),
    ...processCases(),
    ...schedulingCases(),
    ...capabilityCases(),
    ...rlimitCases(),
    ...mountCases(),
    ...mountOptionCases(),
    ...namespaceCases(),
    ...networkDeviceCases(),
    ...deviceCases(),
    ...pathCases(),
    ...sysctlCases(),
    ...hookCases(),
    ...cgroupCases(),
    ...seccompCases(),
    ...badInputCases(),
    ...requiredCases(),
    ...featureCases(),
  ];
}
