/**
 * The cgroup phase: makes the container's cgroups, writes the limits before anything runs in them, and lets the
 * first process in. Pure; files of cgroupfs are touched by the executor only.
 */
import type { Resources, Spec } from '../../bundle/types.js';
import { type Failure, fail } from '../../errors/error.js';
import { cgroupOpenFlags } from '../../generated/ops.js';
import type { HostFacts } from '../../linux/facts.js';
import { type CgroupRecord, type CgroupSetting, slotOfPlace, threadedControllers } from '../../tables/cgroup.js';
import { type Step, step } from '../step.js';
import { orderDeviceRules } from './cgroup-devices.js';
import { compileLegacyDevices, compileResources } from './cgroup-resources.js';
import { resourcesOf } from './cgroup-settings.js';
import { buildDeviceProgram } from './device-program.js';
import type { UnitPart } from './systemd-unit.js';

const base = '/linux/resources';

/** What the phase reads of a config. */
export type CgroupSpec = Pick<Spec, 'process' | 'mounts' | 'linux' | 'annotations'> & Partial<Pick<Spec, 'ociVersion'>>;

export interface CompiledCgroup {
  readonly record: CgroupRecord;
  /** Before the container's first process exists: make, limit. */
  readonly open: readonly Step[];
  /** With systemd all of it, right after: a scope is made around a process. */
  readonly join: readonly Step[];
  /** In init: v1 only, since it is created in its v2 cgroup (CLONE_INTO_CGROUP). */
  readonly enter: readonly Step[];
  /** After a foreground run. */
  readonly remove: readonly Step[];
  readonly warnings: readonly Failure[];
}

/** Errors of making or entering a cgroup that an unprivileged caller without limits goes on after. */
const outOfReach = { tolerate: ['EACCES', 'EPERM', 'EROFS'] };
/** EBADF: the cgroup was out of reach, so its slot is empty. */
const notEntered = { tolerate: ['EBADF', 'EACCES', 'EPERM'] };

interface Phase {
  readonly spec: CgroupSpec;
  readonly record: CgroupRecord;
  readonly facts: HostFacts;
  readonly settings: readonly CgroupSetting[];
}

/**
 * @param unit the systemd driver's part; that is compiled elsewhere, to be loaded only when it is wanted.
 * @throws TsrunError with the pointer of a limit that this host cannot give.
 */
export function compileCgroup(
  spec: CgroupSpec,
  record: CgroupRecord,
  facts: HostFacts,
  unit?: UnitPart,
): CompiledCgroup {
  const resources: Resources = unit?.resources ?? resourcesOf(spec);
  if (record.driver === 'disabled') {
    return { record, open: [], join: [], enter: [], remove: [], warnings: warnOfDisabled(resources) };
  }
  const { settings, warnings } = compileResources(resources, record.places, base, false);
  const phase = { spec, record, facts, settings };
  const open: Step[] = [];
  const join: Step[] = [];
  const remove: Step[] = [];
  for (let i = 0; i < record.places.length; i++) {
    open.push(openStep(phase, i));
    const { version, controllers } = record.places[i]!;
    // systemd has put the process into its own hierarchy, and nobody else may.
    if (version === 1 && !(unit && controllers.includes('name=systemd')))
      join.push(joinStep(phase, i, unit !== undefined));
    remove.push(removeStep(record, i));
  }
  open.push(...deviceSteps(phase, resources));
  open.push(...writeSteps(record, settings));
  open.push(...ownSteps(phase));
  if (unit) {
    const all = [unit.start, ...open, ...join];
    return { record, open: [], join: all, enter: [], remove: [unit.stop, ...remove], warnings };
  }
  return { record, open, join: [], enter: join, remove, warnings };
}

function warnOfDisabled(resources: Resources): Failure[] {
  const { devices: _, ...limits } = resources;
  const asked = Object.values(limits).some((value) => value != null && Object.keys(value).length > 0);
  if (!asked) return [];
  return [{ code: 'TSR_CGROUP_IGNORED', message: 'limits are not applied: cgroups are disabled', pointer: base }];
}

/**
 * Whether the container may do without this cgroup: the caller has no rights over cgroups, the config names no
 * cgroup, and no limit is in this hierarchy. Otherwise its absence is an error.
 */
function isOptional({ spec, facts, settings, record }: Phase, place: number): boolean {
  if (record.driver !== 'cgroupfs' || spec.linux?.cgroupsPath) return false;
  if (facts.uid === 0 && !facts.inUserNamespace) return false;
  return firstIn(settings, place) === undefined;
}

function firstIn(settings: readonly CgroupSetting[], place: number): CgroupSetting | undefined {
  for (let i = 0; i < settings.length; i++) if (settings[i]!.place === place) return settings[i];
  return undefined;
}

/** Whether a limit is of a controller that a threaded cgroup cannot have. */
const needsDomain = (settings: readonly CgroupSetting[], index: number): boolean =>
  settings.some(({ place, file }) => place === index && !threadedControllers.has(file.slice(0, file.indexOf('.'))));

const directoryOf = (record: CgroupRecord, index: number): string =>
  `${record.places[index]!.mountPoint}/${record.places[index]!.path}`;

function openStep(phase: Phase, index: number): Step {
  const { record, spec, settings } = phase;
  const { version, controllers, mountPoint, path } = record.places[index]!;
  const cpuset = version === 1 && controllers.includes('cpuset') ? cgroupOpenFlags.cpuset : 0;
  // A systemd scope exists only with the process in it, and systemd knows no threaded ones.
  const inUnit = record.driver === 'systemd';
  const populated = inUnit ? 0 : cgroupOpenFlags.refusePopulated;
  // Without a path of the config's, a limit is what makes this cgroup necessary.
  const cause = firstIn(settings, index)?.pointer ?? '';
  const frozen = version === 2 || controllers.includes('freezer') ? cgroupOpenFlags.refuseFrozen : 0;
  const threaded = version === 2 && !inUnit && !needsDomain(settings, index) ? cgroupOpenFlags.threaded : 0;
  const args = {
    slot: slotOfPlace(record, index),
    version,
    flags: cpuset | populated | frozen | threaded,
    root: mountPoint,
    path,
    controllers: controllersToEnable(phase, index),
  };
  const pointer = spec.linux?.cgroupsPath ? '/linux/cgroupsPath' : cause;
  const rest = isOptional(phase, index) ? outOfReach : undefined;
  return step('host', 'cgroup.open', args, pointer, `make cgroup ${directoryOf(record, index)}`, rest);
}

/** All of a v2 host, so that an update finds its files; of a hybrid one only what is used, to leave v1 its rest. */
function controllersToEnable({ record, settings, facts }: Phase, index: number): string[] {
  const { version, controllers } = record.places[index]!;
  if (version === 1) return [];
  const used = (name: string): boolean =>
    facts.cgroupMode === 'v2' || settings.some(({ place, file }) => place === index && file.startsWith(`${name}.`));
  return controllers.filter(used).map((name) => `+${name}`);
}

/**
 * Init moves itself, into `tasks` of which it is the only one: to move another process the kernel waits until nobody on
 * the machine forks, an RCU grace period of 1 to 10 ms. In a unit of systemd's, init is older than our descriptors.
 */
function joinStep(phase: Phase, index: number, inUnit: boolean): Step {
  const { record, spec } = phase;
  const pointer = spec.linux?.cgroupsPath ? '/linux/cgroupsPath' : '';
  const rest = isOptional(phase, index) ? notEntered : undefined;
  const slot = slotOfPlace(record, index);
  const summary = `join cgroup ${directoryOf(record, index)}`;
  if (inUnit) return step('host', 'cgroup.join', { slot }, pointer, summary, rest);
  return step('init', 'cgroup.enter', { slot, file: 'tasks' }, pointer, summary, rest);
}

function removeStep(record: CgroupRecord, index: number): Step {
  const { mountPoint, path } = record.places[index]!;
  const args = { root: mountPoint, path };
  return step('host', 'cgroup.remove', args, '', `remove cgroup ${directoryOf(record, index)}`);
}

function writeSteps(record: CgroupRecord, settings: readonly CgroupSetting[]): Step[] {
  const steps: Step[] = [];
  for (let i = 0; i < settings.length; i++) {
    const { place, file, value, pointer, tolerate, orElseNext } = settings[i]!;
    const args = { slot: slotOfPlace(record, place), file, value };
    const rest = tolerate ? { tolerate, ...(orElseNext ? { orElseNext } : {}) } : undefined;
    steps.push(step('host', 'cgroup.write', args, pointer, `set ${file} to ${value}`, rest));
  }
  return steps;
}

/**
 * Device rules, also when the config has none: the default is to deny (GHSA-g54h-m393-cpwq). Without rights
 * over devices there is nothing to take away: a user namespace cannot open what its creator could not.
 */
function deviceSteps(phase: Phase, resources: Resources): Step[] {
  const { record, facts } = phase;
  const pointer = `${base}/devices`;
  const policy = orderDeviceRules(resources.devices ?? [], pointer);
  if (facts.inUserNamespace || facts.uid !== 0) return [];
  for (let i = 0; i < record.places.length; i++) {
    const { version, controllers } = record.places[i]!;
    if (version === 1 && controllers.includes('devices')) {
      const slot = slotOfPlace(record, i);
      return compileLegacyDevices(policy).map(({ pointer: at, file, values }) =>
        step('host', 'cgroup.write-each', { slot, file, values }, at, `set ${file} to {}`),
      );
    }
  }
  if (policy.allowByDefault && policy.rules.length === 0) return [];
  if (record.places[0]?.version !== 2) {
    fail('TSR_CGROUP_CONTROLLER', "no cgroup hierarchy of this host has the controller 'devices'", {
      pointer,
      hint: 'the container would have access to all devices; mount the controller or allow all devices',
    });
  }
  const args = { slot: slotOfPlace(record, 0), program: buildDeviceProgram(policy) };
  const summary = `attach a device filter of ${policy.rules.length} rules`;
  return [step('host', 'cgroup.devices', args, pointer, summary)];
}

/** Hands the v2 cgroup to the container's user where the spec says so: own cgroup namespace and a writable mount. */
function ownSteps({ spec, record, facts }: Phase): Step[] {
  if (facts.cgroupMode !== 'v2') return [];
  const own = (spec.linux?.namespaces ?? []).some(({ type, path }) => type === 'cgroup' && !path);
  const writable = (spec.mounts ?? []).some(
    ({ type, destination, options }) =>
      (type === 'cgroup' || type === 'cgroup2') && destination === '/sys/fs/cgroup' && isWritable(options ?? []),
  );
  const uid = own && writable ? ownerOutside(spec) : undefined;
  if (uid === undefined || uid === facts.uid) return [];
  const args = { slot: slotOfPlace(record, 0), uid, files: facts.delegatedFiles };
  return [step('host', 'cgroup.own', args, '/process/user/uid', `give the cgroup to user ${uid}`)];
}

/** As with mount(8), the last of contrary options counts. */
const isWritable = (options: readonly string[]): boolean => options.lastIndexOf('rw') >= options.lastIndexOf('ro');

/** The host's id of process.user.uid; undefined when there is none. */
function ownerOutside({ process, linux }: CgroupSpec): number | undefined {
  const uid = process?.user?.uid ?? 0;
  if (!(linux?.namespaces ?? []).some(({ type }) => type === 'user')) return uid;
  const range = (linux?.uidMappings ?? []).find(
    ({ containerID, size }) => uid >= containerID && uid - containerID < size,
  );
  return range && range.hostID + uid - range.containerID;
}
