/** Raw system calls for what only the kernel knows: a negative errno or the result. Loads koffi under Node. */
import { lastErrno, openLibrary } from './ffi.js';

/** seccomp(2) without a program. `number` is the call's on this machine. */
export function askSeccomp(number: number, operation: number, flags: number): number {
  const call = openLibrary(null).bind<number>('syscall', 'long', ['long', 'unsigned int', 'unsigned int', 'void *']);
  const result = call(number, operation, flags, null);
  return result === -1 ? -lastErrno() : result;
}
