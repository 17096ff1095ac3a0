/** A config: all its rules, and the doors to config.json and to a config made by a program. */
import { specShape } from '../generated/config-shapes.js';
import { addRules, type Found, findProfileIn } from './known-part.js';
import { type Finding, loadDocument, loadSource } from './load.js';
import { ordinaryReader } from './ordinary.js';
import { processRules } from './process-document.js';
import { type ReadOptions, readTextFile, type Source } from './read.js';
import { resourcesRules } from './resources-document.js';
import { runRules } from './rule.js';
import type { Carried } from './shape-table.js';
import { linuxRules, specRules } from './rules.js';
import { askedAnnotations } from '../tables/carried-text.js';
import type { Spec } from './types.js';
import { type Checked, checkQuickly, checkValue, type DocumentKind } from './validate.js';

export const carriedAnnotations: Carried = { key: 'annotations', wanted: askedAnnotations };

export const specKind: DocumentKind<Spec> = {
  shape: specShape,
  name: 'spec',
  readOrdinary: ordinaryReader(specShape, carriedAnnotations),
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
  readonly source: Source;
}

/** @throws TsrunError with the first fault and, in `hint`, the others. */
export function loadBundleConfig(configPath: string, options?: ReadOptions): LoadedConfig {
  const { value, warnings, source } = loadDocument(configPath, specKind, configPath, options);
  return { spec: value, warnings, source };
}

/** The same, where `find` may know the profile of linux.seccomp by its bytes; `profile` is what it gave. @throws as the above. */
export function loadWithProfile<T extends Found>(
  configPath: string,
  find: (profile: Uint8Array) => T,
  options?: ReadOptions,
): LoadedConfig & { readonly profile: T | undefined } {
  const source = readTextFile(configPath, options);
  const { profile, shorter } = findProfileIn(source, find);
  const checked = shorter && checkQuickly(shorter, specKind);
  const seccomp = checked?.value.linux?.seccomp;
  // Anything that is to be said is said about the whole text.
  if (profile && seccomp && checked.errors.length === 0) {
    addRules(seccomp, profile);
    return { spec: checked.value, warnings: checked.warnings, source, profile };
  }
  const { value, warnings, plain } = loadSource(source, specKind);
  if (profile) profile.plain = plain;
  return { spec: value, warnings, source, profile };
}

/** `validateConfig(value)`: what is wrong and what is odd in a config. */
export const validateConfig = (value: unknown): Checked<Spec> => checkValue(value, specKind);
