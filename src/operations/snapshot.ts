import { loadDocument } from '../bundle/load.js';
import { mayHaveNulls } from '../bundle/nulls.js';
import { parseQuickly } from '../bundle/parse.js';
import type { Spec } from '../bundle/types.js';
import type { DocumentKind } from '../bundle/validate.js';
import { fail } from '../errors/error.js';
import { specShape } from '../generated/config-shapes.js';
import { stateFiles } from '../tables/state-files.js';
import { readStateFile } from '../state/store.js';

const snapshotKind: DocumentKind<Spec> = { shape: specShape, name: 'spec', runRules: () => undefined };

/** The config a container was made from: the copy in its state, whatever has become of the bundle (S49). */
export function readSnapshot(directory: string): Spec {
  const text = readStateFile(directory, stateFiles.config);
  if (text === undefined) {
    fail('TSR_STATE_CORRUPT', `'${directory}/${stateFiles.config}' is missing`, {
      hint: 'the config of the container is kept there; without it the container can only be deleted',
    });
  }
  // create has checked it: no rule is asked again, and the quick reader's answer is as good as the exact one's.
  const parsed = mayHaveNulls(text) ? undefined : parseQuickly(text);
  if (parsed !== undefined) return parsed.value as Spec;
  return loadDocument(`${directory}/${stateFiles.config}`, snapshotKind, stateFiles.config).value;
}
