/** CPU time and CPU sets as cgroup files. */
import type { Cpu, Integer64 } from '../../bundle/types.js';
import { badValue, isSet, type SettingList } from './cgroup-settings.js';

/** The kernel's default period; v2 writes quota and period together. */
const defaultPeriod = 100_000;

/**
 * v1 shares (2 to 262144, default 1024) as v2 weight (1 to 10000, default 100): the quadratic curve through
 * the three pairs that runc, crun and systemd agreed on.
 */
export function weightOfShares(shares: Integer64): number {
  if (shares <= 2) return 1;
  if (shares >= 262_144) return 10_000;
  const log = Math.log2(Number(shares));
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}

export function compileCpu(list: SettingList, cpu: Cpu, base: string): void {
  checkValues(cpu, base);
  const limiting = limitingKey(cpu);
  const place = limiting === '' ? list.find('cpu') : list.require('cpu', `${base}/${limiting}`);
  if (place !== -1) {
    compileWeight(list, place, cpu, base);
    if (list.isUnified(place)) compileBandwidthV2(list, place, cpu, base);
    else compileBandwidthV1(list, place, cpu, base);
  }
  if (cpu.cpus) list.set(list.require('cpuset', `${base}/cpus`), 'cpuset.cpus', cpu.cpus, `${base}/cpus`);
  if (cpu.mems) list.set(list.require('cpuset', `${base}/mems`), 'cpuset.mems', cpu.mems, `${base}/mems`);
}

/** The first key that limits; '' when all say the default, which is no error where there is no controller. */
function limitingKey(cpu: Cpu): string {
  if (isSet(cpu.shares)) return 'shares';
  if (isSet(cpu.quota) && cpu.quota > 0) return 'quota';
  if (isSet(cpu.period)) return 'period';
  if (isSet(cpu.burst)) return 'burst';
  if (isSet(cpu.idle)) return 'idle';
  if (isSet(cpu.realtimeRuntime)) return 'realtimeRuntime';
  return isSet(cpu.realtimePeriod) ? 'realtimePeriod' : '';
}

function checkValues({ quota, burst, idle }: Cpu, base: string): void {
  if (idle != null && Number(idle) !== 0 && Number(idle) !== 1)
    badValue(`cpu idle ${idle} is neither 0 nor 1`, `${base}/idle`);
  if (isSet(burst) && isSet(quota) && quota > 0 && burst > quota) {
    badValue(`cpu burst ${burst} is above the quota ${quota}`, `${base}/burst`);
  }
}

function compileWeight(list: SettingList, place: number, { shares, idle }: Cpu, base: string): void {
  const unified = list.isUnified(place);
  // An idle group has no weight to set: the kernel answers EINVAL. So idle goes first, and a weight only without it.
  if (list.wants(idle)) list.set(place, 'cpu.idle', idle, `${base}/idle`, isSet(idle) ? {} : { tolerate: ['ENOENT'] });
  if (!isSet(shares)) return;
  if (isSet(idle)) {
    list.warn(`${base}/shares`, 'cpu shares have no effect while cpu idle is 1');
    return;
  }
  if (unified) {
    list.set(place, 'cpu.weight', weightOfShares(shares), `${base}/shares`);
    return;
  }
  // v1 would clamp in silence.
  if (shares < 2) badValue('the minimum allowed cpu-shares is 2', `${base}/shares`);
  if (shares > 262_144) badValue('the maximum allowed cpu-shares is 262144', `${base}/shares`);
  list.set(place, 'cpu.shares', shares, `${base}/shares`);
}

/**
 * Quota, period and burst check each other (burst <= quota, the share of the parent). In a cgroup with values a
 * new period or burst may fit only after the quota, or only before it: try it before, and set it after.
 */
function compileBandwidthV1(list: SettingList, place: number, cpu: Cpu, base: string): void {
  const { quota, period, burst, realtimeRuntime, realtimePeriod } = cpu;
  const again = list.update && isSet(quota);
  const early = again ? { tolerate: ['EINVAL'] } : {};
  if (isSet(period)) list.set(place, 'cpu.cfs_period_us', period, `${base}/period`, early);
  if (again && list.wants(burst)) setBurst(list, place, 'cpu.cfs_burst_us', burst, base, ['EINVAL', 'ENOENT']);
  if (isSet(quota)) list.set(place, 'cpu.cfs_quota_us', quota < 0 ? -1 : quota, `${base}/quota`);
  if (again && isSet(period)) list.set(place, 'cpu.cfs_period_us', period, `${base}/period`);
  if (list.wants(burst)) setBurst(list, place, 'cpu.cfs_burst_us', burst, base);
  const realtime = isSet(realtimePeriod) && isSet(realtimeRuntime);
  if (isSet(realtimePeriod)) {
    list.set(
      place,
      'cpu.rt_period_us',
      realtimePeriod,
      `${base}/realtimePeriod`,
      realtime ? { tolerate: ['EINVAL'] } : {},
    );
  }
  if (isSet(realtimeRuntime)) list.set(place, 'cpu.rt_runtime_us', realtimeRuntime, `${base}/realtimeRuntime`);
  if (realtime && list.update) list.set(place, 'cpu.rt_period_us', realtimePeriod, `${base}/realtimePeriod`);
}

function compileBandwidthV2(list: SettingList, place: number, cpu: Cpu, base: string): void {
  const { quota, period, burst, realtimeRuntime, realtimePeriod } = cpu;
  if (isSet(realtimeRuntime)) list.refuseOnUnified('cpu.realtimeRuntime', `${base}/realtimeRuntime`);
  if (isSet(realtimePeriod)) list.refuseOnUnified('cpu.realtimePeriod', `${base}/realtimePeriod`);
  const bandwidth = isSet(quota) || isSet(period);
  if (list.update && bandwidth && list.wants(burst)) {
    setBurst(list, place, 'cpu.max.burst', burst, base, ['EINVAL', 'ENOENT']);
  }
  if (bandwidth) {
    const time = isSet(quota) && quota > 0 ? quota : 'max';
    const pointer = isSet(quota) ? `${base}/quota` : `${base}/period`;
    list.set(place, 'cpu.max', `${time} ${isSet(period) ? period : defaultPeriod}`, pointer);
  }
  if (list.wants(burst)) setBurst(list, place, 'cpu.max.burst', burst, base);
}

/** Kernels before 5.14 have no bursts: asking for none is granted by that. */
function setBurst(
  list: SettingList,
  place: number,
  file: string,
  burst: Integer64,
  base: string,
  also: string[] = [],
): void {
  const tolerate = isSet(burst) ? also : ['ENOENT', ...also.filter((name) => name !== 'ENOENT')];
  list.set(place, file, burst, `${base}/burst`, tolerate.length > 0 ? { tolerate } : {});
}
