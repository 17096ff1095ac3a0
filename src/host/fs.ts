/**
 * `node:fs`, for this folder only. In the standalone it is required, not imported: Bun builds a module of every name for an
 * import, lazy parts included, which costs half a millisecond more at each start (docs/performance.md). Node has no `require` here.
 */
export const fs: typeof import('node:fs') =
  process.versions.bun !== undefined ? require('node:fs') : process.getBuiltinModule('node:fs');
