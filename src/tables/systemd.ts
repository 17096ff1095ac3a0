/** What a unit is made of, between the compiler and the one that talks to systemd. Survives JSON. */
export interface UnitProperty {
  readonly name: string;
  /** D-Bus type. 64-bit numbers (`t`, `x`) are decimal strings. */
  readonly signature: 's' | 'b' | 't' | 'u' | 'i' | 'x' | 'd' | 'y' | 'n' | 'q' | 'as' | 'ay' | 'au' | 'a(ss)';
  readonly value:
    | string
    | number
    | boolean
    | readonly number[]
    | readonly string[]
    | readonly (readonly [string, string])[];
  /** systemd's version that brought it; older ones go without, cgroupfs has it. */
  readonly since?: number;
}

/** Where systemd listens: a bus it is on, or a socket of its own. */
export interface BusAddress {
  readonly address: string;
  /** Whether a bus daemon is in between. */
  readonly isBus: boolean;
}

/** What the helper is asked to do when the container's first process exists. */
export interface UnitRequest {
  readonly name: string;
  /** Tried in this order. */
  readonly buses: readonly BusAddress[];
  readonly properties: readonly UnitProperty[];
  /** Where the process must be afterwards, as /proc/PID/cgroup names it; the text after the last colon. */
  readonly path: string;
}

/**
 * Properties that an annotation `org.systemd.property.NAME` may set: those that change how this unit ends. Others
 * start units, run at failure, or reboot the host (CVE-2024-3154: SuccessAction).
 */
export const annotatedProperties: ReadonlySet<string> = new Set([
  'CollectMode',
  'DefaultDependencies',
  'Description',
  'KillMode',
  'KillSignal',
  'RuntimeMaxUSec',
  'SendSIGHUP',
  'SendSIGKILL',
  'TimeoutStopUSec',
]);
