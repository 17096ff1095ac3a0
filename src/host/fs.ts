/** `node:fs`, for this folder only, and under Node only: the small engine's files are in small/files.ts. */
import fs from 'node:fs';

export { fs };
