/** Hosts for the tests of the cgroup phase. */
import type { HostFacts } from '../../linux/facts.js';
import { type CgroupHierarchy, delegatedFiles, joinedControllers } from '../../tables/cgroup.js';

const v2Controllers = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma', 'misc'];

export interface TestHost {
  readonly own?: string;
  /** Controllers of the v2 hierarchy, or all v1 hierarchies. */
  readonly controllers?: readonly string[];
  readonly uid?: number;
  readonly inUserNamespace?: boolean;
}

/** A host: v2 with all controllers; v1 with one hierarchy each; hybrid: v1 without hugetlb, which v2 has. */
export function hostFacts(mode: HostFacts['cgroupMode'], host: TestHost = {}): HostFacts {
  const ownPath = host.own ?? '/';
  const unified = (controllers: readonly string[], mountPoint: string): CgroupHierarchy => ({
    version: 2,
    controllers,
    mountPoint,
    ownPath,
  });
  const legacy = (controllers: readonly string[]): CgroupHierarchy[] =>
    controllers.map((name) => ({
      version: 1,
      controllers: [name],
      mountPoint: `/sys/fs/cgroup/${name.replace('name=', '')}`,
      ownPath,
    }));
  const v1Controllers = host.controllers ?? joinedControllers;
  const hierarchies = {
    v1: () => legacy(v1Controllers),
    v2: () => [unified(host.controllers ?? v2Controllers, '/sys/fs/cgroup')],
    hybrid: () => [
      unified(['hugetlb'], '/sys/fs/cgroup/unified'),
      ...legacy(v1Controllers.filter((name) => name !== 'hugetlb')),
    ],
    none: () => [],
  }[mode]();
  return {
    cgroupMode: mode,
    hierarchies,
    delegatedFiles: mode === 'v2' || mode === 'hybrid' ? delegatedFiles : [],
    uid: host.uid ?? 0,
    gid: host.uid ?? 0,
    inUserNamespace: host.inUserNamespace ?? false,
  };
}
