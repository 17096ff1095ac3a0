/** SHA-256. */
import { createHash } from 'node:crypto';

/** Lower-case hexadecimal digest of the parts, one after the other; strings as UTF-8. */
export function sha256(...parts: (string | Uint8Array)[]): string {
  const hasher = createHash('sha256');
  for (const part of parts) hasher.update(part);
  return hasher.digest('hex');
}
