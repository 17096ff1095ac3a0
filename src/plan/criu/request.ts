/** The requests to CRIU, as data and as bytes. */
import type { Spec } from '../../bundle/types.js';
import type { CgroupRecord } from '../../tables/cgroup.js';
import {
  cgroupModes,
  criuFiles,
  defaultCgroupMode,
  networkLocks,
  requestShape,
  requestTypes,
} from '../../tables/criu.js';
import { namespaces } from '../../tables/namespaces.js';
import { encodeMessage, type Message } from './message.js';
import { dumpedMounts, type ExternalMount } from './mounts.js';
import type { CheckpointOptions, CriuFlags, CriuPlace, ExternalNamespace, RestoreOptions } from './options.js';

/** CRIU's number of the socket it is talked to through is 3 (`criu swrk 3`); what the plan opens comes behind. */
const firstFd = 4;

/** CLONE_NEWNET: networks are the engine's business, so CRIU neither saves nor makes devices and addresses. */
const networkNamespace = 0x40000000;

/** What the plan opens for CRIU, in the order of its descriptors. */
export function openedPaths({ images, work }: CriuPlace, joined: readonly { readonly path: string }[]): string[] {
  return [images, ...(work === undefined ? [] : [work]), ...joined.map(({ path }) => path)];
}

const keyOf = (type: ExternalNamespace['type']): string => (type === 'network' ? 'extRootNetNS' : 'extRootPidNS');

/** The wire form of an answer to a notification: go on. */
export const goOn = (): Uint8Array => encodeMessage({ type: requestTypes.notify, notify_success: true }, requestShape);

const yes = (value: boolean): true | undefined => value || undefined;

/** What dump and restore have in common. */
function commonOptions(flags: CriuFlags, { work, configFile }: CriuPlace, logFile: string): Message {
  return {
    images_dir_fd: firstFd,
    work_dir_fd: work === undefined ? undefined : firstFd + 1,
    log_level: 4,
    log_file: logFile,
    config_file: configFile,
    notify_scripts: true,
    manage_cgroups: true,
    manage_cgroups_mode: cgroupModes.get(flags.cgroupMode ?? '') ?? defaultCgroupMode,
    orphan_pts_master: true,
    empty_ns: networkNamespace,
    ext_unix_sk: yes(flags.extUnixSk),
    tcp_established: yes(flags.tcpEstablished),
    tcp_close: yes(flags.tcpClose),
    shell_job: yes(flags.shellJob),
    file_locks: yes(flags.fileLocks),
    auto_dedup: yes(flags.autoDedup),
    lazy_pages: yes(flags.lazyPages),
  };
}

/** The cgroup whose freezer stops all processes at once. */
function freezerOf({ places }: CgroupRecord): string | undefined {
  const place =
    places.find(({ controllers, version }) => version === 1 && controllers.includes('freezer')) ??
    places.find(({ version }) => version === 2);
  return place && `${place.mountPoint}/${place.path}`;
}

/** A dump, or the first part of one. */
export function dumpMessage(spec: Spec, options: CheckpointOptions): Message {
  const { flags, place, rootfs, pid, cgroup, external, mounts } = options;
  const opts: Message = {
    ...commonOptions(flags, place, criuFiles.dumpLog),
    pid,
    root: rootfs,
    leave_running: yes(flags.leaveRunning),
    tcp_skip_in_flight: yes(flags.tcpSkipInFlight),
    link_remap: yes(flags.linkRemap),
    network_lock: networkLocks.get(flags.networkLock ?? ''),
    freeze_cgroup: freezerOf(cgroup),
    external: external.map(({ type, inode }) => `${namespaces.get(type)?.file}[${inode}]:${keyOf(type)}`),
    ps: flags.pageServer && { ...flags.pageServer },
    parent_img: flags.parentPath,
    track_mem: flags.parentPath === undefined ? undefined : true,
    ext_mnt: flags.preDump ? [] : messages(dumpedMounts(spec, mounts, cgroup)),
  };
  return { type: flags.preDump ? requestTypes.preDump : requestTypes.dump, opts };
}

const messages = (mounts: readonly ExternalMount[]): Message[] => mounts.map(({ key, val }) => ({ key, val }));

/** Where the cgroups of the image are put: below the ones that the container gets here. */
function cgroupRoots({ places }: CgroupRecord): Message[] {
  const roots: Message[] = [];
  for (const { version, controllers, path } of places) {
    for (const ctrl of version === 2 ? [''] : controllers) roots.push({ ctrl, path: `/${path}` });
  }
  return roots;
}

/** Pipes that were the container's standard streams are replaced by ours. Nothing else the image may name (S52). */
const inheritedPipes = (descriptors: readonly string[]): Message[] =>
  descriptors.slice(0, 3).flatMap((key, fd) => (/^pipe:\[\d{1,20}\]$/.test(key) ? [{ key, fd }] : []));

/** What a restore takes beside its options: all decided by the config and the host. */
export interface RestoreTarget {
  readonly root: string;
  readonly cgroup: CgroupRecord | undefined;
  readonly mounts: readonly ExternalMount[];
  /** Joined namespaces that stay as they are, in the order in which the plan opens them. */
  readonly external: readonly { readonly type: ExternalNamespace['type']; readonly path: string }[];
  /** Joined namespaces of the other types. */
  readonly joined: readonly { readonly type: string; readonly path: string }[];
}

export function restoreMessage({ flags, place, descriptors }: RestoreOptions, target: RestoreTarget): Message {
  const firstNamespace = firstFd + openedPaths(place, []).length;
  const kept = target.external.map(({ type }, index) => ({ key: keyOf(type), fd: firstNamespace + index }));
  const opts: Message = {
    ...commonOptions(flags, place, criuFiles.restoreLog),
    evasive_devices: true,
    rst_sibling: true,
    root: target.root,
    lsm_profile: flags.lsmProfile,
    lsm_mount_context: flags.lsmMountContext,
    cg_root: target.cgroup ? cgroupRoots(target.cgroup) : [],
    inherit_fd: [...kept, ...inheritedPipes(descriptors)],
    join_ns: target.joined.map(({ type, path }) => ({ ns: namespaces.get(type)?.file ?? type, ns_file: path })),
    ext_mnt: messages(target.mounts),
  };
  return { type: requestTypes.restore, opts };
}

export const encodeRequest = (request: Message): Uint8Array => encodeMessage(request, requestShape);
