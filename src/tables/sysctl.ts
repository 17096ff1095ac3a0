/**
 * Which kernel parameters belong to a namespace, and so may be set for a container: security.md S16. Everything else
 * is the host's.
 */
import type { NamespaceType } from './namespaces.js';

const ownParameters: ReadonlyMap<string, NamespaceType> = new Map([
  ['kernel/msgmax', 'ipc'],
  ['kernel/msgmnb', 'ipc'],
  ['kernel/msgmni', 'ipc'],
  ['kernel/sem', 'ipc'],
  ['kernel/shmall', 'ipc'],
  ['kernel/shmmax', 'ipc'],
  ['kernel/shmmni', 'ipc'],
  ['kernel/shm_rmid_forced', 'ipc'],
  ['kernel/domainname', 'uts'],
  ['kernel/hostname', 'uts'],
]);

const ownTrees: readonly (readonly [prefix: string, NamespaceType])[] = [
  ['net/', 'network'],
  ['fs/mqueue/', 'ipc'],
  ['user/', 'user'],
];

/**
 * The path below /proc/sys, as sysctl(8) reads a name: the first separator decides, `net.ipv4.conf.eth0/1.forwarding`
 * is `net/ipv4/conf/eth0.1/forwarding`. Undefined for a name with an empty or dotted part.
 */
export function sysctlPath(name: string): string | undefined {
  const slash = name.indexOf('/');
  const dot = name.indexOf('.');
  let path = name;
  if (dot >= 0 && slash < 0) path = name.replaceAll('.', '/');
  else if (dot >= 0 && dot < slash) path = name.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));
  for (const part of path.split('/')) {
    if (part === '' || part === '.' || part === '..') return undefined;
  }
  return path;
}

/** The namespace a parameter belongs to; undefined for one of the whole host. */
export function sysctlNamespace(path: string): NamespaceType | undefined {
  for (const [prefix, namespace] of ownTrees) {
    if (path.startsWith(prefix)) return namespace;
  }
  return ownParameters.get(path);
}
