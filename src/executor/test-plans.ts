/** Building blocks of small plans for tests: a container of host binaries on an empty root. Needs root. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { mountFlags, type OpArgs, type OpName, type Role } from '../generated/ops.js';
import { carryOut } from '../host/executor.js';
import { encodePlan } from '../plan/encode.js';
import type { Step } from '../plan/step.js';
import { makeFolder, needsRoot, removeTree, suiteWith } from '../test-fixtures.js';
import { decodeOutcome, type Outcome } from './outcome.js';

export const none = 0xffffffff;
export const newNamespaces = {
  mount: 0x20000,
  uts: 0x4000000,
  ipc: 0x8000000,
  user: 0x10000000,
  pid: 0x20000000,
  net: 0x40000000,
};
const rslave = (1 << 19) | 0x4000;

export function step<K extends OpName>(role: Role, op: K, args: OpArgs[K], extra: Partial<Step> = {}): Step {
  return { op, role, args, pointer: `/${op}`, summary: op, ...extra } as unknown as Step;
}
export const init = <K extends OpName>(op: K, args: OpArgs[K], extra: Partial<Step> = {}): Step =>
  step('init', op, args, extra);
export const host = <K extends OpName>(op: K, args: OpArgs[K], extra: Partial<Step> = {}): Step =>
  step('host', op, args, extra);

export const bind = (source: string, target: string, more: Partial<OpArgs['mount.bind']> = {}): Step =>
  init('mount.bind', {
    recursive: 0,
    set: 1,
    clear: 0,
    recursiveSet: 0,
    recursiveClear: 0,
    flags: 0,
    idmapSlot: none,
    source,
    target,
    ...more,
  });
export const filesystem = (type: string, target: string, more: Partial<OpArgs['mount.filesystem']> = {}): Step =>
  init('mount.filesystem', {
    type,
    source: type,
    target,
    attributes: 0,
    flags: 0,
    options: [],
    softOptions: [],
    ...more,
  });

export const create = (
  namespaces = newNamespaces.mount | newNamespaces.uts | newNamespaces.ipc | newNamespaces.pid,
): Step => host('child.create', { namespaces, cgroupSlot: none, asJoiner: 0, fullSlot: none });

/** Mounts that make a shell runnable, in a root at `root`. */
export const prepareRoot = (root: string): Step[] => [
  init('session.start', { terminal: 0 }),
  init('root.prepare', { propagation: rslave, parent: 1 << 18, path: root }),
  filesystem('proc', '/proc', { flags: mountFlags.strict | mountFlags.proc }),
  filesystem('tmpfs', '/dev', { options: ['mode=755'] }),
  ...['/usr', '/bin', '/lib', '/lib64'].map((path) => bind(path, path)),
];

/** From the pivot to the payload; `script` runs in a shell. */
export const payload = (script: string, before: readonly Step[] = []): Step[] => [
  init('root.pivot', {}),
  init('process.directory', { create: 0, path: '/' }),
  init('process.find', { candidates: ['/bin/sh'] }),
  init('process.close-fds', {}),
  ...before,
  init('process.exec', { args: ['sh', '-c', script], env: ['PATH=/usr/bin:/bin'] }),
];
export const supervise = host('child.supervise', { terminal: 0, subreaper: 1 });

/** A temporary directory with an empty `rootfs`. */
export interface TestRoot {
  readonly directory: string;
  readonly root: string;
}
export function temporaryRoot(): TestRoot {
  const directory = makeFolder('executor');
  const root = join(directory, 'rootfs');
  mkdirSync(root);
  return { directory, root };
}
/** A suite whose tests get one. */
export const rootSuite = (title: string) =>
  suiteWith(title, { make: temporaryRoot, remove: ({ directory }) => removeTree(directory), missing: needsRoot });

export function execute(steps: readonly Step[], stdio?: readonly (number | 'ignore')[], preserveFds = 0): Outcome {
  return decodeOutcome(carryOut(encodePlan({ steps, preserveFds }), stdio));
}
