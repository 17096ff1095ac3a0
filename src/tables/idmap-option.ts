/**
 * The mount option `idmap=uids=0-1000-10#20-3000-1;gids=…` of podman and crun: ranges of id on disk, id it becomes, how many,
 * joined by `#`. `@` before a range: what it becomes is an id of the container's user namespace.
 */

export interface IdRange {
  readonly inode: number;
  readonly id: number;
  readonly size: number;
  readonly relative: boolean;
}

export interface IdMapOption {
  /** `ridmap=`: of the mounts below, too. */
  readonly recursive: boolean;
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
  /** What is wrong with it; then there are no ranges. */
  readonly wrong?: string;
}

function readRanges(text: string): IdRange[] | undefined {
  const ranges: IdRange[] = [];
  for (const part of text.split('#')) {
    const match = /^(@?)(\d{1,10})-(\d{1,10})-(\d{1,10})$/.exec(part);
    if (match === null) return undefined;
    const [, at, inode, id, size] = match;
    if (Number(size) === 0) return undefined;
    ranges.push({ inode: Number(inode), id: Number(id), size: Number(size), relative: at === '@' });
  }
  return ranges;
}

/** Undefined: another option, or `idmap` alone, which takes the mappings of the container. */
export function readIdMapOption(option: string): IdMapOption | undefined {
  const recursive = option.startsWith('ridmap=');
  if (!recursive && !option.startsWith('idmap=')) return undefined;
  const lists = new Map<string, readonly IdRange[]>();
  const refused = (wrong: string): IdMapOption => ({ recursive, uids: [], gids: [], wrong });
  for (const part of option.slice(option.indexOf('=') + 1).split(';')) {
    const [name = '', ...rest] = part.split('=');
    if (name !== 'uids' && name !== 'gids') return refused(`'${name.slice(0, 60)}' is neither 'uids' nor 'gids'`);
    if (lists.has(name)) return refused(`'${name}' comes twice`);
    const ranges = readRanges(rest.join('='));
    if (ranges === undefined) return refused(`'${name}' has a range that is not of the form 'id-id-size'`);
    lists.set(name, ranges);
  }
  const uids = lists.get('uids');
  const gids = lists.get('gids');
  if (uids === undefined || gids === undefined) return refused("it has to have both 'uids' and 'gids'");
  return { recursive, uids, gids };
}

interface Mapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** As mappings of a mount. `mappings` are the container's, none without a user namespace. Undefined: they do not cover a relative range. */
export function toMappings(ranges: readonly IdRange[], mappings: readonly Mapping[]): Mapping[] | undefined {
  const found: Mapping[] = [];
  for (const { inode, id, size, relative } of ranges) {
    let hostID = id;
    if (relative && mappings.length > 0) {
      const around = mappings.find((map) => id >= map.containerID && id + size <= map.containerID + map.size);
      if (around === undefined) return undefined;
      hostID += around.hostID - around.containerID;
    }
    found.push({ containerID: inode, hostID, size });
  }
  return found;
}
