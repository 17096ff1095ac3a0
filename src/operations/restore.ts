import { fail } from '../errors/error.js';
import { executorPath } from '../host/executor.js';
import * as files from '../host/files.js';
import { compileRestore } from '../plan/compile-restore.js';
import type { CriuFlags } from '../plan/criu/options.js';
import { encodePlan } from '../plan/encode.js';
import { claimId } from '../state/lock.js';
import { checkContainerId } from '../state/ids.js';
import {
  makeCriuRoot,
  makeNotifyDirectory,
  prepareRoot,
  removeState,
  writeAnnotations,
  writeConfigSnapshot,
  writeProvisional,
} from '../state/store.js';
import { criuFiles } from '../tables/criu.js';
import { type CreateRequest, type PreparedCreate, readRequest } from './create.js';
import { type CriuDirectories, preparePlace, removeOldLog, requireRoot } from './criu.js';
import { trace } from './trace.js';

export interface RestoreRequest {
  /** The new container, as for `run`; its process comes from the image. */
  readonly create: CreateRequest;
  readonly directories: CriuDirectories;
  readonly flags: CriuFlags;
}

/** The hidden command that the plan has tsrun itself run before the restored processes do. */
export const checkCommand = 'restore-check';

/** Far above three names. */
const longestDescriptors = 64 << 10;

/** Where CRIU's log of a restore is. */
export const restoreLog = ({ images, work }: CriuDirectories): string => `${work ?? images}/${criuFiles.restoreLog}`;

/** The image is not ours to trust: a list of texts, or an error. */
function readDescriptors(images: string): string[] {
  const path = `${images}/${criuFiles.descriptors}`;
  const refuse = (why: string): never =>
    fail('TSR_CRIU_IMAGE', `'${images}' is no image of a container: ${why}`, {
      hint: `'${criuFiles.descriptors}' is written by checkpoint`,
    });
  const facts = files.lstatIfExists(path);
  if (facts?.kind !== 'file') return refuse(`it has no file '${criuFiles.descriptors}'`);
  if (facts.size > longestDescriptors) refuse(`'${criuFiles.descriptors}' is too large`);
  let value: unknown;
  try {
    value = JSON.parse(files.readText(path));
  } catch {
    refuse(`'${criuFiles.descriptors}' is not JSON`);
  }
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) {
    refuse(`'${criuFiles.descriptors}' is not a list of names`);
  }
  return value as string[];
}

/** As for `create`: everything that can be refused is, then the id is claimed and the provisional record written. */
export function prepareRestore({ create, directories, flags }: RestoreRequest): PreparedCreate {
  checkContainerId(create.id);
  requireRoot();
  prepareRoot(create.root);
  const { spec, facts, options, draft, source, warnings } = readRequest(create);
  if (options.recorder !== undefined) {
    fail('TSR_RECORD_SECCOMP', 'the system calls of a restored container cannot be recorded', {
      pointer: options.recorder.pointer,
      hint: 'remove the annotation',
    });
  }
  if (files.statIfExists(directories.images)?.kind !== 'directory') {
    fail('TSR_CRIU_IMAGE', `there is no image directory '${directories.images}'`, { hint: 'see --image-path' });
  }
  const descriptors = readDescriptors(directories.images);
  const place = preparePlace(directories, draft.annotations);
  const plan = compileRestore(spec, facts, options, {
    flags,
    place,
    descriptors,
    check: { path: executorPath(), args: ['tsrun', checkCommand] },
  });
  trace('plan', plan);
  const bytes = encodePlan(plan);
  removeOldLog(restoreLog(directories));
  const directory = claimId(create.root.path, create.id);
  trace('claimed', directory);
  try {
    writeProvisional(directory, options.creating);
    writeConfigSnapshot(directory, source.bytes ?? source.text);
    writeAnnotations(directory, draft.annotations);
    makeNotifyDirectory(directory);
    makeCriuRoot(directory);
  } catch (error) {
    removeState(create.root.path, create.id);
    throw error;
  }
  return { plan, bytes, directory, warnings: [...warnings, ...plan.warnings], cgroup: draft.cgroup };
}
