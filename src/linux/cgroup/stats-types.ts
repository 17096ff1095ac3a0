/**
 * The `data` of a record that `events` prints, in the shape runc gave it. Counters beyond 2^53 are bigint; absent
 * members are zero or unknown, those without `?` are always printed.
 */
export type Count = number | bigint;

export interface PressureLine {
  avg10: number;
  avg60: number;
  avg300: number;
  total: Count;
}
export interface Pressure {
  some?: PressureLine;
  full?: PressureLine;
}

export interface CpuStats {
  usage?: {
    total?: Count;
    percpu?: Count[];
    percpu_kernel?: Count[];
    percpu_user?: Count[];
    kernel: Count;
    user: Count;
  };
  throttling?: { periods?: Count; throttledPeriods?: Count; throttledTime?: Count };
  psi?: Pressure;
}

export interface CpusetStats {
  cpus?: number[];
  cpu_exclusive: Count;
  mems?: number[];
  mem_hardwall: Count;
  mem_exclusive: Count;
  memory_migrate: Count;
  memory_spread_page: Count;
  memory_spread_slab: Count;
  memory_pressure: Count;
  sched_load_balance: Count;
  sched_relax_domain_level: Count;
}

export interface MemoryEntry {
  limit: Count;
  usage?: Count;
  max?: Count;
  failcnt: Count;
}

export interface MemoryStats {
  cache?: Count;
  usage?: MemoryEntry;
  swap?: MemoryEntry;
  kernel?: MemoryEntry;
  kernelTCP?: MemoryEntry;
  raw?: Record<string, Count>;
  psi?: Pressure;
}

export interface BlkioEntry {
  major?: number;
  minor?: number;
  op?: string;
  value?: Count;
}

export type BlkioList =
  | 'ioServiceBytesRecursive'
  | 'ioServicedRecursive'
  | 'ioQueueRecursive'
  | 'ioServiceTimeRecursive'
  | 'ioWaitTimeRecursive'
  | 'ioMergedRecursive'
  | 'ioTimeRecursive'
  | 'sectorsRecursive';

export type BlkioStats = { [list in BlkioList]?: BlkioEntry[] } & { psi?: Pressure };

export interface CgroupStats {
  cpu: CpuStats;
  cpuset: CpusetStats;
  memory: MemoryStats;
  pids: { current?: Count; limit?: Count };
  blkio: BlkioStats;
  hugetlb: Record<string, { usage?: Count; max?: Count; failcnt: Count }>;
  intel_rdt: Record<string, never>;
  network_interfaces: null;
}
