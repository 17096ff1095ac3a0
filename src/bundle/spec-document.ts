/** A config: all its rules, and the doors to config.json and to a config made by a program. */
import { specShape } from '../generated/config-shapes.js';
import { addRules, type Found, findProfileIn } from './known-part.js';
import { type Finding, loadDocument, loadSource } from './load.js';
import { parseQuickly } from './parse.js';
import { processRules } from './process-document.js';
import { type ReadOptions, readTextFile } from './read.js';
import { resourcesRules } from './resources-document.js';
import { runRules } from './rule.js';
import { linuxRules, specRules } from './rules.js';
import type { Spec } from './types.js';
import { type Checked, checkQuickly, checkValue, type DocumentKind } from './validate.js';

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

/** The same, and the bytes, where `find` may know the profile of linux.seccomp by its bytes; `profile` is what it gave. @throws as the above. */
export function loadWithProfile<T extends Found>(
  configPath: string,
  find: (profile: Uint8Array) => T,
  options?: ReadOptions,
): LoadedConfig & { readonly profile: T | undefined; readonly bytes: Uint8Array | string } {
  const source = readTextFile(configPath, options);
  const { text, bytes = text } = source;
  const { profile, shorter } = findProfileIn(source, find);
  const parsed = shorter && parseQuickly(shorter.text, shorter.bytes);
  const checked = parsed && checkQuickly(parsed, specKind);
  const seccomp = checked?.value.linux?.seccomp;
  // Anything that is to be said is said about the whole text.
  if (profile && seccomp && checked.errors.length === 0) {
    addRules(seccomp, profile);
    return { spec: checked.value, warnings: checked.warnings, text, bytes, profile };
  }
  const { value, warnings, plain } = loadSource(source, specKind);
  if (profile) profile.plain = plain;
  return { spec: value, warnings, text, bytes, profile };
}

/** `validateConfig(value)`: what is wrong and what is odd in a config. */
export const validateConfig = (value: unknown): Checked<Spec> => checkValue(value, specKind);
