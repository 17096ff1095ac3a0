/** What a plan needs of this host, and the host lacks. Nothing below the root is looked at (security.md S01). */
import type { Spec } from '../../bundle/types.js';
import { lstatIfExists, readLink, readTextIfExists, statIfExists } from '../../host/files.js';
import { probeHost } from '../../host/probe.js';
import { hugepageSizes } from '../../linux/cgroup/stats.js';
import { hasCapability, type HostFacts } from '../../linux/facts.js';
import type { Plan, Step } from '../../plan/step.js';
import { namespaces } from '../../tables/namespaces.js';
import { cgroupsOutOfReach } from '../cgroup-reach.js';
import type { CgroupRecord } from '../../tables/cgroup.js';
import { fileSystemsLacking } from './file-systems.js';
import { userNamespaceHint } from './kernel.js';
import { idsLacking } from './lacking-ids.js';
import type { BundleFinding, FindingKind } from './report.js';

export interface Subject {
  readonly spec: Spec;
  readonly plan: Plan;
  readonly facts: HostFacts;
  readonly cgroup: CgroupRecord;
  readonly rootfs: string;
}

const found = (kind: FindingKind, pointer: string, message: string, why: string): BundleFinding => ({
  kind,
  pointer,
  message,
  why,
});
const missing = (pointer: string, message: string, why: string): BundleFinding =>
  found('missing', pointer, message, why);

const capSysResource = 24n;

/** The container's own namespaces, of the types that this kernel or a sandbox around us refuses. */
function namespacesLacking({ spec }: Subject): BundleFinding[] {
  const wanted = (spec.linux?.namespaces ?? []).map(({ type, path }, index) => ({ type, path, index }));
  const made = wanted.filter(({ path }) => !path);
  if (made.length === 0) return [];
  const probed = probeHost({ idMapped: [] });
  const nested = made.some(({ type }) => type === 'user');
  return made.flatMap(({ type, index }) => {
    const errno = probed[nested && type !== 'user' ? `nested.${type}` : `namespace.${type}`] ?? '';
    if (errno === '' || !namespaces.has(type)) return [];
    const why = type === 'user' ? userNamespaceHint() : 'the kernel lacks it, or this user may not make it';
    return [missing(`/linux/namespaces/${index}`, `a ${type} namespace cannot be made here (${errno})`, why)];
  });
}

function joinedLacking({ spec }: Subject): BundleFinding[] {
  return (spec.linux?.namespaces ?? []).flatMap(({ type, path }, index) => {
    if (!path) return [];
    const pointer = `/linux/namespaces/${index}/path`;
    if (!exists(path)) return [missing(pointer, `'${path}' does not exist`, `there is no ${type} namespace to join`)];
    const kind = kindOf(path);
    const wanted = namespaces.get(type)?.file;
    return kind === undefined || kind === wanted
      ? []
      : [missing(pointer, `'${path}' is a namespace of another kind (${kind})`, `it is no ${type} namespace`)];
  });
}

/** What a link below /proc/PID/ns says; one that was bound to a file does not. */
function kindOf(path: string): string | undefined {
  try {
    return /^([a-z]+):\[\d+\]$/.exec(readLink(path))?.[1];
  } catch {
    return undefined;
  }
}

/** As far as this user may look: who may not is told by the start itself. */
function exists(path: string): boolean {
  try {
    return statIfExists(path) !== undefined;
  } catch {
    return true;
  }
}

const isBelow = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** A source under the root is the container's own business, '' is what another step has opened, and its cgroups are made by then. */
function sourceLacking(
  step: Step & { op: 'source.open' | 'mount.bind' },
  { rootfs, plan }: Pick<Subject, 'rootfs' | 'plan'>,
): BundleFinding[] {
  const path = step.op === 'source.open' ? step.args.path : step.args.source;
  if (!path.startsWith('/') || isBelow(path, rootfs) || lstatSafely(path) || isMade(plan, path)) return [];
  return [missing(step.pointer, `'${path}' does not exist`, 'there is nothing to bind')];
}

const isMade = ({ steps }: Plan, path: string): boolean =>
  steps.some((step) => step.op === 'cgroup.open' && `${step.args.root}/${step.args.path}` === path);

function lstatSafely(path: string): boolean {
  try {
    return lstatIfExists(path) !== undefined || exists(path);
  } catch {
    return true;
  }
}

function hookLacking(step: Step & { op: 'hook.run' }, rootfs: string): BundleFinding[] {
  const { path } = step.args;
  if (step.role !== 'host' || isBelow(path, rootfs)) return [];
  if (!exists(path)) return [missing(`${step.pointer}/path`, `'${path}' does not exist`, 'the hook cannot be run')];
  let facts: ReturnType<typeof statIfExists>;
  try {
    facts = statIfExists(path);
  } catch {
    return []; // below a folder that is closed to us: nobody can tell
  }
  const { mode = 0o111, kind = 'file' } = facts ?? {};
  return (mode & 0o111) === 0 || kind === 'directory'
    ? [missing(`${step.pointer}/path`, `'${path}' is not executable`, 'the hook cannot be run')]
    : [];
}

/** Lines of /proc/self/limits come in the order of the resources' numbers. */
function hardLimit(resource: number): bigint | undefined {
  const line = (readTextIfExists('/proc/self/limits') ?? '').split('\n')[resource + 1] ?? '';
  const value = /^.{26}\S+\s+(\d+|unlimited)/.exec(line)?.[1];
  return value === undefined || value === 'unlimited' ? undefined : BigInt(value);
}

function rlimitLacking(step: Step & { op: 'child.rlimit' }): BundleFinding[] {
  const most = hardLimit(step.args.resource);
  if (most === undefined || hasCapability(capSysResource) || !(step.args.hard > most)) return [];
  const why = 'to raise it takes CAP_SYS_RESOURCE, which this process does not have';
  return [missing(step.pointer, `${step.summary}: more than the hard limit of ${most} here`, why)];
}

function oomLacking({ spec }: Subject): BundleFinding[] {
  const wanted = spec.process?.oomScoreAdj;
  if (wanted === undefined || hasCapability(capSysResource)) return [];
  const own = Number(readTextIfExists('/proc/self/oom_score_adj') ?? 0);
  if (wanted >= Math.min(own, 0)) return [];
  const why = 'to lower it takes CAP_SYS_RESOURCE, which this process does not have';
  return [missing('/process/oomScoreAdj', `${wanted} is lower than ${Math.min(own, 0)}`, why)];
}

/** Limits for a cgroup that this user may not make. */
function cgroupsLacking({ plan, cgroup, facts }: Subject): BundleFinding[] {
  const closed = new Set(cgroupsOutOfReach(cgroup));
  if (closed.size === 0) return [];
  const slots = new Set<number>();
  const findings: BundleFinding[] = [];
  for (const step of plan.steps) {
    if (step.op === 'cgroup.open' && closed.has(`${step.args.root}/${step.args.path}`)) {
      slots.add(step.args.slot);
      if (step.tolerate === undefined)
        findings.push(
          missing(
            step.pointer || '/linux/cgroupsPath',
            `${step.args.root}/${step.args.path} cannot be made`,
            'this user may not write there',
          ),
        );
    }
    const writes = step.op === 'cgroup.write' || step.op === 'cgroup.write-each';
    if (writes && slots.has(step.args.slot) && step.tolerate === undefined)
      findings.push(
        missing(
          step.pointer,
          `${step.args.file} cannot be written`,
          `uid ${facts.uid} may not make the cgroup that would have this limit`,
        ),
      );
  }
  return findings;
}

function sysctlsLacking({ spec }: Subject): BundleFinding[] {
  return Object.keys(spec.linux?.sysctl ?? {}).flatMap((name) => {
    // A slash and a dot change places: net.ipv4.conf.eth0/1.forwarding.
    const path = [...name].map((c) => (c === '.' ? '/' : c === '/' ? '.' : c)).join('');
    if (exists(`/proc/sys/${path}`)) return [];
    const pointer = `/linux/sysctl/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    // An interface, or a module, may come with the container's own network.
    const kind = name.startsWith('net.') ? 'warning' : 'missing';
    return [
      found(
        kind,
        pointer,
        `/proc/sys/${path} does not exist here`,
        'the kernel has no such parameter, or its module is not loaded',
      ),
    ];
  });
}

function devicesLacking({ spec }: Subject): BundleFinding[] {
  return Object.keys(spec.linux?.netDevices ?? {}).flatMap((name) =>
    exists(`/sys/class/net/${name}`)
      ? []
      : [
          missing(
            `/linux/netDevices/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
            `there is no network device '${name}' here`,
            'there is nothing to move into the container',
          ),
        ],
  );
}

/** Processors and nodes of memory that this machine can never have. */
function numbersLacking({ spec }: Subject): BundleFinding[] {
  const rows = [
    ['cpus', 'cpu', 'processor'],
    ['mems', 'node', 'node of memory'],
  ] as const;
  return rows.flatMap(([key, folder, what]) => {
    const highest = (list: string): number => Math.max(-1, ...(list.match(/\d+/g) ?? []).map(Number));
    const most = highest(readTextIfExists(`/sys/devices/system/${folder}/possible`) ?? '');
    const wanted = highest(spec.linux?.resources?.cpu?.[key] ?? '');
    if (most < 0 || wanted <= most) return [];
    return [
      missing(
        `/linux/resources/cpu/${key}`,
        `there is no ${what} ${wanted} here`,
        `the last one that can be is ${most}`,
      ),
    ];
  });
}

function agentLacking({ spec }: Subject): BundleFinding[] {
  const path = spec.linux?.seccomp?.listenerPath;
  if (path === undefined || path === '' || exists(path)) return [];
  return [missing('/linux/seccomp/listenerPath', `'${path}' does not exist`, 'there is no agent to talk to')];
}

/** A size that the kernel does not have, where a hierarchy has the controller. */
function hugePagesLacking(step: Step & { op: 'cgroup.write' }): BundleFinding[] {
  const size = /^hugetlb\.([0-9A-Z]+)\./.exec(step.args.file)?.[1];
  const sizes = size === undefined ? [] : hugepageSizes();
  if (size === undefined || sizes.includes(size)) return [];
  const why = `it has ${sizes.length > 0 ? sizes.join(' and ') : 'none'}: /sys/kernel/mm/hugepages`;
  return [missing(step.pointer, `this kernel has no huge pages of ${size}`, why)];
}

function stepLacking(step: Step, subject: Subject): BundleFinding[] {
  const { rootfs } = subject;
  if (step.tolerate !== undefined) return [];
  if (step.op === 'source.open' || (step.op === 'mount.bind' && step.pointer.startsWith('/mounts/')))
    return sourceLacking(step, subject);
  if (step.op === 'hook.run') return hookLacking(step, rootfs);
  if (step.op === 'cgroup.write') return hugePagesLacking(step);
  return step.op === 'child.rlimit' ? rlimitLacking(step) : [];
}

export const lackingIn = (subject: Subject): BundleFinding[] => [
  ...namespacesLacking(subject),
  ...joinedLacking(subject),
  ...subject.plan.steps.flatMap((step) => stepLacking(step, subject)),
  ...oomLacking(subject),
  ...cgroupsLacking(subject),
  ...idsLacking(subject.spec, subject.facts),
  ...sysctlsLacking(subject),
  ...devicesLacking(subject),
  ...numbersLacking(subject),
  ...agentLacking(subject),
  ...fileSystemsLacking(subject.spec),
];
