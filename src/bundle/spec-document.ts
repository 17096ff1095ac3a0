/** A config: all its rules, and the doors to config.json and to a config made by a program. */
import { specShape } from '../generated/config-shapes.js';
import { type Finding, loadDocument } from './load.js';
import { processRules } from './process-document.js';
import { resourcesRules } from './resources-document.js';
import { runRules } from './rule.js';
import { linuxRules, specRules } from './rules.js';
import type { Spec } from './types.js';
import { type Checked, checkValue, type DocumentKind } from './validate.js';

export const specKind: DocumentKind<Spec> = {
  shape: specShape,
  name: 'spec',
  runRules(spec, run) {
    const { process, linux } = spec;
    runRules(specRules, spec, spec, '', run);
    if (process) runRules(processRules, process, process, '/process', run);
    if (linux) runRules(linuxRules, linux, spec, '', run);
    if (linux?.resources) runRules(resourcesRules, linux.resources, linux.resources, '/linux/resources', run);
  },
};

/** @throws TsrunError with the first fault and, in `detail`, the others. */
export function loadBundleConfig(configPath: string): { readonly spec: Spec; readonly warnings: readonly Finding[] } {
  const { value, warnings } = loadDocument(configPath, specKind, configPath);
  return { spec: value, warnings };
}

/** `validateConfig(value)`: what is wrong and what is odd in a config. */
export const validateConfig = (value: unknown): Checked<Spec> => checkValue(value, specKind);
