/** The plan of `exec`: a process more in the namespaces, cgroups and confinement of a container that exists. */
import type { Process } from '../bundle/types.js';
import type { HostFacts } from '../linux/facts.js';
import type { CgroupRecord } from '../tables/cgroup.js';
import { type NamespaceType, namespaces as table } from '../tables/namespaces.js';
import type { CompiledPlan, ProcessContext, ProcessOptions } from './options.js';
import { compileExecCgroup, type ExecCgroup } from './phases/cgroup-exec.js';
import { consoleFlags } from '../generated/ops.js';
import { rlimitNumber } from '../tables/rlimits.js';
import { consoleSteps, socketSteps } from './phases/console.js';
import type { JoinersCall } from '../linux/seccomp/allowed-calls.js';
import { pidFileStep, superviseSteps } from './phases/finish.js';
import {
  closeSteps,
  confineSteps,
  environmentOf,
  execSteps,
  keptFds,
  keyLabelSteps,
  keyringSteps,
  labelSteps,
} from './phases/process.js';
import { allCpusStep, nodeMask, schedulingSteps } from './phases/scheduling.js';
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

const flagOf = (type: NamespaceType): number => table.get(type)?.flag ?? 0;

function affinityStep(role: 'joiner' | 'init', process: Process, when: 'initial' | 'final'): Step[] {
  const list = process.execCPUAffinity?.[when];
  if (list === undefined || list === '') return [];
  const pointer = `/process/execCPUAffinity/${when}`;
  return [step(role, 'process.affinity', { mask: nodeMask(list) }, pointer, `run on CPUs ${list}`)];
}

/**
 * With only a first one the kernel decides, says config.md. With none the process has the CPUs of the container, and not
 * those that the caller was pinned to.
 */
function finalAffinity(process: Process): Step[] {
  const { initial, final } = process.execCPUAffinity ?? {};
  return initial || final ? affinityStep('init', process, 'final') : [allCpusStep()];
}

/** What create's first process does to itself, done by the joiner: its child has it from birth. */
const beforeBirth = (steps: readonly Step[]): Step[] =>
  steps.map((one) => (one.role === 'init' ? { ...one, role: 'joiner' } : one));

/**
 * The joiner enters all namespaces in one setns(2) with a pidfd, so that no container dying meanwhile leaves us half
 * way, and rights are asked of who the caller was before.
 */
function joinSteps(context: ProcessContext, options: ExecOptions, cgroup: ExecCgroup): Step[] {
  const { joins } = options;
  const joiner = { namespaces: 0, cgroupSlot: cgroup.bornInto, asJoiner: 1, fullSlot: noSlot };
  const steps = [
    step('host', 'child.create', joiner, '', 'start the joiner'),
    ...affinityStep('joiner', context.process, 'initial'),
    ...cgroup.enter,
    // Through a procfs of the host's, while it is to be found in one.
    ...beforeBirth([...labelSteps(context), ...keyLabelSteps(context)]),
  ];
  if (joins.length > 0) {
    let flags = 0;
    for (const type of joins) flags |= flagOf(type);
    const args = { slot: slots.target, types: flags >>> 0 };
    const summary = `join the container's ${joins.join(', ')} namespace${joins.length > 1 ? 's' : ''}`;
    steps.push(step('joiner', 'ns.join-process', args, '', summary));
  }
  if (joins.includes('user')) {
    steps.push(step('joiner', 'ns.become-root', {}, '', 'become root of the user namespace'));
  }
  if (!joins.includes('mount')) {
    // The container has no devpts of its own: see compile.ts.
    steps.push(...beforeBirth(consoleSteps(context, consoleFlags.handOver | consoleFlags.host)));
  }
  steps.push(step('joiner', 'root.open', { path: options.root }, '', "open the container's root"));
  return steps;
}

/** What still takes something of the host's, until there is nothing left of it. */
function settleSteps(context: ProcessContext, { mode, joins }: ExecOptions): Step[] {
  const { uid } = context.process.user ?? { uid: 0 };
  const steps = [
    ...(joins.includes('mount') ? consoleSteps(context, consoleFlags.handOver) : []),
    step('init', 'stdio.null', {}, '', "replace the host's null device in the standard streams"),
  ];
  // A foreground exec as root leaves the caller's own terminal or file alone.
  if (mode !== 'run' || uid !== 0) {
    steps.push(step('init', 'stdio.own', { uid }, '/process/user/uid', `give the standard streams to uid ${uid}`));
  }
  steps.push(...closeSteps(context));
  return steps;
}

/**
 * A fork that counts the joiner, too, is not to fail for this one, so the process lowers it itself; what takes privileges, to
 * raise it, comes before.
 */
function processLimit(one: Step): { readonly raise: Step; readonly own: Step } | undefined {
  if (one.op !== 'child.rlimit' || one.args.resource !== rlimitNumber('RLIMIT_NPROC')) return undefined;
  const { raise: _, ...args } = one.args;
  const { pointer, summary } = one;
  return {
    raise: { ...one, args: { ...one.args, raise: 1 } },
    own: step('init', 'process.rlimit', args, pointer, summary),
  };
}

/**
 * The process, which is seen in the container as soon as it exists. So all that it is not to have is gone by then: the joiner,
 * whom nobody in there sees, has closed what was the host's or the caller's, and given up ids, capabilities and, where the
 * filter lets it have a child, what that forbids (S22, CVE-2016-9962).
 */
function birthSteps(context: ProcessContext, cgroup: ExecCgroup): Step[] {
  const limits = rlimitSteps(context);
  const own = limits.flatMap((one) => processLimit(one)?.own ?? []);
  const terminal = context.process.terminal ? 1 : 0;
  // The joiner has closed everything already.
  const confine = confineSteps(context).filter(({ op }) => op !== 'process.close-fds');
  const filter = confine.findIndex(({ op }) => op === 'process.seccomp');
  const calls: JoinersCall[] = [
    'clone',
    'exit_group',
    'write',
    'read',
    'setsid',
    ...(terminal ? (['ioctl'] as const) : []),
    ...(own.length > 0 ? (['prlimit64'] as const) : []),
  ];
  const { agent, allowed = [] } = context.options.seccomp ?? {};
  const late = filter >= 0 && (agent !== undefined || calls.some((call) => !allowed.includes(call)));
  const early = late ? confine.slice(0, filter) : confine;
  const scheduling = schedulingSteps(context);
  const birth = { namespaces: 0, cgroupSlot: noSlot, asJoiner: 0, fullSlot: cgroup.full };
  return [
    ...beforeBirth(scheduling.filter(({ op }) => op !== 'process.scheduler')),
    // From outside, where they may be raised; and before the joiner takes another uid, or that needs CAP_SYS_RESOURCE.
    ...(context.facts.uid === 0 ? oomSteps(context) : []),
    ...limits.map((one) => processLimit(one)?.raise ?? one),
    ...beforeBirth(early),
    step('joiner', 'child.create', birth, '', 'start the process'),
    // A fork can take it back, and it takes privileges.
    ...scheduling.filter(({ op }) => op === 'process.scheduler').map((one): Step => ({ ...one, role: 'host' })),
    step('init', 'session.start', { terminal }, '', 'start a session'),
    ...own,
    ...confine.slice(early.length),
  ];
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
  const cgroup = compileExecCgroup(options.cgroup, options.cgroupOptional);
  const { pid, startTime } = options.target;
  const args = { slot: slots.target, pid, startTime: BigInt(startTime) };
  const steps = [
    step('host', 'process.open', args, '', `open the container's process ${pid}`),
    ...socketSteps(context),
    ...cgroup.open,
    ...joinSteps(context, options, cgroup),
    ...beforeBirth([
      ...settleSteps(context, options),
      ...keyringSteps(context),
      directoryStep(context),
      ...finalAffinity(process),
    ]),
    ...birthSteps(context, cgroup),
    ...execSteps(context),
    ...lateOomSteps(context),
    ...publishSteps(options),
    ...superviseSteps(context),
  ];
  return { steps, preserveFds: keptFds(options), warnings: context.warnings };
}
