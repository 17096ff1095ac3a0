// What is on this host: processes, mounts, cgroups, entries of the state root. The rigs have a host of their own
// (lib/isolate.sh), so whatever is more after a round than before was left by it.
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';

const sleeper = new Int32Array(new SharedArrayBuffer(4));
export const sleep = (milliseconds: number): void => void Atomics.wait(sleeper, 0, 0, milliseconds);

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Every process but this one and those that led to it; zombies count. */
function processes(): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
    const stat = read(`/proc/${pid}/stat`);
    if (stat === '' || Number(pid) === process.pid) continue;
    const end = stat.lastIndexOf(')') + 1;
    found.push(`process ${pid} ${stat.slice(stat.indexOf('('), end)}${stat[end + 1] === 'Z' ? ' zombie' : ''}`);
  }
  return found;
}

const mounts = (): string[] =>
  read('/proc/self/mountinfo')
    .split('\n')
    .filter(Boolean)
    .map((line) => `mount ${line.split(' ').slice(3).join(' ')}`);

function cgroups(directory = '/sys/fs/cgroup', found: string[] = []): string[] {
  let entries: string[] = [];
  try {
    entries = readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(directory, name));
  } catch {
    // It went away while we looked.
  }
  for (const entry of entries) cgroups(entry, found).push(`cgroup ${entry}`);
  return found;
}

const states = (root: string): string[] => {
  try {
    return readdirSync(root)
      .filter((name) => !name.startsWith('.'))
      .map((name) => `state ${name}`);
  } catch {
    return [];
  }
};

/** What is there now. */
export const look = (root: string): string[] => [...processes(), ...mounts(), ...cgroups(), ...states(root)];

/** What is more than before, after at most `patienceMs`: the last of a container may need a moment to go. */
export function leftSince(before: readonly string[], root: string, patienceMs = 2000): string[] {
  const end = Date.now() + patienceMs;
  for (;;) {
    const count = new Map<string, number>();
    for (const item of before) count.set(item, (count.get(item) ?? 0) + 1);
    const left = look(root).filter((item) => {
      const known = count.get(item) ?? 0;
      count.set(item, known - 1);
      return known <= 0;
    });
    if (left.length === 0 || Date.now() > end) return left;
    sleep(5);
  }
}

/** Descriptors of this process: the library runs in it. */
export const descriptors = (): string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`];
    } catch {
      return []; // the one that reads the list
    }
  });

/** A file tree in one line a file: the host's canary. */
export function treeOf(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    const { mode, size } = statSync(path);
    return [`${path} ${mode.toString(8)} ${size}`, ...(entry.isDirectory() ? treeOf(path) : [])];
  });
}
