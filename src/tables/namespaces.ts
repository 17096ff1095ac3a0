/** Namespace types of config.json: the CLONE flag, the file under /proc/PID/ns. */
export interface NamespaceRow {
  /** CLONE_NEW* flag, for clone3, unshare and setns. */
  readonly flag: number;
  /** Name below /proc/PID/ns; reading its link gives `net:[4026531840]`. */
  readonly file: string;
}

export type NamespaceType = 'cgroup' | 'ipc' | 'mount' | 'network' | 'pid' | 'time' | 'user' | 'uts';

/** In the spec's spelling, sorted as `features` prints them. */
export const namespaces: ReadonlyMap<string, NamespaceRow> = new Map<NamespaceType, NamespaceRow>([
  ['cgroup', { flag: 0x02000000, file: 'cgroup' }],
  ['ipc', { flag: 0x08000000, file: 'ipc' }],
  ['mount', { flag: 0x00020000, file: 'mnt' }],
  ['network', { flag: 0x40000000, file: 'net' }],
  ['pid', { flag: 0x20000000, file: 'pid' }],
  ['time', { flag: 0x00000080, file: 'time' }],
  ['user', { flag: 0x10000000, file: 'user' }],
  ['uts', { flag: 0x04000000, file: 'uts' }],
]);
