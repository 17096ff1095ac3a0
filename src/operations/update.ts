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
import { trace, traceStep } from './trace.js';

/** Tells systemd, for a container whose cgroup is a unit of its. */
export type UpdateUnit = (record: ContainerRecord, resources: Resources) => void | Promise<void>;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The limits in force: of the last update, else of create. */
function currentResources(directory: string, updated: string | undefined): Resources {
  if (updated !== undefined) return parseResources(encode(updated)).resources;
  return readSnapshot(directory).spec.linux?.resources ?? {};
}

export interface AskedResources {
  readonly resources: Resources;
  readonly warnings: readonly Failure[];
}

/** Engines write null for what they leave alone, so that needs no warning. Devices change nothing: plan/phases/cgroup-update.ts. */
function resourcesOf({ text }: Source): AskedResources {
  const { resources, warnings } = parseResources(encode(text));
  return { resources, warnings: warnings.filter(({ code }) => code !== 'TSR_CONFIG_NULL') };
}

export const resourcesFromFile = (path: string): AskedResources => resourcesOf(readTextFile(path, { stream: true }));
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
  const container = openContainer(root, id);
  const { record, directory } = container;
  const status = statusOf(record, directory);
  trace('container', { container, status });
  if (status === 'stopped' || status === 'creating') {
    fail('TSR_UPDATE_STATE', 'container not running', { detail: `it is ${status}` });
  }
  if (record.cgroup.places.length === 0) fail('TSR_UPDATE_STATE', 'the container has no cgroup to update');
  const updated = readStateFile(directory, stateFiles.resources);
  const current = currentResources(directory, updated);
  const { resources, changes, settings, checks, warnings } = compileUpdate(asked, current, record.cgroup);
  for (const { place, file, value, pointer } of settings)
    traceStep(() => `write ${value} to ${file} of ${record.cgroup.places[place]?.path}`, { pointer });
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
