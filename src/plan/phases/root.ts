import type { Spec } from '../../bundle/types.js';
import { fail } from '../../errors/error.js';
import { MS } from '../../tables/mount-options.js';
import type { Context } from '../options.js';
import { absolutePath } from '../paths.js';
import { type Step, step } from '../step.js';
import { isApart } from './namespaces.js';

const propagations: ReadonlyMap<string, number> = new Map([
  ['shared', MS.SHARED],
  ['rshared', MS.SHARED | MS.REC],
  ['slave', MS.SLAVE],
  ['rslave', MS.SLAVE | MS.REC],
  ['private', MS.PRIVATE],
  ['rprivate', MS.PRIVATE | MS.REC],
  ['unbindable', MS.UNBINDABLE],
  ['runbindable', MS.UNBINDABLE | MS.REC],
]);

function propagationOf({ spec }: Context): number | undefined {
  const name = spec.linux?.rootfsPropagation;
  return name === undefined ? undefined : propagations.get(name);
}

/** The root's mount, seen from the host's tree; everything up to the pivot is resolved below it. */
export function rootSteps(context: Context): Step[] {
  const { spec, options } = context;
  const path = absolutePath(options.bundle, spec.root.path);
  // Events of the host's mounts must not stop reaching us halfway through, and ours must never reach it (S43).
  const propagation = propagationOf(context) ?? MS.SLAVE | MS.REC;
  // Only a root that was asked to follows what the host mounts below it.
  const parent = (propagationOf(context) ?? 0) & MS.SLAVE ? MS.SLAVE : MS.PRIVATE;
  return [step('init', 'root.prepare', { propagation, parent, path }, '/root/path', `prepare root ${path}`)];
}

/** What keeps the container from something, and takes a mount: left out, the process could do more than it was to. */
const protections = [
  ['/linux/maskedPaths', ({ linux }: Spec) => (linux?.maskedPaths?.length ?? 0) > 0],
  ['/linux/readonlyPaths', ({ linux }: Spec) => (linux?.readonlyPaths?.length ?? 0) > 0],
  ['/root/readonly', ({ root }: Spec) => root.readonly === true],
] as const;

/**
 * Without a mount namespace every mount would be the host's, so there are none: the process is only confined to its
 * root by chroot. What would take a mount is left out with a warning, and refused where it protects.
 */
export function chrootSteps({ spec, options, warnings }: Context): Step[] {
  const pointer = '/linux/namespaces';
  const hint = "add { 'type': 'mount' }";
  for (const [key, isAsked] of protections) {
    if (!isAsked(spec)) continue;
    const message = `'${key.slice(key.lastIndexOf('/') + 1)}' needs a mount namespace`;
    fail('TSR_NAMESPACE_NEEDED', message, { pointer: key, hint: "add { 'type': 'mount' } to linux.namespaces" });
  }
  const left: string[] = [];
  if ((spec.mounts?.length ?? 0) > 0) left.push('mounts');
  if ((spec.linux?.devices?.length ?? 0) > 0) left.push('devices');
  if (left.length > 0) {
    const message = `there is no mount namespace: ${left.join(', ')} left out, nothing is mounted on the host`;
    warnings.push({ code: 'TSR_NAMESPACE_NO_MOUNTS', message, pointer, hint });
  }
  const path = absolutePath(options.bundle, spec.root.path);
  return [step('init', 'root.open', { path }, '/root/path', `chroot into ${path}`)];
}

/** The host's tree becomes unreachable. */
export function pivotSteps(context: Context): Step[] {
  const steps: Step[] = [
    context.options.noPivot
      ? step('init', 'root.move', {}, '/root', 'move the root over / and chroot into it')
      : step('init', 'root.pivot', {}, '/root', "pivot into the root and drop the host's tree"),
  ];
  // Private and slave are in place since root.prepare; these two would have got in the pivot's way.
  const propagation = propagationOf(context) ?? 0;
  if (propagation & (MS.SHARED | MS.UNBINDABLE)) {
    const args = { propagation: propagation & ~MS.REC, recursive: propagation & MS.REC ? 1 : 0 };
    const summary = `make the root ${context.spec.linux?.rootfsPropagation}`;
    steps.push(step('init', 'root.propagation', args, '/linux/rootfsPropagation', summary));
  }
  return steps;
}

/** Last of all that writes into the root. */
export function readonlyRootSteps({ spec }: Context): Step[] {
  return spec.root.readonly ? [step('init', 'root.readonly', {}, '/root/readonly', 'make the root read-only')] : [];
}

/** Names of the host in the UTS namespace. */
export function hostNameSteps(context: Context): Step[] {
  const { spec, namespaces } = context;
  const steps: Step[] = [];
  for (const key of ['hostname', 'domainname'] as const) {
    const name = spec[key];
    if (name === undefined || name === '') continue;
    const pointer = `/${key}`;
    if (!isApart(namespaces, 'uts')) {
      fail('TSR_NAMESPACE_NEEDED', `'${key}' would change the host's: there is no uts namespace`, {
        pointer,
        hint: "add { 'type': 'uts' } to linux.namespaces",
      });
    }
    const op = key === 'hostname' ? 'host.name' : 'host.domain';
    steps.push(step('init', op, { name }, pointer, `set ${key} ${name}`));
  }
  return steps;
}
