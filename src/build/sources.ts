import { spawnSync } from 'node:child_process';

/** Files of the project below these folders whose names end so: those that git tracks, and new ones that it does not ignore. */
export function sourcesOf(folders: readonly string[], name: RegExp): string[] {
  const words = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...folders];
  const { stdout, status, stderr } = spawnSync('git', words, { encoding: 'utf8', maxBuffer: 16 << 20 });
  if (status !== 0) throw new Error(`git: ${stderr}`);
  const deleted = spawnSync('git', ['ls-files', '-z', '--deleted'], { encoding: 'utf8' }).stdout.split('\0');
  return [...new Set(stdout.split('\0'))].filter((path) => name.test(path) && !deleted.includes(path)).sort();
}
