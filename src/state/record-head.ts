/**
 * The first line of a record: what `list` wants of it, so that of many containers no more is read. An array, since an interpreter needs
 * four times as long to make sense of an object's keys.
 */
import { areTexts, type Fields, parseJson } from './record-checks.js';
import type { ContainerRecord } from './record-types.js';

/** 1 and 2 had no head, but its keys like all others; 2 was 1 with annotations that could lie in a file of their own. */
export const recordVersion = 3;

/** Each record of this version begins so. */
const start = `{"version":${recordVersion},"head":`;

const none = {};

/** What stands at which place. */
const headOf = (head: readonly unknown[]) => ({
  status: head[0],
  pid: head[1],
  startTime: head[2],
  id: head[3],
  bootId: head[4],
  pidNamespaceInode: head[5],
  ociVersion: head[6],
  bundle: head[7],
  rootfs: head[8],
  created: head[9],
  owner: head[10],
  freezer: head[11],
  annotations: head[12] ?? none,
});
const places = 13;

export type RecordHead = Required<Pick<ContainerRecord, keyof ReturnType<typeof headOf>>>;

/** The record's beginning, around the pid, a comma and the start time; `annotations` is JSON, null for none. */
export function encodeHead(
  status: ContainerRecord['status'],
  head: Omit<RecordHead, 'status' | 'pid' | 'startTime' | 'annotations'>,
  annotations: string | Uint8Array,
): { before: string; after: string } {
  const { id, bootId, pidNamespaceInode, ociVersion, bundle, rootfs, created, owner, freezer } = head;
  const shown = [id, bootId, pidNamespaceInode, ociVersion, bundle, rootfs, created, owner, freezer];
  return { before: `${start}["${status}",`, after: `,${JSON.stringify(shown).slice(1, -1)},${annotations}]` };
}

/** What a record has by its key, whatever its version. Undefined: there is no head where there has to be one. */
export function withHead(fields: Fields): Fields | undefined {
  const { head, ...rest } = fields;
  if (fields.version === 1 || fields.version === 2) return rest;
  return Array.isArray(head) && head.length === places ? { ...rest, ...headOf(head) } : undefined;
}

/** A pid, a uid: `isCount` in a third of the time. */
const isWord = (value: unknown): value is number => (value as number) >>> 0 === value;

/**
 * The head of a ready record, from its first line with a tab behind it, as `firstLines` gives one that others follow. Undefined where all of
 * it has to be read, for something else is to be said: a record of an older tsrun, or of a newer one, a damaged one, `creating`.
 */
export function parseHead(line: string, id: string): RecordHead | undefined {
  if (!line.startsWith(start) || !line.endsWith('\t')) return undefined;
  const head = parseJson(line.slice(start.length));
  if (!Array.isArray(head) || head.length !== places) return undefined;
  const r = headOf(head);
  const isGood =
    r.status === 'ready' &&
    r.id === id &&
    isWord(r.pid) &&
    r.pid > 0 &&
    typeof r.startTime === 'number' &&
    typeof r.bundle === 'string' &&
    typeof r.rootfs === 'string' &&
    typeof r.created === 'string' &&
    typeof r.ociVersion === 'string' &&
    typeof r.freezer === 'string' &&
    isWord(r.owner) &&
    (r.annotations === none || areTexts(r.annotations));
  return isGood ? (r as unknown as RecordHead) : undefined;
}
