/**
 * `--debug`: what a command does, what it found out about the host and why that matters, and each step of its plan. Loaded only
 * when it is asked for. Values of the environment, annotations and what programs are given are never told (security.md S53).
 */
import type { Outcome } from '../executor/outcome.js';
import { askForTrace, decodeTrace, type TracedStep } from '../executor/trace.js';
import { readTextIfExists } from '../host/files.js';
import { elapsedMs } from '../host/process.js';
import { type Listener, listen, type Topics } from '../operations/trace.js';
import type { CgroupRecord } from '../tables/cgroup.js';
import { commit, version } from '../tables/versions.js';
import type { Log } from './log.js';

type Line = string | { readonly text: string; readonly pointer?: string; readonly errno?: string };
type Describers = { readonly [Topic in keyof Topics]: (data: Topics[Topic]) => readonly Line[] };

const listed = (items: readonly string[], none = 'none'): string => (items.length === 0 ? none : items.join(', '));
const counted = (count: number, name: string): string => `${count} ${name}${count === 1 ? '' : 's'}`;

function describeConfig({ path, source, spec, warnings }: Topics['config']): Line[] {
  const { process, mounts = [], linux = {}, hooks = {} } = spec;
  const types = (linux.namespaces ?? []).map(({ type, path: joined }) =>
    joined ? `${type} (joined: ${joined})` : type,
  );
  const hookCount = Object.values(hooks).flat().length;
  return [
    `read ${path}, ${counted(source.text.length, 'character')}: ociVersion ${spec.ociVersion}, ${counted(warnings.length, 'warning')}`,
    {
      pointer: '/process',
      text: process ? `the program is ${process.args?.[0] ?? ''}, uid ${process.user?.uid ?? 0}` : 'no process',
    },
    { pointer: '/mounts', text: `${counted(mounts.length, 'mount')}, ${counted(hookCount, 'hook')}` },
    { pointer: '/linux/namespaces', text: `namespaces: ${listed(types, 'none, it shares all with the host')}` },
  ];
}

const everyCapability = (text: string | undefined): bigint => (1n << BigInt(Number(text ?? 40) + 1)) - 1n;

function describeRights({ uid, inUserNamespace, capabilities }: Topics['facts']): string {
  if (uid !== 0) return `uid ${uid}: without root a user namespace has to give the rights that a container takes`;
  if (inUserNamespace) return 'root of a user namespace: no device nodes and no mounts that only the host may make';
  const all = everyCapability(readTextIfExists('/proc/sys/kernel/cap_last_cap'));
  if (capabilities === undefined || capabilities === all)
    return 'root with all capabilities: a container can be given any of them';
  return `root without all capabilities (0x${capabilities.toString(16)}): what is missing cannot be given to a container`;
}

function describeFacts(facts: Topics['facts']): Line[] {
  const { cgroupMode, hierarchies, lsm } = facts;
  const reason = {
    none: 'no cgroups: there are no limits, and processes are found by their pids',
    v1: 'cgroup v1: each limit goes to the hierarchy of its controller',
    v2: 'cgroup v2: one cgroup has all limits',
    hybrid: 'cgroup v1 with a v2 hierarchy beside it: limits go to v1, and the container joins v2, too',
  }[cgroupMode];
  return [
    `kernel ${readTextIfExists('/proc/sys/kernel/osrelease')?.trim()}: what it lacks is found out by the step that needs it`,
    describeRights(facts),
    reason,
    ...hierarchies.map(
      ({ version: v, controllers, mountPoint, ownPath }) =>
        `cgroup v${v} at ${mountPoint} with ${listed(controllers, 'no controllers')}; tsrun itself is in ${ownPath}`,
    ),
    lsm === undefined
      ? 'the config names no label: it does not matter which security modules are on'
      : `AppArmor ${lsm.apparmor ? 'on' : 'off'}, SELinux ${lsm.selinux ? 'on' : 'off'}: a label for a module that is off is an error`,
  ];
}

const placesOf = ({ places }: CgroupRecord): string[] => places.map(({ mountPoint, path }) => `${mountPoint}/${path}`);

function describeCgroup({ record, cgroupsPath, id }: Topics['cgroup']): Line[] {
  const why =
    cgroupsPath === undefined ? `named for '${id}', as the config names none` : `the config names '${cgroupsPath}'`;
  const unit = record.unit ? ` in unit ${record.unit.name} of ${record.unit.slice}` : '';
  const pointer = '/linux/cgroupsPath';
  return [{ pointer, text: `driver ${record.driver}${unit}, ${why}: ${listed(placesOf(record), 'no cgroup')}` }];
}

function describeOptions({ seccomp, alreadyIn, idMappers, keeper, resctrl }: Topics['options']): Line[] {
  const lines: Line[] = [
    {
      pointer: '/linux/seccomp',
      text: seccomp ? `a filter of ${seccomp.filter.length / 8} instructions` : 'no filter',
    },
  ];
  if (alreadyIn?.size)
    lines.push({ pointer: '/linux/namespaces', text: `already in: ${listed([...alreadyIn])}; nothing to join` });
  if (idMappers)
    lines.push({ pointer: '/linux/uidMappings', text: `ids are mapped by ${idMappers.uid}, as this user may not` });
  if (resctrl) lines.push({ pointer: '/linux/intelRdt', text: 'the host has resctrl' });
  lines.push(keeper ? 'plans of start, delete and repeated execs are kept' : 'no plans are kept');
  return lines;
}

function describePlan({ steps, preserveFds, warnings }: Topics['plan']): Line[] {
  const count = (role: string): number => steps.filter((step) => step.role === role).length;
  const roles = ['host', 'joiner', 'init'].map((role) => `${count(role)} of ${role}`);
  const kept = preserveFds > 0 ? `, ${counted(preserveFds, 'descriptor')} kept open` : '';
  return [
    `compiled to ${counted(steps.length, 'step')} (${roles.join(', ')})${kept}, ${counted(warnings.length, 'warning')}`,
  ];
}

const describers: Describers = {
  root: ({ path, explicit, sticky }) => [
    `state root ${path}: ${explicit ? 'given with --root' : sticky ? 'below XDG_RUNTIME_DIR' : 'the default'}`,
  ],
  config: describeConfig,
  facts: describeFacts,
  rootfs: (rootfs) => [{ pointer: '/root/path', text: `${rootfs} is there; nothing below it is looked at from here` }],
  cgroup: describeCgroup,
  options: describeOptions,
  plan: describePlan,
  claimed: (directory) => [`${directory} is made: the id is ours, and delete --force finds what may be left`],
  container: ({ container: { directory, record }, status }) => [
    `${directory}: ${status ?? record.status}, process ${record.pid}, made ${record.created} from ${record.bundle}`,
    `its cgroups: ${listed(placesOf(record.cgroup))}`,
  ],
  exec: ({ options: { joins, cgroup, mode }, processFile }) => [
    `the process comes from ${processFile ?? "the command line and the container's own"}, ${mode}`,
    `namespaces to enter: ${listed(joins)}; cgroups: ${listed(placesOf(cgroup))}`,
  ],
  done: () => [],
  step: (line) => [line],
};

export function startDebug(log: Log): void {
  const tell: Listener = (topic, data) => {
    const describe = describers[topic] as (given: unknown) => readonly Line[];
    for (const line of describe(data)) {
      const { text, ...rest } = typeof line === 'string' ? { text: line } : line;
      log.tell('engine', text, rest);
    }
  };
  listen(tell);
}

/** The first line. Which options were given, not their values: `--env` may hold a secret. */
export function tellCommand(log: Log, name: string, args: readonly string[]): void {
  const options = args.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/=.*/s, ''));
  log.tell('engine', `tsrun ${version} (${commit}): ${name}, options: ${listed(options)}`);
}

function describeStep({ role, summary, state, errno, syscall }: TracedStep, tookMs: number | undefined): string {
  const took = tookMs === undefined ? '' : ` in ${tookMs.toFixed(2)} ms`;
  const result = { done: `done${took}`, began: 'begun', failed: `${errno}${syscall ? ` from ${syscall}` : ''}${took}` }[
    state
  ];
  return `${role}: ${summary}: ${result}`;
}

/** The plan as it is handed over: with the wish that its steps are noted, and a line to be read again. */
export function traced(log: Log, plan: Uint8Array, more = ''): Uint8Array {
  log.tell('engine', `hands a plan of ${plan.length} bytes to the executor, and ends`);
  return askForTrace(plan, elapsedMs(), more);
}

/** Why there are steps that nobody has carried out. */
const reasons = {
  failure: 'the plan has come to its end',
  going: 'they come later, or are alternatives that were not needed',
} as const;

/** What the executor has noted up to now. */
export function tellTrace(log: Log, answer: Uint8Array, plan: Uint8Array, outcome: Outcome): void {
  const trace = decodeTrace(answer, plan);
  if (trace === undefined) return;
  let before: number | undefined;
  for (const step of trace.steps) {
    const took = before === undefined || step.atMs === undefined ? undefined : step.atMs - before;
    before = step.atMs ?? before;
    const { pointer, summary, errno, atMs } = step;
    log.tell('executor', describeStep(step, took), { pointer, step: summary, errno, atMs: atMs ?? before });
  }
  if (outcome.status === 'remark') return;
  const ok = outcome.status === 'trace';
  if (trace.left > 0) {
    const reason = ok ? reasons.going : reasons.failure;
    log.tell('executor', `${counted(trace.left, 'step')} not carried out: ${reason}`);
  }
  if (ok && outcome.step === trace.total)
    log.tell('executor', `the plan is done, process ${outcome.pid}, exit status ${outcome.value}`);
}
