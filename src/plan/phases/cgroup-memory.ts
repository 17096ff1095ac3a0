/** Memory, pids and huge pages as cgroup files. */
import type { HugepageLimit, Integer64, Memory, Pids } from '../../bundle/types.js';
import { badValue, isSet, maxOr, type SettingList } from './cgroup-settings.js';

export function compileMemory(list: SettingList, memory: Memory, base: string): void {
  const { limit, reservation, swap, swappiness, disableOOMKiller, useHierarchy } = memory;
  checkValues(memory, base);
  const limiting = limitingKey(memory);
  const place = limiting === '' ? list.find('memory') : list.require('memory', `${base}/${limiting}`);
  if (place === -1) return;
  if (list.isUnified(place)) {
    compileMemoryV2(list, place, memory, base);
    return;
  }
  writeLimitsV1(list, place, limit, swap, base);
  writeKernelLimits(list, place, memory, base);
  if (isSet(reservation)) list.set(place, 'memory.soft_limit_in_bytes', reservation, `${base}/reservation`);
  if (disableOOMKiller) list.set(place, 'memory.oom_control', '1', `${base}/disableOOMKiller`);
  // Hierarchical accounting cannot be turned off since kernel 5.11, and the file may go.
  if (useHierarchy) list.set(place, 'memory.use_hierarchy', '1', `${base}/useHierarchy`, { tolerate: ['ENOENT'] });
  if (swappiness != null) list.set(place, 'memory.swappiness', swappiness, `${base}/swappiness`);
}

const isLimit = (value: Integer64 | undefined): value is Integer64 => isSet(value) && value > 0;

/** The first key that limits; '' when all say the default, which is no error where there is no controller. */
function limitingKey(memory: Memory): string {
  if (isLimit(memory.limit)) return 'limit';
  if (isLimit(memory.swap)) return 'swap';
  if (isLimit(memory.reservation)) return 'reservation';
  if (memory.swappiness != null) return 'swappiness';
  if (isLimit(memory.kernelTCP)) return 'kernelTCP';
  return memory.disableOOMKiller ? 'disableOOMKiller' : '';
}

function checkValues({ limit, reservation, swap, swappiness }: Memory, base: string): void {
  if (limit != null && limit < -1) badValue(`memory limit ${limit} is negative`, `${base}/limit`);
  if (swap != null && swap < -1) badValue(`memory and swap limit ${swap} is negative`, `${base}/swap`);
  if (reservation != null && reservation < -1)
    badValue(`memory reservation ${reservation} is negative`, `${base}/reservation`);
  if (swappiness != null && (swappiness < 0 || swappiness > 100)) {
    badValue(`swappiness ${swappiness} is not between 0 and 100`, `${base}/swappiness`);
  }
  if (!isSet(swap) || swap < 0) return;
  if (!isSet(limit)) badValue('a limit for memory and swap needs a limit for memory', `${base}/swap`);
  else if (swap < limit) badValue(`memory and swap limit ${swap} is below the memory limit ${limit}`, `${base}/swap`);
}

/**
 * Kernel memory has no limit of its own any more: since Linux 5.16 the file refuses every value or forgets it, and
 * before that a limit there broke more than it held (runc dropped it in 1.0). TCP buffers still have theirs on v1.
 */
function writeKernelLimits(list: SettingList, place: number, { kernel, kernelTCP }: Memory, base: string): void {
  if (isLimit(kernel)) list.warn(`${base}/kernel`, 'kernel memory limits are ignored: the kernel has none');
  // A new cgroup is unlimited as it is.
  if (!isLimit(kernelTCP) && !(list.update && isSet(kernelTCP))) return;
  const tolerate = isLimit(kernelTCP) ? {} : { tolerate: ['ENOENT'] };
  list.set(place, 'memory.kmem.tcp.limit_in_bytes', kernelTCP, `${base}/kernelTCP`, tolerate);
}

/**
 * The kernel holds limit <= memsw at every moment. Trying memsw first succeeds when limits grow, and fails with
 * EINVAL, harmlessly, when they shrink or were unlimited; then limit and memsw follow in the order that always fits.
 */
function writeLimitsV1(
  list: SettingList,
  place: number,
  limit: Integer64 | undefined,
  swap: Integer64 | undefined,
  base: string,
): void {
  const memsw = 'memory.memsw.limit_in_bytes';
  if (isSet(limit) && Number(limit) === -1 && !isSet(swap)) {
    // Unlimited memory under a limit of memory and swap would be refused. No swap accounting: nothing to lift.
    list.set(place, memsw, '-1', `${base}/limit`, { tolerate: ['ENOENT'] });
  }
  const unlimited = isSet(swap) && Number(swap) === -1;
  if (isSet(limit) && isSet(swap)) {
    list.set(place, memsw, swap, `${base}/swap`, { tolerate: unlimited ? ['ENOENT'] : ['EINVAL'] });
  }
  if (isSet(limit)) list.set(place, 'memory.limit_in_bytes', limit, `${base}/limit`);
  if (isSet(swap) && !(unlimited && isSet(limit))) {
    list.set(place, memsw, swap, `${base}/swap`, unlimited ? { tolerate: ['ENOENT'] } : {});
  }
}

function compileMemoryV2(list: SettingList, place: number, memory: Memory, base: string): void {
  const { limit, reservation, swap, kernel, kernelTCP, swappiness, disableOOMKiller } = memory;
  if (isLimit(kernel)) list.refuseOnUnified('memory.kernel', `${base}/kernel`);
  if (isLimit(kernelTCP)) list.refuseOnUnified('memory.kernelTCP', `${base}/kernelTCP`);
  if (swappiness != null) list.refuseOnUnified('memory.swappiness', `${base}/swappiness`);
  if (disableOOMKiller) list.refuseOnUnified('memory.disableOOMKiller', `${base}/disableOOMKiller`);
  const swapOnly = swapOnlyOf(limit, swap);
  if (swapOnly !== undefined) {
    // Without swap accounting there is nothing to forbid or to lift; a real limit must not get lost.
    const tolerate = swapOnly === 'max' || swapOnly === '0' ? { tolerate: ['ENOENT'] } : {};
    list.set(place, 'memory.swap.max', swapOnly, isSet(swap) ? `${base}/swap` : `${base}/limit`, tolerate);
  }
  if (isSet(limit)) list.set(place, 'memory.max', maxOr(limit), `${base}/limit`);
  if (isSet(reservation)) list.set(place, 'memory.low', maxOr(reservation), `${base}/reservation`);
}

/** v2 limits swap alone, the spec memory and swap together; undefined for no write. */
function swapOnlyOf(limit: Integer64 | undefined, swap: Integer64 | undefined): string | undefined {
  if (!isSet(swap)) return isSet(limit) && Number(limit) === -1 ? 'max' : undefined;
  if (Number(swap) === -1) return 'max';
  if (Number(limit) === -1) return String(swap);
  return String(BigInt(swap) - BigInt(limit!));
}

export function compilePids(list: SettingList, { limit }: Pids, base: string): void {
  if (limit == null) return;
  if (limit < -1) badValue(`pids limit ${limit} is negative`, `${base}/limit`);
  const unlimited = Number(limit) === -1;
  const place = unlimited ? list.find('pids') : list.require('pids', `${base}/limit`);
  if (place === -1) return;
  // 0 forbids every fork, and so does 1 once init is there; but init has to come in first, and systemd knows no 0.
  list.set(place, 'pids.max', unlimited ? 'max' : Number(limit) === 0 ? '1' : limit, `${base}/limit`);
}

export function compileHugepages(list: SettingList, limits: readonly HugepageLimit[], base: string): void {
  for (let i = 0; i < limits.length; i++) {
    const { pageSize, limit } = limits[i]!;
    const pointer = `${base}/${i}/limit`;
    // The size becomes part of a file name (GHSA-5g49-rx9x-qfc6, S31).
    if (!/^[1-9][0-9]*[KMG]B$/.test(pageSize)) {
      badValue(`page size '${pageSize}' is not a number followed by KB, MB or GB`, `${base}/${i}/pageSize`);
    }
    const place = list.require('hugetlb', pointer);
    const suffix = list.isUnified(place) ? 'max' : 'limit_in_bytes';
    // A limit on reservations fails mmap instead of killing with SIGBUS later; kernels before 5.7 have none.
    list.set(place, `hugetlb.${pageSize}.rsvd.${suffix}`, limit, pointer, { tolerate: ['ENOENT'] });
    list.set(place, `hugetlb.${pageSize}.${suffix}`, limit, pointer);
  }
}
