/**
 * A container's limits as properties of its systemd unit. They are written to cgroupfs as well: what systemd does not
 * know is set there, and what it knows survives a reload of systemd only because it is a property.
 */
import type { Cpu, Memory, Resources, StringMap } from '../../bundle/types.js';
import { TsrunError } from '../../errors/error.js';
import { type DeviceRule, deviceAccess } from '../../tables/cgroup-devices.js';
import type { UnitProperty } from '../../tables/systemd.js';
import { weightOfShares } from './cgroup-cpu.js';
import { deviceExceptions, type DevicePolicy } from './cgroup-devices.js';
import { ioWeightOf } from './cgroup-io.js';
import { badValue, isSet } from './cgroup-settings.js';

const infinity = '18446744073709551615';
const defaultPeriod = 100_000n;

const amount = (name: string, value: number | bigint | string, since?: number): UnitProperty => ({
  name,
  signature: 't',
  value: Number(value) < 0 ? infinity : String(value),
  ...(since ? { since } : {}),
});

/** CPU time in a second of time, and the quota that systemd will make of it: it rounds up to whole percents. */
function perSecond(quota: bigint, period: bigint): bigint {
  const exact = (quota * 1_000_000n) / period;
  return ((exact + 9_999n) / 10_000n) * 10_000n;
}

/** The config with the quota that systemd can hold, so that cgroupfs and systemd do not overwrite each other. */
export function roundQuota(resources: Resources): Resources {
  const { quota, period } = resources.cpu ?? {};
  if (!isSet(quota) || quota < 0) return resources;
  const length = isSet(period) ? BigInt(period) : defaultPeriod;
  const exact = (BigInt(quota) * 1_000_000n) / length;
  const rounded = perSecond(BigInt(quota), length);
  if (exact === rounded) return resources;
  return { ...resources, cpu: { ...resources.cpu, quota: (rounded * length) / 1_000_000n } };
}

function bandwidth(quota: Cpu['quota'], period: Cpu['period']): UnitProperty[] {
  if (!isSet(quota) && !isSet(period)) return [];
  const length = isSet(period) ? BigInt(period) : defaultPeriod;
  const limited = isSet(quota) && quota > 0;
  return [
    ...(isSet(period) ? [amount('CPUQuotaPeriodUSec', period, 242)] : []),
    amount('CPUQuotaPerSecUSec', limited ? perSecond(BigInt(quota), length) : infinity),
  ];
}

/** `0-2,7` as systemd takes it: bit n of byte n/8. */
export function bitsOfList(list: string, pointer: string): number[] {
  const bytes: number[] = [];
  for (const range of list.split(',')) {
    if (range.trim() === '') continue;
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range.trim());
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (!match || last < first) badValue(`'${list}' is no list such as 0-3,7`, pointer);
    for (let i = first; i <= last; i++) {
      while (bytes.length <= i >> 3) bytes.push(0);
      bytes[i >> 3]! |= 1 << (i & 7);
    }
  }
  return bytes;
}

const mask = (name: string, list: string, pointer: string): UnitProperty => ({
  name,
  signature: 'ay',
  value: bitsOfList(list, pointer),
  since: 244,
});

function cpuProperties(cpu: Cpu, unified: boolean, base: string): UnitProperty[] {
  const { shares, quota, period, cpus, mems, idle } = cpu;
  const properties = bandwidth(quota, period);
  // A weight of 0 is how systemd spells idle.
  if (unified && isSet(idle)) properties.push(amount('CPUWeight', 0, 252));
  // Not idle any more: the kernel gives such a group the default weight, and so must a reload of systemd.
  else if (unified && idle != null && !isSet(shares)) properties.push(amount('CPUWeight', infinity, 252));
  else if (isSet(shares))
    properties.push(unified ? amount('CPUWeight', weightOfShares(shares)) : amount('CPUShares', shares));
  if (cpus) properties.push(mask('AllowedCPUs', cpus, `${base}/cpus`));
  if (mems) properties.push(mask('AllowedMemoryNodes', mems, `${base}/mems`));
  return properties;
}

function memoryProperties({ limit, reservation, swap }: Memory, unified: boolean): UnitProperty[] {
  if (!unified) return isSet(limit) ? [amount('MemoryLimit', limit)] : [];
  const properties: UnitProperty[] = [];
  if (isSet(limit)) properties.push(amount('MemoryMax', limit));
  if (isSet(reservation)) properties.push(amount('MemoryLow', reservation));
  const lifted = Number(limit) === -1 && !isSet(swap);
  if (lifted || Number(swap) === -1) properties.push(amount('MemorySwapMax', infinity));
  else if (isSet(swap) && isSet(limit)) {
    properties.push(amount('MemorySwapMax', Number(limit) === -1 ? swap : BigInt(swap) - BigInt(limit)));
  }
  return properties;
}

/** Files of `unified` that systemd knows by another name; `max` is infinity. */
const unifiedNames = new Map<string, string>([
  ['cpu.weight', 'CPUWeight'],
  ['memory.high', 'MemoryHigh'],
  ['memory.low', 'MemoryLow'],
  ['memory.max', 'MemoryMax'],
  ['memory.min', 'MemoryMin'],
  ['memory.swap.max', 'MemorySwapMax'],
  ['pids.max', 'TasksMax'],
]);

function unifiedProperties(unified: StringMap, base: string): UnitProperty[] {
  const properties: UnitProperty[] = [];
  const idle = unified['cpu.idle']?.trim() === '1';
  if (idle) properties.push(amount('CPUWeight', 0, 252));
  for (const key of Object.keys(unified)) {
    const value = unified[key]!.trim();
    const pointer = `${base}/${key}`;
    const name = unifiedNames.get(key);
    if (name !== undefined && /^(\d+|max)$/.test(value) && !(idle && key === 'cpu.weight')) {
      // systemd knows no limit of 0 tasks.
      properties.push(amount(name, value === 'max' ? infinity : key === 'pids.max' && value === '0' ? 1 : value));
    } else if (key === 'cpuset.cpus') properties.push(mask('AllowedCPUs', value, pointer));
    else if (key === 'cpuset.mems') properties.push(mask('AllowedMemoryNodes', value, pointer));
    else if (key === 'cpu.max') {
      const match = /^(max|\d+)(?:\s+(\d+))?$/.exec(value);
      if (!match) badValue(`'${value}' is no value for cpu.max`, pointer);
      properties.push(...bandwidth(match![1] === 'max' ? -1 : BigInt(match![1]!), BigInt(match![2] ?? defaultPeriod)));
    }
  }
  return properties;
}

/** Properties for the limits alone: what create and update have in common. */
export function resourceProperties(resources: Resources, unified: boolean, base: string): UnitProperty[] {
  const { memory, cpu, pids, blockIO } = resources;
  const properties: UnitProperty[] = [];
  if (memory) properties.push(...memoryProperties(memory, unified));
  if (cpu) properties.push(...cpuProperties(cpu, unified, `${base}/cpu`));
  if (pids?.limit != null) properties.push(amount('TasksMax', Number(pids.limit) === 0 ? 1 : pids.limit));
  if (isSet(blockIO?.weight)) {
    const weight = unified ? ioWeightOf(blockIO.weight, `${base}/blockIO/weight`) : blockIO.weight;
    properties.push(amount(unified ? 'IOWeight' : 'BlockIOWeight', weight));
  }
  if (resources.unified) properties.push(...unifiedProperties(resources.unified, `${base}/unified`));
  return properties;
}

/** `/dev/char/1:3`, `char-136`, `char-*`; undefined for "any major with this minor", which systemd cannot say. */
function deviceName({ type, major, minor }: DeviceRule): string | undefined {
  const kind = type === 'c' ? 'char' : 'block';
  if (major === -1) return minor === -1 ? `${kind}-*` : undefined;
  return minor === -1 ? `${kind}-${major}` : `/dev/${kind}/${major}:${minor}`;
}

function letters(access: number): string {
  const { read, write, mknod } = deviceAccess;
  return `${access & read ? 'r' : ''}${access & write ? 'w' : ''}${access & mknod ? 'm' : ''}`;
}

const devicePolicy = (policy: string, allow: readonly (readonly [string, string])[]): UnitProperty[] => [
  { name: 'DeviceAllow', signature: 'a(ss)', value: [] },
  { name: 'DevicePolicy', signature: 's', value: policy },
  ...(allow.length > 0 ? [{ name: 'DeviceAllow', signature: 'a(ss)' as const, value: allow }] : []),
];

/** The exceptions from "deny all" that systemd can say; undefined when it cannot say all of them. */
function allowList(policy: DevicePolicy): [string, string][] | undefined {
  const list: [string, string][] = [];
  if (policy.allowByDefault) return undefined;
  try {
    for (const rule of deviceExceptions(policy)) {
      const name = deviceName(rule);
      if (name === undefined) return undefined;
      list.push([name, letters(rule.access)]);
    }
  } catch (error) {
    if (error instanceof TsrunError) return undefined;
    throw error;
  }
  return list;
}

/**
 * Device rules. On v2 our own filter does the work, and systemd's must only not be in its way where it cannot say
 * the same. On v1 both write one file: there an unsayable list starts as "deny all" and is completed in cgroupfs.
 */
export function deviceProperties(policy: DevicePolicy, unified: boolean): UnitProperty[] {
  if (policy.allowByDefault && policy.rules.length === 0) return devicePolicy('auto', []);
  const list = allowList(policy);
  if (list !== undefined) return devicePolicy('strict', list);
  return devicePolicy(unified ? 'auto' : 'strict', []);
}
