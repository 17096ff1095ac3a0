import type { Resources, Spec } from '../../bundle/types.js';
import { fail } from '../../errors/error.js';
import type { HostFacts } from '../../linux/facts.js';
import type { CgroupRecord } from '../../tables/cgroup.js';
import type { BusAddress, UnitProperty, UnitRequest } from '../../tables/systemd.js';
import { type Step, step } from '../step.js';
import { resourcesOf } from './cgroup-settings.js';
import { orderDeviceRules } from './cgroup-devices.js';
import { annotationProperties } from './systemd-annotations.js';
import { deviceProperties, resourceProperties, roundQuota } from './systemd-properties.js';

const base = '/linux/resources';

type UnitSpec = Pick<Spec, 'linux' | 'annotations'> & Partial<Pick<Spec, 'ociVersion'>>;

const text = (name: string, value: string): UnitProperty => ({ name, signature: 's', value });
const yes = (name: string): UnitProperty => ({ name, signature: 'b', value: true });

/** What happens to the whole unit when one process is killed for want of memory; can be set at its start only. */
function oomPolicy(spec: Pick<Spec, 'linux'>): UnitProperty[] {
  const group = spec.linux?.resources?.unified?.['memory.oom.group']?.trim();
  if (group !== '0' && group !== '1') return [];
  return [{ ...text('OOMPolicy', group === '1' ? 'kill' : 'continue'), since: 253 }];
}

/**
 * The transient scope of a container, all limits included, so that they are in force when its first process is
 * moved in. `PIDs` is added by who knows the process.
 */
export function compileUnit(
  spec: UnitSpec,
  id: string,
  record: CgroupRecord,
  facts: HostFacts,
  buses: readonly BusAddress[],
): UnitRequest {
  const { unit } = record;
  if (unit === undefined) return fail('TSR_SYSTEMD_PATH', 'the container has no systemd unit');
  const unified = facts.cgroupMode === 'v2';
  const resources = resourcesOf(spec);
  const privileged = facts.uid === 0 && !facts.inUserNamespace;
  const policy = orderDeviceRules(resources.devices ?? [], `${base}/devices`);
  const properties = [
    text('Description', `tsrun container ${id}`),
    text('Slice', unit.slice),
    yes('Delegate'),
    yes('MemoryAccounting'),
    yes('CPUAccounting'),
    yes(unified ? 'IOAccounting' : 'BlockIOAccounting'),
    yes('TasksAccounting'),
    { name: 'DefaultDependencies', signature: 'b', value: false } as const,
    ...annotationProperties(spec.annotations ?? {}),
    ...oomPolicy(spec),
    ...(privileged ? deviceProperties(policy, unified) : []),
    ...resourceProperties(resources, unified, base),
  ];
  return { name: unit.name, buses, properties, path: `/${record.places[0]?.path ?? ''}` };
}

/** Who talks to systemd while the plan runs: a program that takes `start REQUEST PID` and `stop REQUEST`, REQUEST in JSON. */
export interface UnitHelper {
  readonly path: string;
  /** Arguments before those, the program's name first. */
  readonly args: readonly string[];
}

/** What the cgroup phase needs for a container in a unit. */
export interface UnitPart {
  /** Around the container's first process, which must exist. */
  readonly start: Step;
  readonly stop: Step;
  /** The config's limits as systemd can hold them. */
  readonly resources: Resources;
}

/** @throws TsrunError for a limit or an annotation that systemd does not take. */
export function compileUnitPart(
  spec: UnitSpec,
  id: string,
  record: CgroupRecord,
  facts: HostFacts,
  buses: readonly BusAddress[],
  helper: UnitHelper,
): UnitPart {
  const { path, args } = helper;
  const request = compileUnit(spec, id, record, facts, buses);
  const pointer = spec.linux?.cgroupsPath ? '/linux/cgroupsPath' : '';
  const start = { path, args: [...args, 'start', JSON.stringify(request), '{pid}'] };
  const stop = { path, args: [...args, 'stop', JSON.stringify({ ...request, properties: [] })] };
  return {
    start: step('host', 'child.run-helper', start, pointer, `start systemd unit ${request.name}`),
    stop: step('host', 'child.run-helper', stop, pointer, `stop systemd unit ${request.name}`),
    resources: roundQuota(resourcesOf(spec)),
  };
}
