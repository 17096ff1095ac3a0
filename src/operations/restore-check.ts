import { fail } from '../errors/error.js';
import { readMountInfo } from '../linux/mountinfo.js';
import { checkReadonly, type ReadonlyMount } from '../plan/criu/mounts.js';

/**
 * Holds the mounts of a restored process, which does not run yet, against what the config wants read-only: the image
 * says how each is mounted (security.md S52). @throws TSR_CRIU_WRITABLE
 */
export function checkRestored(request: string, pid: string): void {
  if (!/^[1-9]\d{0,9}$/.test(pid)) fail('TSR_CLI_USAGE', 'restore-check is for the runtime itself');
  checkReadonly(JSON.parse(request) as ReadonlyMount[], readMountInfo(Number(pid)));
}
