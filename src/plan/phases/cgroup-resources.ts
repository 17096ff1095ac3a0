/** `linux.resources` as values for cgroup files; the order within a controller is the kernel's demand. */
import type { Resources } from '../../bundle/types.js';
import type { Failure } from '../../errors/error.js';
import type { CgroupPlace, CgroupSetting } from '../../tables/cgroup.js';
import { compileCpu } from './cgroup-cpu.js';
import { deviceExceptions, type DevicePolicy, renderDeviceRule } from './cgroup-devices.js';
import { compileBlockIO, compileNetwork, compileRdma } from './cgroup-io.js';
import { compileHugepages, compileMemory, compilePids } from './cgroup-memory.js';
import { SettingList } from './cgroup-settings.js';
import { compileUnified } from './cgroup-unified.js';

export interface CompiledResources {
  readonly settings: readonly CgroupSetting[];
  readonly warnings: readonly Failure[];
}

/**
 * Everything but the devices. `base` is the pointer of the resources object: `/linux/resources` in config.json,
 * '' in an update. `update` says that the cgroup may have values already.
 * @throws TsrunError with the pointer of the value that cannot be applied.
 */
export function compileResources(
  resources: Resources,
  places: readonly CgroupPlace[],
  base: string,
  update: boolean,
): CompiledResources {
  const list = new SettingList(places, update);
  const { memory, cpu, pids, blockIO, hugepageLimits, network, rdma, unified } = resources;
  if (cpu) compileCpu(list, cpu, `${base}/cpu`);
  if (memory) compileMemory(list, memory, `${base}/memory`);
  if (pids) compilePids(list, pids, `${base}/pids`);
  if (blockIO) compileBlockIO(list, blockIO, `${base}/blockIO`);
  if (hugepageLimits) compileHugepages(list, hugepageLimits, `${base}/hugepageLimits`);
  if (network) compileNetwork(list, network, `${base}/network`);
  if (rdma) compileRdma(list, rdma, `${base}/rdma`);
  if (unified) compileUnified(list, unified, `${base}/unified`);
  return list;
}

/** Rules that follow each other in the config, and the pointer of the first. */
export interface DeviceWrites {
  readonly pointer: string;
  readonly file: 'devices.allow' | 'devices.deny';
  readonly values: readonly string[];
}

/** A device policy as writes to the v1 controller. */
export function compileLegacyDevices(policy: DevicePolicy): DeviceWrites[] {
  const { allowByDefault, pointer } = policy;
  const file = allowByDefault ? 'devices.deny' : 'devices.allow';
  const writes: DeviceWrites[] = [{ pointer, file: allowByDefault ? 'devices.allow' : 'devices.deny', values: ['a'] }];
  const rules = deviceExceptions(policy);
  let values: string[] = [];
  let last = Number.NaN;
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i]!;
    const follows = rule.index < 0 ? last < 0 : rule.index === last + 1 && last >= 0;
    if (!follows) {
      values = [];
      writes.push({ pointer: rule.index < 0 ? pointer : `${pointer}/${rule.index}`, file, values });
    }
    values.push(renderDeviceRule(rule));
    last = rule.index;
  }
  return writes;
}
