/**
 * What tsrun says to CRIU: the part of its rpc.proto that we use, by the names there. A number is that of a field, a
 * pair that of a field which is a message itself. `criu.test.ts` holds it against the file that CRIU installs.
 */
export interface MessageShape {
  readonly [field: string]: number | readonly [number, MessageShape];
}

const pageServer: MessageShape = { address: 1, port: 2 };
const mount: MessageShape = { key: 1, val: 2 };
const cgroupRoot: MessageShape = { ctrl: 1, path: 2 };
const inheritedFd: MessageShape = { key: 1, fd: 2 };
const joinedNamespace: MessageShape = { ns: 1, ns_file: 2 };

const options: MessageShape = {
  images_dir_fd: 1,
  pid: 2,
  leave_running: 3,
  ext_unix_sk: 4,
  tcp_established: 5,
  evasive_devices: 6,
  shell_job: 7,
  file_locks: 8,
  log_level: 9,
  log_file: 10,
  ps: [11, pageServer],
  notify_scripts: 12,
  root: 13,
  parent_img: 14,
  track_mem: 15,
  auto_dedup: 16,
  work_dir_fd: 17,
  link_remap: 18,
  ext_mnt: [23, mount],
  manage_cgroups: 24,
  cg_root: [25, cgroupRoot],
  rst_sibling: 26,
  inherit_fd: [27, inheritedFd],
  manage_cgroups_mode: 34,
  external: 37,
  empty_ns: 38,
  join_ns: [39, joinedNamespace],
  freeze_cgroup: 44,
  tcp_skip_in_flight: 46,
  lazy_pages: 48,
  orphan_pts_master: 50,
  config_file: 51,
  tcp_close: 52,
  lsm_profile: 53,
  lsm_mount_context: 63,
  network_lock: 64,
};

export const requestShape: MessageShape = { type: 1, opts: [2, options], notify_success: 3 };

/** enum criu_req_type */
export const requestTypes = { dump: 1, restore: 2, preDump: 4, notify: 6 } as const;

/** enum criu_cg_mode, by the words of `--manage-cgroups-mode`. */
export const cgroupModes: ReadonlyMap<string, number> = new Map([
  ['ignore', 0],
  ['soft', 3],
  ['full', 4],
  ['strict', 5],
]);
export const defaultCgroupMode = 6;

/** enum criu_network_lock_method */
export const networkLocks: ReadonlyMap<string, number> = new Map([
  ['iptables', 1],
  ['nftables', 2],
]);

/** The first version with everything in the tables above: CRIU ignores fields that it does not know, without a word. */
export const oldestCriu = { major: 3, minor: 17 } as const;

/** Files that CRIU and the runtimes find in an image directory or a work directory. */
export const criuFiles = { descriptors: 'descriptors.json', dumpLog: 'dump.log', restoreLog: 'restore.log' } as const;

/** Where CRIU sees a root that it restores into; in the container's state directory. */
export const criuRootDirectory = 'criu-root';
