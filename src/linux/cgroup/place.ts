/** From a saved record to directories and files of cgroupfs, for the commands that come after create. */
import { fail } from '../../errors/error.js';
import { fileSystemMagic, readTextIfExists, statIfExists } from '../../host/files.js';
import type { CgroupPlace, CgroupRecord } from '../../tables/cgroup.js';

const magicOf = { 1: 0x27e0eb, 2: 0x63677270 } as const;

/**
 * The directory of a place. The record comes from our own state file, but what follows kills, freezes and
 * removes: so the path is looked at once more, and the mount point has to be the file system it was (S31, S33).
 */
export function directoryOf({ mountPoint, path, version }: CgroupPlace): string {
  const names = path.split('/');
  if (!mountPoint.startsWith('/') || names.some((name) => name === '' || name === '.' || name === '..')) {
    fail('TSR_CGROUP_PATH', `'${path}' is no cgroup below '${mountPoint}'`);
  }
  const magic = fileSystemMagic(mountPoint);
  if (magic !== 0 && magic !== magicOf[version]) {
    fail('TSR_CGROUP_PATH', `'${mountPoint}' is no longer a cgroup v${version} file system`);
  }
  return `${mountPoint}/${path}`;
}

export const isDirectory = (path: string): boolean => statIfExists(path)?.kind === 'directory';

/** The place that carries a v1 controller. */
export const legacyPlace = ({ places }: CgroupRecord, controller: string): CgroupPlace | undefined =>
  places.find(({ version, controllers }) => version === 1 && controllers.includes(controller));

/** The v2 place. */
export const unifiedPlace = ({ places }: CgroupRecord): CgroupPlace | undefined =>
  places.find(({ version }) => version === 2);

/** Value of `key` in a file of `key value` lines; undefined without the file or the key. */
export function readKey(file: string, key: string): string | undefined {
  const text = readTextIfExists(file);
  const line = text?.split('\n').find((candidate) => candidate.startsWith(`${key} `));
  return line?.slice(key.length + 1).trim();
}
