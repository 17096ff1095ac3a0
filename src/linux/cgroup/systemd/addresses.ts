import type { Failure } from '../../../errors/error.js';
import { statIfExists } from '../../../host/files.js';
import { effectiveUid, environment } from '../../../host/process.js';
import type { BusAddress } from '../../../tables/systemd.js';

/** A path as part of a bus address: what is not plain is written in hex. */
const escapePath = (path: string): string =>
  path.replace(/[^A-Za-z0-9_/.\\*-]/g, (character) =>
    [...new TextEncoder().encode(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );

const at = (path: string, isBus: boolean): BusAddress => ({ address: `unix:path=${escapePath(path)}`, isBus });

/**
 * The runtime folder of the user whose manager has the unit. Engines call later commands with next to no environment,
 * and inside a user namespace the own id says nothing: then the unit's cgroup names the user.
 */
function runtimeDirectory(unitPath: string): string {
  const given = environment('XDG_RUNTIME_DIR');
  if (given !== undefined) return given;
  const uid = /\/user@(\d+)\.service(?:\/|$)/.exec(unitPath)?.[1] ?? effectiveUid();
  return `/run/user/${uid}`;
}

/** Where to reach the manager of a unit, best first. `unitPath` is the unit's cgroup. */
export function busAddresses(user: boolean, unitPath: string): BusAddress[] {
  const named = environment(user ? 'DBUS_SESSION_BUS_ADDRESS' : 'DBUS_SYSTEM_BUS_ADDRESS');
  const first = named === undefined ? [] : [{ address: named, isBus: true }];
  if (!user) return [...first, at('/run/dbus/system_bus_socket', true), at('/run/systemd/private', false)];
  const directory = runtimeDirectory(unitPath);
  return [...first, at(`${directory}/bus`, true), at(`${directory}/systemd/private`, false)];
}

/** What stands against the driver: undefined where systemd is the init system. The words are those that engines know. */
export function systemdMissing(): Failure | undefined {
  if (statIfExists('/run/systemd/system')?.kind === 'directory') return undefined;
  const message = 'systemd not running on this host, cannot use systemd cgroups manager';
  return { code: 'TSR_SYSTEMD_MISSING', message, hint: 'leave out --systemd-cgroup' };
}
