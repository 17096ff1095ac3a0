import { type Failure, TsrunError } from '../errors/error.js';
import { decodeOutcome, type Outcome } from '../executor/outcome.js';
import { decodeReply, parseStartNotes } from '../executor/reply.js';
import { stateFiles } from '../tables/state-files.js';
import { type Container, openContainer, readStateFile } from '../state/store.js';
import { errorOf, explainOutcome } from './conclude.js';

/** Why init could not execute the program, in terms of the config. */
export const explainReply = (reply: Uint8Array, container: Container): Failure =>
  explainLastWord(decodeReply(reply), container);

/** The same, decoded: from init's own reply or through an executor that carried out a kept start. */
export function explainLastWord(outcome: Outcome, { directory }: Container): Failure {
  const notes = parseStartNotes(readStateFile(directory, stateFiles.startNotes) ?? '');
  const note = notes?.notes[outcome.step - notes.first] ?? ['', 'start the program'];
  return explainOutcome({ ...outcome, status: 'step-failed', step: 0 }, [note]);
}

/** Why a kept plan of `start` failed (plan/kept.ts). */
export function explainStart(root: string, id: string, round: { outcome: Uint8Array; plan: Uint8Array }): TsrunError {
  const outcome = decodeOutcome(round.outcome);
  if (outcome.status === 'replied') return new TsrunError(explainLastWord(outcome, openContainer(root, id)));
  return errorOf(round);
}
