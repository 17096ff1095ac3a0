import type { Namespace, Spec, TimeOffset } from '../../bundle/types.js';
import { slotOfPlace } from '../../tables/cgroup.js';
import { type NamespaceType, namespaces as table } from '../../tables/namespaces.js';
import type { CompileOptions, Context, NamespaceSet } from '../options.js';
import { noSlot, type Step, step } from '../step.js';

export function namespacesOf(spec: Spec, options: CompileOptions): NamespaceSet {
  const created = new Set<NamespaceType>();
  const joined = new Map<NamespaceType, { path: string; pointer: string }>();
  const list: readonly Namespace[] = spec.linux?.namespaces ?? [];
  for (let i = 0; i < list.length; i++) {
    const { type, path } = list[i] as Namespace;
    if (path === undefined || path === '') created.add(type);
    else if (!options.alreadyIn?.has(type)) joined.set(type, { path, pointer: `/linux/namespaces/${i}` });
  }
  return { created, joined };
}

/** New or joined: not the one the runtime is in, so what is done there stays there. */
export const isApart = ({ created, joined }: NamespaceSet, type: NamespaceType): boolean =>
  created.has(type) || joined.has(type);

const flagOf = (type: NamespaceType): number => table.get(type)?.flag ?? 0;

function timeLine(clock: string, offset: TimeOffset | undefined): string {
  return offset === undefined ? '' : `${clock} ${offset.secs ?? 0} ${offset.nanosecs ?? 0}\n`;
}

/**
 * A time namespace is entered by the children of whoever unshares it, and its offsets can only be written while it
 * is empty: so the host does both before the first child exists.
 */
export function timeSteps({ spec, namespaces }: Context): Step[] {
  if (!namespaces.created.has('time')) return [];
  const offsets = spec.linux?.timeOffsets;
  const value = timeLine('monotonic', offsets?.monotonic) + timeLine('boottime', offsets?.boottime);
  const pointer = value === '' ? '/linux/namespaces' : '/linux/timeOffsets';
  const summary =
    value === '' ? 'new time namespace' : `new time namespace, ahead by ${value.trim().replace('\n', ', ')}`;
  return [step('host', 'self.time-offsets', { value }, pointer, summary)];
}

/**
 * The order in which existing namespaces are entered. Root of the host may enter any of them, and most it may not
 * once it is in a user namespace that does not own them, so the user namespace comes late; without privileges it
 * must come first, because it is what allows the others. The mount namespace is last: it changes what paths mean.
 */
const joinOrder: readonly NamespaceType[] = ['network', 'ipc', 'uts', 'cgroup', 'time', 'pid'];

function joinSteps({ namespaces: { joined }, facts }: Context): Step[] {
  const order: NamespaceType[] = facts.uid === 0 ? [...joinOrder, 'user', 'mount'] : ['user', ...joinOrder, 'mount'];
  const steps: Step[] = [];
  for (const type of order) {
    const entry = joined.get(type);
    if (entry === undefined) continue;
    const { path, pointer } = entry;
    steps.push(step('joiner', 'ns.join', { type: flagOf(type), path }, pointer, `join ${type} namespace ${path}`));
  }
  return steps;
}

/**
 * The container's first process. Two kinds are not in its clone flags: the time namespace, which the host has
 * already prepared, and the cgroup namespace, whose root is the cgroup that init is in when it unshares.
 */
export function childSteps(context: Context): Step[] {
  const { namespaces, options } = context;
  let flags = 0;
  const names: string[] = [];
  for (const type of namespaces.created) {
    names.push(type);
    if (type !== 'time' && type !== 'cgroup') flags |= flagOf(type);
  }
  const record = options.cgroup?.record;
  const cgroupSlot = record?.places[0]?.version === 2 ? slotOfPlace(record, 0) : noSlot;
  const summary =
    names.length === 0 ? 'start init' : `start init in new ${names.join(', ')} namespace${names.length > 1 ? 's' : ''}`;
  const pointer = names.length === 0 ? '' : '/linux/namespaces';
  const args = { namespaces: flags >>> 0, cgroupSlot, asJoiner: 0, fullSlot: noSlot };
  if (namespaces.joined.size === 0) return [step('host', 'child.create', args, pointer, summary)];
  const joiner = { namespaces: 0, cgroupSlot: noSlot, asJoiner: 1, fullSlot: noSlot };
  return [
    step('host', 'child.create', joiner, '/linux/namespaces', 'start the joiner'),
    ...joinSteps(context),
    step('joiner', 'child.create', args, pointer, summary),
  ];
}

/** In init, once it is in its cgroup. */
export function cgroupNamespaceSteps({ namespaces }: Context): Step[] {
  if (!namespaces.created.has('cgroup')) return [];
  return [step('init', 'ns.unshare', { types: flagOf('cgroup') }, '/linux/namespaces', 'new cgroup namespace')];
}

/** A new network namespace has its loopback down. */
export function loopbackSteps({ namespaces }: Context): Step[] {
  if (!namespaces.created.has('network')) return [];
  return [step('init', 'net.loopback-up', {}, '/linux/namespaces', 'bring the loopback interface up')];
}
