import { addRules, type Found, findProfileIn } from '../bundle/known-part.js';
import { loadSource } from '../bundle/load.js';
import { parseQuickly } from '../bundle/parse.js';
import type { Spec } from '../bundle/types.js';
import type { DocumentKind } from '../bundle/validate.js';
import { fail } from '../errors/error.js';
import { specShape } from '../generated/config-shapes.js';
import { stateFiles } from '../tables/state-files.js';
import { readStateFile } from '../state/store.js';

const snapshotKind: DocumentKind<Spec> = { shape: specShape, name: 'spec', runRules: () => undefined };

export interface Snapshot<T> {
  readonly spec: Spec;
  /** What `find` gave for the profile of linux.seccomp (bundle/known-part.ts). */
  readonly profile: T | undefined;
}

/** The config a container was made from: the copy in its state, whatever has become of the bundle (S49). */
export function readSnapshot<T extends Found>(directory: string, find?: (profile: Uint8Array) => T): Snapshot<T> {
  const name = `${directory}/${stateFiles.config}`;
  const text = readStateFile(directory, stateFiles.config);
  if (text === undefined) {
    fail('TSR_STATE_CORRUPT', `'${name}' is missing`, {
      hint: 'the config of the container is kept there; without it the container can only be deleted',
    });
  }
  const source = { name, text, bytes: new TextEncoder().encode(text) };
  const { profile, shorter } = find ? findProfileIn(source, find) : {};
  // create has checked it, and no rule is asked again. But JSON.parse rounds integers above 2^53, which seccomp, rlimits and limits have.
  const parsed = parseQuickly((shorter ?? source).text, (shorter ?? source).bytes);
  if (parsed === undefined || parsed.hasNulls || parsed.large.length > 0)
    return { spec: loadSource(source, snapshotKind).value, profile };
  const spec = parsed.value as Spec;
  if (profile && shorter && spec.linux?.seccomp) addRules(spec.linux.seccomp, profile);
  return { spec, profile };
}
