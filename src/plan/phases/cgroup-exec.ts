/** Where another process of a running container goes: into its cgroups, or into ones below them that exist. */
import { fail } from '../../errors/error.js';
import { cgroupOpenFlags } from '../../generated/ops.js';
import { type CgroupPlace, type CgroupRecord, slotOfPlace } from '../../tables/cgroup.js';
import { noSlot, type Step, step } from '../step.js';

const code = 'TSR_CGROUP_SUB_PATH';

/** Below the container's cgroup and never beside it: `..` is refused, and names are joined with a slash (S32). */
function joinBelow(base: string, path: string, option: string): string {
  let result = base;
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    if (name === '..')
      fail(code, `bad sub cgroup path: '${option}'`, { hint: "the path is taken from the container's own cgroup" });
    result += `/${name}`;
  }
  return result;
}

/**
 * Applies `--cgroup [CONTROLLER[,CONTROLLER…]:]PATH` options: the container's places, with some of them moved to a
 * cgroup below. v2 has one hierarchy and takes one path without controllers.
 */
export function placeSubCgroups(record: CgroupRecord, options: readonly string[]): CgroupRecord {
  const unifiedOnly = record.places.length === 1 && record.places[0]!.version === 2;
  const places: CgroupPlace[] = record.places.slice();
  const seen = new Set<string>();
  for (const option of options) {
    const colon = option.indexOf(':');
    const path = option.slice(colon + 1);
    const controllers = colon === -1 ? [''] : option.slice(0, colon).split(',');
    if (unifiedOnly && colon !== -1) fail(code, `cgroup v2 has one hierarchy: '${option}' names a controller`);
    for (const controller of controllers) {
      if (seen.has(controller))
        fail(
          code,
          controller === ''
            ? 'more than one sub cgroup for all controllers'
            : `more than one sub cgroup for '${controller}'`,
        );
      seen.add(controller);
      let found = false;
      for (let i = 0; i < places.length; i++) {
        if (controller !== '' && !places[i]!.controllers.includes(controller)) continue;
        places[i] = { ...places[i]!, path: joinBelow(record.places[i]!.path, path, option) };
        found = true;
      }
      if (!found) fail(code, `the container is in no cgroup with the controller '${controller}'`);
    }
  }
  return { ...record, places };
}

const noteSummary = 'remember what is in ';

/** The file of a step that `noteOomKills` made, from its summary. */
export const notedFile = (summary: string): string | undefined =>
  summary.startsWith(noteSummary) ? summary.slice(noteSummary.length) : undefined;

/**
 * How many processes of the cgroup were killed for memory before this one came (R38); read by the executor, as a plan
 * may have been kept. On v2 the cgroup may be without the memory controller: then nobody counts for it.
 */
function noteOomKills({ places }: CgroupRecord): Step[] {
  const legacy = places.find(({ controllers, version }) => version === 1 && controllers.includes('memory'));
  const place = legacy ?? places.find(({ version }) => version === 2);
  if (place === undefined) return [];
  const name = legacy ? 'memory.oom_control' : 'memory.events.local';
  const file = `${place.mountPoint}/${place.path}/${name}`;
  const missing = { tolerate: ['ENOENT', 'EACCES', 'EPERM', 'ENODEV'] };
  return [step('host', 'file.note', { path: file }, '', `${noteSummary}${file}`, missing)];
}

export interface ExecCgroup {
  /** Host: opens all of them, and looks at the one for memory. */
  readonly open: readonly Step[];
  /** The v1 ones that the joiner enters: its child, the process, is born into them. */
  readonly enter: readonly Step[];
  /** Where the joiner is to be created (CLONE_INTO_CGROUP), by the host: inside, the caller's own cgroup is out of sight. */
  readonly bornInto: number;
  /** The v1 one that may have no room for the joiner's child: the host has another way for it then. */
  readonly full: number;
}

/**
 * Steps for a process that joins. On v1 everybody enters by itself: being moved by another process makes the kernel wait
 * until nobody on the machine forks (an RCU grace period, 1 to 10 ms), moving oneself does not. A container that has used up
 * its processes still lets an administrator in (runc): the executor moves the process then, however long it takes.
 * With `optional` (rootless, nothing asked for) a cgroup that cannot be entered is left out, so v2 is entered like v1.
 */
export function compileExecCgroup(record: CgroupRecord, optional: boolean): ExecCgroup {
  const open: Step[] = [];
  const enter: Step[] = [];
  let bornInto = noSlot;
  let full = noSlot;
  for (let i = 0; i < record.places.length; i++) {
    const { version, controllers, mountPoint, path } = record.places[i]!;
    const slot = slotOfPlace(record, i);
    const directory = `${mountPoint}/${path}`;
    const args = { slot, version, flags: cgroupOpenFlags.mustExist, root: mountPoint, path, controllers: [] };
    const missing = optional ? { tolerate: ['EACCES', 'EPERM', 'ENOENT'] } : undefined;
    open.push(step('host', 'cgroup.open', args, '', `open cgroup ${directory}`, missing));
    if (version === 2 && !optional) {
      bornInto = slot;
      continue;
    }
    if (controllers.includes('pids')) full = slot;
    const refused = optional ? { tolerate: ['EBADF', 'EACCES', 'EPERM'] } : undefined;
    const file = version === 1 ? 'tasks' : 'cgroup.procs';
    enter.push(step('joiner', 'cgroup.enter', { slot, file }, '', `join cgroup ${directory}`, refused));
  }
  return { open: [...open, ...noteOomKills(record)], enter, bornInto, full };
}
