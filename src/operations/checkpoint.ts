import type { Spec } from '../bundle/types.js';
import { fail } from '../errors/error.js';
import { executorPath } from '../host/executor.js';
import * as files from '../host/files.js';
import { requireFeature } from '../linux/criu.js';
import { readMountInfo } from '../linux/mountinfo.js';
import { compileCheckpoint } from '../plan/compile-checkpoint.js';
import type { CriuFlags, ExternalNamespace } from '../plan/criu/options.js';
import { encodePlan } from '../plan/encode.js';
import { statusOf } from '../state/status.js';
import { type Container, openContainer } from '../state/store.js';
import { criuFiles } from '../tables/criu.js';
import type { Plan } from '../plan/step.js';
import { type CriuDirectories, preparePlace, removeOldLog, requireRoot } from './criu.js';
import { readSnapshot } from './snapshot.js';
import type { CgroupControl } from './tools.js';

export interface CheckpointRequest {
  readonly root: string;
  readonly id: string;
  readonly directories: CriuDirectories;
  readonly flags: CriuFlags;
}

export interface PreparedCheckpoint {
  readonly plan: Plan;
  readonly bytes: Uint8Array;
  readonly log: string;
}

/** Where CRIU's log of a dump is. */
export const dumpLog = ({ images, work }: CriuDirectories): string => `${work ?? images}/${criuFiles.dumpLog}`;

function checkStatus({ record, directory }: Container, cgroups: Pick<CgroupControl, 'isFrozen'>): void {
  const status = statusOf(record, directory, () => cgroups.isFrozen(record.cgroup));
  if (record.confinement.recordsSeccomp) {
    fail('TSR_RECORD_SECCOMP', 'a container whose system calls are recorded cannot be checkpointed', {
      hint: 'nobody would answer its calls after restore',
    });
  }
  if (status === 'running' || status === 'paused') return;
  fail('TSR_CHECKPOINT_STATE', `Container cannot be checkpointed in ${status} state`);
}

function checkParent({ images }: CriuDirectories, parent: string | undefined): void {
  if (parent === undefined) return;
  if (parent.startsWith('/')) fail('TSR_CLI_VALUE', '--parent-path must be relative', { hint: 'to --image-path' });
  const kind = files.statIfExists(`${images}/${parent}`)?.kind;
  if (kind !== 'directory') {
    fail('TSR_CLI_VALUE', `invalid --parent-path: '${images}/${parent}' is ${kind ? `a ${kind}` : 'not there'}`);
  }
}

/** Networks and pid namespaces that were there before the container stay as they are (CRIU does no other type). */
function externalNamespaces(spec: Spec): ExternalNamespace[] {
  const found: ExternalNamespace[] = [];
  for (const [index, { type, path }] of (spec.linux?.namespaces ?? []).entries()) {
    if (!path || (type !== 'network' && type !== 'pid')) continue;
    const inode = files.statIfExists(path)?.ino;
    if (inode === undefined) {
      fail('TSR_CRIU_NAMESPACE', `the ${type} namespace '${path}' is gone`, { pointer: `/linux/namespaces/${index}` });
    }
    found.push({ type, path, inode });
  }
  return found;
}

/** The group, as the host sees it, of who opens the images when the container is restored; undefined where that is the host's root. */
const groupOf = ({ linux }: Spec): number | undefined =>
  linux?.uidMappings && linux.gidMappings?.find(({ containerID }) => containerID === 0)?.hostID;

/** The hidden second command: what `delete` does is not for a plan to repeat. */
const removeCommand = ({ root, id }: CheckpointRequest): { path: string; args: string[] } => ({
  path: executorPath(),
  args: ['tsrun', '--root', root, 'delete', '--force', '--', id],
});

/** Checks everything that can be checked, and makes the directories of the image. The caller carries the plan out. */
export function prepareCheckpoint(
  request: CheckpointRequest,
  cgroups: Pick<CgroupControl, 'isFrozen'>,
): PreparedCheckpoint {
  const { flags, directories } = request;
  const container = openContainer(request.root, request.id);
  const { record } = container;
  checkStatus(container, cgroups);
  requireRoot();
  const { spec } = readSnapshot(container.directory);
  const place = preparePlace(directories, record.annotations, groupOf(spec));
  checkParent(directories, flags.parentPath);
  if (flags.preDump) requireFeature(place.program, 'mem_dirty_track', 'pre-dump');
  if (flags.lazyPages) requireFeature(place.program, 'uffd-noncoop', 'lazy-pages');
  const plan = compileCheckpoint(spec, {
    flags,
    place,
    rootfs: record.rootfs,
    pid: record.pid,
    cgroup: record.cgroup,
    external: externalNamespaces(spec),
    mounts: readMountInfo(record.pid),
    remove: removeCommand(request),
  });
  const bytes = encodePlan(plan);
  removeOldLog(dumpLog(directories));
  if (!flags.preDump) {
    files.writeAtomically(`${directories.images}/${criuFiles.descriptors}`, JSON.stringify(record.stdio));
  }
  return { plan, bytes, log: dumpLog(directories) };
}
