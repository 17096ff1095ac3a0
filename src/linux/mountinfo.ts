/** /proc/PID/mountinfo (proc(5)): the mounts a process sees, in the order in which they lie over each other. */
import { readTextIfExists } from '../host/files.js';
import type { MountFact } from '../plan/criu/options.js';

/** Blanks, tabs, newlines and backslashes are written in octal. */
const plain = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/** Parses the file's text; a line of another form is left out. */
export function parseMountInfo(text: string): MountFact[] {
  const mounts: MountFact[] = [];
  for (const line of text.split('\n')) {
    const fields = line.split(' ');
    const separator = fields.indexOf('-');
    const [, , , root, mountPoint, options] = fields;
    if (separator < 6 || root === undefined || mountPoint === undefined || options === undefined) continue;
    const type = fields[separator + 1] ?? '';
    mounts.push({ mountPoint: plain(mountPoint), root: plain(root), type, options: options.split(',') });
  }
  return mounts;
}

/** The mounts of a process; none when it is gone. */
export const readMountInfo = (pid: number): MountFact[] =>
  parseMountInfo(readTextIfExists(`/proc/${pid}/mountinfo`) ?? '');
