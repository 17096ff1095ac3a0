import type { Features } from '../generated/config-types.js';
import { supportedFlags } from '../linux/seccomp/kernel.js';
import { memoryFlags, memoryModes } from '../plan/phases/scheduling.js';
import { capabilityNames } from '../tables/capabilities.js';
import { mountOptions } from '../tables/mount-options.js';
import { namespaces } from '../tables/namespaces.js';
import { seccompActions, seccompArchs, seccompFlags, seccompOperators } from '../tables/seccomp.js';
import { specificationMax, specificationMin } from '../tables/versions.js';

const sorted = (names: Iterable<string>): string[] => [...names].sort();

/** In the order in which they run. */
const hooks = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'];

/** Names that change what is done, and the beginnings of such names: systemd's properties, CRIU's file, crun's groups. */
const unsafeAnnotations = [
  'io.tsrun.record-seccomp',
  'io.tsrun.record-seccomp.merge',
  'org.criu.config',
  'org.opencontainers.image.stopSignal',
  'org.systemd.property.',
  'run.oci.keep_original_groups',
];

/**
 * The flags that the running kernel takes: features-linux.md wants them told apart from those that are known. Without
 * the bridge to the kernel nothing is said, which the text allows.
 */
export function flagsOfKernel(): string[] | undefined {
  try {
    return supportedFlags();
  } catch {
    return undefined;
  }
}

/**
 * What this build knows, whatever the host: printed from the tables the compiler reads, so that it cannot claim
 * what is not there. The switches are turned here by the change that brings the feature.
 */
export function describeFeatures(flags: readonly string[] | undefined): Features {
  return {
    ociVersionMin: specificationMin,
    ociVersionMax: specificationMax,
    hooks,
    mountOptions: sorted(mountOptions.keys()),
    linux: {
      namespaces: sorted(namespaces.keys()),
      capabilities: capabilityNames,
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: true, rdma: true },
      seccomp: {
        enabled: true,
        actions: sorted(seccompActions.keys()),
        operators: sorted(seccompOperators.keys()),
        archs: sorted(seccompArchs.keys()),
        knownFlags: sorted(seccompFlags.keys()),
        ...(flags === undefined ? {} : { supportedFlags: flags }),
      },
      apparmor: { enabled: true },
      selinux: { enabled: true },
      memoryPolicy: { modes: sorted(memoryModes.keys()), flags: sorted(memoryFlags.keys()) },
      intelRdt: { enabled: true, schemata: true, monitoring: true },
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: true },
    },
    annotations: { 'org.opencontainers.runc.checkpoint.enabled': 'true' },
    potentiallyUnsafeConfigAnnotations: unsafeAnnotations,
  };
}
