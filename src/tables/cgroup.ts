/** The shapes of cgroups that the compiler and the manager share, and the controllers a container joins. */

/** One mounted hierarchy, and where the runtime itself is in it. */
export interface CgroupHierarchy {
  readonly version: 1 | 2;
  /** v1: what is mounted together, e.g. `cpu`, `cpuacct` or `name=systemd`; v2: the root's cgroup.controllers. */
  readonly controllers: readonly string[];
  readonly mountPoint: string;
  /** The runtime's own cgroup, as seen below the mount point; `/` is the mount point itself. */
  readonly ownPath: string;
}

/** The container's cgroup in one hierarchy. */
export interface CgroupPlace {
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
  readonly mountPoint: string;
  /** Below the mount point, without a leading slash; never empty, never with `..`. */
  readonly path: string;
}

export type CgroupDriver = 'cgroupfs' | 'systemd' | 'disabled';

/** A systemd unit that holds the container. */
export interface CgroupUnit {
  /** `libpod-ID.scope` */
  readonly name: string;
  /** `machine.slice` */
  readonly slice: string;
  /** Whether it belongs to the user's manager rather than to the system's. */
  readonly user: boolean;
}

/** Where a container's cgroups are: what create decides, the state keeps and every later command works from. */
export interface CgroupRecord {
  readonly driver: CgroupDriver;
  /** The v2 place first if there is one. */
  readonly places: readonly CgroupPlace[];
  readonly unit?: CgroupUnit;
}

/** The hierarchy that freezes: on a hybrid host v1's, which is also what engines look at. */
export const freezingPlace = ({ places }: CgroupRecord): CgroupPlace | undefined =>
  places.find(({ version, controllers }) => version === 1 && controllers.includes('freezer')) ??
  places.find(({ version }) => version === 2);

/** The file that says whether a container was frozen, '' where nothing can freeze it; and what it says of one that was not. */
export function freezerFile(cgroup: CgroupRecord): string {
  const place = freezingPlace(cgroup);
  if (place === undefined) return '';
  return `${place.mountPoint}/${place.path}/${place.version === 1 ? 'freezer.state' : 'cgroup.freeze'}`;
}
export const isThawed = (line: string): boolean => line === 'THAWED' || line === '0';

/** One value for one cgroup file. */
export interface CgroupSetting {
  /** Index into the record's places. */
  readonly place: number;
  readonly file: string;
  readonly value: string;
  /** JSON pointer of the config key. */
  readonly pointer: string;
  /** Errno names after which to go on as if it had been written. */
  readonly tolerate?: readonly string[];
  /** Written: the next one is skipped. Failed with a tolerated errno: the next one is the alternative. */
  readonly orElseNext?: boolean;
}

/** A memory limit that has to be above what is in use (memory.checkBeforeUpdate). */
export interface UsageCheck {
  readonly limit: number | bigint;
  readonly pointer: string;
  /** For the message: `memory`, `memory+swap`. */
  readonly name: string;
}

/** v1 hierarchies that a container joins when they are mounted, in this order. */
export const joinedControllers: readonly string[] = [
  'cpuset',
  'devices',
  'memory',
  'cpu',
  'cpuacct',
  'pids',
  'blkio',
  'hugetlb',
  'net_cls',
  'net_prio',
  'perf_event',
  'freezer',
  'rdma',
  'name=systemd',
  'misc',
];

/** Slots of the executor that hold open cgroups: the v2 one, then the others. */
export const unifiedSlot = 8;
export const firstSlot = 9;

/** Slot of the place with this index. */
export const slotOfPlace = (record: CgroupRecord, place: number): number =>
  record.places[0]?.version === 2 ? unifiedSlot + place : firstSlot + place;

/** Files to hand over with a delegated cgroup where the kernel does not list them (runtime-spec, cgroup ownership). */
export const delegatedFiles: readonly string[] = ['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'];

/** v2 controllers that a threaded cgroup can have; the others need a domain. */
export const threadedControllers: ReadonlySet<string> = new Set(['cpu', 'cpuset', 'perf_event', 'pids', 'cgroup']);
