/** Resources: their rules, and the door to a resources file. */
import { resourcesShape } from '../generated/config-shapes.js';
import { type Finding, loadDocument } from './load.js';
import { ordinaryReader } from './ordinary.js';
import { type RuleRow, runRules } from './rule.js';
import { blockIoRule } from './rules/block-io.js';
import { cpuRule } from './rules/cpu.js';
import { memoryRule } from './rules/memory.js';
import { networkRule } from './rules/network.js';
import { rdmaRule } from './rules/rdma.js';
import { unifiedRule } from './rules/unified.js';
import type { Resources } from './types.js';
import type { DocumentKind } from './validate.js';

/** Keys of resources. */
export const resourcesRules: readonly RuleRow<Resources>[] = [
  ['memory', memoryRule],
  ['cpu', cpuRule],
  ['blockIO', blockIoRule],
  ['network', networkRule],
  ['rdma', rdmaRule],
  ['unified', unifiedRule],
];

export const resourcesKind: DocumentKind<Resources> = {
  shape: resourcesShape,
  name: 'resources',
  readOrdinary: ordinaryReader(resourcesShape),
  runRules: (resources, run) => runRules(resourcesRules, resources, resources, '', run),
};

/** A resources file (`update --resources`): its path, or its bytes. @throws as loadBundleConfig. */
export function parseResources(source: Uint8Array | string): {
  readonly resources: Resources;
  readonly warnings: readonly Finding[];
} {
  const { value, warnings } = loadDocument(source, resourcesKind, 'resources');
  return { resources: value, warnings };
}
