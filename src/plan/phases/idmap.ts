/** Id-mapped mounts: each different mapping is one user namespace, which the host makes first and keeps in a slot. */
import type { IdMapping, Mount } from '../../bundle/types.js';
import { fail } from '../../errors/error.js';
import { readIdMapOption, toMappings } from '../../tables/idmap-option.js';
import type { Context } from '../options.js';
import { noSlot, type Step, slots, step } from '../step.js';
import { isApart } from './namespaces.js';
import { mapText } from '../id-map.js';

interface IdMap {
  readonly slot: number;
  readonly open: Step;
}
/** By what they map. */
export type IdMaps = ReadonlyMap<string, IdMap>;

const isMapOption = (option: string): boolean => /^r?idmap(=|$)/.test(option);

const isMapped = ({ options, uidMappings, gidMappings }: Mount): boolean =>
  (uidMappings?.length ?? 0) > 0 || (gidMappings?.length ?? 0) > 0 || (options?.some(isMapOption) ?? false);

/** What the mount itself says: its keys, else its last option with ranges. */
function ownMappings(
  { spec: { linux = {} } }: Context,
  mount: Mount,
): [uid: readonly IdMapping[], gid: readonly IdMapping[]] {
  const { uidMappings = [], gidMappings = [], options = [] } = mount;
  if (uidMappings.length > 0 || gidMappings.length > 0) return [uidMappings, gidMappings];
  const last = options.filter(isMapOption).at(-1);
  const ranges = last === undefined ? undefined : readIdMapOption(last);
  const uid = ranges && toMappings(ranges.uids, linux.uidMappings ?? []);
  const gid = ranges && toMappings(ranges.gids, linux.gidMappings ?? []);
  return [uid ?? [], gid ?? []];
}

/** The mount's own mappings, else those of the container's user namespace, else none. */
function mappingsOf(context: Context, mount: Mount): { uid: string; gid: string; path?: string } {
  const { spec, namespaces } = context;
  const [ownUid, ownGid] = ownMappings(context, mount);
  if (ownUid.length > 0 || ownGid.length > 0) return { uid: mapText(ownUid), gid: mapText(ownGid) };
  const path = namespaces.joined.get('user')?.path;
  if (path !== undefined) return { uid: '', gid: '', path };
  return { uid: mapText(spec.linux?.uidMappings ?? []), gid: mapText(spec.linux?.gidMappings ?? []) };
}

function keyOf(context: Context, mount: Mount): string {
  const { uid, gid, path } = mappingsOf(context, mount);
  return path ?? `${uid}:${gid}`;
}

function openStep(context: Context, mount: Mount, slot: number, pointer: string): Step {
  const { uid, gid, path } = mappingsOf(context, mount);
  if (path !== undefined) return step('host', 'userns.open', { slot, path }, pointer, `open user namespace ${path}`);
  const summary = `make a user namespace that maps uids ${uid.trim().replaceAll('\n', ', ')}`;
  return step('host', 'userns.make', { slot, uidMap: uid, gidMap: gid }, pointer, summary);
}

function refuse(context: Context, mount: Mount, pointer: string): void {
  if (!(mount.options?.includes('bind') || mount.options?.includes('rbind')) || mount.options.includes('remount')) {
    const message = `the mount on '${mount.destination}' is no new bind mount, and only those can be id-mapped`;
    fail('TSR_MOUNT_IDMAP', message, { pointer, hint: "mount it elsewhere and bind it with 'idmap'" });
  }
  if (context.facts.uid !== 0) {
    const message = "mapping the ids of a mount takes root's rights over its filesystem";
    fail('TSR_MOUNT_IDMAP_ROOTLESS', message, { pointer });
  }
  const own = ownMappings(context, mount)[0].length > 0;
  if (!own && !isApart(context.namespaces, 'user')) {
    const message = "'idmap' needs mappings: of the mount, or of the container's user namespace";
    fail('TSR_MOUNT_IDMAP', message, { pointer: `${pointer}/options` });
  }
}

export function idMapsOf(context: Context): IdMaps {
  const found = new Map<string, IdMap>();
  const mounts = context.spec.mounts ?? [];
  for (let i = 0; i < mounts.length; i++) {
    const mount = mounts[i] as Mount;
    if (!isMapped(mount)) continue;
    const pointer = `/mounts/${i}`;
    refuse(context, mount, pointer);
    const key = keyOf(context, mount);
    if (found.has(key)) continue;
    const slot = slots.firstIdMap + found.size;
    if (slot > slots.lastIdMap) {
      const most = slots.lastIdMap - slots.firstIdMap + 1;
      fail('TSR_MOUNT_IDMAP_MANY', `more than ${most} different mappings`, { pointer });
    }
    const at = mount.uidMappings?.length ? `${pointer}/uidMappings` : pointer;
    found.set(key, { slot, open: openStep(context, mount, slot, at) });
  }
  return found;
}

/** Host, before init exists, which inherits the slots. */
export const idMapSteps = (context: Context): Step[] => [...idMapsOf(context).values()].map(({ open }) => open);

export const slotOfMount = (idMaps: IdMaps, context: Context, mount: Mount): number =>
  isMapped(mount) ? (idMaps.get(keyOf(context, mount))?.slot ?? noSlot) : noSlot;
