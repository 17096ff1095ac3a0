import type { CgroupRecord } from '../../tables/cgroup.js';

/** What the command line says about a dump or a restore. */
export interface CriuFlags {
  readonly tcpEstablished: boolean;
  readonly tcpSkipInFlight: boolean;
  readonly tcpClose: boolean;
  readonly linkRemap: boolean;
  readonly extUnixSk: boolean;
  readonly shellJob: boolean;
  readonly lazyPages: boolean;
  readonly fileLocks: boolean;
  readonly autoDedup: boolean;
  readonly leaveRunning: boolean;
  readonly preDump: boolean;
  /** A word of `tables/criu.ts`, as the next one. */
  readonly cgroupMode?: string | undefined;
  readonly networkLock?: string | undefined;
  /** Relative to the image directory. */
  readonly parentPath?: string | undefined;
  readonly pageServer?: { readonly address: string; readonly port: number } | undefined;
  readonly statusFd?: number | undefined;
  readonly lsmProfile?: string | undefined;
  readonly lsmMountContext?: string | undefined;
}

/** Where CRIU is, and what it reads and writes. Paths are absolute. */
export interface CriuPlace {
  readonly program: string;
  readonly images: string;
  /** For logs; the image directory where there is none. */
  readonly work?: string | undefined;
  /** A configuration file of CRIU's that goes before everything the runtime asks for. */
  readonly configFile?: string | undefined;
}

/** A namespace that the container has joined and that CRIU leaves as it is. */
export interface ExternalNamespace {
  readonly type: 'network' | 'pid';
  readonly path: string;
  /** Of the namespace behind the path. */
  readonly inode: number;
}

/** One mount as the container sees it; linux/mountinfo.ts reads them. */
export interface MountFact {
  readonly mountPoint: string;
  /** Which directory of the filesystem is mounted. */
  readonly root: string;
  readonly type: string;
  /** Of this mount, not of its filesystem: `ro`, `nosuid`. */
  readonly options: readonly string[];
}

export interface CheckpointOptions {
  readonly flags: CriuFlags;
  readonly place: CriuPlace;
  readonly rootfs: string;
  readonly pid: number;
  readonly cgroup: CgroupRecord;
  readonly external: readonly ExternalNamespace[];
  /** Of the container's first process, in their order. */
  readonly mounts: readonly MountFact[];
  /** What deletes the container after it has been dumped. */
  readonly remove: { readonly path: string; readonly args: readonly string[] };
}

export interface RestoreOptions {
  readonly flags: CriuFlags;
  readonly place: CriuPlace;
  /** What descriptors 0, 1 and 2 led to when the image was made. Not to be trusted. */
  readonly descriptors: readonly string[];
  /** What looks at the restored mounts before anything runs: gets a request in JSON and the pid. */
  readonly check: { readonly path: string; readonly args: readonly string[] };
}
