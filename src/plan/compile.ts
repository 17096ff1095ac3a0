import type { Process, Spec } from '../bundle/types.js';
import { fail } from '../errors/error.js';
import { consoleFlags } from '../generated/ops.js';
import type { HostFacts } from '../linux/facts.js';
import type { CompiledPlan, CompileOptions, Context } from './options.js';
import { cleanPath } from './paths.js';
import { consoleSteps, socketSteps } from './phases/console.js';
import { deviceSteps, lateDevSteps, stdioSteps } from './phases/devices.js';
import { fifoSteps, publishCreating, publishReady, removeSteps, superviseSteps } from './phases/finish.js';
import { hookDirectorySteps, hookSteps } from './phases/hooks.js';
import { idMapSteps, idMapsOf } from './phases/idmap.js';
import { readMounts } from './phases/mount-entry.js';
import { mountSteps } from './phases/mounts.js';
import {
  cgroupNamespaceSteps,
  childSteps,
  isApart,
  loopbackSteps,
  namespacesOf,
  timeSteps,
} from './phases/namespaces.js';
import { netDeviceSteps } from './phases/net-devices.js';
import { notifyForwardSteps, notifyListenSteps } from './phases/notify.js';
import { notifyMounts } from './phases/notify-mount.js';
import { pathSteps } from './phases/paths.js';
import {
  confineSteps,
  directorySteps,
  endOnSteps,
  environmentOf,
  execSteps,
  keptFds,
  keyLabelSteps,
  keyringSteps,
  labelSteps,
  noProcess,
  waitSteps,
} from './phases/process.js';
import { recordEndSteps, recordSteps } from './phases/record.js';
import { chrootSteps, hostNameSteps, pivotSteps, readonlyRootSteps, rootSteps } from './phases/root.js';
import { allCpusStep, schedulingSteps } from './phases/scheduling.js';
import { sysctlSteps } from './phases/sysctl.js';
import { becomeRootSteps, mappingSteps } from './phases/user-mapping.js';
import { oomSteps, rlimitSteps } from './phases/limits.js';
import { type Step, step } from './step.js';

/** What the caller must have looked up for keys that the config has. */
function refuseMissing({ spec: { linux = {} }, options }: Context): void {
  if (linux.intelRdt !== undefined && options.resctrl === undefined) {
    fail('TSR_RDT_ABSENT', "'intelRdt' is set, but the host has no resctrl filesystem mounted", {
      pointer: '/linux/intelRdt',
      hint: 'where the processor has RDT: mount -t resctrl resctrl /sys/fs/resctrl',
    });
  }
  if (linux.seccomp !== undefined && options.seccomp === undefined) {
    fail('TSR_PLAN_SECCOMP', 'the seccomp profile was not compiled', { pointer: '/linux/seccomp' });
  }
}

/** Like runc: a bundle that binds its own /dev is left to itself. */
function bindsDev({ mounts = [] }: Spec): boolean {
  for (const { destination, options } of mounts) {
    if (cleanPath(destination) === '/dev' && (options?.includes('bind') || options?.includes('rbind'))) return true;
  }
  return false;
}

/** `process` is optional at create and required at start (config.md, process); `run` is both. */
function processOf({ process }: Spec, { mode }: CompileOptions): Process {
  if (process !== undefined) return process;
  if (mode === 'create') return noProcess;
  return fail('TSR_PROCESS_REQUIRED', 'process property must not be empty', { pointer: '/process' });
}

/** What the phases share, for one config on one host. */
export function contextOf(spec: Spec, facts: HostFacts, options: CompileOptions): Context {
  const process = processOf(spec, options);
  const namespaces = namespacesOf(spec, options);
  const inUserNamespace = facts.inUserNamespace || isApart(namespaces, 'user');
  const environment = environmentOf(process, options);
  return {
    spec,
    process,
    facts,
    options,
    environment,
    namespaces,
    inUserNamespace,
    fillsDev: !bindsDev(spec),
    warnings: [],
  };
}

/** Everything up to the existence of init, and what can only be done to it from outside. */
function outside(context: Context): Step[] {
  const { options } = context;
  const subreaper = options.mode === 'run' && !options.noSubreaper;
  return [
    // A foreground run inherits what the container leaves behind, so that nothing is lost to the host's init.
    ...(subreaper ? [step('host', 'self.subreaper', {}, '', 'adopt orphans')] : []),
    // Before the time namespace, which children are born into.
    ...recordSteps(context),
    ...hookDirectorySteps(context),
    ...timeSteps(context),
    // The limits are there before the first process: it is born into them (v2) or enters before it does anything (v1).
    ...(options.cgroup?.open ?? []),
    ...(options.resctrl?.open ?? []),
    // What the caller may have got wrong fails before there is a process to clean up.
    ...fifoSteps(context),
    ...socketSteps(context),
    ...idMapSteps(context),
    ...childSteps(context),
    ...(options.cgroup?.join ?? []),
    ...(options.resctrl?.join ?? []),
    ...mappingSteps(context),
    ...netDeviceSteps(context),
    ...oomSteps(context),
    ...publishCreating(context),
  ];
}

/** What init builds while it still sees the host's tree; everything in the root is resolved in-root. */
function buildRoot(context: Context): Step[] {
  return [
    // Before it does anything; and after its ids are mapped, for which others must still be able to look at it.
    ...(context.options.cgroup?.enter ?? []),
    allCpusStep(),
    // Its own session next: the caller's terminal must not be able to signal it, and a terminal may become its own.
    step('init', 'session.start', { terminal: 0 }, '', 'start a session'),
    ...becomeRootSteps(context),
    ...loopbackSteps(context),
    ...keyLabelSteps(context),
    ...keyringSteps(context),
    ...cgroupNamespaceSteps(context),
    ...hostNameSteps(context),
    ...(isApart(context.namespaces, 'mount') ? buildMounts(context) : []),
    // Before a mask or a read-only /proc/sys could be in the way.
    ...sysctlSteps(context),
  ];
}

function buildMounts(context: Context): Step[] {
  const entries = [...readMounts(context.spec.mounts ?? []), ...notifyMounts(context)];
  return [
    ...rootSteps(context),
    ...mountSteps(context, entries, idMapsOf(context)),
    // The nodes lie on the mounts, the terminal comes from the devpts among them.
    ...deviceSteps(context),
    ...consoleSteps(context),
    ...lateDevSteps(context, entries),
  ];
}

/** From the runtime's hooks to a root that is all the container has. */
function enterRoot(context: Context): Step[] {
  return [
    // After the mounts and before the pivot, as runtime.md has it; network hooks find the namespaces ready.
    ...hookSteps(context, 'prestart'),
    ...hookSteps(context, 'createRuntime'),
    ...hookSteps(context, 'createContainer'),
    ...(isApart(context.namespaces, 'mount') ? pivotIntoRoot(context) : chrootIntoRoot(context)),
    ...stdioSteps(context),
    // Makes a missing directory, so the root is still writable.
    ...directorySteps(context),
    ...(isApart(context.namespaces, 'mount') ? readonlyRootSteps(context) : []),
  ];
}

// After the hooks, which may have mounted what is to be masked, and before the pivot: see rule 2 of the design.
const pivotIntoRoot = (context: Context): Step[] => [...pathSteps(context), ...pivotSteps(context)];

// The root has no devpts of its own, so the terminal is the host's: opened while that is in sight.
const chrootIntoRoot = (context: Context): Step[] => [
  ...consoleSteps(context, consoleFlags.host),
  ...chrootSteps(context),
];

/**
 * Compiles a config into the plan of `create` or `run`. Pure: the same inputs give the same plan on any machine.
 * @throws TsrunError with the pointer of the key that cannot be carried out.
 */
export function compileCreate(spec: Spec, facts: HostFacts, options: CompileOptions): CompiledPlan {
  const context = contextOf(spec, facts, options);
  refuseMissing(context);
  const steps = [
    ...outside(context),
    ...buildRoot(context),
    ...enterRoot(context),
    ...schedulingSteps(context),
    // From outside, where they may be raised; and before init takes another uid, or that needs CAP_SYS_RESOURCE.
    ...rlimitSteps(context),
    ...labelSteps(context),
    ...endOnSteps(context),
    ...confineSteps(context),
    // Init is as it will be when it executes: the final record, then the word that it is ready.
    ...publishReady(context),
    ...notifyListenSteps(context),
    ...waitSteps(context),
    ...hookSteps(context, 'startContainer', context.environment.env),
    ...execSteps(context),
  ];
  if (options.mode !== 'create') {
    steps.push(
      ...hookSteps(context, 'poststart'),
      ...notifyForwardSteps(context),
      ...superviseSteps(context),
      ...recordEndSteps(context),
      ...removeSteps(context),
      ...(options.mode === 'run' && !options.keep ? hookSteps(context, 'poststop') : []),
    );
  }
  return { steps, preserveFds: keptFds(options), warnings: context.warnings };
}
