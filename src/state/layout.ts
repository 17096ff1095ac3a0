/** Where state lives: the root, as runc chooses it, and the files of one container. */
import { fail } from '../errors/error.js';
import { criuRootDirectory } from '../tables/criu.js';
import { notifyDirectory, notifySocketFile } from '../tables/notify.js';
import { readTextIfExists } from '../host/files.js';

export interface StateRoot {
  readonly path: string;
  /** Given with --root; a missing one is then an error for `list`. */
  readonly explicit: boolean;
  /** Below XDG_RUNTIME_DIR, where the sticky bit keeps tmpfiles cleaners away (XDG base directory spec). */
  readonly sticky: boolean;
}

/** What the choice depends on. */
export interface RootFacts {
  readonly euid: number;
  readonly environment: (name: string) => string | undefined;
  readonly currentDirectory: () => string;
}

const systemRoot = '/run/tsrun';

/** Root of a user namespace that does not map all ids: what podman's rootless commands run as. */
function inUserNamespace(): boolean {
  const map = readTextIfExists('/proc/self/uid_map');
  return map !== undefined && !/^\s*0\s+0\s+4294967295\s*$/.test(map);
}

/** Root honours XDG_RUNTIME_DIR only in a user namespace, and not with USER=root, which says who it plays. */
function honoursXdg({ euid, environment }: RootFacts): boolean {
  return euid !== 0 || (environment('USER') !== 'root' && inUserNamespace());
}

/** Resolves `.`, `..` and repeated slashes without looking at the disk. */
export function absolutePath(path: string, currentDirectory: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${currentDirectory}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** The state root. `given` is the value of --root, also when it is empty. */
export function chooseRoot(given: string | undefined, facts: RootFacts): StateRoot {
  if (given !== undefined) {
    const path = given === '' ? '/' : absolutePath(given, facts.currentDirectory());
    if (path === '/') fail('TSR_STATE_ROOT', 'Option --root argument should not be set to /');
    return { path, explicit: true, sticky: false };
  }
  const xdg = facts.environment('XDG_RUNTIME_DIR');
  if (xdg?.startsWith('/') && honoursXdg(facts))
    return { path: `${absolutePath(xdg, '/')}/tsrun`, explicit: false, sticky: true };
  return { path: systemRoot, explicit: false, sticky: false };
}

/** Subdirectories a container's state may have, with the files in them. */
export const stateDirectories: ReadonlyMap<string, readonly string[]> = new Map([
  [notifyDirectory, [notifySocketFile]],
  [criuRootDirectory, []],
]);

/** A plan that was kept for a later call, or one that was being written (plan/kept.ts). */
export const isKeptPlan = (name: string): boolean => /^[a-z]+-[0-9a-j]\.plan(\.new)?$/.test(name);

/** Left behind by a writer that was killed between writing and renaming. */
export const isTemporary = (name: string): boolean =>
  /^\.((state|provisional|config|resources|start)\.json|execs|[a-z]+-[0-9a-j]\.plan)\.[A-Za-z0-9.]*$/.test(name);
