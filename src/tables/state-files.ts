/** What the files of a container's state are called, for who writes them, reads them and plans for them. */

/** Files of `<root>/<id>/`. */
export const stateFiles = {
  /** The record, published by the executor once the container exists. */
  record: 'state.json',
  /** The record before that. It stays, as the way to the cgroups should state.json get lost (R22). */
  provisional: 'provisional.json',
  /** The bundle's config.json as it was at create (S49). */
  config: 'config.json',
  /** The annotations of a large config, as they were written there; the record has those of others. */
  annotations: 'annotations.json',
  /** All limits after the last `update`; absent before the first one. */
  resources: 'resources.json',
  /** What init does after `start`, so that its complaint can be explained. */
  startNotes: 'start.json',
  /** Init waits in it for `start`. */
  execFifo: 'exec.fifo',
  /** The same, claimed by a `start`. */
  startedFifo: 'started.fifo',
  /** Hashes of the last execs: one that comes again gets a plan of its own (plan/kept.ts). */
  seenExecs: 'execs',
  /** Init reports why it could not start the program. */
  replyFifo: 'reply.fifo',
  /** Where the seccomp recorder takes listeners; the C has the name, too (record.c). */
  recorder: 'recorder.sock',
  /** It reads from this as long as it lives, and takes it away when it has written what it was to write. */
  recorderFifo: 'recorder.fifo',
  /** What it has to say to `delete`. */
  recorderLog: 'recorder.log',
} as const;
