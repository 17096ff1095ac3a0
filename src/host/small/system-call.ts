/** src/host/system-call.ts for the small engine. */
import { calls, door } from './door.js';

export const askSeccomp = (_number: number, operation: number, flags: number): number =>
  door.call(calls.seccomp, operation, flags, 0);
