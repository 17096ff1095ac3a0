/**
 * What a container's `state.json` holds. Engines never read it, so the format is ours; but a record outlives
 * the tsrun that wrote it, hence the version: older ones stay readable, newer ones are a clear error (R42).
 */
import { fail } from '../errors/error.js';
import { isPlain } from '../host/json.js';
import { carriedText } from '../tables/carried-text.js';
import { stateFiles } from '../tables/state-files.js';
import { freezerFile } from '../tables/cgroup.js';
import { defectOf, isCount, parseLoosely } from './record-checks.js';
import { encodeHead, recordVersion, withHead } from './record-head.js';
import type { ContainerRecord } from './record-types.js';

export type * from './record-types.js';

/** Everything but what the executor or this file fills in. */
export type RecordDraft = Omit<ContainerRecord, 'version' | 'status' | 'pid' | 'startTime' | 'freezer'>;

/** The executor writes `before`, the pid, `between`, the start time, `after`: operation `file.publish`. */
export interface EncodedRecord {
  readonly before: string;
  readonly between: string;
  readonly after: string;
}

/** From here on it takes less to look than to write. */
const long = 256;

function hasLong(texts: { readonly [name: string]: string }): boolean {
  for (const name in texts) if (texts[name]!.length >= long) return true;
  return false;
}

/** JSON of an object of texts. An interpreter writes 10 ns a character; most long texts are written as they are. */
export function stringifyTexts(texts: { readonly [name: string]: string }): string | Uint8Array {
  const carried = carriedText(texts);
  if (carried !== undefined) return carried;
  if (!hasLong(texts)) return JSON.stringify(texts);
  const write = (text: string): string => (text.length >= long && isPlain(text) ? `"${text}"` : JSON.stringify(text));
  return `{${Object.entries(texts)
    .map(([name, text]) => `${JSON.stringify(name)}:${write(text)}`)
    .join(',')}}`;
}

/** No line of JSON has another end in it: the first one is that of the head. */
export function encodeRecord(draft: RecordDraft, status: ContainerRecord['status'] = 'ready'): EncodedRecord {
  const { id, bootId, pidNamespaceInode, ociVersion, bundle, rootfs, created, owner, annotations, ...rest } = draft;
  const isCarried = carriedText(annotations) !== undefined;
  const texts = isCarried ? JSON.stringify(stateFiles.annotations) : stringifyTexts(annotations);
  const shown = texts === '{}' ? 'null' : texts;
  const head = { id, bootId, pidNamespaceInode, ociVersion, bundle, rootfs, created, owner };
  const { before, after } = encodeHead(status, { ...head, freezer: freezerFile(rest.cgroup) }, shown);
  return {
    before,
    between: ',',
    after: `${after}\n,${JSON.stringify(rest).slice(1)}\n`,
  };
}

/** The text of a record, `creating`, that has no process yet. */
export const withoutProcess = ({ before, between, after }: EncodedRecord): string => `${before}0${between}0${after}`;

export const encodeProvisional = (draft: RecordDraft): string => withoutProcess(encodeRecord(draft, 'creating'));

/** Reads a record file's text. @throws TSR_STATE_CORRUPT or TSR_STATE_VERSION. */
export function parseRecord(text: string, id: string, file: string): ContainerRecord {
  const hint = `'tsrun delete --force ${id}' removes the container`;
  const damaged = (detail: string): never =>
    fail('TSR_STATE_CORRUPT', `'${file}' of container '${id}' is damaged`, { detail, hint });
  const fields = parseLoosely(text) ?? damaged('it is no JSON object');
  const version = isCount(fields.version) ? fields.version : damaged("bad 'version'");
  if (version > recordVersion) {
    fail('TSR_STATE_VERSION', `container '${id}' was created by a newer tsrun`, {
      detail: `its state has format ${version}, this one knows up to ${recordVersion}`,
      hint,
    });
  }
  const record = withHead(fields) ?? damaged("bad 'head'");
  const defect = defectOf(record, id);
  if (defect !== '') damaged(`bad '${defect}'`);
  return record as unknown as ContainerRecord;
}
