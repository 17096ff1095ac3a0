/** The resctrl filesystem of Intel RDT and its kin. */
import { fail } from '../errors/error.js';
import { errnoOf, readTextIfExists, removeDirectory } from '../host/files.js';

/** Where resctrl is mounted, from /proc/self/mountinfo. */
export function findResctrl(mountinfo = readTextIfExists('/proc/self/mountinfo') ?? ''): string | undefined {
  for (const line of mountinfo.split('\n')) {
    const [mount = '', source = ''] = line.split(' - ');
    if (source.startsWith('resctrl ')) return mount.split(' ')[4];
  }
  return undefined;
}

export const schemataOf = (group: string): string | undefined => readTextIfExists(`${group}/schemata`);

/** A group that a container has made. Its processes, if any are left, fall back to the group above. */
export function removeResctrlGroup(path: string): void {
  try {
    removeDirectory(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === '') return;
    fail('TSR_RDT_REMOVE', `cannot remove resctrl group '${path}'`, { errno });
  }
}
