import { expect } from '../harness.js';

export interface MountInfo {
  readonly options: ReadonlySet<string>;
  readonly tags: string;
  readonly type: string;
  readonly superOptions: ReadonlySet<string>;
}

/** The topmost mount on a path, from the text of /proc/self/mountinfo. */
export function mountOn(text: string, path: string): MountInfo {
  const lines = text.split('\n').filter((line) => line.split(' ')[4] === path);
  const line = lines[lines.length - 1];
  expect(line !== undefined, `nothing is mounted on ${path}`);
  const [before, after] = line.split(' - ');
  const [left, right] = [before!.split(' '), after!.split(' ')];
  return {
    options: new Set(left[5]!.split(',')),
    tags: left.slice(6).join(' '),
    type: right[0]!,
    superOptions: new Set((right[2] ?? '').split(',')),
  };
}

export function checkOptions(
  found: ReadonlySet<string>,
  present: readonly string[],
  absent: readonly string[],
  where: string,
): void {
  for (const name of present) expect(found.has(name), `${where}: no ${name} among ${[...found].join(',')}`);
  for (const name of absent) expect(!found.has(name), `${where}: ${name} among ${[...found].join(',')}`);
}
