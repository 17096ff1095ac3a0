import { readIdMapOption } from '../../tables/idmap-option.js';
import { MOUNT_ATTR, mountOptions } from '../../tables/mount-options.js';

/** A list of mount options, folded left to right; a later option undoes an earlier one. */
export interface FoldedOptions {
  bind: boolean;
  /** `rbind`. */
  recursive: boolean;
  remount: boolean;
  tmpcopyup: boolean;
  /** `ridmap`: of everything below, too. The last one wins. */
  idmap: boolean | 'recursive';
  /** MOUNT_ATTR bits that were asked for, and those that were asked to be off (or, for access times, chosen anew). */
  set: number;
  clear: number;
  recursiveSet: number;
  recursiveClear: number;
  /** MS_ propagation bits in the listed order. */
  readonly propagation: { readonly msFlag: number; readonly recursive: boolean; readonly index: number }[];
  /** For the filesystem: `key` or `key=value`. */
  readonly data: { readonly option: string; readonly index: number }[];
  /** Of the superblock, as the filesystem context calls them: `sync`, `lazytime`. */
  readonly superblock: string[];
  /** Not in the spec, crun's: how source and target are looked up. */
  sourceNoFollow: boolean;
  targetNoFollow: boolean;
  copySymlink: boolean;
}

function foldAttribute(
  folded: FoldedOptions,
  row: { set: number; clear: number; undoes?: number; recursive: boolean },
): void {
  const set = row.recursive ? folded.recursiveSet : folded.set;
  // `atime` undoes `noatime` and no other access time; if another one is in force it has nothing to do.
  // With none in the list, `ratime` is about what the bound mounts had, like `rdev` and its kind.
  const chosen = !row.recursive || (folded.recursiveClear & MOUNT_ATTR.ATIME) !== 0;
  if (row.undoes !== undefined && chosen && (set & MOUNT_ATTR.ATIME) !== row.undoes) return;
  if (row.recursive) {
    folded.recursiveSet = (set & ~row.clear) | row.set;
    folded.recursiveClear |= row.clear;
  } else {
    folded.set = (set & ~row.clear) | row.set;
    folded.clear |= row.clear;
  }
}

/** `mode=755,size=1k` in one string, as mount(2) takes it; a quoted value (SELinux contexts) keeps its commas. */
function splitData(option: string): string[] {
  if (!option.includes(',') && !option.includes('"')) return option === '' ? [] : [option];
  const parts: string[] = [];
  let part = '';
  let quoted = false;
  for (const piece of option.split('"')) {
    if (quoted) part += piece;
    else {
      const [first = '', ...more] = piece.split(',');
      part += first;
      for (const next of more) {
        parts.push(part);
        part = next;
      }
    }
    quoted = !quoted;
  }
  parts.push(part);
  return parts.filter((text) => text !== '');
}

export function foldOptions(options: readonly string[]): FoldedOptions {
  const folded: FoldedOptions = {
    bind: false,
    recursive: false,
    remount: false,
    tmpcopyup: false,
    idmap: false,
    set: 0,
    clear: 0,
    recursiveSet: 0,
    recursiveClear: 0,
    propagation: [],
    data: [],
    superblock: [],
    sourceNoFollow: false,
    targetNoFollow: false,
    copySymlink: false,
  };
  for (let index = 0; index < options.length; index++) {
    const option = options[index] as string;
    const idMap = readIdMapOption(option);
    const row = mountOptions.get(option);
    if (idMap !== undefined) folded.idmap = idMap.recursive ? 'recursive' : true;
    else if (row === undefined) for (const part of splitData(option)) folded.data.push({ option: part, index });
    else if (row.kind === 'attribute') foldAttribute(folded, row);
    else if (row.kind === 'propagation') {
      folded.propagation.push({ msFlag: row.msFlag, recursive: row.recursive, index });
    } else if (row.kind === 'superblock') {
      if (row.parameter !== undefined) folded.superblock.push(row.parameter);
    } else {
      foldSpecial(folded, row.name);
    }
  }
  // The kernel refuses a bit that is both set and cleared, but for the access times, where clearing means choosing.
  folded.clear &= ~(folded.set & ~MOUNT_ATTR.ATIME);
  folded.recursiveClear &= ~(folded.recursiveSet & ~MOUNT_ATTR.ATIME);
  return folded;
}

function foldSpecial(folded: FoldedOptions, name: string): void {
  if (name === 'bind') folded.bind = true;
  else if (name === 'rbind') {
    folded.bind = true;
    folded.recursive = true;
  } else if (name === 'remount') folded.remount = true;
  else if (name === 'tmpcopyup') folded.tmpcopyup = true;
  else if (name === 'idmap') folded.idmap = true;
  else if (name === 'ridmap') folded.idmap = 'recursive';
  else if (name === 'src-nofollow') folded.sourceNoFollow = true;
  else if (name === 'dest-nofollow') folded.targetNoFollow = true;
  else if (name === 'copy-symlink') folded.copySymlink = true;
  else if (name === 'defaults') foldDefaults(folded);
}

/** mount(8): rw, suid, dev, exec, async. As an option among others it takes earlier wishes back. */
function foldDefaults(folded: FoldedOptions): void {
  for (const name of ['rw', 'suid', 'dev', 'exec']) {
    const row = mountOptions.get(name);
    if (row?.kind === 'attribute') foldAttribute(folded, row);
  }
}
