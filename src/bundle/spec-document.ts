/** A config: all its rules, and the doors to config.json and to a config made by a program. */
import { specShape } from '../generated/config-shapes.js';
import { type Finding, loadDocument } from './load.js';
import { processRules } from './process-document.js';
import type { ReadOptions } from './read.js';
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

export interface LoadedConfig {
  readonly spec: Spec;
  readonly warnings: readonly Finding[];
  /** What was read. */
  readonly text: string;
}

/** @throws TsrunError with the first fault and, in `hint`, the others. */
export function loadBundleConfig(configPath: string, options?: ReadOptions): LoadedConfig {
  const { value, warnings, text } = loadDocument(configPath, specKind, configPath, options);
  return { spec: value, warnings, text };
}

/** `validateConfig(value)`: what is wrong and what is odd in a config. */
export const validateConfig = (value: unknown): Checked<Spec> => checkValue(value, specKind);
