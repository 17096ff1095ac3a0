/** The units of containers, by org.freedesktop.systemd1.Manager. */
import { fail, TsrunError } from '../../../errors/error.js';
import { readTextIfExists } from '../../../host/files.js';
import { Bus, type BusValue } from '../../../host/sdbus.js';
import { BusError } from '../../../host/sdbus-native.js';
import type { BusAddress, UnitProperty, UnitRequest } from '../../../tables/systemd.js';
import { parseOwnCgroups } from '../parse.js';

const service = { destination: 'org.freedesktop.systemd1', path: '/org/freedesktop/systemd1' };
const managerInterface = 'org.freedesktop.systemd1.Manager';
const longestJobMs = 30_000;
/** Properties that an old systemd does not know are dropped one by one; so many, then it is something else. */
const mostUnknown = 32;

const method = (member: string, input: string, output = '') => ({
  ...service,
  interface: managerInterface,
  member,
  input,
  output,
});

/** The first address that answers. @throws TSR_BUS_CONNECT for the last. */
function connect(buses: readonly BusAddress[]): { bus: Bus; isBus: boolean } {
  let failure: unknown;
  for (const { address, isBus } of buses) {
    try {
      return { bus: new Bus(address, isBus), isBus };
    } catch (error) {
      if (!(error instanceof TsrunError) || error.failure.code !== 'TSR_BUS_CONNECT') throw error;
      failure = error;
    }
  }
  throw failure ?? new TsrunError({ code: 'TSR_BUS_CONNECT', message: 'there is no bus to reach systemd by' });
}

function withManager<T>(buses: readonly BusAddress[], work: (bus: Bus, isBus: boolean) => T): T {
  const { bus, isBus } = connect(buses);
  try {
    return work(bus, isBus);
  } finally {
    bus.close();
  }
}

const isCalled = (error: unknown, name: string): error is BusError =>
  error instanceof BusError && error.busName === `org.freedesktop.systemd1.${name}`;

/** `252 (252.38-1~deb12u1)`, `v245.4-1.fc32`: the first number; 0 when there is none. */
export const versionNumber = (text: string): number => Number(/\d+/.exec(text)?.[0] ?? 0);

function version(bus: Bus): number {
  const get = { ...service, interface: 'org.freedesktop.DBus.Properties', member: 'Get', input: 'ss', output: 'vs' };
  return versionNumber(String(bus.call(get, [managerInterface, 'Version'])[0]));
}

const asVariants = (properties: readonly UnitProperty[]): BusValue[] =>
  properties.map(({ name, signature, value }) => [name, [signature, value as BusValue]]);

/** The signal of a job's end comes only to who asked before the job began. */
function subscribe(bus: Bus, isBus: boolean): void {
  if (isBus) {
    const match = {
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member: 'AddMatch',
      input: 's',
    };
    bus.call(match, [
      `type='signal',sender='${service.destination}',interface='${managerInterface}',member='JobRemoved'`,
    ]);
  }
  try {
    bus.call(method('Subscribe', ''), []);
  } catch (error) {
    // Subscribed already is fine; a user manager on its private socket knows no subscriptions.
    if (!(error instanceof BusError) || error.busName === '') throw error;
  }
}

/** The result of a job: `done`, `failed`, `canceled`, `timeout`, `dependency`, `skipped`; undefined when it takes too long. */
const waitForJob = (bus: Bus, job: string): string | undefined =>
  bus.waitForSignal(
    managerInterface,
    'JobRemoved',
    'uoss',
    (values) => (values[1] === job ? String(values[3]) : undefined),
    longestJobMs,
  );

function resetFailed(bus: Bus, unit: string): void {
  try {
    bus.call(method('ResetFailedUnit', 's'), [unit]);
  } catch (error) {
    // Most often there is nothing to reset.
    if (!(error instanceof BusError) || error.busName === '') throw error;
  }
}

/** Name of the property that systemd says it cannot set, if that is what it says. */
const unknownProperty = (error: unknown): string | undefined =>
  error instanceof BusError
    ? /^Cannot set property ([A-Za-z]+)|^Unknown property ([A-Za-z]+)/
        .exec(error.failure.message)
        ?.slice(1)
        .find(Boolean)
    : undefined;

/** Starts the job; leftovers of a failed unit of this name are cleared once, unknown properties left out. */
function startTransient(bus: Bus, unit: string, properties: readonly UnitProperty[]): string {
  let left = properties;
  let reset = false;
  for (let tries = 0; ; tries++) {
    try {
      const values: BusValue[] = [unit, 'replace', asVariants(left), []];
      return String(bus.call(method('StartTransientUnit', 'ssa(sv)a(sa(sv))', 'o'), values)[0]);
    } catch (error) {
      const unknown = unknownProperty(error);
      const fewer = left.filter(({ name }) => name !== unknown);
      if (unknown !== undefined && fewer.length < left.length && tries < mostUnknown) left = fewer;
      else if (isCalled(error, 'UnitExists') && !reset) {
        resetFailed(bus, unit);
        reset = true;
      } else throw error;
    }
  }
}

/** The unit has to have put the process where every later command looks for it. */
function checkPlace(pid: number, path: string): void {
  const found = parseOwnCgroups(readTextIfExists(`/proc/${pid}/cgroup`) ?? '');
  const own = found.find(({ controllers }) => controllers.length === 0 || controllers.includes('name=systemd'))?.path;
  if (found.some((cgroup) => cgroup.path === path || cgroup.path.endsWith(path))) return;
  fail('TSR_SYSTEMD_UNIT', `systemd put the container into '${own ?? '?'}' and not into '${path}'`);
}

/**
 * Makes the scope with process `pid` in it.
 * @throws TSR_SYSTEMD_UNIT when its job does not succeed.
 */
export function startUnit(request: UnitRequest, pid: number): void {
  const { name, buses, path } = request;
  withManager(buses, (bus, isBus) => {
    const present = version(bus);
    const known = request.properties.filter(({ since }) => since === undefined || since <= present);
    subscribe(bus, isBus);
    const processes: UnitProperty = { name: 'PIDs', signature: 'au', value: [pid] };
    const result = waitForJob(bus, startTransient(bus, name, [...known, processes]));
    if (result === 'done') return;
    resetFailed(bus, name);
    fail(
      'TSR_SYSTEMD_UNIT',
      result === undefined
        ? `Timeout waiting for systemd to create ${name}`
        : `error creating systemd unit \`${name}\`: got \`${result}\``,
    );
  });
  checkPlace(pid, path);
}

/** Ends the unit and makes systemd forget it, also if it failed; one that is gone is fine (R36). */
export function stopUnit(unit: string, buses: readonly BusAddress[]): void {
  withManager(buses, (bus, isBus) => {
    subscribe(bus, isBus);
    try {
      waitForJob(bus, String(bus.call(method('StopUnit', 'ss', 'o'), [unit, 'replace'])[0]));
    } catch (error) {
      if (!isCalled(error, 'NoSuchUnit')) throw error;
    }
    resetFailed(bus, unit);
  });
}

/** Changes limits of a running unit, until its end only. */
export function setUnitProperties(
  unit: string,
  properties: readonly UnitProperty[],
  buses: readonly BusAddress[],
): void {
  withManager(buses, (bus) => {
    const present = version(bus);
    const known = properties.filter(({ since }) => since === undefined || since <= present);
    if (known.length > 0) bus.call(method('SetUnitProperties', 'sba(sv)'), [unit, true, asVariants(known)]);
  });
}

/** Moves a process into a unit for someone without rights over its cgroup. `below` is '' or starts with a slash. */
export function attachProcess(unit: string, below: string, pid: number, buses: readonly BusAddress[]): void {
  withManager(buses, (bus) => {
    bus.call(method('AttachProcessesToUnit', 'ssau'), [unit, below || '/', [pid]]);
  });
}
