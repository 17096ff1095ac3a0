/** What a container uses, as `events --stats` prints it. A cgroup or controller that is missing leaves its part empty. */
import { errnoOf, listDirectory } from '../../host/files.js';
import type { CgroupRecord } from '../../tables/cgroup.js';
import { directoryOf, legacyPlace, unifiedPlace } from './place.js';
import { hugepageName } from './stats-parse.js';
import type { CgroupStats } from './stats-types.js';
import * as v1 from './stats-v1.js';
import * as v2 from './stats-v2.js';

/** Of this kernel, as its cgroup files spell them. */
export function hugepageSizes(): string[] {
  try {
    return listDirectory('/sys/kernel/mm/hugepages').flatMap((name) => hugepageName(name) ?? []);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

const emptyStats = (): CgroupStats => ({
  cpu: {},
  cpuset: {
    cpu_exclusive: 0,
    mem_hardwall: 0,
    mem_exclusive: 0,
    memory_migrate: 0,
    memory_spread_page: 0,
    memory_spread_slab: 0,
    memory_pressure: 0,
    sched_load_balance: 0,
    sched_relax_domain_level: 0,
  },
  memory: {},
  pids: {},
  blkio: {},
  hugetlb: {},
  intel_rdt: {},
  network_interfaces: null,
});

/** Reads every controller where it is: on a hybrid host most are v1's, and huge pages may be v2's. */
export function stats(record: CgroupRecord): CgroupStats {
  const result = emptyStats();
  const sizes = hugepageSizes();
  const legacy = (controller: string, reader: (directory: string, into: CgroupStats) => void): boolean => {
    const place = legacyPlace(record, controller);
    if (place) reader(directoryOf(place), result);
    return place !== undefined;
  };
  const place = unifiedPlace(record);
  const unified = (controller: string): string | undefined =>
    place?.controllers.includes(controller) ? directoryOf(place) : undefined;

  const accounted = legacy('cpuacct', v1.readCpuacct);
  const scheduled = legacy('cpu', v1.readCpu);
  if (!accounted && !scheduled && place) v2.readCpu(directoryOf(place), result);
  legacy('cpuset', v1.readCpuset);
  const memory = unified('memory');
  if (!legacy('memory', v1.readMemory) && memory) v2.readMemory(memory, result);
  // pids.current and pids.max are the same files in both versions.
  const pids = unified('pids');
  if (!legacy('pids', v2.readPids) && pids) v2.readPids(pids, result);
  const io = unified('io');
  if (!legacy('blkio', v1.readBlkio) && io) v2.readIo(io, result);
  const hugetlb = unified('hugetlb');
  if (!legacy('hugetlb', (directory, into) => v1.readHugetlb(directory, sizes, into)) && hugetlb) {
    v2.readHugetlb(hugetlb, sizes, result);
  }
  return result;
}
