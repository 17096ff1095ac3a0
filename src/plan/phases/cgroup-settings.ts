import type { Integer64, Resources, Spec } from '../../bundle/types.js';
import { type Failure, fail } from '../../errors/error.js';
import type { CgroupPlace, CgroupSetting } from '../../tables/cgroup.js';
import { isBefore } from '../../tables/versions.js';

/** Engines send 0 and null for "not set"; both mean no write. */
export const isSet = (value: Integer64 | null | undefined): value is Integer64 => value != null && Number(value) !== 0;

/**
 * The limits of a config. Before 1.3 the text did not say that 0 is a limit for pids; podman 4 and 5 write it for
 * `--pids-limit=-1`, and runc and crun set none for it.
 */
export function resourcesOf({ ociVersion, linux }: Pick<Spec, 'linux'> & Partial<Pick<Spec, 'ociVersion'>>): Resources {
  const resources = linux?.resources ?? {};
  if (resources.pids?.limit == null || isSet(resources.pids.limit) || !isBefore(ociVersion ?? '', 3)) return resources;
  return { ...resources, pids: {} };
}

/** -1 is how v1 and the spec say "no limit"; v2 files say `max`. */
export const maxOr = (value: Integer64): string => (Number(value) === -1 ? 'max' : String(value));

export type SettingOptions = Pick<CgroupSetting, 'tolerate' | 'orElseNext'>;

/** Collects what to write where, while the resources are gone through. */
export class SettingList {
  readonly settings: CgroupSetting[] = [];
  /** What a person should hear about although the plan goes on. */
  readonly warnings: Failure[] = [];
  readonly places: readonly CgroupPlace[];
  /** Whether the cgroup may already have values that constrain the order of writing. */
  readonly update: boolean;

  constructor(places: readonly CgroupPlace[], update: boolean) {
    this.places = places;
    this.update = update;
  }

  /** Index of the place that carries a controller (v1 or v2 name), or -1. */
  find(controller: string): number {
    for (let i = 0; i < this.places.length; i++) {
      if (this.places[i]!.controllers.includes(controller)) return i;
    }
    return -1;
  }

  /** Index of the v2 place, or -1. */
  get unified(): number {
    return this.places[0]?.version === 2 ? 0 : -1;
  }

  /** As `find`, for a value that has to be applied. @throws TsrunError naming the missing controller. */
  require(controller: string, pointer: string): number {
    const place = this.find(controller);
    if (place !== -1) return place;
    return fail('TSR_CGROUP_CONTROLLER', `no cgroup hierarchy of this host has the controller '${controller}'`, {
      pointer,
      hint: 'remove the limit, or mount or delegate the controller',
    });
  }

  /** Whether to write a value whose 0 is the default: a new cgroup has it already. */
  wants(value: Integer64 | null | undefined): value is Integer64 {
    return value != null && (this.update || isSet(value));
  }

  isUnified(place: number): boolean {
    return this.places[place]!.version === 2;
  }

  set(place: number, file: string, value: Integer64 | string, pointer: string, options: SettingOptions = {}): void {
    this.settings.push({ place, file, value: String(value), pointer, ...options });
  }

  warn(pointer: string, message: string): void {
    this.warnings.push({ code: 'TSR_CGROUP_IGNORED', message, pointer });
  }

  /** For a v1 setting that v2 cannot express (the spec demands an error). */
  refuseOnUnified(key: string, pointer: string): never {
    return fail('TSR_CGROUP_NO_EQUIVALENT', `cgroup v2 has no equivalent of ${key}`, { pointer });
  }
}

/** @throws TsrunError TSR_CGROUP_VALUE */
export const badValue = (message: string, pointer: string): never => fail('TSR_CGROUP_VALUE', message, { pointer });
