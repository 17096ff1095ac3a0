import type { Mount } from '../../bundle/types.js';
import { cleanPath } from '../paths.js';
import { type FoldedOptions, foldOptions } from './mount-options.js';

/** One entry of `mounts`, read. */
export interface MountEntry {
  readonly mount: Mount;
  readonly pointer: string;
  /** As in the config, made absolute; the executor resolves it in the root. */
  readonly target: string;
  /** The target without `..` and the like, for recognising it. */
  readonly clean: string;
  readonly options: FoldedOptions;
}

/** The entries of `mounts`, in their order. */
export function readMounts(mounts: readonly Mount[]): MountEntry[] {
  const entries: MountEntry[] = [];
  for (let i = 0; i < mounts.length; i++) {
    const mount = mounts[i] as Mount;
    const { destination } = mount;
    // A slash at its end would ask for a directory, also where the bind is of a file.
    const target = `/${destination}`.replace(/^\/+/, '/').replace(/(.)\/+$/, '$1');
    const options = foldOptions(mount.options ?? []);
    entries.push({ mount, pointer: `/mounts/${i}`, target, clean: cleanPath(target), options });
  }
  return entries;
}
