/** What is looked at in what stands in a state directory before a command acts on it. */
import { stateFiles } from '../tables/state-files.js';
import type { CgroupPlace, CgroupRecord } from '../tables/cgroup.js';

/** An object of JSON, of which nothing is known. */
export type Fields = { readonly [key: string]: unknown };

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isText = (value: unknown): value is string => typeof value === 'string';
const isAbsolute = (value: unknown): boolean => isText(value) && value[0] === '/' && !value.includes('\0');

/**
 * Whether later commands may act on this place. It decides what gets killed and removed: an empty path would
 * mean the whole host, so a damaged record must not get through.
 */
function isPlace(value: unknown): value is CgroupPlace {
  if (!isObject(value) || !isAbsolute(value.mountPoint) || !isText(value.path)) return false;
  const parts = value.path.split('/');
  const inside = parts.every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'));
  return inside && (value.version === 1 || value.version === 2) && Array.isArray(value.controllers);
}

export function isCgroupRecord(value: unknown): value is CgroupRecord {
  if (!isObject(value) || !Array.isArray(value.places) || !value.places.every(isPlace)) return false;
  const unit = value.unit;
  if (unit !== undefined && !(isObject(unit) && isText(unit.name) && isText(unit.slice))) return false;
  return value.driver === 'cgroupfs' || value.driver === 'systemd' || value.driver === 'disabled';
}

function areHooks(value: unknown): boolean {
  if (value === undefined) return true;
  if (!Array.isArray(value)) return false;
  for (const hook of value) if (!isObject(hook) || !isAbsolute(hook.path)) return false;
  return true;
}

export function areTexts(value: unknown): boolean {
  if (!isObject(value)) return false;
  for (const key in value) if (!isText(value[key])) return false;
  return true;
}

const isIdentity = (value: unknown): boolean => isObject(value) && isCount(value.pid) && isCount(value.startTime);

/** What is wrong with a parsed record, '' if nothing. Only what a command acts on is looked at. */
export function defectOf(record: Fields, id: string): string {
  const { status, pid, hooks } = record;
  if (record.id !== id) return 'id';
  if (status !== 'creating' && status !== 'ready') return 'status';
  if (!isCount(pid) || (pid === 0 && status === 'ready')) return 'pid';
  if (!isCount(record.startTime)) return 'startTime';
  if (!isText(record.bootId)) return 'bootId';
  if (!isCount(record.pidNamespaceInode)) return 'pidNamespaceInode';
  if (!isAbsolute(record.bundle)) return 'bundle';
  if (!isAbsolute(record.rootfs)) return 'rootfs';
  if (!isText(record.created)) return 'created';
  if (!isText(record.ociVersion)) return 'ociVersion';
  if (!isCount(record.owner)) return 'owner';
  if (!isCgroupRecord(record.cgroup)) return 'cgroup';
  if (!Array.isArray(record.namespaces)) return 'namespaces';
  for (const namespace of record.namespaces) if (!isObject(namespace)) return 'namespaces';
  if (record.annotations !== stateFiles.annotations && !areTexts(record.annotations)) return 'annotations';
  if (!isObject(hooks) || !areHooks(hooks.poststart) || !areHooks(hooks.poststop)) return 'hooks';
  if (!isObject(record.confinement)) return 'confinement';
  if (record.creator !== undefined && !isIdentity(record.creator)) return 'creator';
  return '';
}

/** Undefined where it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The object in a file, whatever is in it. */
export function parseLoosely(text: string): Fields | undefined {
  const value = parseJson(text);
  return isObject(value) ? value : undefined;
}
