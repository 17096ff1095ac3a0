// An executor that is wrong on purpose: a copy of the sources with some lines changed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copySync, removeSync } from 'fs-extra/esm';

/** A file below src/executor, a text that is there once, and what it becomes. */
export type Edit = readonly [file: string, from: string, to: string];

/**
 * @param read gives the text of a file below src/executor
 * @returns the files that are changed, by name
 * @throws Error naming the text that is not in its file exactly once
 */
function change(edits: readonly Edit[], read: (file: string) => string): Map<string, string> {
  const changed = new Map<string, string>();
  for (const [file, from, to] of edits) {
    const text = changed.get(file) ?? read(file);
    const times = text.split(from).length - 1;
    if (times !== 1) throw new Error(`${file} holds ${JSON.stringify(from)} ${times} times, not once`);
    changed.set(
      file,
      text.replace(from, () => to),
    );
  }
  return changed;
}

/** @returns a line for each set of edits that cannot be made of the sources of today. */
export function impossible(sets: readonly { readonly name: string; readonly edits: readonly Edit[] }[]): string[] {
  return sets.flatMap(({ name, edits }) => {
    try {
      change(edits, (file) => readFileSync(`src/executor/${file}`, 'utf8'));
      return [];
    } catch (error) {
      return [`${name}: ${(error as Error).message}`];
    }
  });
}

/**
 * cc, file by file. A mutant differs in a file or two: what has been compiled before, from the same text with the same words and headers, is
 * taken as it is. A mutant may well leave something unused.
 */
const compiler = `#!/bin/bash
set -e
kept=$(dirname "$0")/objects words=() inputs=() objects=()
while [ $# -gt 0 ]; do
  case $1 in
    -o) out=$2; shift ;;
    *.[coS]) inputs+=("$1") ;;
    *) words+=("$1") ;;
  esac
  shift
done
mkdir -p "$kept"
common=$({ echo "\${words[@]}"; find src -name '*.h' | sort | xargs cat; } | sha256sum)
for input in "\${inputs[@]}"; do
  object=$input
  if [[ $input = *.c ]]; then
    object=$kept/$({ echo "$common $input"; cat "$input"; } | sha256sum | cut -c 1-64).o
    [ -e "$object" ] || cc "\${words[@]}" -Wno-error -c -o "$object" "$input"
  fi
  objects+=("$object")
done
exec cc "\${words[@]}" -Wno-error -o "$out" "\${objects[@]}"
`;

/** A folder for buildMutant; the caller removes it. */
export function mutantFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tsrun-mutants-'));
  writeFileSync(join(folder, 'cc'), compiler, { mode: 0o755 });
  return folder;
}

/** The compiled engine for this machine: a mutant is linked with it. */
function objects(): string {
  const args = ['src/build/run-ts.mjs', 'src/build/build-engine.ts', 'objects', 'dist/cache', 'cc'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return join(process.cwd(), stdout.trim());
}

/**
 * @param folder of mutantFolder()
 * @returns the path of the executor with the edits; undefined when it does not compile
 * @throws Error when an edit does not apply
 */
export function buildMutant(folder: string, edits: readonly Edit[]): string | undefined {
  const sources = join(folder, 'source');
  removeSync(sources);
  for (const part of ['src/executor', 'src/engine', 'src/generated', 'src/build']) copySync(part, join(sources, part));
  symlinkSync(join(process.cwd(), 'node_modules'), join(sources, 'node_modules'));
  const executor = join(sources, 'src/executor');
  for (const [file, text] of change(edits, (name) => readFileSync(join(executor, name), 'utf8')))
    writeFileSync(join(executor, file), text);
  const program = join(folder, 'tsrun');
  rmSync(program, { force: true });
  const pages = join(process.cwd(), 'dist/parts/pages');
  const args = ['src/build/prepare.mjs', '--variant', program, '--cc', join(folder, 'cc'), '--pages', pages];
  const { status } = spawnSync(process.execPath, args, {
    cwd: sources,
    encoding: 'utf8',
    env: { ...process.env, TSRUN_OBJECTS: objects() },
  });
  return status === 0 ? program : undefined;
}
