import { mountFlags } from '../../generated/ops.js';
import { MOUNT_ATTR } from '../../tables/mount-options.js';
import { proxiedProcFiles } from '../../tables/proc-files.js';
import type { Context } from '../options.js';
import { absolutePath } from '../paths.js';
import { noSlot, type Step, step } from '../step.js';
import { cgroupMountSteps } from './cgroup-mount.js';
import { type IdMaps, slotOfMount } from './idmap.js';
import type { MountEntry } from './mount-entry.js';
import { isApart } from './namespaces.js';

/** Filesystems without a device below them: whether their superblock is read-only makes no difference. */
const virtual: ReadonlySet<string> = new Set(['tmpfs', 'proc', 'sysfs', 'devpts', 'mqueue', 'cgroup2', 'ramfs']);

/** Flags of a superblock on a bind mount: the kernel would ignore them without a word. */
function warnOfIdleOptions(context: Context, { pointer, mount, options }: MountEntry): void {
  if (!options.bind || options.superblock.length === 0) return;
  const names = options.superblock.join("', '");
  const message = `'${names}' belongs to the filesystem and has no effect on the bind mount on '${mount.destination}'`;
  context.warnings.push({ code: 'TSR_MOUNT_OPTION_IDLE', message, pointer: `${pointer}/options` });
}

/** One propagation type a call, after the mount, in the listed order. A link that was copied is no mount and has none. */
function propagationSteps({ options, target, pointer, mount }: MountEntry): Step[] {
  const steps: Step[] = [];
  for (const { msFlag, recursive, index } of options.propagation) {
    const flags = options.copySymlink ? mountFlags.noTargetLink : 0;
    const args = { propagation: msFlag, recursive: recursive ? 1 : 0, flags, target };
    const summary = `make ${target} ${mount.options?.[index]}`;
    const rest = options.copySymlink ? { tolerate: ['EINVAL'] } : undefined;
    steps.push(step('init', 'mount.propagation', args, `${pointer}/options/${index}`, summary, rest));
  }
  return steps;
}

/**
 * Flags for the place: /proc and /sys must be real directories reached without any symlink (CVE-2019-19921), and on
 * a procfs only a procfs or a file of lxcfs may be mounted. The executor checks it on the descriptor it uses (S06).
 */
export function placeFlags({ clean, mount }: MountEntry): number {
  const strict = clean === '/proc' || clean === '/sys' || mount.type === 'proc' || mount.type === 'sysfs';
  const proc = (clean === '/proc' && mount.type === 'proc') || proxiedProcFiles.includes(clean);
  // What is below /dev belongs together, and in no place that a link of the image names (S09).
  const direct = clean === '/dev' || clean.startsWith('/dev/');
  return (strict ? mountFlags.strict : 0) | (proc ? mountFlags.proc : 0) | (direct ? mountFlags.madeDirectly : 0);
}

/**
 * A bind. Root of a user namespace may not reach what root of the host does, so there the host opens the source and
 * hands the detached mount over.
 */
export function bindSteps(context: Context, entry: MountEntry, idMaps: IdMaps): Step[] {
  const { mount, pointer, target, options } = entry;
  const source = absolutePath(context.options.bundle, mount.source ?? '');
  const passed = isApart(context.namespaces, 'user') && context.facts.uid === 0;
  const recursive = options.recursive ? 1 : 0;
  const lookUp =
    (options.sourceNoFollow ? mountFlags.noSourceLink : 0) |
    (options.targetNoFollow ? mountFlags.noTargetLink : 0) |
    (options.copySymlink ? mountFlags.copySymlink : 0) |
    (options.idmap === 'recursive' ? mountFlags.mapBelow : 0);
  const flags =
    lookUp |
    (passed ? mountFlags.passed : 0) |
    // Only another procfs may be bound over /proc; the executor looks at the source itself (S06).
    (entry.clean === '/proc' ? (placeFlags(entry) & ~mountFlags.proc) | mountFlags.sourceIsProc : placeFlags(entry));
  // In a user namespace the kernel has locked the access times of everything that comes from the host.
  const late = context.inUserNamespace ? accessTimes : 0;
  const set = options.set & ~late;
  const clear = options.clear & ~late;
  const recursiveSet = options.recursiveSet & ~late;
  const recursiveClear = options.recursiveClear & ~late;
  const idmapSlot = slotOfMount(idMaps, context, mount);
  // Whoever has the rights over the filesystem maps it: the host, where root in the container is nobody there.
  const inside = passed ? noSlot : idmapSlot;
  const args = { recursive, set, clear, recursiveSet, recursiveClear, flags, idmapSlot: inside, source, target };
  const steps: Step[] = [];
  const mapped = idmapSlot === noSlot ? '' : ', id-mapped';
  if (passed) {
    const open = {
      recursive,
      flags: flags & (mountFlags.noSourceLink | mountFlags.copySymlink | mountFlags.mapBelow),
      idmapSlot,
      path: source,
    };
    steps.push(step('host', 'source.open', open, pointer, `open ${source}${mapped}`));
  }
  steps.push(step('init', 'mount.bind', args, pointer, `bind ${source} on ${target}${mapped}`));
  steps.push(...accessTimeSteps(entry, late));
  return steps;
}

const accessTimes = MOUNT_ATTR.ATIME | MOUNT_ATTR.NODIRATIME;

/** No right depends on them, so a container that cannot have them is started with those of the host's mount. */
function accessTimeSteps({ options, target, pointer }: MountEntry, late: number): Step[] {
  const [set, clear] = [options.set & late, options.clear & late];
  const [recursiveSet, recursiveClear] = [options.recursiveSet & late, options.recursiveClear & late];
  if ((set | clear | recursiveSet | recursiveClear) === 0) return [];
  const args = { set, clear, recursiveSet, recursiveClear, flags: 0, target, options: [] };
  const summary = `set the access times of ${target}`;
  return [step('init', 'mount.remount', args, pointer, summary, { tolerate: ['EPERM'] })];
}

/** Changes what is mounted there already. */
function remountSteps({ options, target, pointer }: MountEntry): Step[] {
  const { set, clear, recursiveSet, recursiveClear } = options;
  const data = options.bind ? [] : [...options.superblock];
  if (!options.bind) for (const { option } of options.data) data.push(option);
  const args = { set, clear, recursiveSet, recursiveClear, flags: 0, target, options: data };
  return [step('init', 'mount.remount', args, pointer, `remount ${target}`)];
}

/** The SELinux label of all files, where the filesystem can take one. */
function labelOption({ spec, facts, warnings }: Context, type: string): string[] {
  const label = spec.linux?.mountLabel;
  if (label === undefined || label === '' || type === 'proc' || type === 'sysfs' || type === 'mqueue') return [];
  // A label means something to SELinux only; a process that is to run under one is another matter (see process.ts).
  if (facts.lsm?.selinux === false) {
    const pointer = '/linux/mountLabel';
    if (!warnings.some((warning) => warning.pointer === pointer)) {
      warnings.push({
        code: 'TSR_SELINUX_OFF',
        message: "'mountLabel' has no effect: the kernel has SELinux off",
        pointer,
      });
    }
    return [];
  }
  return [`context=${label}`];
}

function filesystemSteps(context: Context, entry: MountEntry): Step[] {
  const { mount, pointer, target, clean, options } = entry;
  const type = mount.type ?? '';
  // /dev is filled before it becomes read-only: see lateDevSteps.
  const late = clean === '/dev' && context.fillsDev ? MOUNT_ATTR.RDONLY : 0;
  const attributes = options.set & ~late;
  const list = attributes & MOUNT_ATTR.RDONLY && !virtual.has(type) ? ['ro'] : [];
  const soft: string[] = [];
  let flags = placeFlags(entry);
  if (type === 'tmpfs') flags |= mountFlags.copyMode | (options.tmpcopyup ? mountFlags.copyUp : 0);
  list.push(...options.superblock);
  for (const { option } of options.data) {
    // What the ids of another user namespace do not cover (gid=5 for tty) is better left out than fatal.
    if (type === 'devpts' && context.inUserNamespace && option.startsWith('gid=')) soft.push(option);
    else list.push(option);
    if (option.startsWith('mode=')) flags &= ~mountFlags.copyMode;
  }
  list.push(...labelOption(context, type));
  const args = {
    attributes,
    flags,
    type,
    source: mount.source ?? '',
    target,
    options: list,
    softOptions: soft,
  };
  const summary = `mount ${type} on ${target}`;
  const made = step('init', 'mount.filesystem', args, pointer, summary);
  const steps = sysfsFallback(context, entry, made) ?? [made];
  if (options.recursiveSet | options.recursiveClear) {
    const { recursiveSet, recursiveClear } = options;
    const change = { set: 0, clear: 0, recursiveSet, recursiveClear, flags: 0, target, options: [] };
    steps.push(step('init', 'mount.remount', change, pointer, `set recursive options of ${target}`));
  }
  return steps;
}

/**
 * sysfs shows a network namespace, and only its owner may mount it: in a user namespace with somebody else's
 * network the host's /sys is bound instead, as a whole, because locked mounts below it cannot be left out.
 */
function sysfsFallback(
  context: Context,
  { mount, target, pointer, options, clean }: MountEntry,
  made: Step,
): Step[] | undefined {
  if (mount.type !== 'sysfs' || !context.inUserNamespace) return undefined;
  const args = {
    recursive: 1,
    set: options.set & ~MOUNT_ATTR.RDONLY,
    clear: 0,
    recursiveSet: options.set & MOUNT_ATTR.RDONLY,
    recursiveClear: 0,
    flags: clean === '/sys' ? mountFlags.strict : 0,
    idmapSlot: noSlot,
    source: '/sys',
    target,
  };
  return [
    { ...made, tolerate: ['EPERM'], orElseNext: true },
    step('init', 'mount.bind', args, pointer, `or else bind the host's /sys on ${target}`),
  ];
}

/** All mounts in the listed order (spec); each later one sees the earlier ones. */
export function mountSteps(context: Context, entries: readonly MountEntry[], idMaps: IdMaps): Step[] {
  const steps: Step[] = [];
  for (const entry of entries) {
    warnOfIdleOptions(context, entry);
    if (entry.options.remount) steps.push(...remountSteps(entry));
    else if (entry.options.bind) steps.push(...bindSteps(context, entry, idMaps));
    else if (entry.mount.type === 'cgroup') steps.push(...cgroupMountSteps(context, entry));
    else steps.push(...filesystemSteps(context, entry));
    steps.push(...propagationSteps(entry));
  }
  return steps;
}
