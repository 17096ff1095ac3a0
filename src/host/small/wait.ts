/** src/host/wait.ts for the small engine. */
import { calls, door, scratch, scratchView, scratchWords, whole } from './door.js';

// O_CLOEXEC | O_NONBLOCK, which eventfd(2) and inotify_init1(2) take as their own.
const closeOnExecNonBlocking = 0o2004000;
const inModify = 2;
const pollIn = 1;
const pollSize = 8;

const descriptor = (result: number): number | undefined => (result < 0 ? undefined : result);

export const openProcess = (pid: number): number | undefined => descriptor(door.call(calls.pidfd_open, pid, 0));
export const openCounter = (): number | undefined => descriptor(door.call(calls.eventfd2, 0, closeOnExecNonBlocking));
export function watchFile(path: string): number | undefined {
  const watch = descriptor(door.call(calls.inotify_init1, closeOnExecNonBlocking));
  if (watch === undefined || door.call(calls.inotify_add_watch, watch, whole(path), inModify) < 0) return undefined;
  return watch;
}

export function waitForAny(descriptors: readonly number[], milliseconds: number): void {
  // struct timespec, then struct pollfd each: int fd; short events, revents.
  scratchWords.fill(0, 0, 4 + descriptors.length * 2);
  scratchWords[0] = Math.floor(milliseconds / 1000);
  scratchWords[2] = Math.floor((milliseconds % 1000) * 1e6);
  descriptors.forEach((fd, index) => {
    scratchView.setInt32(16 + index * pollSize, fd, true);
    scratchView.setInt16(20 + index * pollSize, pollIn, true);
  });
  door.call(calls.ppoll, scratch.at + 16, descriptors.length, scratch.at, 0, 0);
}

/** After `waitForAny`: whether the descriptor at this place of its list has something to say. */
export const isReady = (index: number): boolean => scratchView.getInt16(16 + index * pollSize + 6, true) !== 0;
