import { addRules, type Found, findProfileIn } from '../bundle/known-part.js';
import { loadSource } from '../bundle/load.js';
import { parseQuickly } from '../bundle/parse.js';
import { specKind } from '../bundle/spec-document.js';
import type { Source } from '../bundle/read.js';
import type { Spec } from '../bundle/types.js';
import type { DocumentKind } from '../bundle/validate.js';
import { fail } from '../errors/error.js';
import { stateFiles } from '../tables/state-files.js';
import { readStateFile } from '../state/store.js';

const snapshotKind: DocumentKind<Spec> = { ...specKind, runRules: () => undefined };

export interface Snapshot<T> {
  readonly spec: Spec;
  /** What `find` gave for the profile of linux.seccomp (bundle/known-part.ts). */
  readonly profile: T | undefined;
}

/** Without another look at a value that was looked at before; undefined where JSON.parse may have rounded something. */
function readPlain(source: Source): Spec | undefined {
  const ordinary = snapshotKind.readOrdinary(source);
  if (ordinary !== undefined) return ordinary as Spec;
  const parsed = parseQuickly(source.text, source.bytes);
  return parsed === undefined || parsed.hasNulls || parsed.large.length > 0 ? undefined : (parsed.value as Spec);
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
  const spec = readPlain(shorter ?? source);
  if (spec === undefined) return { spec: loadSource(source, snapshotKind).value, profile };
  if (profile && shorter && spec.linux?.seccomp) addRules(spec.linux.seccomp, profile);
  return { spec, profile };
}
