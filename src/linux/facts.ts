/**
 * What the compiler has to know about the host, gathered once and cheaply; plain data, so that a plan can be
 * compiled for a host that is not this one.
 */
import { readTextIfExists } from '../host/files.js';
import { effectiveGid, effectiveUid, permittedCapabilities } from '../host/process.js';
import { type CgroupHierarchy, delegatedFiles } from '../tables/cgroup.js';
import { type CgroupMode, findHierarchies, isUserNamespaceMap, modeOf } from './cgroup/parse.js';

export interface LsmFacts {
  readonly apparmor: boolean;
  readonly selinux: boolean;
}

export interface HostFacts {
  readonly cgroupMode: CgroupMode;
  /** The v2 hierarchy first, then v1 in the order of `tables/cgroup.ts`. */
  readonly hierarchies: readonly CgroupHierarchy[];
  /** Files that belong to the owner of a delegated v2 cgroup; empty without a v2 hierarchy. */
  readonly delegatedFiles: readonly string[];
  /** Effective ids of the runtime. */
  readonly uid: number;
  readonly gid: number;
  readonly inUserNamespace: boolean;
  /** What root may give away, where that is not everything; absent for others. */
  readonly capabilities?: bigint;
  /** Only when it was asked for: most configs name no label. */
  readonly lsm?: LsmFacts;
}

/** Which security modules take labels. */
export function gatherLsmFacts(): LsmFacts {
  const apparmor = readTextIfExists('/sys/module/apparmor/parameters/enabled');
  return {
    apparmor: apparmor?.startsWith('Y') ?? false,
    selinux: readTextIfExists('/sys/fs/selinux/enforce') !== undefined,
  };
}

const capSysAdmin = 21n;

/** Whether this process has the capability of this number, whoever it is. */
export const hasCapability = (number: bigint): boolean => (((permittedCapabilities() ?? 0n) >> number) & 1n) === 1n;

/** Whether this process has CAP_SYS_ADMIN, whoever it is. */
export const mayMount = (): boolean => hasCapability(capSysAdmin);

/** Reads five small files of procfs and sysfs. */
export function gatherFacts(wanted: { readonly lsm?: boolean } = {}): HostFacts {
  const hierarchies = findHierarchies(
    readTextIfExists('/proc/self/mountinfo') ?? '',
    readTextIfExists('/proc/self/cgroup') ?? '',
    (mountPoint) => readTextIfExists(`${mountPoint}/cgroup.controllers`) ?? '',
  );
  const unified = hierarchies[0]?.version === 2;
  const capabilities = effectiveUid() === 0 ? permittedCapabilities() : undefined;
  const listed = unified ? readTextIfExists('/sys/kernel/cgroup/delegate')?.trim() : '';
  return {
    cgroupMode: modeOf(hierarchies),
    hierarchies,
    delegatedFiles: listed === undefined ? delegatedFiles : listed === '' ? [] : listed.split('\n'),
    uid: effectiveUid(),
    gid: effectiveGid(),
    inUserNamespace: isUserNamespaceMap(readTextIfExists('/proc/self/uid_map') ?? '0 0 4294967295'),
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(wanted.lsm ? { lsm: gatherLsmFacts() } : {}),
  };
}

/** Facts for a process in a container that exists: who we are. Its cgroups are in the container's record. */
export function gatherIdentity(wanted: { readonly lsm?: boolean } = {}): HostFacts {
  const capabilities = effectiveUid() === 0 ? permittedCapabilities() : undefined;
  return {
    cgroupMode: 'none',
    hierarchies: [],
    delegatedFiles: [],
    uid: effectiveUid(),
    gid: effectiveGid(),
    inUserNamespace: isUserNamespaceMap(readTextIfExists('/proc/self/uid_map') ?? '0 0 4294967295'),
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(wanted.lsm ? { lsm: gatherLsmFacts() } : {}),
  };
}

/** Whether cgroups may well be out of reach: not root, or root of a user namespace only. */
export const isRootless = (facts: Pick<HostFacts, 'uid' | 'inUserNamespace'>): boolean =>
  facts.uid !== 0 || facts.inUserNamespace;
