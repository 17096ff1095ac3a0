// Can every case fail? The suite against runtimes that do nothing: what passes would pass whatever a runtime does.
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeSync } from 'fs-extra/esm';

const saboteurs = {
  silent: '#!/bin/sh\nexit 0\n',
  refuser: '#!/bin/sh\necho "no" >&2\nexit 1\n',
} as const;

/** Runs the suite once a saboteur; answers how many cases passed, which must be none. */
export async function selfTest(
  runAll: (runtime: string) => Promise<ReadonlyMap<string, string>>,
): Promise<{ noticed: number; blind: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'saboteurs-'));
  let [noticed, blind] = [0, 0];
  try {
    for (const [name, script] of Object.entries(saboteurs)) {
      const runtime = join(folder, name);
      writeFileSync(runtime, script);
      chmodSync(runtime, 0o755);
      for (const [id, verdict] of await runAll(runtime)) {
        if (verdict.startsWith('not ok')) noticed += 1;
        else if (verdict === 'ok') {
          blind += 1;
          console.log(`# blind: ${id} passes with the runtime '${name}'`);
        }
      }
    }
  } finally {
    removeSync(folder);
  }
  return { noticed, blind };
}
