/** The plan of `exec`: a process more in the namespaces, cgroups and confinement of a container that exists. */
import type { Process } from '../bundle/types.js';
import type { HostFacts } from '../linux/facts.js';
import type { CgroupRecord } from '../tables/cgroup.js';
import { type NamespaceType, namespaces as table } from '../tables/namespaces.js';
import type { CompiledPlan, ProcessContext, ProcessOptions } from './options.js';
import { compileExecCgroup, type ExecCgroup } from './phases/cgroup-exec.js';
import { consoleSteps, socketSteps } from './phases/console.js';
import { pidFileStep, superviseSteps } from './phases/finish.js';
import { closeSteps, confineSteps, environmentOf, execSteps, keptFds, keyringSteps } from './phases/process.js';
import { nodeMask, schedulingSteps } from './phases/scheduling.js';
import { oomSteps, rlimitSteps } from './phases/limits.js';
import { noSlot, type Step, slots, step } from './step.js';

export interface ExecOptions extends ProcessOptions {
  readonly mode: 'run' | 'run-detached';
  /** The container's first process; the executor makes sure that it is still this one. */
  readonly target: { readonly pid: number; readonly startTime: number };
  /** Types in which that process is somewhere else than the runtime. */
  readonly joins: readonly NamespaceType[];
  /** `/`, or the container's root where it has no mount namespace whose root that is. */
  readonly root: string;
  readonly cgroup: CgroupRecord;
  /** Intel RDT groups that the container's processes are in. */
  readonly resctrlGroups?: readonly string[] | undefined;
  /** Without rights over cgroups, and none asked for: go without. */
  readonly cgroupOptional: boolean;
}

/** What of the container's config an exec depends on; in it is what a process file may leave out. */
export type ExecSpec = ProcessContext['spec'];

/** Joined by init itself: CLONE_INTO_CGROUP takes only what is visible in the caller's cgroup namespace. */
const late: NamespaceType = 'cgroup';

const flagOf = (type: NamespaceType): number => table.get(type)?.flag ?? 0;

function affinityStep(role: 'joiner' | 'init', process: Process, when: 'initial' | 'final'): Step[] {
  const list = process.execCPUAffinity?.[when];
  if (list === undefined || list === '') return [];
  const pointer = `/process/execCPUAffinity/${when}`;
  return [step(role, 'process.affinity', { mask: nodeMask(list) }, pointer, `run on CPUs ${list}`)];
}

/**
 * The joiner enters all namespaces in one setns(2) with a pidfd, so that no container dying meanwhile leaves us half
 * way, and rights are asked of who the caller was before. Its child is the process: only a child is in the pid namespace.
 */
function joinSteps({ process }: ProcessContext, options: ExecOptions, cgroup: ExecCgroup): Step[] {
  const types = options.joins.filter((type) => type !== late);
  let flags = 0;
  for (const type of types) flags |= flagOf(type);
  const joiner = { namespaces: 0, cgroupSlot: noSlot, asJoiner: 1 };
  const steps = [
    step('host', 'child.create', joiner, '', 'start the joiner'),
    ...affinityStep('joiner', process, 'initial'),
    ...cgroup.enter,
  ];
  if (types.length > 0) {
    const args = { slot: slots.target, types: flags >>> 0 };
    const summary = `join the container's ${types.join(', ')} namespace${types.length > 1 ? 's' : ''}`;
    steps.push(step('joiner', 'ns.join-process', args, '', summary));
  }
  const args = { namespaces: 0, cgroupSlot: cgroup.bornInto, asJoiner: 0 };
  steps.push(step('joiner', 'child.create', args, '', 'start the process'));
  return steps;
}

/** From the runtime's world into the container's. */
function enterSteps(context: ProcessContext, options: ExecOptions): Step[] {
  const cgroup = compileExecCgroup(options.cgroup, options.cgroupOptional);
  const { pid, startTime } = options.target;
  const args = { slot: slots.target, pid, startTime: BigInt(startTime) };
  return [
    step('host', 'process.open', args, '', `open the container's process ${pid}`),
    ...socketSteps(context),
    ...cgroup.open,
    ...joinSteps(context, options, cgroup),
    ...cgroup.enterLate,
    ...(context.facts.uid === 0 ? oomSteps(context) : []),
  ];
}

/** In the process: what still takes something of the host's, until there is nothing left of it. */
function settleSteps(context: ProcessContext, options: ExecOptions): Step[] {
  const { uid } = context.process.user ?? { uid: 0 };
  const steps = [step('init', 'session.start', {}, '', 'start a session')];
  if (options.joins.includes('user')) {
    steps.push(step('init', 'ns.become-root', {}, '', 'become root of the user namespace'));
  }
  if (options.joins.includes(late)) {
    const args = { slot: slots.target, types: flagOf(late) };
    steps.push(step('init', 'ns.join-process', args, '', "join the container's cgroup namespace"));
  }
  steps.push(step('init', 'root.open', { path: options.root }, '', "open the container's root"));
  steps.push(...consoleSteps(context, 0));
  steps.push(step('init', 'stdio.null', {}, '', "replace the host's null device in the standard streams"));
  // A foreground exec as root leaves the caller's own terminal or file alone.
  if (options.mode !== 'run' || uid !== 0) {
    steps.push(step('init', 'stdio.own', { uid }, '/process/user/uid', `give the standard streams to uid ${uid}`));
  }
  steps.push(...closeSteps(context));
  return steps;
}

function directoryStep({ process: { cwd } }: ProcessContext): Step {
  // As in create, the user tries again where root was not let in; but nothing is made for an exec.
  const closed = { tolerate: ['EPERM', 'EACCES'] };
  return step(
    'init',
    'process.directory',
    { create: 0, path: cwd },
    '/process/cwd',
    `change directory to ${cwd}`,
    closed,
  );
}

/** Without root: the file of a process that hides from others is root's until it executes; that of another uid stays so. */
function lateOomSteps(context: ProcessContext): Step[] {
  if (context.facts.uid === 0) return [];
  return oomSteps(context).map((one) => ({ ...one, tolerate: ['EACCES', 'EPERM', 'ENOENT', 'ESRCH'] }));
}

/** When the program runs: only then is the exec a success, and only a success leaves a pid file. */
function publishSteps({ pidFile, pidfdSocket }: ExecOptions): Step[] {
  const steps: Step[] = [];
  if (pidfdSocket !== undefined) {
    const args = { slot: slots.pidfd, text: 'setns' };
    steps.push(step('host', 'socket.send-pidfd', args, '', 'send a pidfd of the process'));
  }
  if (pidFile !== undefined) steps.push(pidFileStep(pidFile));
  return steps;
}

/**
 * Compiles an exec. Pure. `process` is complete: what the caller left out has been filled in from the container's
 * confinement (S56).
 */
export function compileExec(spec: ExecSpec, process: Process, facts: HostFacts, options: ExecOptions): CompiledPlan {
  const context: ProcessContext = {
    spec,
    process,
    facts,
    options,
    environment: environmentOf(process, options),
    namespaces: { created: new Set(options.joins), joined: new Map() },
    inUserNamespace: facts.inUserNamespace || options.joins.includes('user'),
    warnings: [],
  };
  const steps = [
    ...enterSteps(context, options),
    ...settleSteps(context, options),
    ...keyringSteps(context),
    directoryStep(context),
    ...affinityStep('init', process, 'final'),
    ...schedulingSteps(context),
    ...rlimitSteps(context),
    ...confineSteps(context),
    ...execSteps(context),
    ...lateOomSteps(context),
    ...publishSteps(options),
    ...superviseSteps(context),
  ];
  return { steps, preserveFds: keptFds(options), warnings: context.warnings };
}
