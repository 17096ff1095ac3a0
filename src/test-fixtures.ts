/** For tests: what they need of the machine, and what each gets and gives back when it is done. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import { executorPath } from './host/executor.js';

export const isRoot = process.getuid?.() === 0;
/** Why tests cannot run here, each undefined where they can. */
export const needsRoot = isRoot ? undefined : 'needs root';
export const needsProgram = existsSync(executorPath()) ? undefined : 'needs dist/tsrun';

/** Processes that are on their way out may still write there. */
export const removeTree = (path: string): void =>
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
export const makeFolder = (name: string): string => mkdtempSync(join(tmpdir(), `tsrun-${name}-`));

/** A folder that goes when all tests of the suite are done. */
export function folderFor(tests: { after: (hook: () => void) => void }, name: string): string {
  const folder = makeFolder(name);
  tests.after(() => removeTree(folder));
  return folder;
}

/** A clock of the processor time that this process uses, in milliseconds: what others do on a busy machine is not counted. */
export function processorClock(): () => number {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
}

const lasting: string[] = [];
const removeLasting = (): void => {
  for (const folder of lasting) removeTree(folder);
};
/** A folder that goes when this process ends. */
export function lastingFolder(name: string): string {
  const folder = makeFolder(name);
  if (lasting.push(folder) === 1) process.once('exit', removeLasting);
  return folder;
}

/** A folder for the time of one call. */
export function withFolder<T>(name: string, body: (folder: string) => T): T {
  const folder = makeFolder(name);
  let waits = false;
  try {
    const result = body(folder);
    waits = result instanceof Promise;
    return waits ? ((result as Promise<unknown>).finally(() => removeTree(folder)) as T) : result;
  } finally {
    if (!waits) removeTree(folder);
  }
}

type Check = (name: string, body: () => void | Promise<void>) => void;
/** The tests of a suite, or, with a reason why they cannot run here, tests that are skipped and counted so. */
export const unless = (tests: Check & { skip: Check }, reason: string | undefined): Check =>
  reason === undefined ? tests : (name, body) => tests.skip(`${name} (${reason})`, body);

export interface Fixture<T> {
  readonly make: () => T;
  readonly remove: (made: T) => void | Promise<void>;
  /** What must hold when a test that passed has given it back. */
  readonly check?: (made: T) => void;
  /** Why no test can run here. */
  readonly missing?: string | undefined;
}

/** A suite whose tests get something that is removed when they are done, however that is. */
export function suiteWith<T>(title: string, { make, remove, check, missing }: Fixture<T>) {
  const tests = suite(title);
  const test = (name: string, body: (made: T) => void | Promise<void>, without?: string): void =>
    unless(tests, missing ?? without)(name, async () => {
      const made = make();
      try {
        await body(made);
      } finally {
        await remove(made);
      }
      check?.(made);
    });
  return { tests, test };
}

/** A suite whose tests get an empty folder. */
export const folderSuite = (title: string) =>
  suiteWith(title, { make: () => makeFolder(title.replaceAll(' ', '-')), remove: removeTree });
