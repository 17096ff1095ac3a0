import { hasReader } from '../host/files.js';
import { type Failure, fail, TsrunError } from '../errors/error.js';
import * as files from '../host/files.js';
import { monotonicMs, sleepMs } from '../host/process.js';
import { stateFiles } from '../tables/state-files.js';
import { claimStart } from '../state/lock.js';
import { type Status, statusOf } from '../state/status.js';
import { type Container, openContainer } from '../state/store.js';
import { SIGKILL } from '../tables/signals.js';
import { isBefore } from '../tables/versions.js';
import { signalByPid } from './kill.js';
import { describeContainer } from './state.js';
import type { CgroupControl, RunHooks, SignalProcess, Warn } from './tools.js';
import { trace, traceStep } from './trace.js';

/** Somebody who passes the container's word on. */
export interface ReadyListener {
  /** Until the container is ready or gone. */
  readonly done: () => Promise<unknown>;
  readonly stop: () => void;
}

export interface StartTools {
  readonly cgroups: Pick<CgroupControl, 'isFrozen'>;
  /** Makes a sentence of what init said when it could not execute the program. */
  readonly explainReply: (reply: Uint8Array, container: Container) => Failure;
  readonly runHooks: RunHooks;
  readonly warn: Warn;
  /** Where a service manager waits for word (NOTIFY_SOCKET): listens for the container's before it runs. */
  readonly listen?: ((container: Container) => Promise<ReadyListener | undefined>) | undefined;
  readonly signalProcess?: SignalProcess;
}

/** runc's words, which engines and people know. */
const refusals: ReadonlyMap<Status, string> = new Map([
  ['creating', 'cannot start a container that is still being created'],
  ['running', 'cannot start an already running container'],
  ['paused', 'cannot start a container in the paused state'],
  ['stopped', 'cannot start a container that has stopped'],
]);

function refuse(status: Status): void {
  const message = refusals.get(status);
  if (message !== undefined) fail('TSR_START_STATE', message);
}

/** How long another `start` may sit between its claim and its byte before it counts as killed there. */
const takeOverAfterMs = 2000;

/** Somebody else has claimed the start: true when they have died over it, so that it is ours now. */
function outlives(startedFifo: string): boolean {
  for (const deadline = monotonicMs() + takeOverAfterMs; monotonicMs() < deadline; sleepMs(5)) {
    if (!hasReader(startedFifo)) return false;
  }
  return true;
}

/**
 * Opens the reply FIFO for blocking reads without ever blocking in open(2): the first descriptor makes a writer
 * possible, the writer makes the blocking reader possible. End of file then means that init, which holds the
 * other end close-on-exec, has executed the program or is gone.
 */
function openReply(path: string): number {
  const { read, write, nonBlock, noFollow } = files.openFlags;
  const first = files.openFile(path, read | nonBlock | noFollow);
  const writer = files.openFile(path, write | nonBlock | noFollow);
  const reader = files.openFile(path, read | noFollow);
  files.closeFile(writer);
  files.closeFile(first);
  return reader;
}

/** Everything init has to say; nothing when all went well. */
function readReply(fd: number): Uint8Array {
  const longest = 64 << 10;
  let reply = new Uint8Array(0);
  while (reply.length < longest) {
    try {
      const part = files.readSome(fd, 4096);
      if (part.length === 0) break;
      const joined = new Uint8Array(reply.length + part.length);
      joined.set(reply);
      joined.set(part, reply.length);
      reply = joined;
    } catch (error) {
      if (files.errnoOf(error) !== 'EINTR') throw error;
    }
  }
  return reply;
}

/** Lets init go. False: nobody reads any more, init is dead. */
function release(startedFifo: string): boolean {
  try {
    const { write, nonBlock, noFollow } = files.openFlags;
    const fd = files.openFile(startedFifo, write | nonBlock | noFollow);
    files.writeAll(fd, 's');
    files.closeFile(fd);
    return true;
  } catch (error) {
    if (files.errnoOf(error) === 'ENXIO') return false;
    throw error;
  }
}

/** Claims the start, releases init and waits for the program's execution. Returns init's complaint, if any. */
function releaseAndWait(directory: string): Uint8Array {
  const startedFifo = `${directory}/${stateFiles.startedFifo}`;
  if (!claimStart(directory) && !outlives(startedFifo)) refuse('running');
  try {
    const reply = openReply(`${directory}/${stateFiles.replyFifo}`);
    try {
      if (!release(startedFifo)) refuse('stopped');
      return readReply(reply);
    } finally {
      files.closeFile(reply);
    }
  } catch (error) {
    const errno = files.errnoOf(error);
    if (errno === '') throw error;
    return fail('TSR_START_FIFO', `cannot start through the FIFOs in '${directory}'`, { errno });
  }
}

/** The FIFOs have done their work; `delete` takes what cannot be removed now. */
function removeFifos(directory: string): void {
  for (const name of [stateFiles.startedFifo, stateFiles.replyFifo]) {
    try {
      files.removeFile(`${directory}/${name}`);
    } catch (error) {
      if (files.errnoOf(error) === '') throw error;
    }
  }
}

/** A failed poststart hook stops the container (runtime-spec 1.3, lifecycle); before, it was a warning and the next one ran. */
async function runPoststartHooks({ record }: Container, tools: StartTools): Promise<void> {
  const softly = isBefore(record.ociVersion, 3);
  for (const [index, hook] of (record.hooks.poststart ?? []).entries()) {
    try {
      await tools.runHooks([hook], describeContainer(record, 'running'), '/hooks/poststart', index);
    } catch (error) {
      if (softly && error instanceof TsrunError) {
        tools.warn(error.failure);
        continue;
      }
      (tools.signalProcess ?? signalByPid)(record, SIGKILL);
      throw error;
    }
  }
}

/** Runs the program of a created container. */
export async function startContainer(root: string, id: string, tools: StartTools): Promise<void> {
  const container = openContainer(root, id);
  const { record, directory } = container;
  const status = statusOf(record, directory, () => tools.cgroups.isFrozen(record.cgroup));
  trace('container', { container, status });
  refuse(status);
  if (record.withoutProcess) fail('TSR_PROCESS_REQUIRED', 'process property must not be empty');
  const listener = await tools.listen?.(container);
  try {
    const reply = releaseAndWait(directory);
    traceStep(() => `init has been let go, and ${reply.length > 0 ? 'has failed' : 'the program runs'}`);
    if (reply.length > 0) throw new TsrunError(tools.explainReply(reply, container));
    removeFifos(directory);
    await runPoststartHooks(container, tools);
  } catch (error) {
    listener?.stop();
    throw error;
  }
  await listener?.done();
}
