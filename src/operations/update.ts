/** `update`: new limits for a container that exists. What is not named stays as it is. */
import { parseResources } from '../bundle/resources-document.js';
import { decodeText, readTextFile, type Source } from '../bundle/read.js';
import type { Resources } from '../bundle/types.js';
import { type Failure, fail } from '../errors/error.js';
import { apply } from '../linux/cgroup/apply.js';
import { compileUpdate } from '../plan/phases/cgroup-update.js';
import { stateFiles } from '../tables/state-files.js';
import type { ContainerRecord } from '../state/record.js';
import { statusOf } from '../state/status.js';
import { openContainer, readStateFile, writeResources } from '../state/store.js';
import { stringifyExact } from '../tables/exact-json.js';
import { readSnapshot } from './snapshot.js';
import { type RdtSchemas, updateRdt } from './update-rdt.js';

/** Tells systemd, for a container whose cgroup is a unit of its. */
export type UpdateUnit = (record: ContainerRecord, resources: Resources) => void | Promise<void>;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The limits in force: of the last update, else of create. */
function currentResources(directory: string, updated: string | undefined): Resources {
  if (updated !== undefined) return parseResources(encode(updated)).resources;
  return readSnapshot(directory).linux?.resources ?? {};
}

/**
 * Engines write null for what they leave alone, also where the specification has no null. Takes such members out of a
 * JSON text; by text, because numbers beyond 2^53 have to survive.
 */
export function withoutNulls(text: string): string {
  if (!text.includes('null')) return text;
  const members = text.replace(/("(?:[^"\\]|\\.)*")(\s*:\s*null\b\s*,?)?/g, (whole, _, member) =>
    member ? '' : whole,
  );
  return members.replace(/("(?:[^"\\]|\\.)*")|,(\s*\})/g, (whole, _, end) => end ?? whole);
}

export interface AskedResources {
  readonly resources: Resources;
  readonly warnings: readonly Failure[];
}

/** Devices in it change nothing: see plan/phases/cgroup-update.ts. */
const resourcesOf = ({ text }: Source): AskedResources => parseResources(encode(withoutNulls(text)));

export const resourcesFromFile = (path: string): AskedResources => resourcesOf(readTextFile(path));
export const resourcesFromInput = (bytes: Uint8Array): AskedResources =>
  resourcesOf(decodeText(bytes, 'standard input'));

/**
 * Applies new limits: all or none. The state is written first, so that nobody who is killed half way leaves limits
 * that the next update does not know of.
 */
export async function updateContainer(
  root: string,
  id: string,
  { resources: asked, rdt = {} }: { readonly resources: Resources; readonly rdt?: RdtSchemas },
  updateUnit: UpdateUnit,
): Promise<readonly Failure[]> {
  const { record, directory } = openContainer(root, id);
  const status = statusOf(record, directory);
  if (status === 'stopped' || status === 'creating') {
    fail('TSR_UPDATE_STATE', 'container not running', { detail: `it is ${status}` });
  }
  if (record.cgroup.places.length === 0) fail('TSR_UPDATE_STATE', 'the container has no cgroup to update');
  const updated = readStateFile(directory, stateFiles.resources);
  const current = currentResources(directory, updated);
  const { resources, changes, settings, checks, warnings } = compileUpdate(asked, current, record.cgroup);
  const undoRdt = updateRdt(record, rdt);
  writeResources(directory, stringifyExact(resources));
  try {
    if (record.cgroup.unit) await updateUnit(record, changes);
    apply(record.cgroup, settings, checks);
  } catch (error) {
    writeResources(directory, updated);
    undoRdt();
    if (record.cgroup.unit) await updateUnit(record, current);
    throw error;
  }
  return warnings;
}
