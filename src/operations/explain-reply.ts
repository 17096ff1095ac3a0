import type { Failure } from '../errors/error.js';
import { decodeReply, parseStartNotes } from '../executor/reply.js';
import { stateFiles } from '../state/layout.js';
import { type Container, readStateFile } from '../state/store.js';
import { explainOutcome } from './conclude.js';

/** Why init could not execute the program, in terms of the config. */
export function explainReply(reply: Uint8Array, { directory }: Container): Failure {
  const outcome = decodeReply(reply);
  const notes = parseStartNotes(readStateFile(directory, stateFiles.startNotes) ?? '');
  const note = notes?.notes[outcome.step - notes.first] ?? ['', 'start the program'];
  return explainOutcome({ ...outcome, step: 0 }, [note]);
}
