/**
 * systemd as cgroup driver. Everything that knows it is behind this module, which is loaded for `--systemd-cgroup`
 * and for containers made with it only.
 */
import type { Resources, Spec } from '../bundle/types.js';
import { fail, TsrunError } from '../errors/error.js';
import { executorPath } from '../host/executor.js';
import { busAddresses, systemdMissing } from '../linux/cgroup/systemd/addresses.js';
import { setUnitProperties, startUnit, stopUnit } from '../linux/cgroup/systemd/manager.js';
import type { HostFacts } from '../linux/facts.js';
import { type CompiledCgroup, compileCgroup } from '../plan/phases/cgroup.js';
import { placeInSystemd } from '../plan/phases/systemd-placement.js';
import { resourceProperties } from '../plan/phases/systemd-properties.js';
import { compileUnitPart } from '../plan/phases/systemd-unit.js';
import type { CgroupRecord } from '../tables/cgroup.js';
import type { BusAddress, UnitRequest } from '../tables/systemd.js';

/** The hidden command that the plan has tsrun itself run: a scope is made around a process, so there must be one. */
export const unitCommand = 'systemd-unit';

function busesOf({ unit, places }: CgroupRecord): BusAddress[] {
  return busAddresses(unit?.user ?? false, `/${places[0]?.path ?? ''}`);
}

/** The cgroup phase of create. @throws TSR_SYSTEMD_MISSING, TSR_SYSTEMD_PATH and what a limit may be refused for. */
export function compileInSystemd(spec: Spec, id: string, facts: HostFacts): CompiledCgroup {
  const missing = systemdMissing();
  if (missing) throw new TsrunError(missing);
  return planInSystemd(spec, id, facts);
}

/** The same for `plan`, which shows what would be done also where it cannot be done, and says so. */
export function planInSystemd(spec: Spec, id: string, facts: HostFacts): CompiledCgroup {
  const record = placeInSystemd(spec.linux?.cgroupsPath, id, facts);
  const helper = { path: executorPath(), args: ['tsrun', unitCommand] };
  const compiled = compileCgroup(
    spec,
    record,
    facts,
    compileUnitPart(spec, id, record, facts, busesOf(record), helper),
  );
  const missing = systemdMissing();
  return missing ? { ...compiled, warnings: [...compiled.warnings, missing] } : compiled;
}

/** `start REQUEST PID` or `stop REQUEST`; the request is our own, handed through the plan. */
export function runUnitCommand([verb, text, pid]: readonly string[]): void {
  const request = JSON.parse(text ?? '') as UnitRequest;
  if (verb === 'start' && /^[1-9]\d*$/.test(pid ?? '')) startUnit(request, Number(pid));
  else if (verb === 'stop') stopUnit(request.name, request.buses);
  else fail('TSR_CLI_USAGE', `${unitCommand} is for the runtime itself`);
}

/** Ends a container's unit; its cgroups go with it, but for those that systemd does not know (v1). */
export function stopUnitOf(record: CgroupRecord): void {
  if (record.unit) stopUnit(record.unit.name, busesOf(record));
}

/** The unit's share of an update; cgroupfs gets the same values, so that a reload of systemd changes nothing. */
export function updateUnit(record: CgroupRecord, resources: Resources, unified: boolean): void {
  if (record.unit) setUnitProperties(record.unit.name, resourceProperties(resources, unified, ''), busesOf(record));
}
