/** Block devices, network classes and RDMA as cgroup files. */
import type { BlockIO, Network, Rdma, ThrottleDevice, WeightDevice } from '../../bundle/types.js';
import { badValue, isSet, type SettingList } from './cgroup-settings.js';

/** The four throttle lists: key of the config, v1 file, name in v2's io.max. */
const throttles = [
  ['throttleReadBpsDevice', 'blkio.throttle.read_bps_device', 'rbps'],
  ['throttleWriteBpsDevice', 'blkio.throttle.write_bps_device', 'wbps'],
  ['throttleReadIOPSDevice', 'blkio.throttle.read_iops_device', 'riops'],
  ['throttleWriteIOPSDevice', 'blkio.throttle.write_iops_device', 'wiops'],
] as const;

/** blkio weight (10 to 1000) as io.weight (1 to 10000). */
export function ioWeightOf(weight: number, pointer: string): number {
  if (weight < 10 || weight > 1000) badValue(`block io weight ${weight} is not between 10 and 1000`, pointer);
  return 1 + Math.floor(((weight - 10) * 9999) / 990);
}

export function compileBlockIO(list: SettingList, blockIO: BlockIO, base: string): void {
  const v1 = list.find('blkio');
  const place = v1 === -1 ? list.find('io') : v1;
  const require = (pointer: string): number => (place === -1 ? list.require('io', pointer) : place);
  if (isSet(blockIO.weight)) setWeight(list, require(`${base}/weight`), '', blockIO.weight, `${base}/weight`);
  if (isSet(blockIO.leafWeight)) {
    const pointer = `${base}/leafWeight`;
    if (list.isUnified(require(pointer))) list.refuseOnUnified('blockIO.leafWeight', pointer);
    list.set(place, 'blkio.leaf_weight', blockIO.leafWeight, pointer);
  }
  const devices = blockIO.weightDevice ?? [];
  for (let i = 0; i < devices.length; i++) {
    const pointer = `${base}/weightDevice/${i}`;
    setDeviceWeight(list, require(pointer), devices[i]!, pointer);
  }
  for (const [key, file, name] of throttles) {
    const limits: readonly ThrottleDevice[] = blockIO[key] ?? [];
    for (let i = 0; i < limits.length; i++) {
      const { major, minor, rate } = limits[i]!;
      const pointer = `${base}/${key}/${i}`;
      if (list.isUnified(require(pointer))) {
        // 0 lifts a limit on v1; io.max says `max` for that.
        list.set(place, 'io.max', `${major}:${minor} ${name}=${isSet(rate) ? rate : 'max'}`, pointer);
      } else list.set(place, file, `${major}:${minor} ${rate}`, pointer);
    }
  }
}

/** `device` is '' for the group's own weight or `8:0 `. The scheduler BFQ has its own files, on v2 the better ones. */
function setWeight(list: SettingList, place: number, device: string, weight: number, pointer: string): void {
  const alternative = { tolerate: ['ENOENT'], orElseNext: true };
  if (list.isUnified(place)) {
    const converted = ioWeightOf(weight, pointer);
    list.set(place, 'io.bfq.weight', `${device}${weight}`, pointer, alternative);
    list.set(place, 'io.weight', `${device}${converted}`, pointer);
    return;
  }
  const suffix = device === '' ? 'weight' : 'weight_device';
  list.set(place, `blkio.${suffix}`, `${device}${weight}`, pointer, alternative);
  list.set(place, `blkio.bfq.${suffix}`, `${device}${weight}`, pointer);
}

function setDeviceWeight(list: SettingList, place: number, device: WeightDevice, pointer: string): void {
  const { major, minor, weight, leafWeight } = device;
  if (weight == null && leafWeight == null) badValue('weight device has neither weight nor leafWeight', pointer);
  if (isSet(weight)) setWeight(list, place, `${major}:${minor} `, weight, `${pointer}/weight`);
  if (!isSet(leafWeight)) return;
  if (list.isUnified(place)) list.refuseOnUnified('blockIO leafWeight', `${pointer}/leafWeight`);
  list.set(place, 'blkio.leaf_weight_device', `${major}:${minor} ${leafWeight}`, `${pointer}/leafWeight`);
}

export function compileNetwork(list: SettingList, { classID, priorities }: Network, base: string): void {
  if (isSet(classID)) {
    const pointer = `${base}/classID`;
    list.set(requireLegacy(list, 'net_cls', 'network.classID', pointer), 'net_cls.classid', classID, pointer);
  }
  const rows = priorities ?? [];
  for (let i = 0; i < rows.length; i++) {
    const { name, priority } = rows[i]!;
    const pointer = `${base}/priorities/${i}`;
    if (!/^[^\s/]{1,15}$/.test(name)) badValue(`'${name}' is no interface name`, `${pointer}/name`);
    const place = requireLegacy(list, 'net_prio', 'network.priorities', pointer);
    list.set(place, 'net_prio.ifpriomap', `${name} ${priority}`, pointer);
  }
}

/** v2 never had these: packets are matched by cgroup path instead. */
function requireLegacy(list: SettingList, controller: string, key: string, pointer: string): number {
  if (list.places.length === 1 && list.unified === 0) list.refuseOnUnified(key, pointer);
  return list.require(controller, pointer);
}

export function compileRdma(list: SettingList, rdma: Readonly<Record<string, Rdma>>, base: string): void {
  for (const device of Object.keys(rdma)) {
    const pointer = `${base}/${device.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const { hcaHandles, hcaObjects } = rdma[device]!;
    if (!/^[^\s/]+$/.test(device)) badValue(`'${device}' is no RDMA device name`, pointer);
    if (hcaHandles == null && hcaObjects == null) badValue(`RDMA device '${device}' has no limit`, pointer);
    const handles = hcaHandles == null ? '' : ` hca_handle=${hcaHandles}`;
    const objects = hcaObjects == null ? '' : ` hca_object=${hcaObjects}`;
    list.set(list.require('rdma', pointer), 'rdma.max', `${device}${handles}${objects}`, pointer);
  }
}
