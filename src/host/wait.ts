/** Waiting until a descriptor has something to say, for commands that live long: this loads koffi. */
import { type NativeFunction, openLibrary } from './ffi.js';

/** The same on every architecture that Linux got since: pidfd_open(2), Linux 5.3. */
const pidfdOpenNumber = 434;
// O_CLOEXEC | O_NONBLOCK, which eventfd(2) and inotify_init1(2) take as their own.
const closeOnExecNonBlocking = 0o2004000;
const inModify = 2;
/** POLLIN; POLLERR and POLLHUP are told of without being asked for. */
const pollIn = 1;
const longestPollMs = 0x7fffffff;

type Call = NativeFunction<number>;
interface Calls {
  readonly poll: Call;
  readonly eventfd: Call;
  readonly inotifyInit: Call;
  readonly inotifyAddWatch: Call;
  readonly syscall: Call;
}
let bound: Calls | undefined;

function calls(): Calls {
  if (bound !== undefined) return bound;
  const libc = openLibrary(null);
  bound = {
    poll: libc.bind<number>('poll', 'int', ['void *', 'unsigned long', 'int']),
    eventfd: libc.bind<number>('eventfd', 'int', ['unsigned int', 'int']),
    inotifyInit: libc.bind<number>('inotify_init1', 'int', ['int']),
    inotifyAddWatch: libc.bind<number>('inotify_add_watch', 'int', ['int', 'str', 'uint32_t']),
    syscall: libc.bind<number>('syscall', 'long', ['long', 'long', 'long']),
  };
  return bound;
}

const descriptor = (result: number): number | undefined => (result < 0 ? undefined : result);

/** Becomes readable when the process has ended. None when there is no such process. */
export const openProcess = (pid: number): number | undefined => descriptor(calls().syscall(pidfdOpenNumber, pid, 0));

/** An eventfd(2), read without blocking. */
export const openCounter = (): number | undefined => descriptor(calls().eventfd(0, closeOnExecNonBlocking));

/** Becomes readable when the file changes (inotify(7)), which kernfs says of its own files, too; read without blocking. */
export function watchFile(path: string): number | undefined {
  const watch = descriptor(calls().inotifyInit(closeOnExecNonBlocking));
  return watch === undefined || calls().inotifyAddWatch(watch, path, inModify) < 0 ? undefined : watch;
}

/** Waits until one of them is readable or has failed, or the time is up. */
export function waitForAny(descriptors: readonly number[], milliseconds: number): void {
  // struct pollfd: int fd; short events, revents. Little endian, as both of our architectures are.
  const list = new Int32Array(descriptors.length * 2);
  for (const [index, fd] of descriptors.entries()) list.set([fd, pollIn], index * 2);
  calls().poll(new Uint8Array(list.buffer), descriptors.length, Math.min(Math.ceil(milliseconds), longestPollMs));
}
