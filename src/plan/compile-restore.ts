import type { Spec } from '../bundle/types.js';
import { fail } from '../errors/error.js';
import type { HostFacts } from '../linux/facts.js';
import { criuRootDirectory } from '../tables/criu.js';
import { MS } from '../tables/mount-options.js';
import { namespaces as table } from '../tables/namespaces.js';
import { notifyDirectory } from '../tables/notify.js';
import { slotOfPlace } from '../tables/cgroup.js';
import { contextOf } from './compile.js';
import { lostFlags, readonlyMounts, restoredMounts } from './criu/mounts.js';
import type { RestoreOptions } from './criu/options.js';
import { encodeRequest, restoreMessage, type RestoreTarget } from './criu/request.js';
import { becomeCriuSteps, helperSummaries, summaries, untilStep } from './criu/steps.js';
import type { CompiledPlan, CompileOptions, Context } from './options.js';
import { absolutePath } from './paths.js';
import { socketSteps } from './phases/console.js';
import { pidFileSteps, publishCreating, publishState, removeSteps, superviseSteps } from './phases/finish.js';
import { hookDirectorySteps, hookSteps } from './phases/hooks.js';
import { type MountEntry, readMounts } from './phases/mount-entry.js';
import { bindSteps, placeFlags } from './phases/mounts.js';
import { allCpusStep } from './phases/scheduling.js';
import { noSlot, type Step, slots, step } from './step.js';

/** The process that becomes CRIU: in the container's cgroup, and with mounts that nobody else sees. */
function childSteps({ options }: Context): Step[] {
  const record = options.cgroup?.record;
  const cgroupSlot = record?.places[0]?.version === 2 ? slotOfPlace(record, 0) : noSlot;
  const args = { namespaces: table.get('mount')?.flag ?? 0, cgroupSlot, asJoiner: 0, fullSlot: noSlot };
  return [step('host', 'child.create', args, '', 'a process for CRIU in a new mount namespace')];
}

/** A place to mount on, made where it is missing: the mount itself is CRIU's to restore, so a tmpfs stands for it. */
function standIn(entry: MountEntry): Step {
  const args = {
    attributes: 0,
    flags: placeFlags(entry),
    type: 'tmpfs',
    source: 'tmpfs',
    target: entry.target,
    options: [],
    softOptions: [],
  };
  return step('init', 'mount.filesystem', args, entry.pointer, `make the place ${entry.target}`);
}

/**
 * CRIU wants a root that is a mount of its own below nothing that is covered, and finds or leaves the places it mounts
 * on. Those are made by mounting everything once, in-root as always, where CRIU does not look (runc#2748).
 */
function rootSteps(context: Context): Step[] {
  const { spec, options } = context;
  const path = absolutePath(options.bundle, spec.root.path);
  const root = `${options.stateDir}/${criuRootDirectory}`;
  // What the host's user may reach needs no detour through it here.
  const own = { ...context, namespaces: { created: new Set([]), joined: new Map() } } as Context;
  const places = readMounts(spec.mounts ?? []).filter(({ options: { remount } }) => !remount);
  const prepare = { propagation: MS.SLAVE | MS.REC, parent: MS.PRIVATE, path };
  return [
    step('init', 'root.prepare', prepare, '/root/path', `prepare root ${path}`),
    step('init', 'root.attach', { path: root }, '/root/path', `show the root to CRIU at ${root}`),
    ...places.flatMap((entry) => (entry.options.bind ? bindSteps(own, entry, new Map()) : [standIn(entry)])),
  ];
}

function targetOf(context: Context): RestoreTarget {
  const { spec, options, namespaces } = context;
  const external: { type: 'network' | 'pid'; path: string }[] = [];
  const joined: { type: string; path: string }[] = [];
  for (const [type, { path, pointer }] of namespaces.joined) {
    if (type === 'network' || type === 'pid') external.push({ type, path });
    else if (type === 'cgroup')
      fail('TSR_CRIU_NAMESPACE', 'CRIU cannot restore into an existing cgroup namespace', { pointer });
    else joined.push({ type, path });
  }
  return {
    root: `${options.stateDir}/${criuRootDirectory}`,
    cgroup: options.cgroup?.record,
    mounts: restoredMounts(spec, options.bundle, `${options.stateDir}/${notifyDirectory}`, options.cgroup?.record),
    external,
    joined,
  };
}

/** A network of its own is restored empty; what every payload expects of a new one it gets again. */
function loopbackSteps({ namespaces }: Context): Step[] {
  if (!namespaces.created.has('network')) return [];
  return [step('host', 'child.loopback-up', {}, '/linux/namespaces', 'bring the loopback interface up')];
}

/** While nothing of the container runs yet: its mounts are there, and are held against the config. */
function checkSteps({ spec }: Context, { check }: RestoreOptions): Step[] {
  const wanted = readonlyMounts(spec);
  if (wanted.length === 0) return [];
  const args = [...check.args, JSON.stringify(wanted), '{pid}'];
  return [step('host', 'child.run-helper', { path: check.path, args }, '/mounts', helperSummaries.check)];
}

/** Behind the comparison: before anything of the container runs. */
function flagSteps({ spec }: Context): Step[] {
  return lostFlags(spec).map(({ pointer, ...args }) => {
    const what = args.null === 1 ? 'masked paths' : args.paths.join();
    return step('host', 'path.mount-flags', args, pointer, `set the mount flags of ${what} again`);
  });
}

const removeStep = (directory: string): Step =>
  step('host', 'file.remove', { directory, names: [] }, '', `remove ${directory}`);

/** The plan of `restore`. Pure. @throws TsrunError with the pointer of what cannot be restored. */
export function compileRestore(
  spec: Spec,
  facts: HostFacts,
  options: CompileOptions,
  restore: RestoreOptions,
): CompiledPlan {
  const context = contextOf(spec, facts, options);
  if (!context.namespaces.created.has('mount')) {
    fail('TSR_CRIU_NAMESPACE', 'restore takes a container with a mount namespace of its own', {
      pointer: '/linux/namespaces',
    });
  }
  const target = targetOf(context);
  const subreaper = options.mode === 'run' && !options.noSubreaper;
  const until = (...events: string[]): Step => untilStep(events, summaries.restore, slots.console);
  const steps = [
    ...(subreaper ? [step('host', 'self.subreaper', {}, '', 'adopt orphans')] : []),
    ...hookDirectorySteps(context),
    ...(options.cgroup?.open ?? []),
    ...(options.resctrl?.open ?? []),
    ...socketSteps(context),
    ...childSteps(context),
    ...(options.cgroup?.join ?? []),
    ...(options.resctrl?.join ?? []),
    ...publishCreating(context),
    ...(options.cgroup?.enter ?? []),
    // CRIU makes the processes, and does not remember on which CPUs they ran.
    allCpusStep(),
    ...rootSteps(context),
    ...becomeCriuSteps(restore.place, target.external, true),
    step('host', 'criu.request', { request: encodeRequest(restoreMessage(restore, target)) }, '', summaries.restore),
    // Namespaces are there and empty: the moment of network hooks. Without namespaces there is no such moment.
    until('setup-namespaces', 'post-restore'),
    ...loopbackSteps(context),
    ...hookSteps(context, 'prestart'),
    ...hookSteps(context, 'createRuntime'),
    until('post-restore'),
    ...checkSteps(context, restore),
    ...flagSteps(context),
    // Before anything runs on: whoever kills us now leaves something that `delete` can find.
    ...publishState(context),
    until(),
    removeStep(`${options.stateDir}/${criuRootDirectory}`),
    ...pidFileSteps(context),
    ...superviseSteps(context),
    ...(options.mode === 'run' ? [removeStep(`${options.stateDir}/${notifyDirectory}`)] : []),
    ...removeSteps(context),
    ...(options.mode === 'run' ? hookSteps(context, 'poststop') : []),
  ];
  return { steps, preserveFds: 0, warnings: context.warnings };
}
