/** What a container will be, in five lines: for people, before the steps. Pure. */
import type { Linux, Resources, Spec } from '../bundle/types.js';
import { namespaces } from '../tables/namespaces.js';
import type { Plan } from './step.js';

export type SummaryLine = readonly [name: string, text: string];

const listed = (items: readonly string[], none: string): string => (items.length === 0 ? none : items.join(', '));

function namespaceText({ namespaces: list = [] }: Linux): string {
  const own = list.filter(({ path }) => !path).map(({ type }) => type as string);
  const joined = list.filter(({ path }) => path).map(({ type, path }) => `${type} of ${path}`);
  const named = new Set<string>(list.map(({ type }) => type));
  const hosts = [...namespaces.keys()].filter((type) => !named.has(type));
  const parts = [
    own.length > 0 ? `its own ${own.join(', ')}` : '',
    joined.length > 0 ? `joined ${joined.join(', ')}` : '',
  ];
  return [...parts.filter(Boolean), `the host's ${listed(hosts, 'none')}`].join('; ');
}

function idText({ process, linux }: Spec): string {
  const { uid = 0, gid = 0, additionalGids = [] } = process?.user ?? {};
  const groups = additionalGids.length > 0 ? `, groups ${additionalGids.join(' ')}` : '';
  const maps = (linux?.uidMappings ?? []).map(({ containerID, hostID, size }) =>
    size === 1 ? `${containerID} is ${hostID}` : `${containerID} to ${containerID + size - 1} is ${hostID} and up`,
  );
  return `uid ${uid}, gid ${gid}${groups}; ${maps.length > 0 ? `of the host: ${maps.join(', ')}` : "the same as the host's"}`;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
function bytesText(count: number | bigint): string {
  let [value, unit] = [Number(count), 0];
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[unit]}`;
}

function limitText({ memory, cpu, pids, devices, unified, blockIO, hugepageLimits }: Resources): string {
  const parts: string[] = [];
  if (memory?.limit !== undefined)
    parts.push(Number(memory.limit) < 0 ? 'memory without limit' : `memory ${bytesText(memory.limit)}`);
  if (cpu?.quota !== undefined && Number(cpu.quota) > 0) {
    const share = (Number(cpu.quota) / Number(cpu.period ?? 100000)) * 100;
    parts.push(`${Number.isInteger(share) ? share : share.toFixed(1)} % of a processor`);
  }
  if (cpu?.cpus) parts.push(`processors ${cpu.cpus}`);
  if (cpu?.shares !== undefined) parts.push(`${cpu.shares} shares`);
  if (pids?.limit !== undefined)
    parts.push(Number(pids.limit) > 0 ? `${pids.limit} processes` : 'processes without limit');
  if (blockIO !== undefined) parts.push('block I/O');
  if (hugepageLimits?.length) parts.push('huge pages');
  if (Object.keys(unified ?? {}).length > 0) parts.push(`${Object.keys(unified ?? {}).length} of cgroup v2's own`);
  if (devices?.length) parts.push(`${devices.length} device ${devices.length === 1 ? 'rule' : 'rules'}`);
  return listed(parts, 'none of its own');
}

function rightsText({ process, linux }: Spec, { steps }: Plan): string {
  const kept = process?.capabilities?.bounding ?? [];
  const filter = steps.find((step) => step.op === 'process.seccomp');
  const size = filter?.op === 'process.seccomp' ? filter.args.filter.length / 8 : 0;
  const hidden = (linux?.maskedPaths ?? []).length;
  return [
    kept.length === 0 ? 'all capabilities taken' : `all capabilities taken but ${kept.length}`,
    size > 0 ? `a seccomp filter of ${size} instructions` : 'no seccomp filter',
    process?.noNewPrivileges ? 'no new privileges' : 'setuid programs work',
    `${hidden} ${hidden === 1 ? 'path' : 'paths'} hidden, ${(linux?.readonlyPaths ?? []).length} read-only`,
  ].join('; ');
}

export function summarise(spec: Spec, plan: Plan, rootfs: string): SummaryLine[] {
  const mounts = spec.mounts?.length ?? 0;
  const readonly = spec.root?.readonly ? 'read-only' : 'writable';
  return [
    ['namespaces', namespaceText(spec.linux ?? {})],
    ['ids', idText(spec)],
    ['root', `${rootfs}, ${readonly}, ${mounts} ${mounts === 1 ? 'mount' : 'mounts'}`],
    ['limits', limitText(spec.linux?.resources ?? {})],
    ['rights', rightsText(spec, plan)],
  ];
}
