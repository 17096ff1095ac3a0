/**
 * Every mount option with a meaning of its own; an option that is not here is data for the filesystem.
 * `features` prints the keys, the mount rules and the plan compiler read the rows.
 */

/** Bits of mount_setattr(2), linux/mount.h. */
export const MOUNT_ATTR = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  /** The access-time field is an enum of these bits, not flags: setting one value means clearing them all. */
  ATIME: 0x70,
  RELATIME: 0x0,
  NOATIME: 0x10,
  STRICTATIME: 0x20,
  NODIRATIME: 0x80,
  IDMAP: 0x100000,
  NOSYMFOLLOW: 0x200000,
} as const;

/** Bits of mount(2), linux/mount.h. */
export const MS = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  SYNCHRONOUS: 0x10,
  REMOUNT: 0x20,
  MANDLOCK: 0x40,
  DIRSYNC: 0x80,
  NOSYMFOLLOW: 0x100,
  NOATIME: 0x400,
  NODIRATIME: 0x800,
  BIND: 0x1000,
  MOVE: 0x2000,
  REC: 0x4000,
  SILENT: 0x8000,
  POSIXACL: 0x10000,
  UNBINDABLE: 0x20000,
  PRIVATE: 0x40000,
  SLAVE: 0x80000,
  SHARED: 0x100000,
  RELATIME: 0x200000,
  I_VERSION: 0x800000,
  STRICTATIME: 0x1000000,
  LAZYTIME: 0x2000000,
} as const;

/**
 * A per-mount attribute. Folding a list of options, left to right:
 *   `if (row.onlyIf !== undefined && set holds another access time) skip; set = (set & ~row.clear) | row.set; clear |= row.clear`
 * A cleared bit is as much a wish as a set one: `exec` on a bind of a noexec source must clear the flag.
 */
export interface AttributeRow {
  readonly kind: 'attribute';
  /** MOUNT_ATTR bits to set. */
  readonly set: number;
  /** MOUNT_ATTR bits to clear first; for access times always the whole field. */
  readonly clear: number;
  /** Present on `atime`, `norelatime`, `nostrictatime`: they undo this one access time and no other. */
  readonly undoes?: number;
  /** The `r…` forms: the whole tree under the mount, AT_RECURSIVE (kernel 5.12). */
  readonly recursive: boolean;
  /** The mount(2) bits of the same meaning, for kernels without mount_setattr; 0 for recursive rows. */
  readonly msFlag: number;
  /** Superblock option that goes with it on a fresh filesystem: `ro` makes both read-only. */
  readonly parameter?: string;
}

/** A superblock flag: of the filesystem, not of this one mount. */
export interface SuperblockRow {
  readonly kind: 'superblock';
  readonly msFlag: number;
  /** Whether the option sets or clears msFlag. */
  readonly sets: boolean;
  /** Name for fsconfig(FSCONFIG_SET_FLAG). Absent: the new mount API has no such wish, nothing needs doing. */
  readonly parameter?: string;
}

/** A propagation type: applied after the mount, one call each, in the listed order. */
export interface PropagationRow {
  readonly kind: 'propagation';
  /** One MS_ propagation bit. */
  readonly msFlag: number;
  readonly recursive: boolean;
}

/** What is no flag at all. */
export interface SpecialRow {
  readonly kind: 'special';
  readonly name: SpecialName;
}

/** The last three are not in the spec, but crun's and podman's: how source and target of a bind are looked up. */
type SpecialName =
  | 'bind'
  | 'rbind'
  | 'remount'
  | 'defaults'
  | 'tmpcopyup'
  | 'idmap'
  | 'ridmap'
  | 'src-nofollow'
  | 'dest-nofollow'
  | 'copy-symlink';

export type MountOptionRow = AttributeRow | SuperblockRow | PropagationRow | SpecialRow;

const A = MOUNT_ATTR;

/** name, MOUNT_ATTR bits set, cleared, MS bit, access time undone, superblock parameter. */
const attributes: readonly (readonly [string, number, number, number, (number | undefined)?, string?])[] = [
  ['ro', A.RDONLY, A.RDONLY, MS.RDONLY, undefined, 'ro'],
  ['rw', 0, A.RDONLY, MS.RDONLY, undefined, 'rw'],
  ['nosuid', A.NOSUID, A.NOSUID, MS.NOSUID],
  ['suid', 0, A.NOSUID, MS.NOSUID],
  ['nodev', A.NODEV, A.NODEV, MS.NODEV],
  ['dev', 0, A.NODEV, MS.NODEV],
  ['noexec', A.NOEXEC, A.NOEXEC, MS.NOEXEC],
  ['exec', 0, A.NOEXEC, MS.NOEXEC],
  ['nodiratime', A.NODIRATIME, A.NODIRATIME, MS.NODIRATIME],
  ['diratime', 0, A.NODIRATIME, MS.NODIRATIME],
  ['nosymfollow', A.NOSYMFOLLOW, A.NOSYMFOLLOW, MS.NOSYMFOLLOW],
  ['symfollow', 0, A.NOSYMFOLLOW, MS.NOSYMFOLLOW],
  ['noatime', A.NOATIME, A.ATIME, MS.NOATIME],
  ['atime', A.RELATIME, A.ATIME, MS.NOATIME, A.NOATIME],
  ['relatime', A.RELATIME, A.ATIME, MS.RELATIME],
  ['norelatime', A.RELATIME, A.ATIME, MS.RELATIME, A.RELATIME],
  ['strictatime', A.STRICTATIME, A.ATIME, MS.STRICTATIME],
  ['nostrictatime', A.RELATIME, A.ATIME, MS.STRICTATIME, A.STRICTATIME],
];

/** name, MS bit, sets it?, fsconfig flag. */
const superblock: readonly (readonly [string, number, boolean, string?])[] = [
  ['sync', MS.SYNCHRONOUS, true, 'sync'],
  ['async', MS.SYNCHRONOUS, false, 'async'],
  ['dirsync', MS.DIRSYNC, true, 'dirsync'],
  ['lazytime', MS.LAZYTIME, true, 'lazytime'],
  ['nolazytime', MS.LAZYTIME, false, 'nolazytime'],
  ['mand', MS.MANDLOCK, true, 'mand'],
  ['nomand', MS.MANDLOCK, false, 'nomand'],
  ['iversion', MS.I_VERSION, true],
  ['noiversion', MS.I_VERSION, false],
  ['silent', MS.SILENT, true],
  ['loud', MS.SILENT, false],
  ['acl', MS.POSIXACL, true],
  ['noacl', MS.POSIXACL, false],
];

const propagation: readonly (readonly [string, number])[] = [
  ['private', MS.PRIVATE],
  ['shared', MS.SHARED],
  ['slave', MS.SLAVE],
  ['unbindable', MS.UNBINDABLE],
];

const special: readonly SpecialName[] = [
  'bind',
  'rbind',
  'remount',
  'defaults',
  'tmpcopyup',
  'idmap',
  'ridmap',
  'src-nofollow',
  'dest-nofollow',
  'copy-symlink',
];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Loops and plain objects only: this runs whenever a container is created, in an engine that has just started. */
function build(): Map<string, MountOptionRow> {
  const rows = new Map<string, MountOptionRow>();
  for (let i = 0; i < attributes.length; i++) {
    const [name, set, clear, msFlag, undoes, parameter] = attributes[i]!;
    const plain: Mutable<AttributeRow> = { kind: 'attribute', set, clear, recursive: false, msFlag };
    const recursive: Mutable<AttributeRow> = { kind: 'attribute', set, clear, recursive: true, msFlag: 0 };
    if (undoes !== undefined) plain.undoes = recursive.undoes = undoes;
    if (parameter !== undefined) plain.parameter = parameter;
    rows.set(name, plain);
    rows.set(`r${name}`, recursive);
  }
  for (let i = 0; i < superblock.length; i++) {
    const [name, msFlag, sets, parameter] = superblock[i]!;
    const row: Mutable<SuperblockRow> = { kind: 'superblock', msFlag, sets };
    if (parameter !== undefined) row.parameter = parameter;
    rows.set(name, row);
  }
  for (let i = 0; i < propagation.length; i++) {
    const [name, msFlag] = propagation[i]!;
    rows.set(name, { kind: 'propagation', msFlag, recursive: false });
    rows.set(`r${name}`, { kind: 'propagation', msFlag, recursive: true });
  }
  for (let i = 0; i < special.length; i++) rows.set(special[i]!, { kind: 'special', name: special[i]! });
  return rows;
}

/** Option name → what it means. Look-ups only through the Map: an option named `constructor` is data (S47). */
export const mountOptions: ReadonlyMap<string, MountOptionRow> = build();
