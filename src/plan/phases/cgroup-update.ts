/**
 * New limits for a container that exists. Pure: joins what was asked with what is known, and says which files to
 * write. What is not named keeps its value; devices are not an update's business (runc skips them as well, so
 * that what a plugin allowed meanwhile stays allowed).
 */
import type {
  BlockIO,
  Cpu,
  HugepageLimit,
  Memory,
  Resources,
  ThrottleDevice,
  WeightDevice,
} from '../../bundle/types.js';
import type { CgroupRecord, UsageCheck } from '../../tables/cgroup.js';
import { type CompiledResources, compileResources } from './cgroup-resources.js';
import { isSet } from './cgroup-settings.js';
import { roundQuota } from './systemd-properties.js';

export interface CompiledUpdate extends CompiledResources {
  /** All limits afterwards, for the state. */
  readonly resources: Resources;
  /** What was asked, with what goes together with it: all that a unit has to be told. */
  readonly changes: Resources;
  readonly checks: readonly UsageCheck[];
}

/** The members that say something: engines send null and '' for "leave it". */
function named<T extends object>(values: T | null | undefined): Partial<T> {
  const entries = Object.entries(values ?? {}).filter(([, value]) => value != null && value !== '');
  return Object.fromEntries(entries) as Partial<T>;
}

/** Without those of the keys that are 0: runc leaves them as they are then, and Docker writes 0 for what it was not told. */
function withoutZeros<T extends object, K extends keyof T>(values: T, ...keys: K[]): T {
  const left = Object.entries(values).filter(([key, value]) => !keys.includes(key as K) || isSet(value));
  return Object.fromEntries(left) as T;
}

/** What an update says, in the one way that the rest of this file knows. */
function saidBy(asked: Resources): Resources {
  const { memory, cpu, pids, blockIO } = asked;
  return {
    ...asked,
    ...(memory ? { memory: withoutZeros(memory, 'limit', 'reservation', 'swap', 'kernel', 'kernelTCP') } : {}),
    ...(cpu ? { cpu: withoutZeros(cpu, 'shares', 'quota', 'period') } : {}),
    ...(pids ? { pids: withoutZeros(pids, 'limit') } : {}),
    ...(blockIO ? { blockIO: withoutZeros(blockIO, 'weight', 'leafWeight') } : {}),
  };
}

/** Replaces or adds rows by key; of two old rows with one key the last is the one in force. */
function upsert<T>(
  rows: readonly T[] | undefined,
  news: readonly T[] | undefined,
  keyOf: (row: T) => string,
): T[] | undefined {
  if (rows === undefined && news === undefined) return undefined;
  const result = [...(rows ?? [])];
  for (const row of news ?? []) {
    let at = result.length - 1;
    while (at >= 0 && keyOf(result[at]!) !== keyOf(row)) at--;
    if (at === -1) result.push(row);
    else result[at] = { ...result[at], ...named(row as object) } as T;
  }
  return result;
}

const deviceOf = ({ major, minor }: WeightDevice | ThrottleDevice): string => `${major}:${minor}`;
const throttles = [
  'throttleReadBpsDevice',
  'throttleWriteBpsDevice',
  'throttleReadIOPSDevice',
  'throttleWriteIOPSDevice',
] as const;

function mergeBlockIO(current: BlockIO | undefined, asked: BlockIO): BlockIO {
  const merged: { -readonly [K in keyof BlockIO]: BlockIO[K] } = { ...current, ...named(asked) };
  const weights = upsert(current?.weightDevice, asked.weightDevice, deviceOf);
  if (weights) merged.weightDevice = weights;
  for (const key of throttles) {
    const rows = upsert(current?.[key], asked[key], deviceOf);
    if (rows) merged[key] = rows;
  }
  return merged;
}

/** Unlimited memory under a limit for memory and swap is impossible: lifting the one lifts the other unless it is named. */
function mergeMemory(current: Memory | undefined, asked: Memory): Memory {
  const values = named(asked);
  const lifted = Number(values.limit) === -1 && values.swap === undefined;
  return { ...current, ...values, ...(lifted ? { swap: 0 } : {}) };
}

/** An idle group forgets its weight. */
function mergeCpu(current: Cpu | undefined, asked: Cpu): Cpu {
  const values = named(asked);
  const weightless = values.idle !== undefined && values.shares === undefined;
  return { ...current, ...values, ...(weightless ? { shares: 0 } : {}) };
}

export function mergeResources(current: Resources, asked: Resources): Resources {
  const { memory, cpu, pids, blockIO, hugepageLimits, network, rdma, unified } = named(asked);
  return {
    ...current,
    ...(memory ? { memory: mergeMemory(current.memory, memory) } : {}),
    ...(cpu ? { cpu: mergeCpu(current.cpu, cpu) } : {}),
    ...(pids ? { pids: { ...current.pids, ...named(pids) } } : {}),
    ...(blockIO ? { blockIO: mergeBlockIO(current.blockIO, blockIO) } : {}),
    ...(hugepageLimits
      ? {
          hugepageLimits:
            upsert(current.hugepageLimits, hugepageLimits, ({ pageSize }: HugepageLimit) => pageSize) ?? [],
        }
      : {}),
    ...(network ? { network: { ...current.network, ...named(network) } } : {}),
    ...(rdma ? { rdma: { ...current.rdma, ...rdma } } : {}),
    ...(unified ? { unified: { ...current.unified, ...(named(unified) as Record<string, string>) } } : {}),
  };
}

/** What to write: what was asked, and what the kernel or a v2 file takes only together with it. */
function delta(merged: Resources, asked: Resources): Resources {
  const { devices: _, ...rest } = named(asked);
  const memory = named(asked.memory);
  const cpu = named(asked.cpu);
  const { limit, swap } = merged.memory ?? {};
  const { quota, period, burst, realtimeRuntime, realtimePeriod, idle } = merged.cpu ?? {};
  const limits = memory.limit !== undefined || memory.swap !== undefined;
  const bandwidth = isSet(cpu.quota) || isSet(cpu.period) || cpu.burst !== undefined;
  const realtime = cpu.realtimeRuntime !== undefined || cpu.realtimePeriod !== undefined;
  return {
    ...rest,
    ...(asked.memory ? { memory: named({ ...memory, ...(limits ? { limit, swap } : {}) }) as Memory } : {}),
    ...(asked.cpu
      ? {
          cpu: named({
            ...cpu,
            ...(bandwidth ? { quota, period, burst } : {}),
            ...(realtime ? { realtimeRuntime, realtimePeriod } : {}),
            ...(isSet(cpu.shares) && isSet(idle) ? { idle } : {}),
          }) as Cpu,
        }
      : {}),
    ...(asked.pids ? { pids: named(asked.pids) } : {}),
    ...(asked.blockIO ? { blockIO: named(asked.blockIO) } : {}),
    ...(asked.unified ? { unified: named(asked.unified) as Record<string, string> } : {}),
  };
}

function checksOf(merged: Resources, asked: Resources): UsageCheck[] {
  const { limit, swap } = named(asked.memory);
  if (!merged.memory?.checkBeforeUpdate) return [];
  const checks: UsageCheck[] = [];
  if (swap !== undefined && swap > 0) checks.push({ limit: swap, pointer: '/memory/swap', name: 'memory+swap' });
  if (limit !== undefined && limit > 0) checks.push({ limit, pointer: '/memory/limit', name: 'memory' });
  return checks;
}

/**
 * @param asked what the caller named; pointers in errors are relative to it.
 * @param current what create or the last update left.
 * @throws TsrunError as `compileResources` does.
 */
export function compileUpdate(asked: Resources, current: Resources, record: CgroupRecord): CompiledUpdate {
  const said = saidBy(asked);
  const resources = mergeResources(current, said);
  const changes = delta(resources, said);
  const exact = record.unit ? roundQuota(changes) : changes;
  const { settings, warnings } = compileResources(exact, record.places, '', true);
  return { resources, changes, settings, warnings, checks: checksOf(resources, said) };
}
