/** What plans remove of a state directory. */
import { stateFiles } from '../tables/state-files.js';
import { keptEach, keptFile } from './kept.js';

const kept = (command: string): string[] => Array.from({ length: keptEach }, (_, i) => keptFile(command, i));
const records: readonly string[] = [stateFiles.provisional, stateFiles.record];

/** All that can be left there of a foreground run into which others may have executed something; the records last. */
export const runStateNames: readonly string[] = [
  stateFiles.config,
  stateFiles.annotations,
  stateFiles.resources,
  stateFiles.seenExecs,
  ...kept('exec'),
  ...records,
];

/** With `--record-seccomp`. */
export const recordStateNames: readonly string[] = [
  stateFiles.recorder,
  stateFiles.recorderFifo,
  stateFiles.recorderLog,
];

/** All that a container without hooks and units can have there. The plan that says so is the very last. */
export const keptStateNames: readonly string[] = [
  stateFiles.execFifo,
  stateFiles.startedFifo,
  stateFiles.replyFifo,
  stateFiles.startNotes,
  keptFile('start'),
  ...runStateNames,
  keptFile('delete'),
];
