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
 * What an annotation `org.systemd.property.NAME` may set, and what it may not. Whoever writes a pod's annotations writes
 * these (CVE-2024-3154: SuccessAction, and the host reboots), so what has no row is refused, too.
 */
interface PropertyRow {
  /** Why its names may be set, or what they would do. */
  readonly reason: string;
  /** Names with the type that systemd wants; refused ones have none. */
  readonly allowed?: { readonly [name: string]: UnitProperty['signature'] };
  readonly refused?: readonly string[];
}

export const propertyRows: readonly PropertyRow[] = [
  {
    reason: 'orders the jobs of units that are started or stopped anyway, and starts none',
    allowed: { After: 'as', Before: 'as', DefaultDependencies: 'b' },
  },
  { reason: 'is a text for people', allowed: { Description: 's', Documentation: 'as' } },
  {
    reason: 'says how this unit ends, and when',
    allowed: {
      CollectMode: 's',
      FinalKillSignal: 'i',
      JobRunningTimeoutUSec: 't',
      JobTimeoutUSec: 't',
      KillMode: 's',
      KillSignal: 'i',
      ManagedOOMMemoryPressure: 's',
      ManagedOOMSwap: 's',
      OOMPolicy: 's',
      RuntimeMaxUSec: 't',
      RuntimeRandomizedExtraUSec: 't',
      SendSIGHUP: 'b',
      SendSIGKILL: 'b',
      TimeoutStopUSec: 't',
    },
  },
  {
    reason: 'divides or limits what the slice has, which holds as before; limits of the config come after it',
    allowed: {
      BlockIOWeight: 't',
      CPUQuotaPerSecUSec: 't',
      CPUQuotaPeriodUSec: 't',
      CPUShares: 't',
      CPUWeight: 't',
      IOWeight: 't',
      MemoryHigh: 't',
      MemoryLimit: 't',
      MemoryLow: 't',
      MemoryMax: 't',
      MemoryMin: 't',
      MemorySwapMax: 't',
      MemoryZSwapMax: 't',
      StartupBlockIOWeight: 't',
      StartupCPUShares: 't',
      StartupCPUWeight: 't',
      StartupIOWeight: 't',
      TasksMax: 't',
    },
  },
  {
    reason: 'runs a program on the host',
    refused: [
      'ExecCondition',
      'ExecReload',
      'ExecStart',
      'ExecStartPost',
      'ExecStartPre',
      'ExecStop',
      'ExecStopPost',
      'ExecStopPre',
    ],
  },
  {
    reason: 'reboots or powers off the host',
    refused: ['FailureAction', 'JobTimeoutAction', 'RebootArgument', 'StartLimitAction', 'SuccessAction'],
  },
  { reason: 'changes who the processes are', refused: ['DynamicUser', 'Group', 'SupplementaryGroups', 'User'] },
  {
    reason: 'reaches another unit',
    refused: [
      'BindsTo',
      'Conflicts',
      'JoinsNamespaceOf',
      'OnFailure',
      'OnSuccess',
      'PartOf',
      'PropagatesReloadTo',
      'PropagatesStopTo',
      'ReloadPropagatedFrom',
      'Requires',
      'RequiresMountsFor',
      'Requisite',
      'RequisiteOf',
      'StopPropagatedFrom',
      'Upholds',
      'Wants',
      'WantsMountsFor',
    ],
  },
  {
    reason: 'puts other processes into the container, or the container elsewhere',
    refused: ['Controller', 'PIDs', 'Slice'],
  },
  { reason: 'decides which devices there are: linux.resources.devices does', refused: ['DeviceAllow', 'DevicePolicy'] },
  { reason: 'loads programs into the kernel', refused: ['BPFProgram', 'IPEgressFilterPath', 'IPIngressFilterPath'] },
  {
    reason: 'takes from tsrun what it needs to limit and end the container',
    refused: ['Delegate', 'DelegateControllers', 'DelegateSubgroup', 'RefuseManualStart', 'RefuseManualStop'],
  },
  { reason: 'lets others be killed for its memory', refused: ['ManagedOOMPreference'] },
];

/** Type of a property that may be set. */
export const annotatedProperties: ReadonlyMap<string, UnitProperty['signature']> = new Map(
  propertyRows.flatMap(({ allowed = {} }) => Object.entries(allowed)),
);

/** Why a property may not be set, where there is more to say than that it is not on the list. */
export const refusedProperties: ReadonlyMap<string, string> = new Map(
  propertyRows.flatMap(({ reason, refused = [] }) => refused.map((name) => [name, reason] as const)),
);
