import { containerDirectory } from '../../tables/notify.js';
import type { Context } from '../options.js';
import { type MountEntry, readMounts } from './mount-entry.js';
import { directoryOf } from './notify.js';

/** The folder with the socket, mounted after everything of the config's: it may bring its own /run. */
export function notifyMounts(context: Context): MountEntry[] {
  if (context.options.notifySocket === undefined) return [];
  const options = ['bind', 'ro', 'nosuid', 'noexec', 'nodev'];
  const mount = { destination: containerDirectory, type: 'bind', source: directoryOf(context), options };
  return readMounts([mount]).map((entry) => ({ ...entry, pointer: '' }));
}
