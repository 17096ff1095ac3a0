/** A process: its rules, and the door to a process file. */
import { processShape } from '../generated/config-shapes.js';
import { type Finding, loadDocument } from './load.js';
import { ordinaryReader } from './ordinary.js';
import { type RuleRow, runRules } from './rule.js';
import { argsRule } from './rules/args.js';
import { capabilitiesRule } from './rules/capabilities.js';
import { consoleSizeRule } from './rules/console-size.js';
import { envRule } from './rules/env.js';
import { execCpuAffinityRule } from './rules/exec-cpu-affinity.js';
import { rlimitsRule } from './rules/rlimits.js';
import { schedulerRule } from './rules/scheduler.js';
import type { Process } from './types.js';
import { checkMade, type DocumentKind } from './validate.js';
import { haveBadString } from './strings.js';
import { stringifyExact } from '../tables/exact-json.js';

/** Keys of a process, and what is asked where they are set. */
export const processRules: readonly RuleRow<Process>[] = [
  ['args', argsRule],
  ['env', envRule],
  ['rlimits', rlimitsRule],
  ['capabilities', capabilitiesRule],
  ['scheduler', schedulerRule],
  ['execCPUAffinity', execCpuAffinityRule],
  ['consoleSize', consoleSizeRule],
];

export const processKind: DocumentKind<Process> = {
  shape: processShape,
  name: 'process',
  readOrdinary: ordinaryReader(processShape),
  runRules: (process, run) => runRules(processRules, process, process, '', run),
};

/** A process file that was read and checked. */
export interface ProcessDocument {
  readonly process: Process;
  readonly warnings: readonly Finding[];
  /** What was read. */
  readonly text: string;
}

/** A process file (`exec --process`): its path, or its bytes. @throws as loadBundleConfig. */
export function parseProcess(from: Uint8Array | string): ProcessDocument {
  const { value, warnings, source } = loadDocument(from, processKind, 'process', { stream: true });
  return { process: value, warnings, text: source.text };
}

/**
 * A process made of a checked one and of `texts`, with the same checks and the same sentences as for a process file. To write it out
 * and read it again takes 0.3 ms, so that is only done where something is wrong. @throws as parseProcess
 */
export function checkProcess(
  process: Process,
  texts: readonly string[],
): { readonly process: Process; readonly warnings: readonly Finding[] } {
  const checked = haveBadString(texts) ? undefined : checkMade(process, processKind);
  if (checked !== undefined) return { process, warnings: checked.warnings };
  return parseProcess(new TextEncoder().encode(stringifyExact(process)));
}
